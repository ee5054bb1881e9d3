//! The activation of feed-forward layers in Whisper (the exact one) and in SigLIP (its `tanh` look-alike).

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
    in_place(x, |part| simd::arch().dispatch(Gelu::<false>(part)))
}

/// `x / 2 (1 + tanh(√(2/π) (x + 0.044715 x³)))`, which Hugging Face calls `gelu_pytorch_tanh`. Any shape, same shape out.
pub fn gelu_tanh<const D: usize>(x: Tensor<D>) -> Tensor<D> {
    if !flex::is_cpu(&x.device()) {
        return activation::gelu_approximate(x);
    }
    in_place(x, |part| simd::arch().dispatch(Gelu::<true>(part)))
}

fn in_place<const D: usize>(x: Tensor<D>, change: impl Fn(&mut [f32]) + Sync + Send) -> Tensor<D> {
    let shape = x.dims();
    let mut values = flex::with_values(x, <[f32]>::to_vec);
    values.par_chunks_mut(PART).for_each(change);
    flex::from_values(values, shape)
}

struct Gelu<'a, const TANH: bool>(&'a mut [f32]);

impl<const TANH: bool> WithSimd for Gelu<'_, TANH> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, s: S) {
        let gelu = |x| if TANH { simd::gelu_tanh(s, x) } else { simd::gelu(s, x) };
        let (vectors, rest) = S::as_mut_simd_f32s(self.0);
        for x in vectors {
            *x = gelu(*x);
        }
        let last = gelu(s.partial_load_f32s(rest));
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
        let difference = (gelu(x.clone()) - activation::gelu(x.clone())).abs().max().into_scalar::<f32>();
        assert!(difference < 5e-6, "{difference}");
        let difference = (gelu_tanh(x.clone()) - activation::gelu_approximate(x.clone())).abs().max();
        assert!(difference.into_scalar::<f32>() < 5e-6);
        let apart = (gelu_tanh(x.clone()) - gelu(x)).abs().max().into_scalar::<f32>();
        assert!((1e-5..1e-3).contains(&apart), "two functions: {apart}");
    }
}
