//! Attention on the CPU without ever holding the scores of more than a few queries (as FlashAttention does).
//!
//! Keys are visited in blocks; every query row keeps a running maximum, a running sum and an output that is rescaled when
//! the maximum grows. The inner products are written as fixed-size loops over arrays, which the compiler turns into the
//! vector instructions of whichever instruction set the function is compiled for.

use crate::cpu::{Isa, for_each_part};

/// Keys of one block.
const BLOCK: usize = 64;
/// Query positions of one part of the work.
const POSITIONS: usize = 64;
/// Multiply-adds below which a second thread costs more than it saves.
const WORTH_SHARING: usize = 100_000;

/// Sizes of one attention: `b` batch, `h` query heads, `h_kv` key/value heads, `t` queries, `s` keys, `dh` head width.
#[derive(Debug, Clone, Copy)]
pub struct Dims {
    pub b: usize,
    pub h: usize,
    pub h_kv: usize,
    pub t: usize,
    pub s: usize,
    pub dh: usize,
}

/// A tensor `[b, heads, rows, dh]` in memory; the last dimension is contiguous.
#[derive(Debug, Clone, Copy)]
pub struct Heads<'a> {
    pub values: &'a [f32],
    /// Elements between batches, heads, rows.
    pub strides: [usize; 3],
}

impl<'a> Heads<'a> {
    fn row(&self, batch: usize, head: usize, row: usize, dh: usize) -> &'a [f32] {
        &self.values[batch * self.strides[0] + head * self.strides[1] + row * self.strides[2]..][..dh]
    }
}

/// What is attended to: every operand and how far a query sees.
#[derive(Debug, Clone, Copy)]
pub struct Attention<'a> {
    pub dims: Dims,
    pub q: Heads<'a>,
    pub k: Heads<'a>,
    pub v: Heads<'a>,
    /// Query `i` sees keys `0 ..= offset + i`; all of them if `None`.
    pub causal_offset: Option<usize>,
}

