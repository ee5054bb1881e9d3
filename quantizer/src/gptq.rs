//! GPTQ (arXiv 2210.17323): quantizes column by column and lets the columns that are still free make up for each error.
//!
//! Rows of `W` do not depend on each other. So instead of the paper's blocks of 128 columns, tiles of rows are swept
//! over all columns while they stay in the processor's cache: the same sums, without the deferred update.

use rayon::prelude::*;

use crate::QuantizeError;
use crate::damped::{Damped, Factor};
use crate::grid::{Grid, GridOptions, GridSearch, Step, check_group_size, fit_step};
use crate::layer::QuantizedLayer;
use crate::matrix::{Matrix, axpy, vectorized};

/// Rows that are swept together: a row of the inverse's factor is read once for all of them.
pub(crate) const ROW_TILE: usize = 16;

/// In which order columns are quantized, and when their grid is fixed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ColumnOrder {
    /// From the first to the last; a group's grid is fitted when its first column is reached, to the weights as they are then.
    Natural,
    /// The column with the largest diagonal of the Hessian first ("act-order"); grids are fitted to the original weights
    /// before ("static groups"), so that the packed layer needs no order of its own.
    #[default]
    ActOrder,
}

/// What GPTQ is to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
pub struct GptqOptions {
    /// How grids are chosen.
    pub grid: GridOptions,
    /// Order of the columns.
    pub order: ColumnOrder,
}

/// Quantizes `weight` `[out, in]` so that `tr((W - Q) H (W - Q)^T)` becomes small.
///
/// # Errors
/// [`QuantizeError`] if weights are not finite, shapes do not fit or the Hessian cannot be factored.
pub fn gptq(weight: &Matrix, hessian: &Damped, options: GptqOptions) -> Result<QuantizedLayer, QuantizeError> {
    match options.order {
        ColumnOrder::Natural => {
            check(weight, hessian)?;
            let factor = hessian.natural_factor().ok_or(QuantizeError::Singular)?;
            sweep_fitting_grids(weight, &factor.upper, &importance(hessian), options.grid)
        }
        ColumnOrder::ActOrder => {
            check(weight, hessian)?;
            let grid = Grid::fit(weight, &importance(hessian), options.grid)?;
            gptq_on_grid(weight, hessian, grid)
        }
    }
}

/// GPTQ in activation order on a grid that is given.
///
/// # Errors
/// As [`gptq`].
pub fn gptq_on_grid(weight: &Matrix, hessian: &Damped, grid: Grid) -> Result<QuantizedLayer, QuantizeError> {
    check(weight, hessian)?;
    let factor = hessian.act_order_factor().ok_or(QuantizeError::Singular)?;
    Ok(sweep_on_grid(weight, factor, grid))
}

/// How much each input column matters when a grid is fitted: the diagonal of the Hessian.
pub(crate) fn importance(hessian: &Damped) -> Vec<f32> {
    hessian.hessian.diagonal()
}

fn check(weight: &Matrix, hessian: &Damped) -> Result<(), QuantizeError> {
    if !weight.is_finite() {
        return Err(QuantizeError::NotFinite("the weights"));
    }
    let (found, expected) = (hessian.hessian.cols(), weight.cols());
    if found != expected {
        return Err(QuantizeError::Shape { what: "calibration inputs", found, expected });
    }
    Ok(())
}

/// The sweep with grids known before, columns in the order of `factor`.
fn sweep_on_grid(weight: &Matrix, factor: &Factor, grid: Grid) -> QuantizedLayer {
    let Factor { order, upper } = factor;
    let (out_features, in_features) = (weight.rows(), weight.cols());
    let mut codes = vec![0u8; out_features * in_features];
    codes.par_chunks_mut(ROW_TILE * in_features).enumerate().for_each(|(tile, codes)| {
        let first = tile * ROW_TILE;
        let rows = codes.len() / in_features;
        let mut free = Matrix::zeros(rows, in_features);
        for r in 0..rows {
            let from = weight.row(first + r);
            free.row_mut(r).iter_mut().zip(order).for_each(|(w, &j)| *w = from[j]);
        }
        vectorized(|| {
            for (at, &j) in order.iter().enumerate() {
                let group = j / grid.group_size();
                for r in 0..rows {
                    let step = grid.row(first + r)[group];
                    codes[r * in_features + j] = settle(free.row_mut(r), at, upper.row(at), step);
                }
            }
        });
    });
    QuantizedLayer { out_features, in_features, codes, grid }
}

