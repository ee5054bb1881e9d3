//! Every kernel against sums in f64, over random shapes.

use proptest::prelude::*;

use super::*;
use crate::int4::PackedShape;
use crate::int4::testing::{Random, oracle, packed};

/// Runs every instruction set this machine has, in both precisions.
fn check(tiles: &Tiles, weights: &[f32], rows: usize, with_bias: bool, random: &mut Random) {
    let x = random.floats(rows * tiles.in_features);
    let bias = with_bias.then(|| random.floats(tiles.out_features));
    let expected = oracle(&x, weights, tiles.in_features, bias.as_deref());
    for isa in Isa::available() {
        for precision in [Precision::F32, Precision::Int8] {
            let mut out = vec![f32::NAN; expected.len()];
            tiles.matmul(isa, precision, &x, bias.as_deref(), &mut out);
            for (at, (&y, &(sum, size))) in out.iter().zip(&expected).enumerate() {
                // F32: rounding of a sum of f32 products, relative to the magnitudes summed.
                // Int8: half a step of 1/127 of the block's largest activation for every weight, which random signs
                // mostly cancel; the bound here is the worst case, the root mean square is checked below.
                let tolerance = match precision {
                    Precision::F32 => 2e-6 * size + 1e-6,
                    Precision::Int8 => {
                        let row = &weights[at % tiles.out_features * tiles.in_features..][..tiles.in_features];
                        0.5 / 127.0 * row.iter().map(|w| f64::from(w.abs())).sum::<f64>() + 1e-5
                    }
                };
                assert!(
                    (f64::from(y) - sum).abs() <= tolerance,
                    "{} {precision:?} output {at}: {y}, expected {sum} ± {tolerance}",
                    isa.name()
                );
            }
            if precision == Precision::Int8 {
                let error: f64 = out.iter().zip(&expected).map(|(&y, e)| (f64::from(y) - e.0).powi(2)).sum();
                let size: f64 = weights.iter().map(|w| f64::from(w.powi(2))).sum::<f64>() * rows as f64 / 3.0;
                // A uniform rounding step of 1/127 has a root mean square of 0.0023, activations here of 0.577: 4e-3. Weights of
                // one sign, and few outputs, let it be three times that.
                assert!((error / size).sqrt() < 1.2e-2, "{} relative error {}", isa.name(), (error / size).sqrt());
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn four_bit_products_match_f64(
        in8 in 1usize..60, out8 in 1usize..12, group in prop::sample::select(vec![8, 24, 32, 56, 64, 72, 100, 128, usize::MAX]),
        rows in 1usize..30, symmetric: bool, act_order: bool, with_bias: bool, seed: u64,
    ) {
        let mut random = Random(seed);
        let (in_features, out_features) = (8 * in8, 8 * out8);
        let shape = PackedShape { in_features, out_features, group_size: group.min(in_features) };
        let packed = packed(shape, symmetric, act_order, &mut random);
        let tiles = Tiles::from_packed(&packed).expect("valid");
        check(&tiles, &packed.dequantize(), rows, with_bias, &mut random);
    }

    #[test]
    fn eight_bit_products_match_f64(in_features in 1usize..400, out_features in 1usize..90, rows in 1usize..16, seed: u64) {
        let mut random = Random(seed);
        let codes: Vec<i8> = (0..in_features * out_features).map(|_| random.code8()).collect();
        let scales: Vec<f32> = (0..out_features).map(|_| 0.001 + 0.0005 * random.float()).collect();
        let tiles = Tiles::from_rows8(in_features, &codes, &scales);
        let mut weights = vec![0.0; codes.len()];
        for (o, row) in weights.chunks_exact_mut(in_features).enumerate() {
            tiles.row8(o, row);
            for (w, &code) in row.iter().zip(&codes[o * in_features..]) {
                prop_assert_eq!(*w, scales[o] * f32::from(code));
            }
        }
        check(&tiles, &weights, rows, false, &mut random);
    }
}

/// Whatever is not a number stays visible in the output, also where activations are rounded to 8 bit.
#[test]
fn not_a_number_comes_out_as_not_a_number() {
    let shape = PackedShape { in_features: 64, out_features: 16, group_size: 32 };
    let tiles = Tiles::from_packed(&packed(shape, false, false, &mut Random(7))).expect("valid");
    for broken in [f32::NAN, f32::INFINITY] {
        let mut x = vec![1.0; 64];
        x[40] = broken;
        for isa in Isa::available() {
            for precision in [Precision::F32, Precision::Int8] {
                let mut out = [0.0; 16];
                tiles.matmul(isa, precision, &x, None, &mut out);
                assert!(out.iter().all(|y| !y.is_finite()), "{} {precision:?} {out:?}", isa.name());
            }
        }
    }
}
