//! Layers for tests: correlated inputs with a few columns that are much larger, as in real networks.

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::hessian::{Calibration, Moments};
use crate::matrix::Matrix;

/// Normally distributed values.
pub fn normal(rows: usize, cols: usize, rng: &mut ChaCha8Rng) -> Matrix {
    let mut one = || {
        let (u, v): (f32, f32) = (rng.random_range(1e-7..1.0), rng.random());
        (-2.0 * u.ln()).sqrt() * (std::f32::consts::TAU * v).cos()
    };
    let values = (0..rows * cols).map(|_| one()).collect();
    Matrix::from_rows(rows, cols, values).expect("fits")
}

/// A layer and its inputs.
pub struct Layer {
    pub weight: Matrix,
    pub x: Matrix,
}

/// `W` `[out, in]` and `X` `[n, in]`: a low-rank part, noise, and every 13th column eight times as large.
pub fn layer(out_features: usize, in_features: usize, n: usize, seed: u64) -> Layer {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let rank = in_features.div_ceil(4);
    let mut x = normal(n, rank, &mut rng).times(&normal(rank, in_features, &mut rng));
    x.add_scaled(0.5, &normal(n, in_features, &mut rng));
    for r in 0..n {
        x.row_mut(r).iter_mut().step_by(13).for_each(|v| *v *= 8.0);
    }
    let mut weight = normal(out_features, in_features, &mut rng);
    weight.scale(0.05);
    Layer { weight, x }
}

impl Layer {
    /// Moments of its inputs.
    pub fn calibration(&self) -> Calibration {
        let mut moments = Moments::new(self.x.cols(), false, false);
        moments.add(&self.x, None);
        moments.finish().expect("has inputs")
    }
}
