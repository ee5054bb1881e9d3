//! What a linear layer's calibration inputs leave behind: second moments, summed over all of them.
//!
//! Symbols as in the paper (arXiv 2601.02888) and in GPTQ (arXiv 2210.17323): `W` `[out, in]`, inputs `X` `[n, in]`, and
//! `H = X^T X / n`. Where the layer should make up for errors of earlier layers, `X` comes from the model quantized so
//! far, `X_fp` from the full-precision model, and `G = X^T (X_fp - X) / n` says how far they are apart.

use crate::QuantizeError;
use crate::matrix::{Matrix, dot_f64};

/// Sums over calibration inputs of one or several layers that share their input.
#[derive(Debug, Clone)]
pub struct Moments {
    rows: usize,
    hessian: Matrix,
    shift: Option<Matrix>,
    shift_energy: Option<Matrix>,
}

impl Moments {
    /// Nothing seen yet. `with_shift`: inputs of the full-precision model come beside those of the quantized one.
    /// `with_energy`: also keep what [`Measure::error`] needs to count the shift itself (held-out inputs only).
    pub fn new(in_features: usize, with_shift: bool, with_energy: bool) -> Self {
        let square = || Matrix::zeros(in_features, in_features);
        Self {
            rows: 0,
            hessian: square(),
            shift: with_shift.then(square),
            shift_energy: (with_shift && with_energy).then(square),
        }
    }

    /// Adds inputs `x` `[n, in]`, and those of the full-precision model at the same positions where a shift is kept.
    pub fn add(&mut self, x: &Matrix, x_fp: Option<&Matrix>) {
        self.rows += x.rows();
        self.hessian.add_gram_lower(x);
        if let (Some(shift), Some(x_fp)) = (&mut self.shift, x_fp) {
            let ahead = x_fp.minus(x);
            shift.add_transposed_product(x, &ahead);
            if let Some(energy) = &mut self.shift_energy {
                energy.add_gram_lower(&ahead);
            }
        }
    }

    /// Input rows seen.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Means instead of sums: `H`, `G` and the energy of the shift.
    ///
    /// # Errors
    /// [`QuantizeError::NoInputs`] if nothing was added, [`QuantizeError::NotFinite`] if inputs were not finite.
    pub fn finish(mut self) -> Result<Calibration, QuantizeError> {
        if self.rows == 0 {
            return Err(QuantizeError::NoInputs);
        }
        let mean = 1.0 / self.rows as f32;
        self.hessian.mirror_lower();
        if let Some(energy) = &mut self.shift_energy {
            energy.mirror_lower();
        }
        for sum in [Some(&mut self.hessian), self.shift.as_mut(), self.shift_energy.as_mut()].into_iter().flatten() {
            sum.scale(mean);
            if !sum.is_finite() {
                return Err(QuantizeError::NotFinite("the calibration inputs"));
            }
        }
        Ok(Calibration { hessian: self.hessian, shift: self.shift, shift_energy: self.shift_energy })
    }
}

/// Mean second moments of a layer's inputs.
#[derive(Debug, Clone)]
pub struct Calibration {
    /// `H = X^T X / n`, `[in, in]`.
    pub hessian: Matrix,
    /// `G = X^T (X_fp - X) / n`, `[in, in]`.
    pub shift: Option<Matrix>,
    /// `(X_fp - X)^T (X_fp - X) / n`, `[in, in]`.
    pub shift_energy: Option<Matrix>,
}

impl Calibration {
    /// Inputs that were zero throughout.
    pub fn dead_inputs(&self) -> usize {
        self.hessian.diagonal().iter().filter(|&&d| d <= 0.0).count()
    }

    /// Measures weights that are to do the work of `weight` `[out, in]` on these inputs.
    pub fn measure<'a>(&'a self, weight: &'a Matrix) -> Measure<'a> {
        let shift_energy = self.shift_energy.as_ref().map_or(0.0, |energy| quadratic(weight, energy));
        Measure { inputs: self, weight, shift_energy, signal: quadratic(weight, &self.hessian) }
    }
}

/// A layer whose output errors are measured, and what all measurements share.
#[derive(Debug, Clone, Copy)]
pub struct Measure<'a> {
    inputs: &'a Calibration,
    weight: &'a Matrix,
    shift_energy: f64,
    signal: f64,
}

impl Measure<'_> {
    /// Mean squared output error of packed weights, summed over outputs, and the mean squared output to divide it by.
    ///
    /// Without a shift: `|X (W - Q)^T|^2`. With one, against the full-precision model: `|X_fp W^T - X Q^T|^2` (without the
    /// part that no `Q` can change, unless the energy of the shift was kept).
    pub fn error(&self, quantized: &Matrix) -> OutputError {
        let difference = self.weight.minus(quantized);
        let own = quadratic(&difference, &self.inputs.hessian);
        let shift = self.inputs.shift.as_ref().map_or(0.0, |shift| 2.0 * inner(&difference.times(shift), self.weight));
        OutputError { own, total: own + shift + self.shift_energy, signal: self.signal }
    }
}

