//! The activation of Whisper's feed-forward layers.

use burn::tensor::{Tensor, activation};
use pulp::{Simd, WithSimd};
use rayon::prelude::*;

use crate::cpu::{flex, simd};

/// Values one thread takes at a time; fewer are not worth a second thread.
const PART: usize = 1 << 14;

/// `x Φ(x)` with the Gaussian distribution function Φ (Hendrycks and Gimpel, 2016), the exact one and not its `tanh`
/// look-alike. Any shape, same shape out.
pub fn gelu<const D: usize>(x: Tensor<D>) -> Tensor<D> {
    if !flex::is_cpu(&x.device()) {
        return activation::gelu(x);
    }
    let shape = x.dims();
    let mut values = flex::with_values(x, <[f32]>::to_vec);
    values.par_chunks_mut(PART).for_each(|part| simd::arch().dispatch(Gelu(part)));
    flex::from_values(values, shape)
}

struct Gelu<'a>(&'a mut [f32]);

impl WithSimd for Gelu<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, s: S) {
        let (vectors, rest) = S::as_mut_simd_f32s(self.0);
        for x in vectors {
            *x = simd::gelu(s, *x);
        }
        let last = simd::gelu(s, s.partial_load_f32s(rest));
        s.partial_store_f32s(rest, last);
    }
}

#[cfg(test)]
mod tests {
    use burn::tensor::{Device, Distribution};

    use super::*;

    #[test]
    fn one_pass_gives_what_the_tensor_operation_gives() {
        let x = Tensor::<2>::random([7, 5003], Distribution::Normal(0.0, 3.0), &Device::flex());
        let difference = (gelu(x.clone()) - activation::gelu(x)).abs().max().into_scalar::<f32>();
        assert!(difference < 5e-6, "{difference}");
    }
}
