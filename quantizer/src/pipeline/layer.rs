//! One linear layer on its way: a target, plain GPTQ to compare with, the method's own weights, and the choice.
//!
//! The steps are apart so that all layers of a stage take one before any takes the next: what a step needs of the stage's
//! inputs is then in memory for that step alone.

use std::time::{Duration, Instant};

use super::options::{Method, QuantizeOptions};
use super::report::{LayerReport, RelativeError};
use crate::QuantizeError;
use crate::damped::Damped;
use crate::gptq::{gptq, plain};
use crate::grid::{GridOptions, GridSearch};
use crate::hessian::{Calibration, quadratic};
use crate::layer::QuantizedLayer;
use crate::matrix::Matrix;
use crate::paper::paper_stage2;
use crate::rpiq::{Snapshots, rpiq};
use crate::rtn::rtn;

/// Weights that can be packed, and their Γ on calibration inputs.
struct Candidate {
    layer: QuantizedLayer,
    gamma: f64,
}

/// A layer and what the steps so far have made of it.
pub(super) struct LayerWork {
    name: String,
    /// `[out, in]`.
    weight: Matrix,
    /// What GPTQ and the closed loop aim at, if that is not `weight`.
    target: Option<Matrix>,
    /// Plain GPTQ's, if there is calibration text.
    baseline: Option<Candidate>,
    /// GPTQ's as the options want it, where that is not plain.
    first: Option<Candidate>,
    /// What the closed loop made of `first`.
    refined: Option<Candidate>,
    /// The paper's weights between grid points.
    off_grid: Option<Matrix>,
    gammas: Vec<f64>,
    gammas_off_grid: Vec<f64>,
    time: Duration,
}

impl LayerWork {
    pub(super) fn new(name: String, weight: Matrix) -> Self {
        let (gammas, gammas_off_grid) = (Vec::new(), Vec::new());
        let (target, baseline, first, refined, off_grid) = (None, None, None, None, None);
        let time = Duration::ZERO;
        Self { name, weight, target, baseline, first, refined, off_grid, gammas, gammas_off_grid, time }
    }

