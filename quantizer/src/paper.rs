//! Stage 2 as the paper (arXiv 2601.02888) publishes it, to compare with: block by block towards the local least-squares
//! optimum, by steps that leave the grid.
//!
//! The paper keeps the last batch `(X, Y_orig)`. Everything it does with them needs only `H_L = X^T X`: the directional
//! residual enters as `X_i^T D_i = (R_i + B_i H_ii)^T` with `R = (W - B) H_L`, and the loss is
//! `Γ = |Y_orig - Y_q|^2 = tr((W - B) H_L (W - B)^T)`.

use faer::linalg::solvers::Solve;
use faer::{Mat, Side};

use crate::QuantizeError;
use crate::grid::Grid;
use crate::hessian::quadratic;
use crate::layer::QuantizedLayer;
use crate::matrix::Matrix;
use crate::rtn::round_to;

/// The settings of the paper.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct PaperOptions {
    /// Columns of one block.
    pub block_size: usize,
    /// Step towards the quantized optimum, α, above 0 up to 1.
    pub step: f32,
    /// Rounds at most, T.
    pub rounds: usize,
    /// λ as a fraction of the mean of the diagonal of `H_L`.
    pub damping: f64,
}

impl Default for PaperOptions {
    fn default() -> Self {
        Self { block_size: 128, step: 0.01, rounds: 5, damping: 0.01 }
    }
}

/// What the paper's stage 2 leaves.
#[derive(Debug, Clone)]
pub struct PaperResult {
    /// The weights put back on the grid: what can be packed.
    pub layer: QuantizedLayer,
    /// The weights as the rounds leave them, between grid points.
    pub off_grid: Matrix,
    /// Γ of the weights off the grid, at the start and after each round.
    pub gammas_off_grid: Vec<f64>,
    /// Γ of the weights as packed.
    pub gamma_packed: f64,
}

/// Runs the paper's rounds from `start` on `last_batch`, the second moments `[in, in]` of the last batch.
///
/// # Errors
/// [`QuantizeError::Singular`] if a block of the last batch cannot be solved even with damping.
pub fn paper_stage2(
    weight: &Matrix,
    last_batch: &Matrix,
    start: &QuantizedLayer,
    options: &PaperOptions,
) -> Result<PaperResult, QuantizeError> {
    let width = weight.cols();
    let mean = last_batch.diagonal().iter().map(|&d| f64::from(d)).sum::<f64>() / width as f64;
    let blocks: Vec<std::ops::Range<usize>> =
        (0..width).step_by(options.block_size.max(1)).map(|i| i..(i + options.block_size.max(1)).min(width)).collect();
    let solvers = blocks
        .iter()
        .map(|block| {
            let n = block.len();
            let h = Mat::from_fn(n, n, |i, j| {
                let damping = if i == j { options.damping * mean } else { 0.0 };
                f64::from(last_batch.row(block.start + i)[block.start + j]) + damping
            });
            h.llt(Side::Lower).map_err(|_| QuantizeError::Singular)
        })
        .collect::<Result<Vec<_>, _>>()?;

    let mut current = start.dequantize();
    let mut best = current.clone();
    let mut gammas = vec![quadratic(&weight.minus(&current), last_batch)];
    for _ in 0..options.rounds {
        for (block, solver) in blocks.iter().zip(&solvers) {
            let optimum = local_optimum(weight, last_batch, &current, block.clone(), solver);
            move_block(&mut current, &optimum, &start.grid, block.clone(), options.step);
        }
        let gamma = quadratic(&weight.minus(&current), last_batch);
        let before = gammas.last().copied().unwrap_or(f64::INFINITY);
        if gamma >= before {
            break;
        }
        gammas.push(gamma);
        best.clone_from(&current);
    }
    let layer = round_to(&best, start.grid.clone());
    let gamma_packed = quadratic(&weight.minus(&layer.dequantize()), last_batch);
    Ok(PaperResult { layer, off_grid: best, gammas_off_grid: gammas, gamma_packed })
}

/// `B_i* = (X_i^T X_i + λ I)^-1 X_i^T D_i`, transposed: `[block, out]`.
fn local_optimum(
    weight: &Matrix,
    last_batch: &Matrix,
    current: &Matrix,
    block: std::ops::Range<usize>,
    solver: &faer::linalg::solvers::Llt<f64>,
) -> Mat<f64> {
    let columns = last_batch.view().subcols(block.start, block.len());
    let difference = weight.minus(current);
    let mut right = difference.view() * columns;
    let own = columns.subrows(block.start, block.len());
    right += current.view().subcols(block.start, block.len()) * own;
    solver.solve(Mat::from_fn(right.ncols(), right.nrows(), |i, r| f64::from(right[(r, i)])))
}

