//! Outcomes of all runs, put together.

use serde::{Deserialize, Serialize};

use super::{Kind, Outcome};
use crate::pipeline::report::{Comparison, LayerReport, RelativeError, Summary};

/// A study: what the JSON file holds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StudyResults {
    /// What was varied.
    pub study: Kind,
    /// Model by model.
    pub models: Vec<ModelResults>,
}

/// A study of one model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ModelResults {
    /// Name of its folder or file.
    pub model: String,
    /// Layers quantized.
    pub layers: usize,
    /// Calibration sequences and tokens.
    pub calibration_sequences: usize,
    /// Positions of them in the first blocks.
    pub calibration_tokens: u64,
    /// Sequences that errors were measured on.
    pub held_out_sequences: usize,
    /// Columns that share a scale.
    pub group_size: usize,
    /// Perplexity of the model as it was.
    pub full_precision_perplexity: Option<f64>,
    /// RTN, GPTQ and RPIQ as they are by default.
    pub baselines: Vec<Point>,
    /// Every run, in its order.
    pub points: Vec<Point>,
    /// How far the runs of a series are apart.
    pub spreads: Vec<Spread>,
}

/// One run. Errors are those of layer outputs on held-out text, weights as packed, against the full-precision model, in geometric
/// means over layers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Point {
    /// Line of the figure.
    pub series: String,
    /// What was varied, as text.
    pub label: String,
    /// What was varied, as a number.
    pub value: f64,
    /// Errors of the layers, each alone on the inputs it got in this run, beside RTN's and GPTQ's on the same inputs.
    pub on_own_inputs: Option<Summary>,
    /// Errors of the layers in their model, beside those of the same layers in the model that GPTQ made.
    pub against_gptq: Option<Comparison>,
    /// The same of the paper's weights between grid points, which cannot be packed.
    pub off_grid_against_gptq: Option<f64>,
    /// Rounds of the closed loop in the mean.
    pub rounds: f64,
    /// Γ after each round as a part of that at the start, as packed.
    pub gamma_packed: Vec<f64>,
    /// Γ after each round as a part of that at the start, of the paper's weights between grid points.
    pub gamma_off_grid: Vec<f64>,
    /// Perplexity of the packed model.
    pub perplexity: Option<f64>,
    /// Wall time of all layers' quantization.
    pub layer_seconds: f64,
    /// Wall time of the whole run, forward passes included.
    pub seconds: f64,
}

/// How far the runs of a series are apart, by their errors beside GPTQ's.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Spread {
    /// The series.
    pub series: String,
    /// Runs.
    pub runs: usize,
    /// Mean.
    pub mean: f64,
    /// Standard deviation of a run (n − 1).
    pub deviation: f64,
    /// Smallest.
    pub smallest: f64,
    /// Largest.
    pub largest: f64,
}

impl Point {
    /// A run beside that of GPTQ.
    pub fn new(outcome: &Outcome, gptq: &Outcome) -> Self {
        let (setting, layers) = (&outcome.setting, &outcome.report.layers);
        Self {
            series: setting.series.clone(),
            label: setting.label.clone(),
            value: setting.value,
            on_own_inputs: outcome.report.summary,
            against_gptq: outcome.report.compare(&gptq.report),
            off_grid_against_gptq: off_grid(layers, &gptq.report.layers),
            rounds: layers.iter().map(|layer| layer.rounds as f64).sum::<f64>() / layers.len().max(1) as f64,
            gamma_packed: mean_curve(layers.iter().map(|layer| layer.gammas.as_slice())),
            gamma_off_grid: mean_curve(layers.iter().map(|layer| layer.paper_gammas_off_grid.as_slice())),
            perplexity: outcome.perplexity,
            layer_seconds: layers.iter().map(|layer| layer.seconds).sum(),
            seconds: outcome.report.seconds,
        }
    }
}