/// The sweep in natural order that fits each group's grid when it gets there.
fn sweep_fitting_grids(
    weight: &Matrix,
    factor: &Matrix,
    importance: &[f32],
    options: GridOptions,
) -> Result<QuantizedLayer, QuantizeError> {
    let (out_features, in_features) = (weight.rows(), weight.cols());
    let group_size = check_group_size(options.group_size, in_features)?;
    let groups = in_features.div_ceil(group_size);
    let mut codes = vec![0u8; out_features * in_features];
    let mut steps = vec![Step { scale: 1.0, zero: 0 }; out_features * groups];
    let tiles = codes.par_chunks_mut(ROW_TILE * in_features).zip(steps.par_chunks_mut(ROW_TILE * groups));
    tiles.enumerate().for_each(|(tile, (codes, steps))| {
        let rows = codes.len() / in_features;
        let mut free = Matrix::zeros(rows, in_features);
        free.data_mut().copy_from_slice(&weight.data()[tile * ROW_TILE * in_features..][..rows * in_features]);
        vectorized(|| {
            for j in 0..in_features {
                let group = j / group_size;
                for r in 0..rows {
                    let step = &mut steps[r * groups + group];
                    if j % group_size == 0 {
                        let columns = j..(j + group_size).min(in_features);
                        *step = fit_step(&free.row(r)[columns.clone()], &importance[columns], options);
                    }
                    codes[r * in_features + j] = settle(free.row_mut(r), j, factor.row(j), *step);
                }
            }
        });
    });
    Ok(QuantizedLayer { out_features, in_features, codes, grid: Grid::from_steps(group_size, groups, steps) })
}

/// Fixes column `at` of a row and spreads its error over the columns after it.
#[inline(always)]
fn settle(row: &mut [f32], at: usize, factor: &[f32], step: Step) -> u8 {
    let code = step.code(row[at]);
    let error = (row[at] - step.value(code)) / factor[at];
    axpy(&mut row[at + 1..], -error, &factor[at + 1..]);
    code
}

