//! GPTQ (arXiv 2210.17323): quantizes column by column and lets the columns that are still free make up for each error.
//!
//! As in the paper, errors are spread at once within a block of columns only, and over all columns after the block by one
//! matrix product ("lazy batch updates"): the same sums, at the speed of a product.

use std::ops::Range;

use faer::linalg::matmul::matmul;
use faer::{Accum, Par};
use rayon::prelude::*;

use crate::QuantizeError;
use crate::damped::{Damped, Factor};
use crate::grid::{Grid, GridOptions, GridSearch, Step, check_group_size, fit_step};
use crate::layer::QuantizedLayer;
use crate::matrix::{Kernel, Matrix, ROWS_PER_TASK, axpy, vectorized};

/// Columns of a block at most.
pub(crate) const BLOCK: usize = 128;

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
            let group_size = check_group_size(options.grid.group_size, weight.cols())?;
            let fit = FitOnTheWay { importance: &importance(hessian), options: options.grid };
            Ok(sweep(weight, factor, Grid::unfitted(weight.rows(), weight.cols(), group_size), Some(fit)))
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
    Ok(sweep(weight, factor, grid, None))
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

/// How grids are fitted when their group is reached; columns come in their own order then.
#[derive(Clone, Copy)]
struct FitOnTheWay<'a> {
    importance: &'a [f32],
    options: GridOptions,
}

/// The sweep over all columns in the order of `factor`.
fn sweep(weight: &Matrix, factor: &Factor, mut grid: Grid, fit: Option<FitOnTheWay<'_>>) -> QuantizedLayer {
    let Factor { order, upper } = factor;
    let (out_features, in_features) = (weight.rows(), weight.cols());
    let (group_size, groups) = (grid.group_size(), grid.groups());
    let mut free = weight.pick_columns(order);
    let mut codes = vec![0u8; out_features * in_features];
    for block in blocks(in_features, group_size) {
        let mut errors = Matrix::zeros(out_features, block.len());
        let rows = free.data_mut().par_chunks_mut(in_features).zip(codes.par_chunks_mut(in_features));
        let rows = rows.zip(grid.steps_mut().par_chunks_mut(groups));
        let rows = rows.zip(errors.data_mut().par_chunks_mut(block.len())).with_min_len(ROWS_PER_TASK);
        rows.for_each(|(((free, codes), steps), errors)| {
            vectorized(Settle { free, codes, steps, errors, block: block.clone(), group_size, factor, fit });
        });
        let rest = in_features - block.end;
        let spread = upper.view().submatrix(block.start, block.end, block.len(), rest);
        let after = free.view_mut().subcols_mut(block.end, rest);
        matmul(after, Accum::Add, errors.view(), spread, -1.0, Par::rayon(0));
    }
    QuantizedLayer { out_features, in_features, codes, grid }
}

/// Blocks of at most [`BLOCK`] columns with every group either in one block or begun by one: a group whose grid is fitted on
/// the way has then seen all errors before it.
fn blocks(in_features: usize, group_size: usize) -> impl Iterator<Item = Range<usize>> {
    let whole_groups = if group_size < BLOCK { BLOCK / group_size * group_size } else { group_size };
    (0..in_features).step_by(whole_groups).flat_map(move |start| {
        let end = (start + whole_groups).min(in_features);
        (start..end).step_by(BLOCK).map(move |start| start..(start + BLOCK).min(end))
    })
}

/// Fixes the columns of a block in one row.
struct Settle<'a> {
    free: &'a mut [f32],
    codes: &'a mut [u8],
    steps: &'a mut [Step],
    /// What each column's rounding is off by, in units of its factor.
    errors: &'a mut [f32],
    block: Range<usize>,
    group_size: usize,
    factor: &'a Factor,
    fit: Option<FitOnTheWay<'a>>,
}

