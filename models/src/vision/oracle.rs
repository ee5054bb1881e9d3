//! Our CPU kernels against burn's operations on the same random weights, at sizes that do not fit tiles and vectors.

use burn::tensor::{Device, Tensor, TensorData};
use proptest::prelude::*;
use rand::{RngExt, SeedableRng};

use super::blocks::*;
use super::conv::{Activation, Conv, Geometry, Ops};
use super::image::read_back;
use super::pyramid::MultiScaleConv;
use super::weights::Weights;

/// Both sum in another order; values are around 1.
const TOLERANCE: f32 = 2e-5;

fn random_map(shape: [usize; 4], seed: u64) -> Tensor<4> {
    let mut rng = rand_chacha::ChaCha8Rng::seed_from_u64(seed);
    let values: Vec<f32> = (0..shape.iter().product()).map(|_| rng.random_range(-2.0..2.0)).collect();
    Tensor::from_data(TensorData::new(values, shape), &Device::flex())
}

/// Runs a block made by `load` both ways.
fn assert_same<B, T: Clone>(
    shapes: &[(&str, &[usize])],
    input: &T,
    load: impl Fn(&mut Weights) -> Result<B, crate::checkpoint::CheckpointError>,
    forward: impl Fn(&B, T) -> Tensor<4>,
) {
    let [burn, ours] = [Ops::Burn, Ops::CpuKernels].map(|ops| {
        let mut weights = Weights::generated(shapes, ops);
        let block = load(&mut weights).unwrap();
        weights.finish().unwrap();
        let output = forward(&block, input.clone());
        (output.dims(), read_back(output).unwrap())
    });
    assert_eq!(burn.0, ours.0);
    let worst = burn.1.iter().zip(&ours.1).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
    assert!(worst <= TOLERANCE, "greatest difference {worst}");
}

fn check_conv(geometry: Geometry, activation: Activation, size: [usize; 3]) {
    let Geometry { channels_in, channels_out, kernel: [kh, kw], depthwise, .. } = geometry;
    let shape = [channels_out, if depthwise { 1 } else { channels_in }, kh, kw];
    let [b, h, w] = size;
    assert_same(
        &[("conv.weight", &shape), ("conv.bias", &[channels_out])],
        &random_map([b, h, w, channels_in], 1),
        |weights| Conv::load(weights, "conv", geometry, activation),
        |conv, x| conv.forward(x),
    );
}

const ACTIVATIONS: [Activation; 6] = [
    Activation::None,
    Activation::Relu,
    Activation::Gelu,
    Activation::Silu,
    Activation::HardSwish,
    Activation::Sigmoid,
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn pointwise(c_in in 1usize..70, c_out in 1usize..130, b in 1usize..3, h in 1usize..6, w in 1usize..40, a in 0..6usize) {
        check_conv(Geometry::pointwise(c_in, c_out), ACTIVATIONS[a], [b, h, w]);
    }

    #[test]
    fn dense(c_in in 1usize..20, c_out in 1usize..50, b in 1usize..3, h in 2usize..12, w in 2usize..40, stride in 1usize..3) {
        check_conv(Geometry::dense(c_in, c_out, 3, [stride; 2]), Activation::Relu, [b, h, w]);
        check_conv(Geometry::dense_2x2(c_in, c_out), Activation::None, [b, h, w]);
    }

    #[test]
    fn depthwise(c in 1usize..70, b in 1usize..3, h in 1usize..12, w in 1usize..40) {
        for (kernel, stride) in
            [([3, 3], [1, 1]), ([3, 3], [2, 2]), ([3, 3], [2, 1]), ([5, 5], [2, 1]), ([7, 7], [1, 1]), ([1, 7], [1, 1])]
        {
            check_conv(Geometry::depthwise(c, kernel, stride), Activation::Gelu, [b, h, w]);
        }
    }
}

