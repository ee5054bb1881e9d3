//! The gated activation of Llama's feed-forward layer.

use burn::tensor::{Tensor, activation::silu};

use crate::cpu::flex;

/// `silu(gate) * up`, `silu(x) = x / (1 + e^-x)` (Shazeer, 2020). Both `[.., width]`, as is the result.
pub fn swiglu<const D: usize>(gate: Tensor<D>, up: Tensor<D>) -> Tensor<D> {
    if !flex::is_cpu(&gate.device()) {
        return silu(gate) * up;
    }
    let shape = gate.dims();
    let mut out = Vec::with_capacity(shape.iter().product());
    flex::with_rows(gate, |gate| {
        flex::with_rows(up, |up| {
            for (gate, up) in gate.iter().zip(up.iter()) {
                out.extend(gate.iter().zip(up).map(|(g, u)| g / (1.0 + exp(-g)) * u));
            }
        });
    });
    flex::from_values(out, shape)
}

/// `e^x` to 2e-7 relative, without a call or a branch, so that the compiler makes vectors of it.
///
/// `e^x = 2^n e^r` with `n` the nearest integer to `x / ln 2`; `e^r` by its Taylor series, `|r| <= ln 2 / 2`.
#[inline(always)]
fn exp(x: f32) -> f32 {
    /// Adding 1.5 * 2^23 rounds to the nearest integer and leaves it in the low bits.
    const ROUND: f32 = 12_582_912.0;
    /// ln 2 in two parts, the first with so few bits that `n` times it is exact.
    const LN_2_HIGH: f32 = 0.693_359_4;
    const LN_2_LOW: f32 = -2.121_944_4e-4;
    let x = x.clamp(-87.0, 88.0);
    let shifted = x * std::f32::consts::LOG2_E + ROUND;
    let n = shifted - ROUND;
    let r = x - n * LN_2_HIGH - n * LN_2_LOW;
    let series = 1.0 / 120.0 + r * (1.0 / 720.0 + r * (1.0 / 5040.0));
    let series = 1.0 + r * (1.0 + r * (0.5 + r * (1.0 / 6.0 + r * (1.0 / 24.0 + r * series))));
    f32::from_bits(series.to_bits().wrapping_add(shifted.to_bits() << 23))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exp_is_as_exact_as_f32() {
        for i in -86_000..87_000 {
            let x = i as f32 * 1e-3;
            let exact = f64::from(x).exp();
            assert!((f64::from(exp(x)) / exact - 1.0).abs() < 2e-7, "{x}");
        }
        assert!(exp(-1e30) < 1e-37 && exp(1e30) > 1e38);
    }

    #[test]
    fn rows_of_a_wider_matrix_give_what_tensor_operations_give() {
        use burn::tensor::{Device, Distribution};
        let both = Tensor::<2>::random([5, 14], Distribution::Normal(0.0, 4.0), &Device::flex());
        let (gate, up) = (both.clone().slice_dim(1, 0..7), both.slice_dim(1, 7..14));
        let expected = silu(gate.clone()) * up.clone();
        let error = (swiglu(gate, up) - expected).abs().max().into_scalar::<f32>();
        assert!(error < 1e-5, "{error}");
    }
}
