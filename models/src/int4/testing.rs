//! Random layers and sums in f64, for the tests of every kernel.

use half::f16;

use super::{PackedLinear, PackedShape};

/// A small generator, so that one number describes a whole case.
pub struct Random(pub u64);

impl Random {
    pub fn next(&mut self) -> u32 {
        self.0 = self.0.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        (self.0 >> 33) as u32
    }

    /// -127 ..= 127
    pub fn code8(&mut self) -> i8 {
        ((self.next() % 255) as i16 - 127) as i8
    }

    /// -1 ..= 1
    pub fn float(&mut self) -> f32 {
        self.next() as f32 / 2f32.powi(30) - 1.0
    }

    pub fn floats(&mut self, n: usize) -> Vec<f32> {
        (0..n).map(|_| self.float()).collect()
    }
}

/// A layer with random codes and grid.
pub fn packed(shape: PackedShape, symmetric: bool, act_order: bool, random: &mut Random) -> PackedLinear {
    let grid = shape.groups() * shape.out_features;
    let codes: Vec<u8> = (0..shape.in_features * shape.out_features).map(|_| (random.next() % 16) as u8).collect();
    let zeros: Vec<u8> = (0..grid).map(|_| if symmetric { 8 } else { (random.next() % 16) as u8 }).collect();
    let scales: Vec<f16> = (0..grid).map(|_| f16::from_f32(0.01 + 0.005 * random.float())).collect();
    let mut g_idx: Vec<i32> = (0..shape.in_features).map(|i| (i / shape.group_size) as i32).collect();
    if act_order {
        for i in (1..g_idx.len()).rev() {
            g_idx.swap(i, random.next() as usize % (i + 1));
        }
    }
    PackedLinear::from_codes(shape, &codes, &scales, &zeros, Some(&g_idx), None).expect("valid")
}

/// `x W^T + bias` in f64, and beside it the sum of the magnitudes, which rounding errors are measured by.
pub fn oracle(x: &[f32], weights: &[f32], in_features: usize, bias: Option<&[f32]>) -> Vec<(f64, f64)> {
    let mut outputs = Vec::new();
    for row in x.chunks_exact(in_features) {
        for (o, weights) in weights.chunks_exact(in_features).enumerate() {
            let products = row.iter().zip(weights).map(|(x, w)| f64::from(*x) * f64::from(*w));
            let bias = bias.map_or(0.0, |b| f64::from(b[o]));
            let (sum, size) = products.fold((0.0, 0.0), |(sum, size), p| (sum + p, size + p.abs()));
            outputs.push((sum + bias, size + bias.abs()));
        }
    }
    outputs
}
