//! The 4-bit grid: which numbers a packed weight can be.
//!
//! A weight of row `r` in group `g` can be `scale * (code - zero)` with a code of 0 to 15. Scales are rounded to f16 before
//! anything is measured against them, because that is what is packed: a loss on another grid is not a 4-bit result.

use half::f16;
use rayon::prelude::*;

use crate::QuantizeError;
use crate::matrix::{Kernel, Matrix, vectorized};

pub use sightread_models::int4::MAX_CODE;

/// The code of zero on a symmetric grid.
const SYMMETRIC_ZERO: u8 = 8;
/// How far the search narrows the range of a group, and in how many steps.
const NARROWEST: f32 = 0.45;
const SEARCH_STEPS: usize = 22;
/// Alternations between nearest codes and the best scale for them.
const POLISH_ROUNDS: usize = 4;

/// Whether the grid has a free zero point.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Symmetry {
    /// The zero point is 8 everywhere.
    Symmetric,
    /// Each group has its own zero point.
    #[default]
    Asymmetric,
}

/// How the scale and zero point of a group are found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum GridSearch {
    /// From the smallest to the largest weight.
    MinMax,
    /// The range that loses least, every weight counted by how much its input column matters.
    #[default]
    WeightedMse,
}

/// One group's scale and zero point.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Step {
    /// Exactly representable in f16.
    pub scale: f32,
    /// 0 to 15.
    pub zero: u8,
}

impl Step {
    /// A step whose scale is rounded to what f16 can hold: positive, normal and finite.
    pub fn new(scale: f32, zero: u8) -> Self {
        let scale = scale.clamp(f16::MIN_POSITIVE.to_f32(), f16::MAX.to_f32());
        Self { scale: f16::from_f32(scale).to_f32(), zero: zero.min(MAX_CODE) }
    }

    /// The grid from `low` to `high` (extended to hold zero).
    pub fn spanning(low: f32, high: f32, symmetry: Symmetry) -> Self {
        let (low, high) = (low.min(0.0), high.max(0.0));
        match symmetry {
            Symmetry::Symmetric => Self::new(2.0 * high.max(-low) / f32::from(MAX_CODE), SYMMETRIC_ZERO),
            Symmetry::Asymmetric => {
                let step = Self::new((high - low) / f32::from(MAX_CODE), 0);
                Self { zero: (-low / step.scale).round_ties_even().clamp(0.0, f32::from(MAX_CODE)) as u8, ..step }
            }
        }
    }

    /// Code of the nearest grid point.
    #[inline(always)]
    pub fn code(self, weight: f32) -> u8 {
        // A float-to-integer cast saturates, and turns what is not a number into 0.
        ((weight / self.scale + f32::from(self.zero)).round_ties_even().clamp(0.0, f32::from(MAX_CODE))) as u8
    }

    /// The grid point of a code.
    #[inline(always)]
    pub fn value(self, code: u8) -> f32 {
        self.scale * (f32::from(code) - f32::from(self.zero))
    }

    /// The nearest grid point.
    #[inline(always)]
    pub fn round(self, weight: f32) -> f32 {
        let zero = f32::from(self.zero);
        self.scale * ((weight / self.scale + zero).round_ties_even().clamp(0.0, f32::from(MAX_CODE)) - zero)
    }
}

/// How grids are chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
pub struct GridOptions {
    /// Neighbouring input columns that share a step.
    pub group_size: usize,
    /// Whether the zero point is free.
    pub symmetry: Symmetry,
    /// How steps are found.
    pub search: GridSearch,
}

/// The step that fits one group's `weights` best; `importance` weighs the columns in a search.
#[inline(always)]
pub fn fit_step(weights: &[f32], importance: &[f32], options: GridOptions) -> Step {
    let low = weights.iter().copied().fold(0.0f32, f32::min);
    let high = weights.iter().copied().fold(0.0f32, f32::max);
    let widest = Step::spanning(low, high, options.symmetry);
    if options.search == GridSearch::MinMax {
        return widest;
    }
    let mut best = Fit::new(widest, weights, importance);
    for k in 1..=SEARCH_STEPS {
        let narrowed = 1.0 - (1.0 - NARROWEST) * k as f32 / SEARCH_STEPS as f32;
        best.offer(Step::spanning(low * narrowed, high * narrowed, options.symmetry));
    }
    for _ in 0..POLISH_ROUNDS {
        let step = best.step;
        best.offer(Step::new(best_scale(weights, importance, step), step.zero));
        if options.symmetry == Symmetry::Asymmetric {
            for zero in [step.zero.saturating_sub(1), step.zero + 1] {
                best.offer(Step::new(step.scale, zero));
            }
        }
        if best.step == step {
            break;
        }
    }
    best.step
}