impl Attention<'_> {
    /// Writes `[b, h, t, dh]`, contiguous.
    pub fn run(&self, isa: Isa, out: &mut [f32]) {
        let Dims { b, h, h_kv, t, s, dh } = self.dims;
        assert_eq!(out.len(), b * h * t * dh, "length of the output of attention");
        // A multiplication with addition in one step: always there on 64-bit ARM, a slow library call elsewhere.
        const FMA: bool = cfg!(target_arch = "aarch64");
        let few = t * (h / h_kv) < 8;
        let parts = if few { b * h } else { b * h_kv * t.div_ceil(POSITIONS) };
        let out = SharedRows { values: out.as_mut_ptr(), dh };
        let work = |part: usize| match isa {
            // SAFETY: an `Isa` other than `Portable` exists only where the CPU has its instructions.
            #[cfg(target_arch = "x86_64")]
            Isa::Avx512Vnni => unsafe { part_avx512(self, few, part, &out) },
            // SAFETY: as above.
            #[cfg(target_arch = "x86_64")]
            Isa::Avx2 | Isa::AvxVnni => unsafe { part_avx2(self, few, part, &out) },
            _ => self.part::<4, 8, FMA>(few, part, &out, product::<4, 8, FMA>),
        };
        if b * h * t * s * dh < WORTH_SHARING { (0..parts).for_each(work) } else { for_each_part(parts, work) }
    }

    #[inline(always)]
    fn part<const M: usize, const N: usize, const FMA: bool>(
        &self,
        few: bool,
        part: usize,
        out: &SharedRows,
        product: impl Fn(&[f32], &[f32]) -> [[f32; N]; M],
    ) {
        let Dims { h, h_kv, t, .. } = self.dims;
        if few {
            for i in 0..t {
                self.one_row::<FMA>(part / h, part % h, i, out);
            }
        } else {
            // The last positions see the most keys: they go first, so that no thread is left alone with one at the end.
            let (heads, chunks) = (self.dims.b * h_kv, t.div_ceil(POSITIONS));
            let (head, chunk) = (part % heads, chunks - 1 - part / heads);
            self.chunk::<M, N, FMA>(head / h_kv, head % h_kv, chunk * POSITIONS, out, product);
        }
    }

    /// How many keys query `i` sees.
    #[inline(always)]
    fn visible(&self, i: usize) -> usize {
        self.causal_offset.map_or(self.dims.s, |offset| (offset + i + 1).min(self.dims.s))
    }

    /// One query: scores of all keys, softmax, weighted sum of the values.
    #[inline(always)]
    fn one_row<const FMA: bool>(&self, batch: usize, head: usize, i: usize, out: &SharedRows) {
        let Dims { h, h_kv, t, dh, .. } = self.dims;
        let kv_head = head / (h / h_kv);
        let q = self.q.row(batch, head, i, dh);
        let scale = (dh as f32).powf(-0.5);
        let keys = self.visible(i);
        let mut scores = vec![0.0; keys.next_multiple_of(16)];
        scores[keys..].fill(f32::NEG_INFINITY);
        for (j, score) in scores[..keys].iter_mut().enumerate() {
            *score = scale * dot::<FMA>(q, self.k.row(batch, kv_head, j, dh));
        }
        let max = scores.iter().fold(f32::NEG_INFINITY, |max, &s| max.max(s));
        let mut sums = [0.0f32; 16];
        for sixteen in scores.chunks_exact_mut(16) {
            for (lane, score) in sixteen.iter_mut().enumerate() {
                *score = exp::<FMA>(*score - max);
                sums[lane] += *score;
            }
        }
        let inverse = 1.0 / sums.iter().sum::<f32>();
        // SAFETY: this row belongs to this part alone.
        let out = unsafe { out.row((batch * h + head) * t + i) };
        for (chunk, out) in out.chunks_mut(64).enumerate() {
            let mut sum = [0.0f32; 64];
            for (j, &p) in scores[..keys].iter().enumerate() {
                let v = &self.v.row(batch, kv_head, j, dh)[chunk * 64..][..out.len()];
                if let Ok(v) = <&[f32; 64]>::try_from(v) {
                    for n in 0..64 {
                        sum[n] = fma::<FMA>(p, v[n], sum[n]);
                    }
                } else {
                    sum.iter_mut().zip(v).for_each(|(sum, v)| *sum += p * v);
                }
            }
            out.iter_mut().zip(sum).for_each(|(out, sum)| *out = sum * inverse);
        }
    }

    /// Some positions of all query heads that share one key/value head.
    #[inline(always)]
    fn chunk<const M: usize, const N: usize, const FMA: bool>(
        &self,
        batch: usize,
        kv_head: usize,
        start: usize,
        out: &SharedRows,
        product: impl Fn(&[f32], &[f32]) -> [[f32; N]; M],
    ) {
        let Dims { h, h_kv, t, s, dh, .. } = self.dims;
        let repeats = h / h_kv;
        let positions = POSITIONS.min(t - start);
        let tiles = positions.div_ceil(M);
        let scale = (dh as f32).powf(-0.5);
        let wide = dh.next_multiple_of(N);

        // Queries `[head, tile, dh, M]`, scaled; rows past the last one stay zero.
        let mut q = vec![0.0; repeats * tiles * dh * M];
        for (tile, q) in q.chunks_exact_mut(dh * M).enumerate() {
            let (head, first) = (kv_head * repeats + tile / tiles, tile % tiles * M);
            for m in 0..M.min(positions - first) {
                for (d, x) in self.q.row(batch, head, start + first + m, dh).iter().enumerate() {
                    q[d * M + m] = x * scale;
                }
            }
        }
        let mut states = vec![[(f32::NEG_INFINITY, 0.0f32); M]; repeats * tiles];
        let mut sums = vec![0.0; repeats * tiles * M * wide];
        // Panels of `N` neighbouring columns: keys `[BLOCK / N, dh, N]`, values `[wide / N, BLOCK, N]`.
        let mut keys = vec![0.0; BLOCK * dh];
        let mut values = vec![0.0; wide * BLOCK];

        let last_seen = self.visible(start + positions - 1).min(s);
        for first_key in (0..last_seen).step_by(BLOCK) {
            let count = BLOCK.min(last_seen - first_key);
            for j in 0..BLOCK {
                if j < count {
                    let k = self.k.row(batch, kv_head, first_key + j, dh);
                    let v = self.v.row(batch, kv_head, first_key + j, dh);
                    for (d, &k) in k.iter().enumerate() {
                        keys[(j / N * dh + d) * N + j % N] = k;
                    }
                    for (panel, v) in v.chunks(N).enumerate() {
                        values[(panel * BLOCK + j) * N..][..v.len()].copy_from_slice(v);
                    }
                } else {
                    for panel in 0..wide / N {
                        values[(panel * BLOCK + j) * N..][..N].fill(0.0);
                    }
                }
            }
            for (tile, (q, state)) in q.chunks_exact(dh * M).zip(&mut states).enumerate() {
                let first = start + tile % tiles * M;
                let seen: [usize; M] =
                    std::array::from_fn(|m| self.visible(first + m).saturating_sub(first_key).min(count));
                if seen.iter().all(|&n| n == 0) {
                    continue;
                }
                let mut scores = [[0.0f32; BLOCK]; M];
                for (panel, keys) in keys.chunks_exact(dh * N).enumerate() {
                    let products = product(q, keys);
                    for m in 0..M {
                        scores[m][panel * N..][..N].copy_from_slice(&products[m]);
                    }
                }
                let mut weights = [[0.0f32; M]; BLOCK];
                let sums = &mut sums[tile * M * wide..][..M * wide];
                for m in 0..M {
                    if seen[m] == 0 {
                        continue; // sees none of these keys: its weights stay zero
                    }
                    let rescale = softmax_step::<FMA>(&mut scores[m], seen[m], &mut state[m]);
                    sums[m * wide..][..wide].iter_mut().for_each(|sum| *sum *= rescale);
                    for j in 0..BLOCK {
                        weights[j][m] = scores[m][j];
                    }
                }
                for (panel, values) in values.chunks_exact(BLOCK * N).enumerate() {
                    let products = product(weights.as_flattened(), values);
                    for m in 0..M {
                        let sum = &mut sums[m * wide + panel * N..][..N];
                        sum.iter_mut().zip(products[m]).for_each(|(sum, p)| *sum += p);
                    }
                }
            }
        }
        for (tile, state) in states.iter().enumerate() {
            let (head, first) = (kv_head * repeats + tile / tiles, tile % tiles * M);
            for m in 0..M.min(positions - first) {
                // SAFETY: these rows belong to this part alone.
                let out = unsafe { out.row((batch * h + head) * t + start + first + m) };
                let inverse = 1.0 / state[m].1;
                let sum = &sums[(tile * M + m) * wide..][..dh];
                out.iter_mut().zip(sum).for_each(|(out, sum)| *out = sum * inverse);
            }
        }
    }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx512bw,avx512vl,fma")]
