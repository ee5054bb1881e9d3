//! One linear layer: all methods, measured on calibration and held-out inputs.

use std::time::Instant;

use super::options::{Method, QuantizeOptions};
use super::report::LayerReport;
use crate::QuantizeError;
use crate::gptq::{gptq, plain};
use crate::grid::{GridOptions, GridSearch};
use crate::hessian::{Calibration, Damped, quadratic};
use crate::layer::QuantizedLayer;
use crate::matrix::Matrix;
use crate::paper::paper_stage2;
use crate::rpiq::{Snapshots, rpiq};
use crate::rtn::rtn;

/// What is known about a stage's inputs.
pub struct StageInputs<'a> {
    /// Of all calibration text; `None` for round to nearest.
    pub calibration: Option<(&'a Calibration, &'a Damped)>,
    /// Of held-out text.
    pub held_out: Option<&'a Calibration>,
    /// Of the latest batches, each for itself.
    pub snapshots: &'a [Matrix],
}

/// Quantizes `weight` `[out, in]` by `options`.
///
/// # Errors
/// [`QuantizeError`] if weights are not finite or the inputs say too little.
pub fn quantize_layer(
    name: &str,
    weight: &Matrix,
    inputs: &StageInputs<'_>,
    options: &QuantizeOptions,
) -> Result<(QuantizedLayer, LayerReport), QuantizeError> {
    let start = Instant::now();
    let min_max = GridOptions { search: GridSearch::MinMax, ..options.grid };
    let nearest = rtn(weight, min_max)?;
    let mut report = LayerReport {
        layer: name.into(),
        kept: "rtn".into(),
        gamma_gptq: None,
        gamma: None,
        paper_gammas_off_grid: Vec::new(),
        paper_gamma_packed: None,
        rounds: 0,
        held_out_rtn: None,
        held_out_gptq: None,
        held_out: None,
        damping: 0.0,
        damping_raised: 0,
        dead_inputs: 0,
        seconds: 0.0,
    };
    let held_out = |layer: &QuantizedLayer| Some(inputs.held_out?.output_error(weight, &layer.dequantize()));
    report.held_out_rtn = held_out(&nearest).map(Into::into);
    let layer = match inputs.calibration {
        None => nearest,
        Some((calibration, damped)) => {
            report.damping = damped.damping;
            report.damping_raised = damped.raised;
            report.dead_inputs = calibration.dead_inputs();
            let target = match &calibration.shift {
                Some(shift) if options.cross_layer > 0.0 => damped.shifted_target(weight, shift, options.cross_layer),
                _ => weight.clone(),
            };
            let gamma = |layer: &QuantizedLayer| quadratic(&target.minus(&layer.dequantize()), &damped.hessian);
            let baseline = gptq(weight, damped, plain(options.grid))?;
            report.gamma_gptq = Some(gamma(&baseline));
            report.held_out_gptq = held_out(&baseline).map(Into::into);
            let layer = refine(&target, &baseline, inputs, damped, options, &mut report)?;
            report.gamma = Some(gamma(&layer));
            layer
        }
    };
    report.held_out = held_out(&layer).map(Into::into);
    report.seconds = start.elapsed().as_secs_f64();
    Ok((layer, report))
}

fn refine(
    target: &Matrix,
    baseline: &QuantizedLayer,
    inputs: &StageInputs<'_>,
    damped: &Damped,
    options: &QuantizeOptions,
    report: &mut LayerReport,
) -> Result<QuantizedLayer, QuantizeError> {
    report.kept = "gptq".into();
    if options.method == Method::Gptq && options.gptq() == plain(options.grid) {
        return Ok(baseline.clone());
    }
    let first = gptq(target, damped, options.gptq())?;
    let refined = match options.method {
        Method::Rtn | Method::Gptq => return Ok(first),
        Method::RpiqPaper => {
            let last = inputs.snapshots.last().unwrap_or(&damped.hessian);
            let result = paper_stage2(target, last, &first, &options.paper)?;
            report.rounds = result.gammas_off_grid.len().saturating_sub(1);
            report.paper_gammas_off_grid = result.gammas_off_grid;
            report.paper_gamma_packed = Some(result.gamma_packed);
            report.kept = "rpiq-paper".into();
            return Ok(result.layer);
        }
        Method::Rpiq => {
            let snapshots = Snapshots { weight: options.snapshot_weight, moments: inputs.snapshots };
            let refined = rpiq(target, damped, first.clone(), &options.rpiq, Some(snapshots))?;
            report.rounds = refined.gammas.len().saturating_sub(1);
            refined.layer
        }
    };
    report.kept = "rpiq".into();
    let Some(held_out) = inputs.held_out.filter(|_| options.accept_rule) else { return Ok(refined) };
    let error = |layer: &QuantizedLayer| held_out.output_error(target, &layer.dequantize()).own;
    // Against the target: what the closed loop worked on, measured where it has not looked.
    let (refined_error, first_error, baseline_error) = (error(&refined), error(&first), error(baseline));
    if refined_error < first_error.min(baseline_error) {
        return Ok(refined);
    }
    report.kept = "gptq".into();
    Ok(if first_error < baseline_error { first } else { baseline.clone() })
}