/// Plain GPTQ: what others compare with. Columns in their order, grids from smallest to largest weight.
pub fn plain(grid: GridOptions) -> GptqOptions {
    GptqOptions { grid: GridOptions { search: GridSearch::MinMax, ..grid }, order: ColumnOrder::Natural }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::damped::by_falling_diagonal;
    use crate::grid::Symmetry;
    use crate::hessian::quadratic;
    use crate::rtn::rtn;
    use crate::synthetic;

    /// GPTQ as its derivation says (optimal brain surgeon), in f64: after each column, solve for the free ones anew.
    fn oracle(weight: &Matrix, hessian: &Damped, order: &[usize], grid: &Grid) -> Vec<u8> {
        let n = weight.cols();
        let mut inverse: Vec<Vec<f64>> = {
            let h = faer::Mat::from_fn(n, n, |i, j| f64::from(hessian.hessian.row(i)[j]));
            let solved = faer::linalg::solvers::Solve::solve(
                &h.llt(faer::Side::Lower).expect("positive definite"),
                faer::Mat::<f64>::identity(n, n),
            );
            (0..n).map(|i| (0..n).map(|j| solved[(i, j)]).collect()).collect()
        };
        let mut w: Vec<Vec<f64>> =
            (0..weight.rows()).map(|r| weight.row(r).iter().map(|&v| v.into()).collect()).collect();
        let mut codes = vec![0u8; weight.rows() * n];
        for &j in order {
            for (r, row) in w.iter_mut().enumerate() {
                let step = grid.row(r)[j / grid.group_size()];
                let code = step.code(row[j] as f32);
                codes[r * n + j] = code;
                let error = (row[j] - f64::from(step.value(code))) / inverse[j][j];
                (0..n).for_each(|k| row[k] -= error * inverse[j][k]);
            }
            // Gaussian elimination of column j: the inverse for the columns that stay free.
            let pivot = inverse[j].clone();
            for row in &mut inverse {
                let factor = row[j] / pivot[j];
                row.iter_mut().zip(&pivot).for_each(|(v, p)| *v -= factor * p);
            }
        }
        codes
    }

    fn options(group_size: usize, order: ColumnOrder) -> GptqOptions {
        GptqOptions { grid: GridOptions { group_size, ..Default::default() }, order }
    }

    #[test]
    fn agrees_with_the_f64_derivation() {
        for (out, width, group, seed) in [(24, 64, 16, 1), (7, 40, 16, 2), (33, 96, 96, 3)] {
            let layer = synthetic::layer(out, width, 300, seed);
            let hessian = Damped::new(layer.calibration().hessian, 0.01).expect("regular");
            let found = gptq(&layer.weight, &hessian, options(group, ColumnOrder::ActOrder)).expect("quantizes");
            let order = by_falling_diagonal(&hessian.hessian);
            let expected = oracle(&layer.weight, &hessian, &order, &found.grid);
            let same = found.codes.iter().zip(&expected).filter(|(a, b)| a == b).count();
            assert!(same as f64 >= 0.998 * expected.len() as f64, "{same} of {}", expected.len());
            let loss = |codes: Vec<u8>| {
                let q = QuantizedLayer { codes, ..found.clone() };
                quadratic(&layer.weight.minus(&q.dequantize()), &hessian.hessian)
            };
            let (found, expected) = (loss(found.codes.clone()), loss(expected));
            assert!((found / expected - 1.0).abs() < 0.01, "{found} {expected}");
        }
    }

    #[test]
    fn natural_order_fits_the_same_grids_as_static_groups_where_there_is_one_group() {
        let layer = synthetic::layer(16, 64, 200, 5);
        let hessian = Damped::new(layer.calibration().hessian, 0.01).expect("regular");
        let natural = gptq(&layer.weight, &hessian, options(64, ColumnOrder::Natural)).expect("quantizes");
        let fixed = gptq(&layer.weight, &hessian, options(64, ColumnOrder::ActOrder)).expect("quantizes");
        assert_eq!(natural.grid, fixed.grid);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]
        #[test]
        fn beats_round_to_nearest_on_its_objective(
            out in 8usize..40, width in 4usize..14, group in 1usize..4, seed: u64, act_order: bool, symmetric: bool,
        ) {
            let (width, group) = (width * 8, group * 16);
            let layer = synthetic::layer(out, width, 2 * width, seed);
            let hessian = Damped::new(layer.calibration().hessian, 0.01).expect("regular");
            let order = if act_order { ColumnOrder::ActOrder } else { ColumnOrder::Natural };
            let symmetry = if symmetric { Symmetry::Symmetric } else { Symmetry::Asymmetric };
            let grid = GridOptions { group_size: group, symmetry, search: GridSearch::WeightedMse };
            let loss = |q: QuantizedLayer| quadratic(&layer.weight.minus(&q.dequantize()), &hessian.hessian);
            let nearest = loss(rtn(&layer.weight, grid).expect("rounds"));
            let found = loss(gptq(&layer.weight, &hessian, GptqOptions { grid, order }).expect("quantizes"));
            prop_assert!(found < nearest, "{found} {nearest}");
        }
    }

    #[test]
    fn weights_and_shapes_that_cannot_be_are_refused() {
        let mut layer = synthetic::layer(8, 16, 50, 7);
        let hessian = Damped::new(layer.calibration().hessian, 0.01).expect("regular");
        let narrow = Matrix::zeros(8, 8);
        assert!(matches!(gptq(&narrow, &hessian, options(8, ColumnOrder::ActOrder)), Err(QuantizeError::Shape { .. })));
        assert!(matches!(
            gptq(&layer.weight, &hessian, options(0, ColumnOrder::Natural)),
            Err(QuantizeError::GroupSize(0))
        ));
        layer.weight.row_mut(3)[2] = f32::NAN;
        assert!(matches!(
            gptq(&layer.weight, &hessian, options(8, ColumnOrder::ActOrder)),
            Err(QuantizeError::NotFinite(_))
        ));
    }
}