fn part_avx512(attention: &Attention, few: bool, part: usize, out: &SharedRows) {
    attention.part::<8, 32, true>(few, part, out, |a, b| product_avx512(a, b));
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma")]
fn part_avx2(attention: &Attention, few: bool, part: usize, out: &SharedRows) {
    attention.part::<4, 16, true>(few, part, out, |a, b| product_avx2(a, b));
}

/// `a^T b` for `a` `[k, M]` and `b` `[k, N]`: all of `M * N` sums stay in registers.
#[inline(always)]
fn product<const M: usize, const N: usize, const FMA: bool>(a: &[f32], b: &[f32]) -> [[f32; N]; M] {
    let mut sums = [[0.0f32; N]; M];
    for (a, b) in a.as_chunks::<M>().0.iter().zip(b.as_chunks::<N>().0) {
        for m in 0..M {
            for n in 0..N {
                sums[m][n] = fma::<FMA>(a[m], b[n], sums[m][n]);
            }
        }
    }
    sums
}

/// The same compiled for AVX2. [`product`] passed as a function would be compiled for any CPU, where a fused
/// multiply-add is a library call and fifty times as slow.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma")]
fn product_avx2(a: &[f32], b: &[f32]) -> [[f32; 16]; 4] {
    product::<4, 16, true>(a, b)
}

/// The same for AVX-512, whose registers the compiler does not fill by itself.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f")]
fn product_avx512<const M: usize>(a: &[f32], b: &[f32]) -> [[f32; 32]; M] {
    use std::arch::x86_64::*;
    let mut sums = [[_mm512_setzero_ps(); 2]; M];
    for (a, b) in a.as_chunks::<M>().0.iter().zip(b.as_chunks::<32>().0) {
        // SAFETY: thirty-two floats.
        let (b0, b1) = unsafe { (_mm512_loadu_ps(b.as_ptr()), _mm512_loadu_ps(b.as_ptr().add(16))) };
        for m in 0..M {
            let a = _mm512_set1_ps(a[m]);
            sums[m] = [_mm512_fmadd_ps(a, b0, sums[m][0]), _mm512_fmadd_ps(a, b1, sums[m][1])];
        }
    }
    let mut out = [[0.0; 32]; M];
    for (out, sum) in out.iter_mut().zip(sums) {
        // SAFETY: as above.
        unsafe {
            _mm512_storeu_ps(out.as_mut_ptr(), sum[0]);
            _mm512_storeu_ps(out.as_mut_ptr().add(16), sum[1]);
        }
    }
    out
}

/// Turns one row of scores into weights, of which the first `seen` count. Returns what earlier sums are multiplied by.
#[inline(always)]
fn softmax_step<const FMA: bool>(scores: &mut [f32; BLOCK], seen: usize, state: &mut (f32, f32)) -> f32 {
    if seen < BLOCK {
        scores[seen..].fill(f32::NEG_INFINITY);
    }
    let mut maxima = [f32::NEG_INFINITY; 16];
    for sixteen in scores.as_chunks::<16>().0 {
        for lane in 0..16 {
            maxima[lane] = maxima[lane].max(sixteen[lane]);
        }
    }
    let max = maxima.iter().fold(state.0, |max, &s| max.max(s));
    let mut sums = [0.0f32; 16];
    for sixteen in scores.as_chunks_mut::<16>().0 {
        for lane in 0..16 {
            sixteen[lane] = exp::<FMA>(sixteen[lane] - max);
            sums[lane] += sixteen[lane];
        }
    }
    let rescale = exp::<FMA>(state.0 - max);
    *state = (max, state.1 * rescale + sums.iter().sum::<f32>());
    rescale
}

#[inline(always)]
fn dot<const FMA: bool>(a: &[f32], b: &[f32]) -> f32 {
    let (a16, a_rest) = a.as_chunks::<16>();
    let (b16, b_rest) = b.as_chunks::<16>();
    let mut sums = [0.0f32; 16];
    for (a, b) in a16.iter().zip(b16) {
        for lane in 0..16 {
            sums[lane] = fma::<FMA>(a[lane], b[lane], sums[lane]);
        }
    }
    let rest: f32 = a_rest.iter().zip(b_rest).map(|(a, b)| a * b).sum();
    // Halves onto each other, which stays in vectors; a plain sum would be sixteen steps in a row.
    let eight: [f32; 8] = std::array::from_fn(|n| sums[n] + sums[n + 8]);
    let four: [f32; 4] = std::array::from_fn(|n| eight[n] + eight[n + 4]);
    (four[0] + four[2]) + (four[1] + four[3]) + rest
}

#[inline(always)]
fn fma<const FMA: bool>(a: f32, b: f32, c: f32) -> f32 {
    if FMA { a.mul_add(b, c) } else { a * b + c }
}

/// `e^x` for `x <= 0` to 2 units in the last place; 0 below -87 and for minus infinity. Not a number stays one.
#[inline(always)]
fn exp<const FMA: bool>(x: f32) -> f32 {
    const ROUND: f32 = 12_582_912.0; // 1.5 * 2^23: adding it rounds to an integer, kept in the low bits
    // x = n ln 2 + r with |r| <= ln 2 / 2; ln 2 in two parts so that n times the first is exact.
    let clamped = if x < -87.0 { -87.0 } else { x };
    let shifted = fma::<FMA>(clamped, std::f32::consts::LOG2_E, ROUND);
    let n = shifted - ROUND;
    let r = fma::<FMA>(n, -0.693_359_4, clamped);
    let r = fma::<FMA>(n, 2.121_944_4e-4, r);
    // Taylor series to r^6 / 720: the next term is below 1.3e-7 / 7.
    let p = fma::<FMA>(r, 1.0 / 720.0, 1.0 / 120.0);
    let p = fma::<FMA>(p, r, 1.0 / 24.0);
    let p = fma::<FMA>(p, r, 1.0 / 6.0);
    let p = fma::<FMA>(p, r, 0.5);
    let p = fma::<FMA>(p, r, 1.0);
    let p = fma::<FMA>(p, r, 1.0);
    let two_to_n = f32::from_bits(shifted.to_bits().wrapping_add(127) << 23);
    if x < -87.0 { 0.0 } else { p * two_to_n }
}

/// The output, written by all threads at once, each its own rows.
struct SharedRows {
    values: *mut f32,
    dh: usize,
}

// SAFETY: `row` is unsafe and leaves it to its caller that no two threads take the same row.
unsafe impl Sync for SharedRows {}

impl SharedRows {
    /// # Safety
    /// The row exists and nobody else has it.
    #[allow(clippy::mut_from_ref)]
    unsafe fn row(&self, row: usize) -> &mut [f32] {
        // SAFETY: promised by the caller.
        unsafe { std::slice::from_raw_parts_mut(self.values.add(row * self.dh), self.dh) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The definition, in f64.
    fn oracle(a: &Attention) -> Vec<f64> {
        let Dims { b, h, h_kv, t, s, dh } = a.dims;
        let mut out = Vec::new();
        for (batch, head, i) in (0..b * h * t).map(|n| (n / t / h, n / t % h, n % t)) {
            let seen = a.causal_offset.map_or(s, |offset| offset + i + 1);
            let q = a.q.row(batch, head, i, dh);
            let kv_head = head / (h / h_kv);
            let scores: Vec<f64> = (0..seen)
                .map(|j| {
                    let k = a.k.row(batch, kv_head, j, dh);
                    let dot: f64 = q.iter().zip(k).map(|(q, k)| f64::from(*q) * f64::from(*k)).sum();
                    (dot / (dh as f64).sqrt()).exp()
                })
                .collect();
            let total: f64 = scores.iter().sum();
            out.extend((0..dh).map(|d| {
                let weighted = scores.iter().enumerate().map(|(j, p)| p * f64::from(a.v.row(batch, kv_head, j, dh)[d]));
                weighted.sum::<f64>() / total
            }));
        }
        out
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(150))]

        /// Tolerance 1e-5 for values of magnitude 1: f32 rounding of up to 300 terms.
        #[test]
        fn attention_matches_f64(
            b in 1usize..3, h_kv in 1usize..4, repeats in 1usize..4, t in 1usize..150, before in 0usize..150,
            dh in prop::sample::select(vec![1, 8, 20, 64, 80, 128]), causal: bool, spare in 0usize..3, seed: u64,
        ) {
            let mut state = seed;
            let mut random = |n: usize, size: f32| -> Vec<f32> {
                (0..n).map(|_| {
                    state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
                    size * ((state >> 33) as f32 / 2f32.powi(30) - 1.0)
                }).collect()
            };
            let (h, s) = (h_kv * repeats, before + t);
            // Keys lie in a cache with room to spare, values with their heads after the rows: strides of both kinds.
            let q = random(b * h * t * dh, 3.0);
            let k = random(b * h_kv * (s + spare) * dh, 3.0);
            let v = random(b * s * h_kv * dh, 1.0);
            let attention = Attention {
                dims: Dims { b, h, h_kv, t, s, dh },
                q: Heads { values: &q, strides: [h * t * dh, t * dh, dh] },
                k: Heads { values: &k, strides: [h_kv * (s + spare) * dh, (s + spare) * dh, dh] },
                v: Heads { values: &v, strides: [s * h_kv * dh, dh, h_kv * dh] },
                causal_offset: causal.then_some(before),
            };
            let expected = oracle(&attention);
            for isa in Isa::available() {
                let mut out = vec![f32::NAN; expected.len()];
                attention.run(isa, &mut out);
                for (at, (y, e)) in out.iter().zip(&expected).enumerate() {
                    prop_assert!((f64::from(*y) - e).abs() < 1e-5, "{} output {at}: {y}, expected {e}", isa.name());
                }
            }
        }

        #[test]
        fn exp_is_within_two_units_in_the_last_place(x in -87.0f32..=0.0) {
            let exact = f64::from(x).exp();
            for y in [exp::<true>(x), exp::<false>(x)] {
                prop_assert!((f64::from(y) / exact - 1.0).abs() < 2.5e-7, "{y} {exact}");
            }
        }
    }

    #[test]
    fn exp_at_its_ends() {
        for (x, y) in [(0.0, 1.0), (f32::NEG_INFINITY, 0.0), (-1000.0, 0.0)] {
            assert_eq!(exp::<false>(x), y);
        }
        assert!(exp::<false>(f32::NAN).is_nan());
    }
}
