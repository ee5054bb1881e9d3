//! Stage 2 as the paper (arXiv 2601.02888) publishes it, to compare with: block by block towards the local least-squares
//! optimum, by steps that leave the grid.
//!
//! The paper keeps the last batch `(X, Y_orig)`. Everything it does with them needs only `H_L = X^T X`: the directional
//! residual enters as `X_i^T D_i = (R_i + B_i H_ii)^T` with `R = (W - B) H_L`, and the loss is
//! `Γ = |Y_orig - Y_q|^2 = tr((W - B) H_L (W - B)^T)`.

use std::ops::Range;

use faer::Mat;

use crate::QuantizeError;
use crate::cholesky::Cholesky;
use crate::grid::Grid;
use crate::hessian::quadratic;
use crate::layer::QuantizedLayer;
use crate::matrix::Matrix;
use crate::order::SweepOrder;
use crate::rtn::round_to;

/// The settings of the paper, and two that it leaves for later work: the order of the blocks and the choice of the instance.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(default)]
pub struct PaperOptions {
    /// Columns of one block.
    pub block_size: usize,
    /// Step towards the quantized optimum, α, above 0 up to 1.
    pub step: f32,
    /// Rounds at most, T.
    pub rounds: usize,
    /// λ as a fraction of the mean of the diagonal of `H_L`.
    pub damping: f64,
    /// Order of the blocks.
    pub order: SweepOrder,
    /// Batches that take turns as the single instance, a round each: 1 for the last one alone, as published.
    pub instances: usize,
}

impl Default for PaperOptions {
    fn default() -> Self {
        let order = SweepOrder::Natural;
        Self { block_size: 128, step: 0.01, rounds: 5, damping: 0.01, order, instances: 1 }
    }
}

/// What the paper's stage 2 leaves. Γ is that of the instances: with one, of the last batch as in the paper.
#[derive(Debug, Clone)]
pub struct PaperResult {
    /// The weights put back on the grid: what can be packed.
    pub layer: QuantizedLayer,
    /// The weights as the rounds leave them, between grid points.
    pub off_grid: Matrix,
    /// Γ of the weights off the grid, at the start and after each round.
    pub gammas_off_grid: Vec<f64>,
    /// Γ of the same weights put back on the grid.
    pub gammas_packed: Vec<f64>,
}

/// Runs the paper's rounds from `start` on `instances`, the second moments `[in, in]` of batches: the last of them in the first
/// round, the one before in the next, and after the first again the last.
///
/// # Errors
/// [`QuantizeError::NoInputs`] without an instance, [`QuantizeError::Singular`] if a block of one cannot be solved even with
/// damping.
pub fn paper_stage2(
    weight: &Matrix,
    instances: &[Matrix],
    start: &QuantizedLayer,
    options: &PaperOptions,
) -> Result<PaperResult, QuantizeError> {
    let instances: Vec<Instance<'_>> =
        instances.iter().rev().map(|moments| Instance::new(moments, options)).collect::<Result<_, _>>()?;
    let mut current = start.dequantize();
    let mut best = current.clone();
    let gamma = |weights: &Matrix| mean_gamma(&instances, &weight.minus(weights));
    let packed_gamma = |weights: &Matrix| gamma(&round_to(weights, start.grid.clone()).dequantize());
    let mut off_grid = vec![gamma(&current)?];
    let mut packed = vec![packed_gamma(&current)?];
    for (round, instance) in instances.iter().cycle().take(options.rounds).enumerate() {
        for block in options.order.of_round(&instance.block_sums(), round) {
            let (columns, solver) = &instance.blocks[block];
            let optimum = local_optimum(weight, instance.moments, &current, columns.clone(), solver);
            move_block(&mut current, &optimum, &start.grid, columns.clone(), options.step);
        }
        let (after, before) = (gamma(&current)?, off_grid.last().copied().unwrap_or(f64::INFINITY));
        if after >= before {
            break;
        }
        off_grid.push(after);
        packed.push(packed_gamma(&current)?);
        best.clone_from(&current);
    }
    let layer = round_to(&best, start.grid.clone());
    Ok(PaperResult { layer, off_grid: best, gammas_off_grid: off_grid, gammas_packed: packed })
}

/// One batch with what the local optima of its blocks are solved with.
struct Instance<'a> {
    moments: &'a Matrix,
    blocks: Vec<(Range<usize>, Cholesky)>,
}

impl<'a> Instance<'a> {
    fn new(moments: &'a Matrix, options: &PaperOptions) -> Result<Self, QuantizeError> {
        let (width, size) = (moments.cols(), options.block_size.max(1));
        let mean = moments.diagonal().iter().map(|&d| f64::from(d)).sum::<f64>() / width as f64;
        let damping = (options.damping * mean) as f32;
        let block = |start: usize| {
            let columns = start..(start + size).min(width);
            let entry = |i: usize, j: usize| moments.row(start + i)[start + j] + if i == j { damping } else { 0.0 };
            let solver = Cholesky::new(columns.len(), entry).ok_or(QuantizeError::Singular)?;
            Ok((columns, solver))
        };
        Ok(Self { moments, blocks: (0..width).step_by(size).map(block).collect::<Result<_, _>>()? })
    }

