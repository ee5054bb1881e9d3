//! Layers as networks use them, on the CPU and on whatever wgpu finds.

use burn::tensor::{Device, Tensor, TensorData};

use super::testing::{Random, oracle, packed};
use super::*;

/// The CPU, and the GPU if there is an adapter, software ones included. In CI there has to be one.
fn devices() -> Vec<Device> {
    let mut devices = vec![Device::flex()];
    #[cfg(feature = "wgpu")]
    match crate::device::Backend::Wgpu.open() {
        Ok(device) => devices.push(device),
        Err(error) if std::env::var_os("CI").is_some() => panic!("{error}"),
        Err(error) => println!("wgpu kernels not tested: {error}"),
    }
    devices
}

fn tensor(values: &[f32], shape: [usize; 3], device: &Device) -> Tensor<3> {
    Tensor::from_data(TensorData::new(values.to_vec(), shape), device)
}

fn values<const D: usize>(tensor: Tensor<D>) -> Vec<f32> {
    tensor.into_data().try_to_vec().expect("f32 values")
}

/// f32 on every device; tolerance 3e-6 of the magnitudes summed.
fn assert_close(found: &[f32], expected: &[(f64, f64)], what: &str) {
    assert_eq!(found.len(), expected.len(), "{what}");
    for (at, (&y, &(sum, size))) in found.iter().zip(expected).enumerate() {
        assert!((f64::from(y) - sum).abs() <= 3e-6 * size + 1e-6, "{what}, output {at}: {y}, expected {sum}");
    }
}

#[test]
fn layers_match_f64_on_every_device() {
    let mut random = Random(11);
    // (in, out, group, act-order, symmetric, bias): whole groups, padded groups, a short last group, per channel.
    let cases = [
        (64, 32, 32, false, true, false),
        (192, 40, 64, true, false, true),
        (72, 8, 20, false, false, true),
        (104, 72, 104, true, true, false),
    ];
    for device in devices() {
        for (in_features, out_features, group_size, act_order, symmetric, with_bias) in cases {
            let mut layer =
                packed(PackedShape { in_features, out_features, group_size }, symmetric, act_order, &mut random);
            layer.bias = with_bias.then(|| random.floats(out_features));
            let linear = Int4Linear::new(&layer, &device).expect("valid").with_precision(Precision::F32);
            assert_eq!((linear.in_features(), linear.out_features()), (in_features, out_features));
            assert!(linear.bytes() >= in_features * out_features / 2);
            for tokens in [1, 2, 21] {
                let x = random.floats(tokens * in_features);
                let y = linear.forward(tensor(&x, [1, tokens, in_features], &device));
                assert_eq!(y.dims(), [1, tokens, out_features]);
                let expected = oracle(&x, &layer.dequantize(), in_features, layer.bias.as_deref());
                assert_close(
                    &values(y),
                    &expected,
                    &format!("{device:?} {in_features} to {out_features}, {tokens} rows"),
                );
            }
        }
    }
}

#[test]
fn eight_bit_rows_embed_and_project_on_every_device() {
    let mut random = Random(12);
    for device in devices() {
        for (rows, width) in [(100, 36), (33, 30)] {
            let weights = random.floats(rows * width);
            let matrix = Int8Rows::quantize(&weights, width, &device).expect("valid").with_precision(Precision::F32);
            let all: Vec<u32> = (0..rows as u32).collect();
            let stored = values(matrix.gather(&all, &device));
            for (stored, exact) in stored.chunks_exact(width).zip(weights.chunks_exact(width)) {
                let step = exact.iter().fold(0.0f32, |max, w| max.max(w.abs())) / 127.0;
                for (s, w) in stored.iter().zip(exact) {
                    assert!((s - w).abs() <= 0.501 * step, "{s} for {w}, step {step}");
                }
            }
            let some = values(matrix.gather(&[7, 32, 7], &device));
            assert_eq!(some[..width], stored[7 * width..8 * width]);
            assert_eq!(some[width..2 * width], stored[32 * width..33 * width]);
            for tokens in [1, 9] {
                let x = random.floats(tokens * width);
                let y = matrix.forward(tensor(&x, [1, tokens, width], &device));
                assert_eq!(y.dims(), [1, tokens, rows]);
                assert_close(&values(y), &oracle(&x, &stored, width, None), &format!("{device:?} head, {tokens} rows"));
            }
        }
    }
}

#[test]
fn a_transposed_input_is_read_right() {
    let mut random = Random(13);
    let layer = packed(PackedShape { in_features: 32, out_features: 16, group_size: 32 }, false, false, &mut random);
    let device = Device::flex();
    let linear = Int4Linear::new(&layer, &device).expect("valid").with_precision(Precision::F32);
    let x = random.floats(32 * 5);
    let x = tensor(&x, [1, 32, 5], &device).swap_dims(1, 2);
    let contiguous = values(x.clone());
    assert_close(&values(linear.forward(x)), &oracle(&contiguous, &layer.dequantize(), 32, None), "transposed");
}

#[test]
fn wrong_rows_are_refused() {
    let device = Device::flex();
    assert!(matches!(Int8Rows::quantize(&[1.0; 5], 2, &device), Err(PackError::Length { .. })));
    assert!(matches!(Int8Rows::quantize(&[], 2, &device), Err(PackError::Length { .. })));
    assert!(matches!(Int8Rows::quantize(&[1.0, f32::NAN], 2, &device), Err(PackError::NotFinite(_))));
    assert!(matches!(Int8Rows::from_codes(&[-128, 0], &[1.0], 2, &device), Err(PackError::Range { value: -128, .. })));
    assert!(matches!(Int8Rows::from_codes(&[1, 0], &[f32::INFINITY], 2, &device), Err(PackError::NotFinite(_))));
}
