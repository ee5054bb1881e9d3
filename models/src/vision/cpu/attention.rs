//! Layer norm and self-attention over the time steps of a line.

use pulp::{Simd, WithSimd};

use super::map::{Buffer, Map};
use super::simd::{self, arch};

/// Layer norm over the last axis.
pub(in crate::vision) fn layer_norm(x: &Map, gain: &[f32], shift: &[f32], epsilon: f32) -> Map {
    let d = x.shape[3];
    let mut out = Map::zeros(x.shape);
    for (out, x) in out.data_mut().chunks_exact_mut(d).zip(x.data().chunks_exact(d)) {
        let mean = x.iter().sum::<f32>() / d as f32;
        let variance = x.iter().map(|v| (v - mean) * (v - mean)).sum::<f32>() / d as f32;
        let scale = 1.0 / (variance + epsilon).sqrt();
        for (((o, v), g), s) in out.iter_mut().zip(x).zip(gain).zip(shift) {
            *o = (v - mean) * scale * g + s;
        }
    }
    out
}

/// Softmax attention of every time step to every other: `qkv [b, 1, t, 3 · h · e]`, laid out as three times `h` heads
/// of `e` numbers → `[b, 1, t, h · e]`.
pub(in crate::vision) fn attention(qkv: &Map, heads: usize) -> Map {
    let [b, _, t, width] = qkv.shape;
    let d = width / 3;
    let e = d / heads;
    let mut out = Map::zeros([b, 1, t, d]);
    // Keys of one head, transposed to [e, t], so that scores of neighbouring steps are one vector.
    let mut keys = Buffer::zeros(e * t);
    let mut scores = Buffer::zeros(t);
    for (line, out) in qkv.data().chunks_exact(t * width).zip(out.data_mut().chunks_exact_mut(t * d)) {
        for head in 0..heads {
            for (step, row) in line.chunks_exact(width).enumerate() {
                for i in 0..e {
                    keys[i * t + step] = row[d + head * e + i];
                }
            }
            for (row, out) in line.chunks_exact(width).zip(out.chunks_exact_mut(d)) {
                let query = &row[head * e..][..e];
                let sum = arch().dispatch(Scores { query, keys: &keys, scores: &mut scores });
                let out = &mut out[head * e..][..e];
                out.fill(0.0);
                for (score, row) in scores.iter().zip(line.chunks_exact(width)) {
                    for (o, v) in out.iter_mut().zip(&row[2 * d + head * e..]) {
                        *o += score / sum * v;
                    }
                }
            }
        }
    }
    out
}

/// `scores[t] = exp(q · k_t / √e - max)`; returns their sum.
struct Scores<'a> {
    query: &'a [f32],
    keys: &'a [f32],
    scores: &'a mut [f32],
}

impl WithSimd for Scores<'_> {
    type Output = f32;

    #[inline(always)]
    fn with_simd<S: Simd>(self, s: S) -> f32 {
        let t = self.scores.len();
        let scale = 1.0 / (self.query.len() as f32).sqrt();
        self.scores.fill(0.0);
        for (q, keys) in self.query.iter().zip(self.keys.chunks_exact(t)) {
            for (score, k) in self.scores.iter_mut().zip(keys) {
                *score += q * scale * k;
            }
        }
        softmax_numerators(s, self.scores)
    }
}

/// Replaces every value by `exp(value - max)`; returns the sum.
#[inline(always)]
fn softmax_numerators<S: Simd>(s: S, values: &mut [f32]) -> f32 {
    let max = values.iter().copied().fold(f32::MIN, f32::max);
    let (vectors, tail) = S::as_mut_simd_f32s(values);
    let mut sum = s.splat_f32s(0.0);
    for v in vectors {
        *v = simd::exp(s, s.sub_f32s(*v, s.splat_f32s(max)));
        sum = s.add_f32s(sum, *v);
    }
    let rest = simd::exp(s, s.sub_f32s(s.partial_load_f32s(tail), s.splat_f32s(max)));
    s.partial_store_f32s(tail, rest);
    s.reduce_sum_f32s(sum) + tail.iter().sum::<f32>()
}

/// Softmax over rows of `classes` values, in place.
pub(in crate::vision) fn softmax_rows(values: &mut [f32], classes: usize) {
    for row in values.chunks_exact_mut(classes) {
        let sum = arch().dispatch(Softmax(&mut *row));
        row.iter_mut().for_each(|v| *v /= sum);
    }
}

struct Softmax<'a>(&'a mut [f32]);

impl WithSimd for Softmax<'_> {
    type Output = f32;

    #[inline(always)]
    fn with_simd<S: Simd>(self, s: S) -> f32 {
        softmax_numerators(s, self.0)
    }
}
