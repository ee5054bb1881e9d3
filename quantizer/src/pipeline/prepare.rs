//! A model and what it is calibrated on, opened together.

use std::path::{Path, PathBuf};

use burn::tensor::Device;
use sightread_models::checkpoint::Checkpoint;
use sightread_models::speech::WhisperConfig;
use sightread_models::text::text_blocks;
use sightread_models::vlm;

use super::calibration::{CalibrationSet, CalibrationSize};
use super::cogvlm_kind::CogVlmKind;
use super::idefics3_kind::Idefics3Kind;
use super::vlm_network::VlmNetwork;
use super::{Method, Network, SpeechNetwork, TextNetwork, VlmOptions};
use crate::PipelineError;

/// The model in `source` with its calibration set: a text for a language model, a list of recordings for Whisper, a list of
/// pictures for SmolVLM and CogVLM2, which alone have a use for `options`. Of the set, only what `method` makes use of is kept;
/// round to nearest needs none. Sequences of a text are cut to the model's context.
///
/// # Errors
/// [`PipelineError`] if the calibration set is missing or of no use, or the model's configuration is wrong.
pub fn open_network<'a>(
    source: &'a Checkpoint,
    calibration: Option<&Path>,
    size: CalibrationSize,
    method: Method,
    options: VlmOptions,
    device: &'a Device,
) -> Result<Box<dyn Network + 'a>, PipelineError> {
    if WhisperConfig::is_whisper(source) {
        let set = read(calibration, method, |list| CalibrationSet::read_recordings(list, size))?;
        return Ok(Box::new(SpeechNetwork::new(source, &set, device)?));
    }
    if let Some(architecture) = vlm::Architecture::of(source) {
        let set = read(calibration, method, |list| CalibrationSet::read_pictures(list, size))?;
        return Ok(match architecture {
            vlm::Architecture::Idefics3 => {
                let kind = Idefics3Kind::new(source, options.pictures, device)?;
                Box::new(VlmNetwork::new(kind, source, &set, options, device)?)
            }
            vlm::Architecture::CogVlm => {
                let kind = CogVlmKind::new(source, options.experts, device)?;
                Box::new(VlmNetwork::new(kind, source, &set, options, device)?)
            }
        });
    }
    let context = text_blocks(source, device)?.sizes().context;
    let size = CalibrationSize { seq_len: size.seq_len.min(context), ..size };
    let set = read(calibration, method, |text| {
        let tokenizer = source.tokenizer.as_ref().ok_or(PipelineError::NoTokenizer)?;
        CalibrationSet::read(text, tokenizer, size)
    })?;
    Ok(Box::new(TextNetwork::new(source, set, device)?))
}

fn read<S>(
    calibration: Option<&Path>,
    method: Method,
    read: impl FnOnce(&Path) -> Result<CalibrationSet<S>, PipelineError>,
) -> Result<CalibrationSet<S>, PipelineError> {
    let Some(path) = calibration else {
        return match method {
            Method::Rtn => Ok(CalibrationSet::empty()),
            _ => Err(PipelineError::Calibration {
                path: PathBuf::new(),
                reason: "none was given; name one with --calibration".into(),
            }),
        };
    };
    let mut set = read(path)?;
    if method == Method::Rtn {
        set.sequences.clear();
    }
    Ok(set)
}