/// Moves a block by `step` towards its optimum rounded to the grid.
fn move_block(current: &mut Matrix, optimum: &Mat<f64>, grid: &Grid, block: std::ops::Range<usize>, step: f32) {
    for r in 0..current.rows() {
        let steps = grid.row(r);
        for (i, (j, b)) in block.clone().zip(&mut current.row_mut(r)[block.clone()]).enumerate() {
            let goal = steps[j / grid.group_size()].round(optimum[(i, r)] as f32);
            *b += step * (goal - *b);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gptq::{ColumnOrder, GptqOptions, gptq};
    use crate::grid::GridOptions;
    use crate::hessian::Damped;
    use crate::synthetic;

    /// The paper's text, line by line, in f64 on `X` and `Y`: the weights after `options.rounds` rounds, and Γ / n of each.
    fn literal(layer: &synthetic::Layer, start: &QuantizedLayer, options: &PaperOptions) -> (Vec<Vec<f64>>, Vec<f64>) {
        let (n, width, out) = (layer.x.rows(), layer.weight.cols(), layer.weight.rows());
        let x = Mat::from_fn(n, width, |i, j| f64::from(layer.x.row(i)[j]));
        let y = &x * Mat::from_fn(width, out, |j, r| f64::from(layer.weight.row(r)[j]));
        let start_weights = start.dequantize();
        let mut b = Mat::from_fn(width, out, |j, r| f64::from(start_weights.row(r)[j]));
        let mean = (0..width).map(|j| x.col(j).squared_norm_l2()).sum::<f64>() / width as f64;
        let gamma = |b: &Mat<f64>| (&y - &x * b).squared_norm_l2() / n as f64;
        let mut gammas = vec![gamma(&b)];
        for _ in 0..options.rounds {
            for first in (0..width).step_by(options.block_size) {
                let len = options.block_size.min(width - first);
                let xi = x.as_ref().subcols(first, len);
                let own = xi * b.as_ref().subrows(first, len);
                let directional = &y - (&x * &b - &own);
                let mut gram = xi.transpose() * xi;
                (0..len).for_each(|i| gram[(i, i)] += options.damping * mean);
                let optimum = gram.llt(Side::Lower).expect("regular").solve(xi.transpose() * directional);
                for i in 0..len {
                    for r in 0..out {
                        let step = start.grid.row(r)[(first + i) / start.grid.group_size()];
                        let goal = f64::from(step.round(optimum[(i, r)] as f32));
                        b[(first + i, r)] += f64::from(options.step) * (goal - b[(first + i, r)]);
                    }
                }
            }
            gammas.push(gamma(&b));
        }
        ((0..out).map(|r| (0..width).map(|j| b[(j, r)]).collect()).collect(), gammas)
    }

    #[test]
    fn the_gram_form_is_what_the_paper_writes() {
        let layer = synthetic::layer(12, 48, 300, 31);
        let h = layer.calibration().hessian;
        let damped = Damped::new(&h, 0.01).expect("regular");
        let gptq_options =
            GptqOptions { grid: GridOptions { group_size: 16, ..Default::default() }, order: ColumnOrder::Natural };
        let start = gptq(&layer.weight, &damped, gptq_options).expect("quantizes");
        let options = PaperOptions { block_size: 20, step: 0.05, rounds: 4, damping: 0.01 };
        let found = paper_stage2(&layer.weight, &h, &start, &options).expect("runs");
        let (weights, gammas) = literal(&layer, &start, &options);
        assert!(found.gammas_off_grid.len() > 1, "Γ falls off the grid");
        for (found, expected) in found.gammas_off_grid.iter().zip(&gammas) {
            assert!((found / expected - 1.0).abs() < 1e-3, "{found} {expected}");
        }
        if found.gammas_off_grid.len() == gammas.len() {
            for (r, row) in weights.iter().enumerate() {
                for (found, expected) in found.off_grid.row(r).iter().zip(row) {
                    assert!((f64::from(*found) - expected).abs() < 2e-4, "{found} {expected}");
                }
            }
        }
    }

    /// The trap: small steps lower Γ off the grid, and nothing of it is left on the grid.
    #[test]
    fn small_steps_vanish_on_the_grid() {
        let layer = synthetic::layer(16, 64, 300, 37);
        let h = layer.calibration().hessian;
        let damped = Damped::new(&h, 0.01).expect("regular");
        let gptq_options =
            GptqOptions { grid: GridOptions { group_size: 32, ..Default::default() }, order: ColumnOrder::Natural };
        let start = gptq(&layer.weight, &damped, gptq_options).expect("quantizes");
        let result = paper_stage2(&layer.weight, &h, &start, &PaperOptions::default()).expect("runs");
        let (first, last) = (result.gammas_off_grid[0], *result.gammas_off_grid.last().expect("has a start"));
        assert!(last < first);
        assert_eq!(result.layer.codes, start.codes);
        assert!((result.gamma_packed / first - 1.0).abs() < 1e-6);
    }
}