/// Squared output errors of one layer, per input row.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct OutputError {
    /// `|X (W - Q)^T|^2`: this layer alone, on the inputs it gets.
    pub own: f64,
    /// `|X_fp W^T - X Q^T|^2`: with what earlier layers did wrong. Equals `own` without a shift.
    pub total: f64,
    /// `|X W^T|^2`.
    pub signal: f64,
}

/// `tr(A H A^T)`.
pub fn quadratic(a: &Matrix, h: &Matrix) -> f64 {
    inner(&a.times(h), a)
}

/// Sum of the products of all elements.
pub(crate) fn inner(a: &Matrix, b: &Matrix) -> f64 {
    dot_f64(a.data(), b.data())
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;
    use rand_chacha::ChaCha8Rng;

    use super::*;
    use crate::synthetic::{self, normal};

    fn close(a: f64, b: f64, tolerance: f64) {
        assert!((a - b).abs() <= tolerance * a.abs().max(b.abs()).max(1e-9), "{a} {b}");
    }

    /// `|A - B|^2 / n` of outputs computed directly in f64.
    fn output_distance(x: &Matrix, w: &Matrix, y: &Matrix, q: &Matrix) -> f64 {
        let mut sum = 0.0;
        for n in 0..x.rows() {
            for r in 0..w.rows() {
                let out =
                    |x: &[f32], w: &[f32]| x.iter().zip(w).map(|(&a, &b)| f64::from(a) * f64::from(b)).sum::<f64>();
                sum += (out(x.row(n), w.row(r)) - out(y.row(n), q.row(r))).powi(2);
            }
        }
        sum / x.rows() as f64
    }

    struct Streams {
        weight: Matrix,
        quantized: Matrix,
        x: Matrix,
        x_fp: Matrix,
    }

    fn streams() -> Streams {
        let mut rng = ChaCha8Rng::seed_from_u64(3);
        let synthetic::Layer { weight, x } = synthetic::layer(12, 32, 400, 2);
        let mut x_fp = x.clone();
        x_fp.add_scaled(0.2, &x.times(&normal(32, 32, &mut rng)));
        x_fp.add_scaled(0.1, &normal(400, 32, &mut rng));
        let mut quantized = weight.clone();
        quantized.add_scaled(0.01, &normal(12, 32, &mut rng));
        Streams { weight, quantized, x, x_fp }
    }

    fn calibration(s: &Streams, shift: bool) -> Calibration {
        let mut moments = Moments::new(32, shift, shift);
        // In two batches, as they come.
        for rows in [0..150, 150..400] {
            let part = |m: &Matrix| {
                Matrix::from_rows(rows.len(), 32, m.data()[rows.start * 32..rows.end * 32].to_vec()).expect("fits")
            };
            moments.add(&part(&s.x), shift.then(|| part(&s.x_fp)).as_ref());
        }
        moments.finish().expect("has inputs")
    }

    #[test]
    fn output_errors_are_those_of_the_outputs() {
        let s = streams();
        let alone = calibration(&s, false).measure(&s.weight).error(&s.quantized);
        close(alone.own, output_distance(&s.x, &s.weight, &s.x, &s.quantized), 1e-4);
        close(alone.signal, output_distance(&s.x, &s.weight, &s.x, &Matrix::zeros(12, 32)), 1e-4);
        assert_eq!(alone.own, alone.total);
        let both = calibration(&s, true).measure(&s.weight).error(&s.quantized);
        close(both.own, alone.own, 1e-6);
        close(both.total, output_distance(&s.x_fp, &s.weight, &s.x, &s.quantized), 1e-4);
    }

    #[test]
    fn dead_and_missing_inputs_are_told() {
        assert!(matches!(Moments::new(4, false, false).finish(), Err(QuantizeError::NoInputs)));
        let mut moments = Moments::new(2, false, false);
        moments.add(&Matrix::from_rows(1, 2, vec![0.0, 1.0]).expect("fits"), None);
        let calibration = moments.finish().expect("has inputs");
        assert_eq!(calibration.dead_inputs(), 1);
        let mut moments = Moments::new(2, false, false);
        moments.add(&Matrix::from_rows(1, 2, vec![f32::NAN, 1.0]).expect("fits"), None);
        assert!(matches!(moments.finish(), Err(QuantizeError::NotFinite(_))));
    }
}
