//! What a linear layer's calibration inputs leave behind: second moments, summed over all of them.
//!
//! Symbols as in the paper (arXiv 2601.02888) and in GPTQ (arXiv 2210.17323): `W` `[out, in]`, inputs `X` `[n, in]`, and
//! `H = X^T X / n`. Where the layer should make up for errors of earlier layers, `X` comes from the model quantized so
//! far, `X_fp` from the full-precision model, and `G = X^T (X_fp - X) / n` says how far they are apart.

use std::sync::OnceLock;

use faer::{Mat, MatRef};

use crate::QuantizeError;
use crate::cholesky::Cholesky;
use crate::matrix::{Matrix, dot_f64};
use crate::order::by_falling;

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
    /// `with_energy`: also keep what [`Moments::output_error`] needs to count the shift itself (held-out inputs only).
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

    /// Mean squared output error of packed weights, summed over outputs, and the same divided by the mean squared output.
    ///
    /// Without a shift: `|X (W - Q)^T|^2`. With one, against the full-precision model: `|X_fp W^T - X Q^T|^2` (without the
    /// part that no `Q` can change, unless the energy of the shift was kept).
    pub fn output_error(&self, weight: &Matrix, quantized: &Matrix) -> OutputError {
        let difference = weight.minus(quantized);
        let own = quadratic(&difference, &self.hessian);
        let mut error = own;
        if let Some(shift) = &self.shift {
            error += 2.0 * inner(&difference.times(shift), weight);
        }
        if let Some(energy) = &self.shift_energy {
            error += quadratic(weight, energy);
        }
        OutputError { own, total: error, signal: quadratic(weight, &self.hessian) }
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

/// A Hessian with enough added to its diagonal that it can be inverted.
///
/// What is made of it is kept for the other layers that share it, and can be freed step by step: targets need its solver,
/// GPTQ one factor for each order of the columns, the closed loop nothing but itself.
#[derive(Debug, Clone)]
pub struct Damped {
    /// `H + lambda I`.
    pub hessian: Matrix,
    /// Multiple of the mean of the diagonal that was added: as asked for, or ten times that as often as needed.
    pub damping: f64,
    /// How often the damping had to be raised.
    pub raised: u32,
    solver: OnceLock<Option<Cholesky>>,
    natural: OnceLock<Option<Factor>>,
    by_diagonal: OnceLock<Option<Factor>>,
}

/// The upper factor `U` of the inverse with its rows and columns in an order of their own.
#[derive(Debug, Clone)]
pub(crate) struct Factor {
    /// Column of the weights for each row and column of `upper`.
    pub(crate) order: Vec<usize>,
    /// `U`.
    pub(crate) upper: Matrix,
}

/// Beyond this damping the Hessian says nothing any more.
const MAX_DAMPING: f64 = 1e4;

impl Damped {
    /// Adds `damping` times the mean of the diagonal, ten times more for as long as the result is not positive definite.
    ///
    /// # Errors
    /// [`QuantizeError::Singular`] if no sensible damping helps, [`QuantizeError::DeadLayer`] if every input is zero.
    pub fn new(mut hessian: Matrix, damping: f64) -> Result<Self, QuantizeError> {
        let diagonal = hessian.diagonal();
        let mean = diagonal.iter().map(|&d| f64::from(d)).sum::<f64>() / diagonal.len() as f64;
        if mean <= 0.0 {
            return Err(QuantizeError::DeadLayer);
        }
        let (mut damping, mut raised) = (damping, 0);
        while damping <= MAX_DAMPING {
            hessian.set_diagonal(&diagonal);
            hessian.add_to_diagonal((damping * mean) as f32);
            if let Some(cholesky) = cholesky(&hessian) {
                let (natural, by_diagonal) = (OnceLock::new(), OnceLock::new());
                return Ok(Self { hessian, damping, raised, solver: Some(cholesky).into(), natural, by_diagonal });
            }
            damping = if damping > 0.0 { damping * 10.0 } else { 1e-6 };
            raised += 1;
        }
        Err(QuantizeError::Singular)
    }

    /// Frees what targets were made with.
    pub fn forget_solver(&mut self) {
        self.solver.take();
    }

    /// Frees what GPTQ was run with.
    pub fn forget_factors(&mut self) {
        self.natural.take();
        self.by_diagonal.take();
    }

    /// `weight + strength * weight G^T (H + lambda I)^-1`: the weights that, on the inputs of the model quantized so far,
    /// come closest to the full-precision outputs (least squares, drawn towards `weight` by the damping).
    ///
    /// # Errors
    /// [`QuantizeError::Singular`] if rounding spoils the solution.
    pub fn shifted_target(&self, weight: &Matrix, shift: &Matrix, strength: f32) -> Result<Matrix, QuantizeError> {
        let solver = self.solver.get_or_init(|| cholesky(&self.hessian)).as_ref().ok_or(QuantizeError::Singular)?;
        // (H + lambda I) Z = G W^T, Z [in, out].
        let right = MatRef::from_row_major_slice(shift.data(), shift.rows(), shift.cols());
        let product = right * weight.view().transpose();
        let mut solved = Mat::from_fn(product.nrows(), product.ncols(), |i, j| f64::from(product[(i, j)]));
        drop(product);
        solver.solve_in_place(&mut solved);
        let mut target = weight.clone();
        for r in 0..target.rows() {
            let column = solved.col(r);
            target.row_mut(r).iter_mut().zip(column.iter()).for_each(|(t, &z)| *t += strength * z as f32);
        }
        Ok(target)
    }

    /// The factor for columns in their order; `None` if rounding spoils it.
    pub(crate) fn natural_factor(&self) -> Option<&Factor> {
        self.natural.get_or_init(|| self.factor((0..self.hessian.cols()).collect())).as_ref()
    }

    /// The factor for columns by falling diagonal.
    pub(crate) fn act_order_factor(&self) -> Option<&Factor> {
        self.by_diagonal.get_or_init(|| self.factor(by_falling_diagonal(&self.hessian))).as_ref()
    }

    fn factor(&self, order: Vec<usize>) -> Option<Factor> {
        let upper = self.inverse_factor(&order)?;
        Some(Factor { order, upper })
    }

    /// The upper factor `U` of `(H + lambda I)^-1 = U^T U` with rows and columns in the order `permutation`, as GPTQ uses it.
    ///
    /// With `H = V V^T` for an upper `V`, `U = V^-1`; and `V` is the lower Cholesky factor of `H` with rows and columns
    /// reversed. So one factorisation and one triangular inverse do what GPTQ does in three steps.
    fn inverse_factor(&self, permutation: &[usize]) -> Option<Matrix> {
        let n = permutation.len();
        let reversed = |i: usize| permutation[n - 1 - i];
        let inverse = Cholesky::new(n, |i, j| self.hessian.row(reversed(i))[reversed(j)])?.into_inverse();
        let mut upper = Matrix::zeros(n, n);
        for i in 0..n {
            for (j, u) in upper.row_mut(i).iter_mut().enumerate().skip(i) {
                *u = inverse[(n - 1 - i, n - 1 - j)] as f32;
            }
        }
        upper.is_finite().then_some(upper)
    }
}

/// Columns by falling diagonal; equal ones stay in their order.
pub(crate) fn by_falling_diagonal(hessian: &Matrix) -> Vec<usize> {
    by_falling(&hessian.diagonal())
}

fn cholesky(h: &Matrix) -> Option<Cholesky> {
    Cholesky::new(h.rows(), |i, j| h.row(i)[j])
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
        let alone = calibration(&s, false).output_error(&s.weight, &s.quantized);
        close(alone.own, output_distance(&s.x, &s.weight, &s.x, &s.quantized), 1e-4);
        close(alone.signal, output_distance(&s.x, &s.weight, &s.x, &Matrix::zeros(12, 32)), 1e-4);
        assert_eq!(alone.own, alone.total);
        let both = calibration(&s, true).output_error(&s.weight, &s.quantized);
        close(both.own, alone.own, 1e-6);
        close(both.total, output_distance(&s.x_fp, &s.weight, &s.x, &s.quantized), 1e-4);
    }

    #[test]
    fn the_shifted_target_is_the_least_squares_solution() {
        let s = streams();
        let calibration = calibration(&s, true);
        let damped = Damped::new(calibration.hessian.clone(), 1e-7).expect("regular");
        let shift = calibration.shift.as_ref().expect("kept");
        let target = damped.shifted_target(&s.weight, shift, 1.0).expect("solves");
        let error = |q: &Matrix| output_distance(&s.x_fp, &s.weight, &s.x, q);
        let best = error(&target);
        assert!(best < 0.9 * error(&s.weight), "{best} {}", error(&s.weight));
        let mut rng = ChaCha8Rng::seed_from_u64(5);
        for _ in 0..20 {
            let mut other = target.clone();
            other.add_scaled(0.003, &normal(12, 32, &mut rng));
            assert!(error(&other) > best);
        }
    }

    #[test]
    fn damping_rises_until_a_singular_hessian_can_be_factored() {
        // Five inputs that say the same.
        let x = Matrix::from_rows(3, 8, (0..24).map(|i| [1.0, -2.0, 3.0][i / 8]).collect()).expect("fits");
        let mut moments = Moments::new(8, false, false);
        moments.add(&x, None);
        let hessian = moments.finish().expect("has inputs").hessian;
        let damped = Damped::new(hessian.clone(), 0.0).expect("damped");
        assert!(damped.raised > 0 && damped.damping > 0.0);
        assert_eq!(Damped::new(hessian.clone(), 0.01).expect("damped").raised, 0);
        let order: Vec<usize> = (0..8).collect();
        assert!(damped.inverse_factor(&order).is_some());
    }

    #[test]
    fn the_factor_is_that_of_the_inverse() {
        let hessian = Damped::new(streams().x_hessian(), 0.01).expect("regular");
        let order: Vec<usize> = (0..32).map(|i| (i * 5) % 32).collect();
        let u = hessian.inverse_factor(&order).expect("regular");
        // U H U^T = I for H in the same order.
        let mut h = Matrix::zeros(32, 32);
        for (i, &from) in order.iter().enumerate() {
            for (j, &to) in order.iter().enumerate() {
                h.row_mut(i)[j] = hessian.hessian.row(from)[to];
            }
        }
        let product = u.times(&h);
        for i in 0..32 {
            for j in 0..32 {
                let entry = crate::matrix::dot(product.row(i), u.row(j));
                assert!((entry - f32::from(u8::from(i == j))).abs() < 1e-3, "{i} {j} {entry}");
            }
        }
    }

    impl Streams {
        fn x_hessian(&self) -> Matrix {
            calibration(self, false).hessian
        }
    }

    #[test]
    fn dead_and_missing_inputs_are_told() {
        assert!(matches!(Moments::new(4, false, false).finish(), Err(QuantizeError::NoInputs)));
        let mut moments = Moments::new(2, false, false);
        moments.add(&Matrix::from_rows(1, 2, vec![0.0, 1.0]).expect("fits"), None);
        let calibration = moments.finish().expect("has inputs");
        assert_eq!(calibration.dead_inputs(), 1);
        assert!(Damped::new(calibration.hessian.clone(), 0.01).is_ok());
        assert!(matches!(Damped::new(Matrix::zeros(2, 2), 0.01), Err(QuantizeError::DeadLayer)));
        let mut moments = Moments::new(2, false, false);
        moments.add(&Matrix::from_rows(1, 2, vec![f32::NAN, 1.0]).expect("fits"), None);
        assert!(matches!(moments.finish(), Err(QuantizeError::NotFinite(_))));
    }
}