impl Kernel for Settle<'_> {
    #[inline(always)]
    fn run(self) {
        let Self { free, codes, steps, errors, block, group_size, factor, fit } = self;
        for (at, error) in block.clone().zip(errors) {
            let j = factor.order[at];
            let step = &mut steps[j / group_size];
            if let Some(FitOnTheWay { importance, options }) = fit
                && j % group_size == 0
            {
                let columns = j..(j + group_size).min(free.len());
                *step = fit_step(&free[columns.clone()], &importance[columns], options);
            }
            let spread = &factor.upper.row(at)[..block.end];
            codes[j] = step.code(free[at]);
            *error = (free[at] - step.value(codes[j])) / spread[at];
            axpy(&mut free[at + 1..block.end], -*error, &spread[at + 1..]);
        }
    }
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

    /// GPTQ as its derivation says (optimal brain surgeon), in f64: after each column, solve for the free ones anew. Grids are
    /// given, or `fit` when their first column is reached.
    fn oracle(
        weight: &Matrix,
        hessian: &Damped,
        order: &[usize],
        mut grid: Grid,
        fit: Option<GridOptions>,
    ) -> QuantizedLayer {
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
        let (group_size, groups) = (grid.group_size(), grid.groups());
        for &j in order {
            for (r, row) in w.iter_mut().enumerate() {
                let step = &mut grid.steps_mut()[r * groups + j / group_size];
                if let Some(options) = fit.filter(|_| j % group_size == 0) {
                    let columns = j..(j + group_size).min(n);
                    let free: Vec<f32> = row[columns.clone()].iter().map(|&v| v as f32).collect();
                    *step = fit_step(&free, &importance(hessian)[columns], options);
                }
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
        QuantizedLayer { out_features: weight.rows(), in_features: n, codes, grid }
    }

    fn options(group_size: usize, order: ColumnOrder) -> GptqOptions {
        GptqOptions { grid: GridOptions { group_size, ..Default::default() }, order }
    }

    fn assert_close(layer: &synthetic::Layer, hessian: &Damped, found: &QuantizedLayer, expected: &QuantizedLayer) {
        let same = found.codes.iter().zip(&expected.codes).filter(|(a, b)| a == b).count();
        assert!(same as f64 >= 0.998 * expected.codes.len() as f64, "{same} of {}", expected.codes.len());
        let steps = found.grid.steps().iter().zip(expected.grid.steps()).filter(|(a, b)| a == b).count();
        assert!(steps as f64 >= 0.98 * expected.grid.steps().len() as f64, "{steps} steps");
        let loss = |q: &QuantizedLayer| quadratic(&layer.weight.minus(&q.dequantize()), &hessian.hessian);
        let (found, expected) = (loss(found), loss(expected));
        assert!((found / expected - 1.0).abs() < 0.01, "{found} {expected}");
    }

    #[test]
    fn agrees_with_the_f64_derivation() {
        for (out, width, group, seed) in [(24, 64, 16, 1), (7, 40, 16, 2), (33, 96, 96, 3), (20, 300, 64, 4)] {
            let layer = synthetic::layer(out, width, 2 * width + 200, seed);
            let hessian = Damped::new(layer.calibration().hessian, 0.01).expect("regular");
            let found = gptq(&layer.weight, &hessian, options(group, ColumnOrder::ActOrder)).expect("quantizes");
            let order = by_falling_diagonal(&hessian.hessian);
            let expected = oracle(&layer.weight, &hessian, &order, found.grid.clone(), None);
            assert_close(&layer, &hessian, &found, &expected);
        }
    }

    #[test]
    fn grids_fitted_on_the_way_have_seen_all_errors_before() {
        // Groups that a block holds several of, that no number of fills a block, and that reach over blocks.
        for (width, group, seed) in [(288, 32, 5), (300, 48, 6), (320, 150, 7)] {
            let layer = synthetic::layer(20, width, 2 * width, seed);
            let hessian = Damped::new(layer.calibration().hessian, 0.01).expect("regular");
            let options = options(group, ColumnOrder::Natural);
            let found = gptq(&layer.weight, &hessian, options).expect("quantizes");
            let order: Vec<usize> = (0..width).collect();
            let grid = Grid::unfitted(20, width, group);
            let expected = oracle(&layer.weight, &hessian, &order, grid, Some(options.grid));
            assert_close(&layer, &hessian, &found, &expected);
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