    /// Name in the checkpoint.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    fn target(&self) -> &Matrix {
        self.target.as_ref().unwrap_or(&self.weight)
    }

    fn candidate(&self, layer: QuantizedLayer, damped: &Damped) -> Candidate {
        let gamma = quadratic(&self.target().minus(&layer.dequantize()), &damped.hessian);
        Candidate { layer, gamma }
    }

    /// Moves the target towards the outputs of the full-precision model.
    pub(super) fn aim(
        &mut self,
        damped: &Damped,
        shift: Option<&Matrix>,
        options: &QuantizeOptions,
    ) -> Result<(), QuantizeError> {
        let start = Instant::now();
        if let Some(shift) = shift.filter(|_| options.cross_layer > 0.0) {
            self.target = Some(damped.shifted_target(&self.weight, shift, options.cross_layer)?);
        }
        self.time += start.elapsed();
        Ok(())
    }

    /// Plain GPTQ, which everything is compared with.
    pub(super) fn compare_with_gptq(
        &mut self,
        damped: &Damped,
        options: &QuantizeOptions,
    ) -> Result<(), QuantizeError> {
        let start = Instant::now();
        let baseline = gptq(&self.weight, damped, plain(options.grid))?;
        self.baseline = Some(self.candidate(baseline, damped));
        self.time += start.elapsed();
        Ok(())
    }

    /// The method's own GPTQ, and its closed loop.
    pub(super) fn refine(
        &mut self,
        damped: &Damped,
        snapshots: &[Matrix],
        options: &QuantizeOptions,
    ) -> Result<(), QuantizeError> {
        let start = Instant::now();
        if options.method == Method::Gptq && options.gptq() == plain(options.grid) {
            return Ok(());
        }
        let first = gptq(self.target(), damped, options.gptq())?;
        match options.method {
            Method::Rtn | Method::Gptq => self.first = Some(self.candidate(first, damped)),
            Method::RpiqPaper => {
                let instances = if snapshots.is_empty() { std::slice::from_ref(&damped.hessian) } else { snapshots };
                let result = paper_stage2(self.target(), instances, &first, &options.paper)?;
                (self.gammas, self.gammas_off_grid) = (result.gammas_packed, result.gammas_off_grid);
                self.off_grid = Some(result.off_grid);
                self.refined = Some(self.candidate(result.layer, damped));
                self.first = Some(self.candidate(first, damped));
            }
            Method::Rpiq => {
                let snapshots = Snapshots { weight: options.snapshot_weight, moments: snapshots };
                let refined = rpiq(self.target(), damped, first.clone(), &options.rpiq, Some(snapshots))?;
                let (at_start, lowest) = (refined.at_start(), refined.lowest());
                self.gammas = refined.gammas;
                self.refined = Some(Candidate { layer: refined.layer, gamma: lowest });
                self.first = Some(Candidate { layer: first, gamma: at_start });
            }
        }
        self.time += start.elapsed();
        Ok(())
    }

    /// Measures on held-out inputs and keeps the method's weights; or GPTQ's, where a closed loop did not help and the options
    /// want it to. Without calibration text: round to nearest.
    pub(super) fn choose(
        mut self,
        held_out: Option<&Calibration>,
        options: &QuantizeOptions,
    ) -> Result<(QuantizedLayer, LayerReport), QuantizeError> {
        let start = Instant::now();
        let nearest = rtn(&self.weight, GridOptions { search: GridSearch::MinMax, ..options.grid })?;
        let measure = held_out.map(|inputs| inputs.measure(&self.weight));
        let error = |weights: &Matrix| Some(RelativeError::from(measure?.error(weights)));
        let mut report = LayerReport {
            layer: self.name.clone(),
            kept: "rtn".into(),
            gamma_gptq: self.baseline.as_ref().map(|baseline| baseline.gamma),
            gamma: None,
            rounds: self.gammas.len().saturating_sub(1),
            gammas: std::mem::take(&mut self.gammas),
            paper_gammas_off_grid: std::mem::take(&mut self.gammas_off_grid),
            paper_held_out_off_grid: self.off_grid.as_ref().and_then(error),
            held_out_rtn: error(&nearest.dequantize()),
            held_out_gptq: self.baseline.as_ref().and_then(|baseline| error(&baseline.layer.dequantize())),
            held_out: None,
            damping: 0.0,
            damping_raised: 0,
            dead_inputs: 0,
            seconds: 0.0,
        };
        let kept = match self.pick(held_out.filter(|_| options.accept_rule && options.method == Method::Rpiq)) {
            Some((kept, candidate)) => {
                let refined = if options.method == Method::RpiqPaper { "rpiq-paper" } else { "rpiq" };
                report.kept = if kept == Pick::Refined { refined } else { "gptq" }.into();
                report.gamma = Some(candidate.gamma);
                candidate.layer.clone()
            }
            None => nearest,
        };
        report.held_out = error(&kept.dequantize());
        report.seconds = (self.time + start.elapsed()).as_secs_f64();
        Ok((kept, report))
    }

    /// The last candidate; or, if they are `judged`, the one that is closest to the target where the closed loop has not looked.
    fn pick(&self, judged: Option<&Calibration>) -> Option<(Pick, &Candidate)> {
        let gptq = |candidate| (Pick::Gptq, candidate);
        let (baseline, first) = (self.baseline.as_ref().map(gptq), self.first.as_ref().map(gptq));
        let Some(refined) = self.refined.as_ref() else { return first.or(baseline) };
        let (Some(held_out), Some(baseline), Some(first)) = (judged, baseline, first) else {
            return Some((Pick::Refined, refined));
        };
        let error = |c: &Candidate| quadratic(&self.target().minus(&c.layer.dequantize()), &held_out.hessian);
        let (refined_error, first_error, baseline_error) = (error(refined), error(first.1), error(baseline.1));
        if refined_error < first_error.min(baseline_error) {
            return Some((Pick::Refined, refined));
        }
        Some(if first_error < baseline_error { first } else { baseline })
    }
}

/// Which weights were kept.
#[derive(PartialEq)]
enum Pick {
    Gptq,
    Refined,
}
