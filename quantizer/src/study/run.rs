//! One run: quantize, measure, keep the outcome, delete the weights.

use std::fs;
use std::path::{Path, PathBuf};

use burn::tensor::Device;
use serde::{Deserialize, Serialize};
use sightread_models::checkpoint::Checkpoint;
use sightread_models::text::TextModel;

use super::{Setting, StudyError};
use crate::PipelineError;
use crate::eval::perplexity::perplexity;
use crate::files::{read_json, write_json};
use crate::pipeline::calibration::CalibrationSize;
use crate::pipeline::report::RunReport;
use crate::pipeline::{Fingerprint, Job, Listener, VlmOptions, open_network, quantize_model};

/// A text to measure perplexity on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PerplexityText {
    /// The file.
    pub path: PathBuf,
    /// Windows of it at most.
    pub windows: usize,
}

/// What a run leaves.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Outcome {
    /// What was run.
    pub setting: Setting,
    /// What decided its result.
    fingerprint: Fingerprint,
    perplexity_text: Option<PerplexityText>,
    /// Layer by layer.
    pub report: RunReport,
    /// Of the packed model.
    pub perplexity: Option<f64>,
}

/// A perplexity that is kept for itself: the full-precision model's.
#[derive(Debug, Serialize, Deserialize)]
struct FullPrecision {
    model: PathBuf,
    text: PerplexityText,
    perplexity: f64,
}

/// Runs settings on a model.
#[derive(Clone, Copy)]
pub struct Runner<'a> {
    /// In full precision.
    pub source: &'a Checkpoint,
    /// Where forward passes run.
    pub device: &'a Device,
    /// Calibration text, or list of recordings or pictures.
    pub calibration: &'a Path,
    /// How much of it; the setting says which.
    pub size: CalibrationSize,
    /// If perplexity is to be measured.
    pub perplexity: Option<&'a PerplexityText>,
    /// Outcomes are kept here, a file each.
    pub folder: &'a Path,
}

impl Runner<'_> {
    /// The outcome of a setting: the one that is kept if nothing has changed since, or else that of a run. A run that was
    /// interrupted goes on where it was.
    ///
    /// # Errors
    /// [`StudyError`]; outcomes of other settings are kept.
    pub fn run(&self, setting: &Setting, listener: &mut Listener<'_>) -> Result<Outcome, StudyError> {
        let Self { source, device, .. } = *self;
        fs::create_dir_all(self.folder).map_err(|e| PipelineError::io("create", self.folder, e))?;
        let size = CalibrationSize { selection: setting.selection, ..self.size };
        let (method, vlm) = (setting.options.method, VlmOptions::default());
        let network = open_network(source, Some(self.calibration), size, method, vlm, device)?;
        let fingerprint = Fingerprint::new(source, &*network, &setting.options, listener)?;
        let kept = self.folder.join(format!("{}.json", setting.name));
        if let Some(outcome) = read_json::<Outcome>(&kept)?
            && outcome.fingerprint == fingerprint
            && outcome.perplexity_text.as_ref() == self.perplexity
        {
            return Ok(outcome);
        }
        let out = self.folder.join(&setting.name);
        let options = &setting.options;
        let (spill, shard_bytes, provenance) = (None, None, None);
        let job = Job { source, network: &*network, device, options, spill, out: &out, shard_bytes, provenance };
        let report = match quantize_model(&job, listener) {
            // Of an earlier study with another model or text: nobody goes on with that.
            Err(PipelineError::OtherRun { folder, .. }) => {
                remove(&folder)?;
                quantize_model(&job, listener)?
            }
            report => report?,
        };
        let perplexity = self.perplexity.map(|text| self.measure(&Checkpoint::open(&out)?, text)).transpose()?;
        let outcome = Outcome {
            setting: setting.clone(),
            fingerprint,
            perplexity_text: self.perplexity.cloned(),
            report,
            perplexity,
        };
        write_json(&kept, &outcome)?;
        remove(&out)?;
        Ok(outcome)
    }

    /// Perplexity of the model in full precision, if any is to be measured.
    ///
    /// # Errors
    /// [`StudyError`] if the model or the text cannot be used.
    pub fn full_precision(&self) -> Result<Option<f64>, StudyError> {
        let Some(text) = self.perplexity else { return Ok(None) };
        fs::create_dir_all(self.folder).map_err(|e| PipelineError::io("create", self.folder, e))?;
        let kept = self.folder.join("full-precision.json");
        if let Some(full) = read_json::<FullPrecision>(&kept)?
            && full.text == *text
            && full.model == self.source.path
        {
            return Ok(Some(full.perplexity));
        }
        let perplexity = self.measure(self.source, text)?;
        let (model, text) = (self.source.path.clone(), text.clone());
        write_json(&kept, &FullPrecision { model, text, perplexity })?;
        Ok(Some(perplexity))
    }

    fn measure(&self, checkpoint: &Checkpoint, text: &PerplexityText) -> Result<f64, StudyError> {
        let model = TextModel::load(checkpoint, self.device)?;
        Ok(perplexity(&model, checkpoint, &text.path, Some(text.windows), |_| {})?.perplexity)
    }
}

fn remove(folder: &Path) -> Result<(), PipelineError> {
    fs::remove_dir_all(folder).map_err(|e| PipelineError::io("remove", folder, e))
}
