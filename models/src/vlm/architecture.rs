//! Which vision-language model a checkpoint is.

use std::path::Path;

use burn::tensor::Device;

use super::cogvlm::{CogVlmConfig, CogVlmReader};
use super::idefics3::{Idefics3Config, Idefics3Reader};
use super::{PictureModel, Viewer, VlmError};
use crate::checkpoint::{Checkpoint, CheckpointError};
use crate::text::LoadOptions;

/// The vision-language models there are, one for each network.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Architecture {
    /// Idefics3 and SmolVLM.
    Idefics3,
    /// CogVLM2.
    CogVlm,
}

impl Architecture {
    /// By the checkpoint's configuration; `None` if it is no vision-language model that is known.
    pub fn of(checkpoint: &Checkpoint) -> Option<Self> {
        if Idefics3Config::is_idefics3(checkpoint) {
            Some(Self::Idefics3)
        } else {
            CogVlmConfig::is_cogvlm(checkpoint).then_some(Self::CogVlm)
        }
    }
}

/// Any vision-language model that is known.
pub type VisionLanguage = Viewer<Box<dyn PictureModel>>;

impl VisionLanguage {
    /// Reads a model from its Hugging Face folder, packed or in full precision.
    ///
    /// # Errors
    /// [`VlmError`] if a file is missing or damaged, files belong to different models, or the architecture is not known.
    pub fn load(folder: &Path, options: LoadOptions, device: &Device) -> Result<Self, VlmError> {
        Self::from_checkpoint(&Checkpoint::open(folder)?, options, device)
    }

    /// As [`VisionLanguage::load`], of a folder that is open.
    ///
    /// # Errors
    /// [`VlmError`] if a file is damaged, files belong to different models, or the architecture is not known.
    pub fn from_checkpoint(checkpoint: &Checkpoint, options: LoadOptions, device: &Device) -> Result<Self, VlmError> {
        let model: Box<dyn PictureModel> = match Architecture::of(checkpoint) {
            Some(Architecture::Idefics3) => Box::new(Idefics3Reader::load(checkpoint, options, device)?),
            Some(Architecture::CogVlm) => Box::new(CogVlmReader::load(checkpoint, options, device)?),
            None => {
                let kind = checkpoint.config.get("model_type").and_then(serde_json::Value::as_str).unwrap_or("?");
                let what = format!("a vision-language model of the kind {kind}");
                return Err(CheckpointError::unsupported(what, "use a SmolVLM, an Idefics3 or a CogVLM2").into());
            }
        };
        Ok(Self(model))
    }
}