    /// Sum of the diagonal over each block.
    fn block_sums(&self) -> Vec<f32> {
        let diagonal = self.moments.diagonal();
        self.blocks.iter().map(|(columns, _)| diagonal[columns.clone()].iter().sum()).collect()
    }
}

/// `tr(D H D^T)` in the mean of all instances.
fn mean_gamma(instances: &[Instance<'_>], difference: &Matrix) -> Result<f64, QuantizeError> {
    let sum: f64 = instances.iter().map(|instance| quadratic(difference, instance.moments)).sum();
    if instances.is_empty() { Err(QuantizeError::NoInputs) } else { Ok(sum / instances.len() as f64) }
}

/// `B_i* = (X_i^T X_i + λ I)^-1 X_i^T D_i`, transposed: `[block, out]`.
fn local_optimum(
    weight: &Matrix,
    last_batch: &Matrix,
    current: &Matrix,
    block: Range<usize>,
    solver: &Cholesky,
) -> Mat<f64> {
    let columns = last_batch.view().subcols(block.start, block.len());
    let difference = weight.minus(current);
    let mut right = difference.view() * columns;
    let own = columns.subrows(block.start, block.len());
    right += current.view().subcols(block.start, block.len()) * own;
    let mut optimum = Mat::from_fn(right.ncols(), right.nrows(), |i, r| f64::from(right[(r, i)]));
    solver.solve_in_place(&mut optimum);
    optimum
}

/// Moves a block by `step` towards its optimum rounded to the grid.
fn move_block(current: &mut Matrix, optimum: &Mat<f64>, grid: &Grid, block: Range<usize>, step: f32) {
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
    use faer::Side;
    use faer::linalg::solvers::Solve;

    use super::*;
    use crate::damped::Damped;
    use crate::gptq::{ColumnOrder, GptqOptions, gptq};
    use crate::grid::GridOptions;
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
        let damped = Damped::new(h.clone(), 0.01).expect("regular");
        let gptq_options =
            GptqOptions { grid: GridOptions { group_size: 16, ..Default::default() }, order: ColumnOrder::Natural };
        let start = gptq(&layer.weight, &damped, gptq_options).expect("quantizes");
        let options = PaperOptions { block_size: 20, step: 0.05, rounds: 4, ..PaperOptions::default() };
        let found = paper_stage2(&layer.weight, std::slice::from_ref(&h), &start, &options).expect("runs");
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
        let damped = Damped::new(h.clone(), 0.01).expect("regular");
        let gptq_options =
            GptqOptions { grid: GridOptions { group_size: 32, ..Default::default() }, order: ColumnOrder::Natural };
        let start = gptq(&layer.weight, &damped, gptq_options).expect("quantizes");
        let result =
            paper_stage2(&layer.weight, std::slice::from_ref(&h), &start, &PaperOptions::default()).expect("runs");
        let (first, last) = (result.gammas_off_grid[0], *result.gammas_off_grid.last().expect("has a start"));
        assert!(last < first);
        assert_eq!(result.layer.codes, start.codes);
        assert!(result.gammas_packed.iter().all(|packed| (packed / first - 1.0).abs() < 1e-6));
        assert_eq!(result.gammas_packed.len(), result.gammas_off_grid.len());
    }

    /// With two batches in turn the first round is the published one, the second works on the batch before; another order of the
    /// blocks is another way to a lower Γ.
    #[test]
    fn instances_take_turns_and_blocks_change_their_order() {
        let layer = synthetic::layer(16, 64, 300, 41);
        let h = layer.calibration().hessian;
        let other = synthetic::layer(1, 64, 80, 43).calibration().hessian;
        let damped = Damped::new(h.clone(), 0.01).expect("regular");
        let gptq_options =
            GptqOptions { grid: GridOptions { group_size: 32, ..Default::default() }, order: ColumnOrder::Natural };
        let start = gptq(&layer.weight, &damped, gptq_options).expect("quantizes");
        let run = |instances: &[Matrix], rounds, order| {
            let options = PaperOptions { block_size: 16, step: 0.05, rounds, order, ..PaperOptions::default() };
            paper_stage2(&layer.weight, instances, &start, &options).expect("runs").off_grid
        };
        let (last, both) = ([h.clone()], [other.clone(), h.clone()]);
        assert_eq!(run(&last, 1, SweepOrder::Natural), run(&both, 1, SweepOrder::Natural));
        let error = |weights: &Matrix| quadratic(&layer.weight.minus(weights), &other);
        assert!(error(&run(&both, 2, SweepOrder::Natural)) < error(&run(&last, 2, SweepOrder::Natural)));
        let (natural, random) = (run(&last, 3, SweepOrder::Natural), run(&last, 3, SweepOrder::Random(5)));
        assert_ne!(natural, random);
        let gamma = |weights: &Matrix| quadratic(&layer.weight.minus(weights), &h);
        assert!(gamma(&random) < gamma(&start.dequantize()));
        assert!(paper_stage2(&layer.weight, &[], &start, &PaperOptions::default()).is_err());
    }
}
