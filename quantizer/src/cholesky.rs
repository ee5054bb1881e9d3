//! Cholesky factors in f64 that take no more memory than the matrix itself: those of a wide layer's Hessian are the largest
//! things a run holds.

use faer::dyn_stack::{MemBuffer, MemStack};
use faer::linalg::cholesky::llt::factor::{cholesky_in_place, cholesky_in_place_scratch};
use faer::linalg::cholesky::llt::solve::solve_in_place;
use faer::linalg::matmul::triangular::{self, BlockStructure};
use faer::linalg::triangular_inverse::invert_lower_triangular;
use faer::{Accum, Mat, Par};

/// Columns that are inverted at a time; beside the factor, only so many columns are in memory.
const PANEL: usize = 256;

/// The lower factor `L` of a positive definite matrix `L L^T`.
#[derive(Debug, Clone)]
pub(crate) struct Cholesky {
    /// Zero above the diagonal.
    lower: Mat<f64>,
}

impl Cholesky {
    /// Of the symmetric `[n, n]` matrix that `entry` tells the lower triangle of; `None` if it is not positive definite.
    pub(crate) fn new(n: usize, entry: impl Fn(usize, usize) -> f32) -> Option<Self> {
        let mut lower = Mat::from_fn(n, n, |i, j| if i >= j { f64::from(entry(i, j)) } else { 0.0 });
        let par = Par::rayon(0);
        let mut scratch = MemBuffer::new(cholesky_in_place_scratch::<f64>(n, par, Default::default()));
        let stack = MemStack::new(&mut scratch);
        cholesky_in_place(lower.as_mut(), Default::default(), par, stack, Default::default()).ok()?;
        // It works above the diagonal too.
        for j in 1..n {
            lower.as_mut().col_mut(j).subrows_mut(0, j).fill(0.0);
        }
        Some(Self { lower })
    }

    /// Replaces `right` `[n, k]` by the solution `x` of `L L^T x = right`.
    pub(crate) fn solve_in_place(&self, right: &mut Mat<f64>) {
        solve_in_place(self.lower.as_ref(), right.as_mut(), Par::rayon(0), MemStack::new(&mut []));
    }

    /// `L^-1`, lower triangular, in the place of `L`.
    ///
    /// From the last columns to the first: with the columns cut in two, the inverse of `[A 0; B C]` is
    /// `[A^-1 0; -C^-1 B A^-1, C^-1]`, and `C^-1` is there already.
    pub(crate) fn into_inverse(self) -> Mat<f64> {
        use BlockStructure::{Rectangular, TriangularLower};
        let (mut lower, par) = (self.lower, Par::rayon(0));
        let n = lower.nrows();
        for start in (0..n).step_by(PANEL).rev() {
            let width = PANEL.min(n - start);
            let (end, below) = (start + width, n - start - width);
            let mut own = Mat::<f64>::zeros(width, width);
            invert_lower_triangular(own.as_mut(), lower.as_ref().submatrix(start, start, width, width), par);
            let panel = lower.as_ref().submatrix(end, start, below, width) * &own;
            let (mut left, right) = lower.as_mut().split_at_col_mut(end);
            triangular::matmul(
                left.as_mut().submatrix_mut(end, start, below, width),
                Rectangular,
                Accum::Replace,
                right.as_ref().submatrix(end, 0, below, below),
                TriangularLower,
                &panel,
                Rectangular,
                -1.0,
                par,
            );
            left.submatrix_mut(start, start, width, width).copy_from(&own);
        }
        lower
    }
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;
    use rand_chacha::ChaCha8Rng;

    use super::*;
    use crate::matrix::Matrix;
    use crate::synthetic::normal;

    /// `X^T X` with a little on its diagonal.
    fn positive_definite(n: usize) -> Matrix {
        let x = normal(n + 20, n, &mut ChaCha8Rng::seed_from_u64(n as u64));
        let mut h = Matrix::zeros(n, n);
        h.add_gram_lower(&x);
        h.mirror_lower();
        h.add_to_diagonal(1.0);
        h
    }

    #[test]
    fn the_inverse_undoes_the_factor_whatever_the_panels() {
        for n in [1, 7, PANEL, PANEL + 1, 2 * PANEL + 37] {
            let h = positive_definite(n);
            let factor = Cholesky::new(n, |i, j| h.row(i)[j]).expect("positive definite");
            let product = &factor.lower * factor.lower.transpose();
            let lower = factor.lower.clone();
            let identity = lower * factor.into_inverse();
            for i in 0..n {
                for j in 0..n {
                    assert!(
                        (product[(i, j)] / f64::from(h.row(i)[i]) - f64::from(h.row(i)[j] / h.row(i)[i])).abs() < 1e-5
                    );
                    assert!((identity[(i, j)] - f64::from(u8::from(i == j))).abs() < 1e-9, "{n}: {i} {j}");
                }
            }
        }
    }

    #[test]
    fn solves_and_refuses_what_is_not_positive_definite() {
        let h = positive_definite(40);
        let factor = Cholesky::new(40, |i, j| h.row(i)[j]).expect("positive definite");
        let mut x = Mat::from_fn(40, 3, |i, j| (i + 2 * j) as f64);
        factor.solve_in_place(&mut x);
        let product = Mat::from_fn(40, 40, |i, j| f64::from(h.row(i)[j])) * x;
        assert!((0..40).all(|i| (0..3).all(|j| (product[(i, j)] - (i + 2 * j) as f64).abs() < 1e-6)));
        assert!(Cholesky::new(2, |i, j| if i == j { 1.0 } else { 2.0 }).is_none());
    }
}
