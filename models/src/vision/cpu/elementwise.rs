//! Activations, scaling, pooling and upsampling on channels-last maps.

use pulp::{Simd, WithSimd};
use rayon::prelude::*;

use super::map::Map;
use super::simd::{self, arch};
use crate::vision::conv::Activation;

/// Applies `activation` in place, on the calling thread.
pub(super) fn activate(values: &mut [f32], activation: Activation) {
    if activation != Activation::None {
        arch().dispatch(Activate { values, activation });
    }
}

struct Activate<'a> {
    values: &'a mut [f32],
    activation: Activation,
}

impl WithSimd for Activate<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, s: S) {
        match self.activation {
            Activation::None => {}
            Activation::Relu => map_in_place::<S, Relu>(s, self.values),
            Activation::Gelu => map_in_place::<S, Gelu>(s, self.values),
            Activation::Silu => map_in_place::<S, Silu>(s, self.values),
            Activation::HardSwish => map_in_place::<S, HardSwish>(s, self.values),
            Activation::Sigmoid => map_in_place::<S, Sigmoid>(s, self.values),
        }
    }
}

/// A function of a vector. A trait and not a closure: closures are not always inlined into the function that enables
/// the instruction set, and then every intrinsic becomes a call.
trait VectorFn {
    fn apply<S: Simd>(s: S, x: S::f32s) -> S::f32s;
}

macro_rules! vector_fn {
    ($name:ident, $s:ident, $x:ident, $body:expr) => {
        struct $name;
        impl VectorFn for $name {
            #[inline(always)]
            fn apply<S: Simd>($s: S, $x: S::f32s) -> S::f32s {
                $body
            }
        }
    };
}

vector_fn!(Relu, s, x, s.max_f32s(x, s.splat_f32s(0.0)));
vector_fn!(Gelu, s, x, simd::gelu(s, x));
vector_fn!(Silu, s, x, s.mul_f32s(x, simd::sigmoid(s, x)));
vector_fn!(HardSwish, s, x, s.mul_f32s(x, simd::hard_sigmoid(s, x, 1.0 / 6.0)));
vector_fn!(Sigmoid, s, x, simd::sigmoid(s, x));

#[inline(always)]
fn map_in_place<S: Simd, F: VectorFn>(s: S, values: &mut [f32]) {
    let (vectors, tail) = S::as_mut_simd_f32s(values);
    // Two at a time: the functions are long chains of dependent operations.
    let (pairs, rest) = vectors.as_chunks_mut::<2>();
    for [a, b] in pairs {
        let (x, y) = (F::apply(s, *a), F::apply(s, *b));
        *a = x;
        *b = y;
    }
    for v in rest {
        *v = F::apply(s, *v);
    }
    if !tail.is_empty() {
        let last = F::apply(s, s.partial_load_f32s(tail));
        s.partial_store_f32s(tail, last);
    }
}

/// Mean over height and width of every picture: `[b, h, w, c]` → `[b * c]`.
pub(in crate::vision) fn channel_means(map: &Map) -> Vec<f32> {
    let [_, h, w, c] = map.shape;
    // Sums of at most this many rows of channels at a time: keeps f32 rounding small and gives the threads work.
    const PIXELS: usize = 1024;
    map.data()
        .chunks_exact(h * w * c)
        .flat_map(|picture| {
            let sums = picture
                .par_chunks(PIXELS * c)
                .map(|pixels| {
                    let mut sum = vec![0.0f32; c];
                    arch().dispatch(|| {
                        for pixel in pixels.chunks_exact(c) {
                            for (s, x) in sum.iter_mut().zip(pixel) {
                                *s += x;
                            }
                        }
                    });
                    sum
                })
                .reduce(|| vec![0.0; c], |a, b| a.iter().zip(&b).map(|(a, b)| a + b).collect());
            sums.into_iter().map(|s| s / (h * w) as f32).collect::<Vec<_>>()
        })
        .collect()
}

/// Multiplies channel `c` of picture `b` by `scale[b, c]`.
pub(in crate::vision) fn scale_channels(map: &Map, scale: &[f32]) -> Map {
    let [_, h, w, c] = map.shape;
    let mut out = Map::zeros(map.shape);
    out.data_mut().par_chunks_mut(w * c).zip(map.data().par_chunks(w * c)).enumerate().for_each(|(row, (out, x))| {
        let scale = &scale[row / h * c..][..c];
        arch().dispatch(|| {
            for (out, x) in out.chunks_exact_mut(c).zip(x.chunks_exact(c)) {
                for ((o, x), s) in out.iter_mut().zip(x).zip(scale) {
                    *o = x * s;
                }
            }
        });
    });
    out
}

/// `fine + coarse`, `coarse` enlarged twice by repeating pixels.
pub(in crate::vision) fn add_upsampled(fine: &Map, coarse: &Map) -> Map {
    let [_, _, w, c] = fine.shape;
    let coarse_row = coarse.shape[2] * c;
    let mut out = Map::zeros(fine.shape);
    out.data_mut().par_chunks_mut(w * c).zip(fine.data().par_chunks(w * c)).enumerate().for_each(|(row, (out, x))| {
        // Both heights are even multiples, so halving the row index over all pictures stays within the picture.
        let coarse = &coarse.data()[row / 2 * coarse_row..][..coarse_row];
        arch().dispatch(|| {
            for (i, (out, x)) in out.chunks_exact_mut(c).zip(x.chunks_exact(c)).enumerate() {
                for ((o, x), y) in out.iter_mut().zip(x).zip(&coarse[i / 2 * c..]) {
                    *o = x + y;
                }
            }
        });
    });
    out
}

/// The greatest of four values, over all of `out`.
pub(super) fn max_of_four(values: [&[f32]; 4], out: &mut [f32]) {
    let n = out.len();
    arch().dispatch(MaxOfFour(values.map(|v| &v[..n]), out));
}

struct MaxOfFour<'a>([&'a [f32]; 4], &'a mut [f32]);

impl WithSimd for MaxOfFour<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, s: S) {
        let MaxOfFour([a, b, c, d], out) = self;
        let n = S::F32_LANES;
        let rows = a.chunks(n).zip(b.chunks(n)).zip(c.chunks(n).zip(d.chunks(n)));
        for (((a, b), (c, d)), out) in rows.zip(out.chunks_mut(n)) {
            let upper = s.max_f32s(s.partial_load_f32s(a), s.partial_load_f32s(b));
            let lower = s.max_f32s(s.partial_load_f32s(c), s.partial_load_f32s(d));
            s.partial_store_f32s(out, s.max_f32s(upper, lower));
        }
    }
}

/// Mean of blocks of `kh` × `kw` pixels; what does not fill a block at the lower and right edge is left out.
pub(in crate::vision) fn average_pool(x: &Map, [kh, kw]: [usize; 2]) -> Map {
    let [b, h, w, c] = x.shape;
    let (out_h, out_w) = (h / kh, w / kw);
    let mut out = Map::zeros([b, out_h, out_w, c]);
    let factor = 1.0 / (kh * kw) as f32;
    for (i, out) in out.data_mut().chunks_exact_mut(c).enumerate() {
        let (picture, y, x0) = (i / (out_h * out_w), i / out_w % out_h * kh, i % out_w * kw);
        for dy in 0..kh {
            for dx in 0..kw {
                let at = ((picture * h + y + dy) * w + x0 + dx) * c;
                for (o, v) in out.iter_mut().zip(&x.data()[at..at + c]) {
                    *o += v * factor;
                }
            }
        }
    }
    out
}
