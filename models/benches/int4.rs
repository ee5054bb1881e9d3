//! Packed products and attention beside burn's own in f32, in one run: `cargo bench --workspace --bench int4`.
//!
//! Times are the best of several runs. Shapes are those of SmolLM2-135M, group 64.

use std::time::{Duration, Instant};

use burn::tensor::{Device, Distribution, Tensor, activation::softmax};
use half::f16;
use sightread_models::cpu::Isa;
use sightread_models::int4::{Int4Linear, Int8Rows, PackedLinear, PackedShape, Precision};
use sightread_models::nn::attention_op::attention;

/// How long one figure is measured for.
const BUDGET: Duration = Duration::from_millis(400);
/// Widths `(in, out)` of the linear layers of one block: q and o, k and v, gate and up, down.
const BLOCK: [(usize, usize); 7] =
    [(576, 576), (576, 192), (576, 192), (576, 576), (576, 1536), (576, 1536), (1536, 576)];
const BLOCKS: usize = 30;
const VOCAB: usize = 49152;

fn main() {
    // Run by `cargo test --all-targets` too, where nobody reads figures.
    if !std::env::args().any(|arg| arg == "--bench") {
        return;
    }
    let device = Device::flex();
    println!("instruction set: {}", Isa::chosen().name());
    products(&device);
    one_token(&device);
    attentions(&device);
}

/// Milliseconds of the fastest run.
fn best(mut run: impl FnMut()) -> f64 {
    run();
    let (start, mut best) = (Instant::now(), f64::INFINITY);
    while start.elapsed() < BUDGET {
        let run_start = Instant::now();
        run();
        best = best.min(run_start.elapsed().as_secs_f64());
    }
    best * 1e3
}

fn random<const D: usize>(shape: [usize; D], device: &Device) -> Tensor<D> {
    Tensor::random(shape, Distribution::Uniform(-1.0, 1.0), device)
}

fn layer(in_features: usize, out_features: usize, device: &Device) -> Int4Linear {
    let shape = PackedShape { in_features, out_features, group_size: 64 };
    let grid = shape.groups() * out_features;
    let codes: Vec<u8> = (0..in_features * out_features).map(|n| (n * 7 % 16) as u8).collect();
    let packed = PackedLinear::from_codes(shape, &codes, &vec![f16::from_f32(0.01); grid], &vec![8; grid], None, None);
    packed.and_then(|packed| Int4Linear::new(&packed, device)).expect("a valid layer")
}

fn products(device: &Device) {
    println!(
        "\n{:>5} {:>12}  {:>22}  {:>22}  {:>16}  ratio to f32",
        "rows", "in x out", "4 bit x 8 bit", "4 bit x f32", "burn f32"
    );
    for (in_features, out_features) in [(576, 576), (576, 1536), (1536, 576)] {
        let packed = layer(in_features, out_features, device);
        let exact = packed.clone().with_precision(Precision::F32);
        let weight = random([in_features, out_features], device);
        for rows in [1, 16, 128, 1024] {
            let x = random([rows, in_features], device);
            let int8 = best(|| drop(packed.forward(x.clone())));
            let f32 = best(|| drop(exact.forward(x.clone())));
            let burn = best(|| drop(x.clone().matmul(weight.clone())));
            let gflops = |ms: f64| 2e-6 * (rows * in_features * out_features) as f64 / ms;
            println!(
                "{rows:>5} {:>12}  {int8:>8.3} ms {:>4.0} GFLOPS  {f32:>8.3} ms {:>4.0} GFLOPS  {burn:>8.3} ms {:>4.0}  {:.2} x, {:.2} x",
                format!("{in_features} x {out_features}"),
                gflops(int8),
                gflops(f32),
                gflops(burn),
                burn / int8,
                burn / f32,
            );
        }
    }
}

/// Every linear layer of the model for one row, each with weights of its own: what generation has to read.
fn one_token(device: &Device) {
    let layers: Vec<Int4Linear> = (0..BLOCKS).flat_map(|_| BLOCK).map(|(i, o)| layer(i, o, device)).collect();
    let codes: Vec<i8> = (0..VOCAB * 576).map(|n| (n % 255) as u8 as i8).map(|c| c.max(-127)).collect();
    let head = Int8Rows::from_codes(&codes, &vec![0.01; VOCAB], 576, device).expect("valid rows");
    let inputs = [576, 1536].map(|width| random([1, width], device));
    println!();
    for precision in [Precision::Int8, Precision::F32] {
        let layers: Vec<Int4Linear> = layers.iter().map(|l| l.clone().with_precision(precision)).collect();
        let head = head.clone().with_precision(precision);
        let linears = best(|| {
            for layer in &layers {
                drop(layer.forward(inputs[usize::from(layer.in_features() == 1536)].clone()));
            }
        });
        let projection = best(|| drop(head.forward(inputs[0].clone())));
        println!(
            "one token, {precision:?}: {linears:.2} ms for {} layers, {projection:.2} ms for the 8-bit head",
            layers.len()
        );
    }
}

fn attentions(device: &Device) {
    println!("\nattention, 9 heads over 3, width 64: ours causal; burn's operations without a mask");
    for (t, s) in [(1, 512), (256, 256), (2048, 2048)] {
        let q = random([1, 9, t, 64], device);
        let (k, v) = (random([1, 3, s, 64], device), random([1, 3, s, 64], device));
        let ours = best(|| drop(attention(q.clone(), k.clone(), v.clone(), s - t)));
        let burn = best(|| {
            let scores = q.clone().reshape([1, 3, 3 * t, 64]).matmul(k.clone().swap_dims(2, 3)).mul_scalar(0.125);
            drop(softmax(scores, 3).matmul(v.clone()));
        });
        println!("{t:>5} queries, {s:>4} keys: {ours:>8.3} ms, burn {burn:>8.3} ms, {:.1} x", burn / ours);
    }
}