/// The best step so far for one group.
struct Fit<'a> {
    step: Step,
    loss: f32,
    weights: &'a [f32],
    importance: &'a [f32],
}

impl<'a> Fit<'a> {
    fn new(step: Step, weights: &'a [f32], importance: &'a [f32]) -> Self {
        let mut fit = Self { step, loss: f32::INFINITY, weights, importance };
        fit.offer(step);
        fit
    }

    #[inline(always)]
    fn offer(&mut self, step: Step) {
        let loss = weighted_loss(self.weights, self.importance, step);
        if loss < self.loss {
            (self.loss, self.step) = (loss, step);
        }
    }
}

/// `sum of h (w - round(w))^2`, summed in lanes so that it vectorises.
#[inline(always)]
fn weighted_loss(weights: &[f32], importance: &[f32], step: Step) -> f32 {
    let mut lanes = [0.0f32; 16];
    let (w_body, w_tail) = weights.as_chunks::<16>();
    let (h_body, h_tail) = importance.as_chunks::<16>();
    for (w, h) in w_body.iter().zip(h_body) {
        for lane in 0..16 {
            let error = w[lane] - step.round(w[lane]);
            lanes[lane] += h[lane] * error * error;
        }
    }
    let tail: f32 = w_tail.iter().zip(h_tail).map(|(&w, &h)| h * (w - step.round(w)).powi(2)).sum();
    lanes.iter().sum::<f32>() + tail
}

/// The scale that fits best if the codes stay those that `step` gives.
#[inline(always)]
fn best_scale(weights: &[f32], importance: &[f32], step: Step) -> f32 {
    let (mut across, mut along) = (0.0f32, 0.0f32);
    for (&w, &h) in weights.iter().zip(importance) {
        let c = f32::from(step.code(w)) - f32::from(step.zero);
        across += h * w * c;
        along += h * c * c;
    }
    if along > 0.0 && across > 0.0 { across / along } else { step.scale }
}

/// Steps of a whole layer, `[out, groups]`; input column `j` belongs to group `j / group_size`.
#[derive(Debug, Clone, PartialEq)]
pub struct Grid {
    group_size: usize,
    groups: usize,
    steps: Vec<Step>,
}

impl Grid {
    /// Fits every group of every row of `weight` `[out, in]`. `importance` `[in]`: weight of each column in a search, for
    /// example the diagonal of the Hessian.
    ///
    /// # Errors
    /// [`QuantizeError::GroupSize`] for a group size of zero, [`QuantizeError::Shape`] if `importance` is no `[in]`.
    pub fn fit(weight: &Matrix, importance: &[f32], options: GridOptions) -> Result<Self, QuantizeError> {
        let group_size = check_group_size(options.group_size, weight.cols())?;
        if importance.len() != weight.cols() {
            return Err(QuantizeError::Shape { what: "importances", found: importance.len(), expected: weight.cols() });
        }
        let mut grid = Self::unfitted(weight.rows(), weight.cols(), group_size);
        let rows = grid.steps.par_chunks_mut(grid.groups).zip(weight.data().par_chunks(weight.cols()));
        rows.for_each(|(steps, weights)| vectorized(FitRow { steps, weights, importance, group_size, options }));
        Ok(grid)
    }

    /// Input columns that share a step.
    pub fn group_size(&self) -> usize {
        self.group_size
    }

    /// Groups in a row, the last one possibly shorter.
    pub fn groups(&self) -> usize {
        self.groups
    }

    /// Steps of row `r`.
    ///
    /// # Panics
    /// If there is no such row.
    pub fn row(&self, r: usize) -> &[Step] {
        &self.steps[r * self.groups..(r + 1) * self.groups]
    }