impl ModelResults {
    /// All runs of a model, with those of RTN, GPTQ and RPIQ as they are by default.
    pub fn new(model: String, full_precision: Option<f64>, baselines: &[Outcome; 3], outcomes: &[Outcome]) -> Self {
        let [_, gptq, _] = baselines;
        let point = |outcome| Point::new(outcome, gptq);
        let points: Vec<Point> = outcomes.iter().map(point).collect();
        Self {
            model,
            layers: gptq.report.layers.len(),
            calibration_sequences: gptq.report.calibration_sequences,
            calibration_tokens: gptq.report.calibration_tokens,
            held_out_sequences: gptq.report.held_out_sequences,
            group_size: gptq.report.options.grid.group_size,
            full_precision_perplexity: full_precision,
            baselines: baselines.iter().map(point).collect(),
            spreads: spreads(&points),
            points,
        }
    }
}

fn spreads(points: &[Point]) -> Vec<Spread> {
    let mut series: Vec<&str> = Vec::new();
    for point in points {
        if !series.contains(&point.series.as_str()) {
            series.push(&point.series);
        }
    }
    series.into_iter().filter_map(|series| Spread::of(series, points)).collect()
}

impl Spread {
    fn of(series: &str, points: &[Point]) -> Option<Self> {
        let of_series = points.iter().filter(|point| point.series == series);
        let ratios: Vec<f64> = of_series.filter_map(|point| Some(point.against_gptq?.mean_ratio)).collect();
        if ratios.len() < 2 {
            return None;
        }
        let runs = ratios.len();
        let mean = ratios.iter().sum::<f64>() / runs as f64;
        let variance = ratios.iter().map(|ratio| (ratio - mean).powi(2)).sum::<f64>() / (runs - 1) as f64;
        Some(Self {
            series: series.into(),
            runs,
            mean,
            deviation: variance.sqrt(),
            smallest: ratios.iter().copied().fold(f64::INFINITY, f64::min),
            largest: ratios.iter().copied().fold(0.0, f64::max),
        })
    }
}

/// Errors of weights between grid points beside those of GPTQ, layer by layer.
fn off_grid(layers: &[LayerReport], gptq: &[LayerReport]) -> Option<f64> {
    let total = |error: Option<RelativeError>| error.map(|error| error.total);
    let ratios = layers.iter().filter_map(|layer| {
        let theirs = gptq.iter().find(|other| other.layer == layer.layer)?;
        Some(total(layer.paper_held_out_off_grid)? / total(theirs.held_out)?)
    });
    geometric_mean(ratios)
}

/// Γ after each round as a part of that at the start, in the geometric mean of all layers; a layer that has stopped stays where
/// it was.
fn mean_curve<'a>(curves: impl Iterator<Item = &'a [f64]>) -> Vec<f64> {
    let curves: Vec<&[f64]> = curves.filter(|curve| curve.first().is_some_and(|&start| start > 0.0)).collect();
    let longest = curves.iter().map(|curve| curve.len()).max().unwrap_or(0);
    let at = |curve: &[f64], round: usize| Some(curve.get(round).or(curve.last())? / curve.first()?);
    (0..longest).filter_map(|round| geometric_mean(curves.iter().filter_map(|curve| at(curve, round)))).collect()
}

fn geometric_mean(values: impl Iterator<Item = f64>) -> Option<f64> {
    let (mut count, mut logs) = (0usize, 0.0);
    for value in values {
        (count, logs) = (count + 1, logs + value.max(f64::MIN_POSITIVE).ln());
    }
    (count > 0).then(|| (logs / count as f64).exp())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn curves_are_parts_of_their_start_and_a_layer_that_stopped_stays() {
        let curves: [&[f64]; 4] = [&[4.0, 2.0, 1.0], &[1.0, 1.0], &[], &[2.0, 0.5, 1.0]];
        let mean = mean_curve(curves.into_iter());
        let expected = [1.0, (0.5 * 1.0 * 0.25f64).cbrt(), (0.25 * 1.0 * 0.5f64).cbrt()];
        assert_eq!(mean.len(), 3);
        assert!(mean.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-12), "{mean:?}");
    }
}
