//! `quantization_report.json`, left beside the weights.

use serde::{Deserialize, Serialize};

use super::options::QuantizeOptions;
use crate::hessian::OutputError;

/// Name of the report in the model folder.
pub const REPORT_FILE: &str = "quantization_report.json";

/// Output errors of one method on one layer, divided by the mean square of the layer's output.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct RelativeError {
    /// The layer alone, on the inputs it gets in the quantized model: `|X (W - Q)^T|^2 / |X W^T|^2`.
    pub own: f64,
    /// Against the full-precision model, with what earlier layers did wrong: `|X_fp W^T - X Q^T|^2 / |X W^T|^2`.
    pub total: f64,
}

impl From<OutputError> for RelativeError {
    fn from(error: OutputError) -> Self {
        let signal = error.signal.max(f64::MIN_POSITIVE);
        Self { own: error.own / signal, total: error.total / signal }
    }
}

/// One linear layer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LayerReport {
    /// Name in the checkpoint.
    pub layer: String,
    /// Which weights were kept: the method, or "gptq" where refining did not help on held-out text.
    pub kept: String,
    /// Γ of plain GPTQ's weights as packed (columns in order, min-max grid), on calibration inputs.
    pub gamma_gptq: Option<f64>,
    /// Γ of the weights that were kept, as packed, on calibration inputs.
    pub gamma: Option<f64>,
    /// Γ of the closed loop's weights as packed, at the start and after each round: on calibration inputs, or for the paper's
    /// stage 2 on its instances.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub gammas: Vec<f64>,
    /// Γ as the paper reports it, of weights between grid points, on its instances: the start and each round.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub paper_gammas_off_grid: Vec<f64>,
    /// Held-out output error of the paper's weights between grid points, which cannot be packed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub paper_held_out_off_grid: Option<RelativeError>,
    /// Rounds of the closed loop.
    pub rounds: usize,
    /// Held-out output error of round to nearest.
    pub held_out_rtn: Option<RelativeError>,
    /// Held-out output error of plain GPTQ.
    pub held_out_gptq: Option<RelativeError>,
    /// Held-out output error of the weights that were kept.
    pub held_out: Option<RelativeError>,
    /// Damping used.
    pub damping: f64,
    /// How often the damping had to be raised tenfold.
    pub damping_raised: u32,
    /// Inputs that were zero on all calibration text.
    pub dead_inputs: usize,
    /// Wall time of this layer's quantization, moments left out.
    pub seconds: f64,
}

/// The whole run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RunReport {
    /// Settings.
    pub options: QuantizeOptions,
    /// Calibration sequences and tokens used.
    pub calibration_sequences: usize,
    /// Positions of them in the model's first blocks: tokens, or for speech 20 ms each.
    pub calibration_tokens: u64,
    /// Held-out sequences.
    pub held_out_sequences: usize,
    /// Per layer.
    pub layers: Vec<LayerReport>,
    /// Geometric means over layers, if held-out text was given.
    pub summary: Option<Summary>,
    /// Wall time of this process.
    pub seconds: f64,
    /// Largest resident memory of this process, where the system tells.
    pub peak_memory_bytes: Option<u64>,
}

/// Geometric means over layers, each in its run's own inputs.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Summary {
    /// Held-out own error, round to nearest.
    pub held_out_rtn: f64,
    /// Held-out own error, plain GPTQ.
    pub held_out_gptq: f64,
    /// Held-out own error, kept weights.
    pub held_out: f64,
    /// Ratio of the two above.
    pub ratio_to_gptq: f64,
    /// The largest ratio of any layer.
    pub worst_ratio_to_gptq: f64,
    /// Ratio to plain GPTQ of the errors against the full-precision model.
    pub total_ratio_to_gptq: f64,
    /// The largest such ratio of any layer.
    pub worst_total_ratio_to_gptq: f64,
}

impl Summary {
    /// Over all layers with held-out errors; `None` if there are none.
    pub fn of(layers: &[LayerReport]) -> Option<Self> {
        let errors = layers.iter().filter_map(|l| Some((l.held_out_rtn?, l.held_out_gptq?, l.held_out?)));
        let errors: Vec<_> = errors.collect();
        if errors.is_empty() {
            return None;
        }
        let mean = |value: &dyn Fn(&(RelativeError, RelativeError, RelativeError)) -> f64| {
            let logs: f64 = errors.iter().map(|e| value(e).max(f64::MIN_POSITIVE).ln()).sum();
            (logs / errors.len().max(1) as f64).exp()
        };
        let worst = |value: &dyn Fn(&(RelativeError, RelativeError, RelativeError)) -> f64| {
            errors.iter().map(value).fold(0.0, f64::max)
        };
        Some(Self {
            held_out_rtn: mean(&|e| e.0.own),
            held_out_gptq: mean(&|e| e.1.own),
            held_out: mean(&|e| e.2.own),
            ratio_to_gptq: mean(&|e| e.2.own / e.1.own),
            worst_ratio_to_gptq: worst(&|e| e.2.own / e.1.own),
            total_ratio_to_gptq: mean(&|e| e.2.total / e.1.total),
            worst_total_ratio_to_gptq: worst(&|e| e.2.total / e.1.total),
        })
    }
}

/// How the layers of one run compare with those of another, each in the inputs of its own model, against the same outputs of
/// the full-precision model: what a layer's output is worth where it is used.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Comparison {
    /// Layers in both runs.
    pub layers: usize,
    /// Geometric mean of the ratios of held-out errors.
    pub mean_ratio: f64,
    /// The largest ratio.
    pub worst_ratio: f64,
    /// Layers whose ratio is above 1.
    pub worse: usize,
}

impl RunReport {
    /// Held-out errors of this run divided by those of another; `None` if they share no layer with errors.
    pub fn compare(&self, other: &Self) -> Option<Comparison> {
        let ratio = |own: &LayerReport| {
            let theirs = other.layers.iter().find(|l| l.layer == own.layer)?;
            Some(own.held_out?.total / theirs.held_out?.total)
        };
        let ratios: Vec<f64> = self.layers.iter().filter_map(ratio).collect();
        if ratios.is_empty() {
            return None;
        }
        Some(Comparison {
            layers: ratios.len(),
            mean_ratio: (ratios.iter().map(|r| r.ln()).sum::<f64>() / ratios.len() as f64).exp(),
            worst_ratio: ratios.iter().copied().fold(0.0, f64::max),
            worse: ratios.iter().filter(|r| **r > 1.0).count(),
        })
    }
}