    /// All steps, row by row.
    pub fn steps(&self) -> &[Step] {
        &self.steps
    }

    pub(crate) fn steps_mut(&mut self) -> &mut [Step] {
        &mut self.steps
    }

    /// Steps of one everywhere, which are still to be fitted.
    pub(crate) fn unfitted(out_features: usize, in_features: usize, group_size: usize) -> Self {
        let groups = in_features.div_ceil(group_size);
        Self { group_size, groups, steps: vec![Step { scale: 1.0, zero: 0 }; out_features * groups] }
    }
}

/// Fits the groups of one row.
struct FitRow<'a> {
    steps: &'a mut [Step],
    weights: &'a [f32],
    importance: &'a [f32],
    group_size: usize,
    options: GridOptions,
}

impl Kernel for FitRow<'_> {
    #[inline(always)]
    fn run(self) {
        let groups = self.weights.chunks(self.group_size).zip(self.importance.chunks(self.group_size));
        for (step, (weights, importance)) in self.steps.iter_mut().zip(groups) {
            *step = fit_step(weights, importance, self.options);
        }
    }
}

/// The group size to use: no larger than the layer is wide.
pub(crate) fn check_group_size(group_size: usize, in_features: usize) -> Result<usize, QuantizeError> {
    match group_size.min(in_features) {
        0 => Err(QuantizeError::GroupSize(group_size)),
        fits => Ok(fits),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const SEARCHED: GridSearch = GridSearch::WeightedMse;

    proptest! {
        #[test]
        fn scales_are_what_f16_holds_and_rounding_is_nearest(
            weights in prop::collection::vec(-3.0f32..3.0, 1..80), symmetric: bool, searched: bool,
        ) {
            let symmetry = if symmetric { Symmetry::Symmetric } else { Symmetry::Asymmetric };
            let search = if searched { SEARCHED } else { GridSearch::MinMax };
            let ones = vec![1.0; weights.len()];
            let step = fit_step(&weights, &ones, GridOptions { group_size: 64, symmetry, search });
            prop_assert_eq!(f16::from_f32(step.scale).to_f32(), step.scale);
            if symmetric {
                prop_assert_eq!(step.zero, 8);
            }
            for &w in &weights {
                // Not 0..=MAX_CODE: rustc 1.95 folds that wrongly at opt-level 2.
                let nearest = (0..MAX_CODE + 1).map(|c| (w - step.value(c)).abs()).fold(f32::INFINITY, f32::min);
                prop_assert!(((w - step.value(step.code(w))).abs() - nearest).abs() <= 1e-6 * step.scale.max(1.0));
                prop_assert_eq!(step.round(w), step.value(step.code(w)));
            }
        }

        #[test]
        fn a_search_never_loses_against_min_max(
            weights in prop::collection::vec(-3.0f32..3.0, 1..80), seed in 0u32..1000, symmetric: bool,
        ) {
            let symmetry = if symmetric { Symmetry::Symmetric } else { Symmetry::Asymmetric };
            let importance: Vec<f32> = (0..weights.len()).map(|i| 0.01 + ((i as u32 * 7919 + seed) % 97) as f32).collect();
            let loss = |search| -> f64 {
                let step = fit_step(&weights, &importance, GridOptions { group_size: 64, symmetry, search });
                weights.iter().zip(&importance).map(|(&w, &h)| f64::from(h) * f64::from(w - step.round(w)).powi(2)).sum()
            };
            prop_assert!(loss(SEARCHED) <= loss(GridSearch::MinMax) * (1.0 + 1e-5) + 1e-9);
        }
    }

    #[test]
    fn weights_of_zero_or_below_f16_stay_finite() {
        for weights in [[0.0; 4], [1e-12, -1e-12, 0.0, 1e-13], [6e4, -6e4, 0.0, 1.0]] {
            for symmetry in [Symmetry::Symmetric, Symmetry::Asymmetric] {
                let step = fit_step(&weights, &[1.0; 4], GridOptions { group_size: 4, symmetry, search: SEARCHED });
                assert!(step.scale > 0.0 && step.scale.is_finite());
                assert!(weights.iter().all(|&w| (step.round(w) - w).abs() <= step.scale));
            }
        }
    }
}
