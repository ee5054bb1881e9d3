//! The instruction set, and functions on vectors of whichever it is.

use std::sync::OnceLock;

use pulp::{Arch, Simd};

/// The widest instruction set of this machine. `SIGHTREAD_CPU=avx2` or `scalar` asks for less, for tests and for finding
/// out whether a fault lies in the kernels.
pub(crate) fn arch() -> Arch {
    static ARCH: OnceLock<Arch> = OnceLock::new();
    *ARCH.get_or_init(|| match std::env::var("SIGHTREAD_CPU").as_deref() {
        Ok("scalar") => Arch::Scalar,
        #[cfg(target_arch = "x86_64")]
        Ok("avx2") => pulp::x86::V3::try_new().map_or_else(Arch::new, Arch::V3),
        _ => Arch::new(),
    })
}

/// Evaluates a polynomial; the coefficient of the highest power comes first.
#[inline(always)]
fn horner<S: Simd>(s: S, x: S::f32s, coefficients: &[f32]) -> S::f32s {
    let mut sum = s.splat_f32s(coefficients[0]);
    for &c in &coefficients[1..] {
        sum = s.mul_add_e_f32s(sum, x, s.splat_f32s(c));
    }
    sum
}

/// x Φ(x) with the Gaussian distribution function Φ; error below 2e-6 for |x| ≤ 8.
///
/// Φ(x) = 1/2 + x P(x²) / Q(x²), fitted by Lawson's weighted least squares on |x| ≤ 5.6, beyond which Φ is 0 or 1.
#[inline(always)]
pub(crate) fn gelu<S: Simd>(s: S, x: S::f32s) -> S::f32s {
    const P: [f32; 7] =
        [1.080_202_2e-10, -2.199_716_9e-8, 3.361_819_2e-6, 1.824_891_1e-4, 4.587_692_7e-3, 3.711_46e-2, 3.989_421e-1];
    const Q: [f32; 5] = [6.625_499e-5, 1.901_600_5e-3, 2.978_720_9e-2, 2.596_966_3e-1, 1.0];
    let bound = s.splat_f32s(5.6);
    let c = s.min_f32s(s.max_f32s(x, s.neg_f32s(bound)), bound);
    let t = s.mul_f32s(c, c);
    let ratio = s.div_f32s(horner(s, t, &P), horner(s, t, &Q));
    let phi = s.mul_add_e_f32s(c, ratio, s.splat_f32s(0.5));
    s.mul_f32s(x, phi)
}

/// eˣ, relative error below 2e-7; 0 below -87, saturates above 88.
#[inline(always)]
pub(crate) fn exp<S: Simd>(s: S, x: S::f32s) -> S::f32s {
    // Taylor's series on |r| ≤ ln 2 / 2 is within one unit in the last place at degree 7.
    const TAYLOR: [f32; 8] = [1.0 / 5040.0, 1.0 / 720.0, 1.0 / 120.0, 1.0 / 24.0, 1.0 / 6.0, 0.5, 1.0, 1.0];
    const ROUND: f32 = 12_582_912.0; // 1.5 · 2²³: adding it leaves the nearest integer in the low bits
    const LN2_HIGH: f32 = 0.693_359_4;
    const LN2_LOW: f32 = -2.121_944_4e-4;
    let x = s.min_f32s(s.max_f32s(x, s.splat_f32s(-87.0)), s.splat_f32s(88.0));
    let shifted = s.mul_add_e_f32s(x, s.splat_f32s(std::f32::consts::LOG2_E), s.splat_f32s(ROUND));
    let n = s.sub_f32s(shifted, s.splat_f32s(ROUND));
    let r = s.mul_add_e_f32s(n, s.splat_f32s(-LN2_HIGH), x);
    let r = s.mul_add_e_f32s(n, s.splat_f32s(-LN2_LOW), r);
    let power = horner(s, r, &TAYLOR);
    let exponent = s.wrapping_dyn_shl_u32s(s.transmute_u32s_f32s(shifted), s.splat_u32s(23));
    s.transmute_f32s_u32s(s.add_u32s(s.transmute_u32s_f32s(power), exponent))
}

/// 1 / (1 + e⁻ˣ)
#[inline(always)]
pub(crate) fn sigmoid<S: Simd>(s: S, x: S::f32s) -> S::f32s {
    let one = s.splat_f32s(1.0);
    s.div_f32s(one, s.add_f32s(one, exp(s, s.neg_f32s(x))))
}

/// x / 2 (1 + tanh(u)) = x / (1 + e⁻²ᵘ) with u = √(2/π) (x + 0.044715 x³).
#[inline(always)]
pub(crate) fn gelu_tanh<S: Simd>(s: S, x: S::f32s) -> S::f32s {
    const TWICE_ROOT: f32 = 1.595_769; // 2 √(2/π)
    let cubic = s.mul_add_e_f32s(s.mul_f32s(x, x), s.splat_f32s(0.044_715 * TWICE_ROOT), s.splat_f32s(TWICE_ROOT));
    s.mul_f32s(x, sigmoid(s, s.mul_f32s(x, cubic)))
}

/// clamp(x · slope + 0.5, 0, 1)
#[inline(always)]
pub(crate) fn hard_sigmoid<S: Simd>(s: S, x: S::f32s, slope: f32) -> S::f32s {
    let y = s.mul_add_e_f32s(x, s.splat_f32s(slope), s.splat_f32s(0.5));
    s.min_f32s(s.max_f32s(y, s.splat_f32s(0.0)), s.splat_f32s(1.0))
}