#[test]
fn lcnet_block() {
    for (channels_out, stride, squeeze) in
        [(20, [1, 1], false), (20, [1, 1], true), (33, [2, 1], false), (33, [2, 2], true)]
    {
        let config = LcNetBlockConfig { channels_in: 20, channels_out, stride, squeeze };
        let mut shapes: Vec<(&str, &[usize])> = vec![
            ("b.depthwise.weight", &[20, 1, 3, 3]),
            ("b.depthwise.bias", &[20]),
            ("b.expand.weight", &[37, 20, 1, 1]),
            ("b.expand.bias", &[37]),
        ];
        let compress = [channels_out, 37, 1, 1];
        shapes.extend([("b.compress.weight", &compress[..]), ("b.compress.bias", &compress[..1])]);
        if squeeze {
            shapes.extend([
                ("b.squeeze.reduce.weight", &[5, 20, 1, 1][..]),
                ("b.squeeze.reduce.bias", &[5]),
                ("b.squeeze.expand.weight", &[20, 5, 1, 1]),
                ("b.squeeze.expand.bias", &[20]),
            ]);
        }
        let load = |weights: &mut Weights| LcNetBlock::load(weights, "b", config);
        assert_same(&shapes, &random_map([2, 9, 75, 20], 2), load, |block, x| block.forward(x));
    }
}

#[test]
fn stem() {
    let shapes: &[(&str, &[usize])] = &[
        ("s.conv1.weight", &[12, 3, 3, 3]),
        ("s.conv1.bias", &[12]),
        ("s.conv2a.weight", &[6, 12, 2, 2]),
        ("s.conv2a.bias", &[6]),
        ("s.conv2b.weight", &[12, 6, 2, 2]),
        ("s.conv2b.bias", &[12]),
        ("s.conv3.weight", &[12, 24, 3, 3]),
        ("s.conv3.bias", &[12]),
        ("s.conv4.weight", &[20, 12, 1, 1]),
        ("s.conv4.bias", &[20]),
    ];
    // 132 rows are three tasks; 4 × 4 is one output pixel.
    for size in [[2, 132, 28, 3], [1, 4, 4, 3], [1, 48, 100, 3]] {
        let load = |weights: &mut Weights| Stem::load(weights, "s", 12, 20);
        assert_same(shapes, &random_map(size, 3), load, |stem, x| stem.forward(x));
    }
}

#[test]
fn multi_scale() {
    let shapes: &[(&str, &[usize])] = &[("m.weight", &[10, 24, 3, 3]), ("m.bias", &[10])];
    let levels: Vec<_> = (0..4).map(|i| random_map([2, 16 >> i, 24 >> i, 6], 4 + i)).collect();
    let load = |weights: &mut Weights| MultiScaleConv::load(weights, "m", [6, 10], 4);
    assert_same(shapes, &levels, load, |conv, levels| conv.forward(levels));
}

#[test]
fn svtr_block() {
    let shapes: &[(&str, &[usize])] = &[
        ("b.norm1.weight", &[24]),
        ("b.norm1.bias", &[24]),
        ("b.qkv.weight", &[72, 24]),
        ("b.qkv.bias", &[72]),
        ("b.proj.weight", &[24, 24]),
        ("b.proj.bias", &[24]),
        ("b.norm2.weight", &[24]),
        ("b.norm2.bias", &[24]),
        ("b.mlp.fc1.weight", &[48, 24]),
        ("b.mlp.fc1.bias", &[48]),
        ("b.mlp.fc2.weight", &[24, 48]),
        ("b.mlp.fc2.bias", &[24]),
    ];
    for t in [1, 37] {
        let load = |weights: &mut Weights| SvtrBlock::load(weights, "b", 24, 8);
        assert_same(shapes, &random_map([2, 1, t, 24], 5), load, |block, x| block.forward(x));
    }
}

#[test]
fn average_pooling() {
    let x = random_map([2, 7, 9, 5], 6);
    let [burn, ours] = [Ops::Burn, Ops::CpuKernels].map(|ops| read_back(average_pool(x.clone(), [3, 2], ops)).unwrap());
    assert_eq!(burn.len(), 2 * 2 * 4 * 5);
    assert!(burn.iter().zip(&ours).all(|(a, b)| (a - b).abs() < TOLERANCE));
}
