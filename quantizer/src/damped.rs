//! The Hessian of a layer made invertible, and what GPTQ and the targets of the closed loop need of its inverse.

use std::sync::OnceLock;

use faer::{Mat, MatRef};

use crate::QuantizeError;
use crate::cholesky::Cholesky;
use crate::matrix::Matrix;
use crate::order::by_falling;

/// A Hessian with enough added to its diagonal that it can be inverted.
///
/// What is made of it is kept for the other layers that share it, and goes step by step: targets need its solver, GPTQ a
/// factor for each order of the columns, the closed loop nothing but itself.
#[derive(Debug, Clone)]
pub struct Damped {
    /// `H + lambda I`.
    pub hessian: Matrix,
    /// Multiple of the mean of the diagonal that was added: as asked for, or ten times that as often as needed.
    pub damping: f64,
    /// How often the damping had to be raised.
    pub raised: u32,
    /// Of the Hessian with rows and columns from the last to the first.
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
            if let Some(cholesky) = reversed_cholesky(&hessian, None) {
                let (natural, by_diagonal) = (OnceLock::new(), OnceLock::new());
                return Ok(Self { hessian, damping, raised, solver: Some(cholesky).into(), natural, by_diagonal });
            }
            damping = if damping > 0.0 { damping * 10.0 } else { 1e-6 };
            raised += 1;
        }
        Err(QuantizeError::Singular)
    }

    /// When all targets are made: their solver becomes the factor for columns in their order, in its place.
    pub fn end_targets(&mut self) {
        if let Some(Some(solver)) = self.solver.take() {
            self.natural = Factor::new((0..self.hessian.cols()).collect(), solver).into();
        }
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
        let solver = self.solver.get_or_init(|| reversed_cholesky(&self.hessian, None));
        let solver = solver.as_ref().ok_or(QuantizeError::Singular)?;
        // (H + lambda I) Z = G W^T, Z [in, out], with the rows reversed.
        let right = MatRef::from_row_major_slice(shift.data(), shift.rows(), shift.cols());
        let product = right * weight.view().transpose();
        let last = product.nrows().saturating_sub(1);
        let mut solved = Mat::from_fn(product.nrows(), product.ncols(), |i, j| f64::from(product[(last - i, j)]));
        drop(product);
        solver.solve_in_place(&mut solved);
        let mut target = weight.clone();
        for r in 0..target.rows() {
            let column = solved.col(r);
            target.row_mut(r).iter_mut().rev().zip(column.iter()).for_each(|(t, &z)| *t += strength * z as f32);
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
        let cholesky = reversed_cholesky(&self.hessian, Some(&order))?;
        Factor::new(order, cholesky)
    }
}

impl Factor {
    /// The upper factor `U` of `(H + lambda I)^-1 = U^T U` with rows and columns in `order`, as GPTQ uses it; `None` if rounding
    /// spoils it.
    ///
    /// With `H = V V^T` for an upper `V`, `U = V^-1`; and `V` is the lower Cholesky factor of `H` with rows and columns
    /// reversed. So one factorisation and one triangular inverse do what GPTQ does in three steps.
    fn new(order: Vec<usize>, reversed: Cholesky) -> Option<Self> {
        let n = order.len();
        let inverse = reversed.into_inverse();
        let mut upper = Matrix::zeros(n, n);
        for i in 0..n {
            for (j, u) in upper.row_mut(i).iter_mut().enumerate().skip(i) {
                *u = inverse[(n - 1 - i, n - 1 - j)] as f32;
            }
        }
        upper.is_finite().then_some(Self { order, upper })
    }
}

/// Columns by falling diagonal; equal ones stay in their order.
pub(crate) fn by_falling_diagonal(hessian: &Matrix) -> Vec<usize> {
    by_falling(&hessian.diagonal())
}

/// Of `h` with rows and columns in `order`, or as they are, from the last to the first.
fn reversed_cholesky(h: &Matrix, order: Option<&[usize]>) -> Option<Cholesky> {
    let n = h.rows();
    let at = |i: usize| order.map_or(n - 1 - i, |order| order[n - 1 - i]);
    Cholesky::new(n, |i, j| h.row(at(i))[at(j)])
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;
    use rand_chacha::ChaCha8Rng;

    use super::*;
    use crate::hessian::Moments;
    use crate::matrix::dot;
    use crate::synthetic::{self, normal};

    #[test]
    fn the_shifted_target_is_the_least_squares_solution() {
        let layer = synthetic::layer(12, 32, 400, 2);
        let (weight, x) = (&layer.weight, &layer.x);
        let mut rng = ChaCha8Rng::seed_from_u64(5);
        let mut x_fp = x.clone();
        x_fp.add_scaled(0.2, &x.times(&normal(32, 32, &mut rng)));
        x_fp.add_scaled(0.1, &normal(400, 32, &mut rng));
        let mut moments = Moments::new(32, true, true);
        moments.add(x, Some(&x_fp));
        let calibration = moments.finish().expect("has inputs");
        let damped = Damped::new(calibration.hessian.clone(), 1e-7).expect("regular");
        let shift = calibration.shift.as_ref().expect("kept");
        let target = damped.shifted_target(weight, shift, 1.0).expect("solves");
        let measure = calibration.measure(weight);
        let error = |q: &Matrix| measure.error(q).total;
        let best = error(&target);
        assert!(best < 0.9 * error(weight), "{best} {}", error(weight));
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
        assert!(damped.natural_factor().is_some() && damped.act_order_factor().is_some());
        assert!(matches!(Damped::new(Matrix::zeros(2, 2), 0.01), Err(QuantizeError::DeadLayer)));
        // A dead input among others does no harm.
        let mut one_dead = Matrix::zeros(2, 2);
        one_dead.row_mut(1)[1] = 1.0;
        assert!(Damped::new(one_dead, 0.01).is_ok());
    }

    #[test]
    fn factors_are_those_of_the_inverse_whether_or_not_the_solver_became_one() {
        let hessian = || synthetic::layer(1, 32, 400, 2).calibration().hessian;
        let mut damped = Damped::new(hessian(), 0.01).expect("regular");
        let afresh = damped.factor((0..32).collect()).expect("regular");
        damped.end_targets();
        let Factor { order, upper } = damped.natural_factor().expect("regular");
        assert_eq!((order, upper), (&afresh.order, &afresh.upper));
        for Factor { order, upper } in [&afresh, damped.act_order_factor().expect("regular")] {
            // U H U^T = I for H in the same order.
            let mut h = Matrix::zeros(32, 32);
            for (i, &from) in order.iter().enumerate() {
                for (j, &to) in order.iter().enumerate() {
                    h.row_mut(i)[j] = damped.hessian.row(from)[to];
                }
            }
            let product = upper.times(&h);
            for i in 0..32 {
                for j in 0..32 {
                    let entry = dot(product.row(i), upper.row(j));
                    assert!((entry - f32::from(u8::from(i == j))).abs() < 1e-3, "{i} {j} {entry}");
                }
            }
        }
        damped.forget_factors();
        assert!(damped.natural_factor().is_some());
    }
}
