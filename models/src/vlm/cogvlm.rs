//! CogVLM2 (Wang et al., 2023; Hong et al., 2024): an EVA-CLIP tower looks at a picture, a connector turns squares of its patches
//! into positions of a prompt, and a LLaMA 3 answers in whose blocks those positions have weights of their own.
//!
//! Reference: `modeling_cogvlm.py` and `visual.py` beside the published weights (cogvlm2-llama3-chat-19B); names of modules and
//! configuration fields are those of the checkpoint.
//!
//! | step | where |
//! |---|---|
//! | picture → square | [`PictureProcessor`] |
//! | square → positions of a prompt | [`CogVlm::see`] |
//! | picture and question → tokens | [`PromptBuilder`] |
//! | which weights, which position | [`PicturePlace`] |
//! | all of it, for the app | [`VisionLanguage`] |

mod block;
mod blocks;
mod config;
mod connector;
mod language;
mod place;
mod processor;
mod prompt;
mod reader;

use burn::tensor::{Device, Tensor, TensorData};

pub use block::CogVlmBlock;
pub use blocks::{CogVlmBlocks, LanguageStart};
pub use config::CogVlmConfig;
pub use connector::{Connector, LINEARS as CONNECTOR_LINEARS};
pub use language::{CogVlmLanguage, LanguageBlocks};
pub use place::PicturePlace;
pub use processor::PictureProcessor;
pub use prompt::{BEGIN, PAD, PromptBuilder};
pub use reader::{CogVlmReader, VisionLanguage};

use super::put_features::put_features;
use super::{GoOn, VlmError};
use crate::checkpoint::{Checkpoint, CheckpointError};
use crate::text::{LoadOptions, TextModel, check_shapes};
use crate::vision::EvaClip;

/// Where tower and connector are in a checkpoint.
const VISION: &str = "model.vision";

/// A whole CogVLM2.
#[derive(Debug)]
pub struct CogVlm {
    config: CogVlmConfig,
    vision: EvaClip,
    connector: Connector,
    language: TextModel,
    device: Device,
}

impl CogVlm {
    /// Reads all weights of `checkpoint` onto `device`, as they are stored.
    ///
    /// # Errors
    /// [`CheckpointError`] if the configuration is wrong or a tensor is missing, of another shape, or damaged.
    pub fn load(checkpoint: &Checkpoint, options: LoadOptions, device: &Device) -> Result<Self, CheckpointError> {
        let blocks = CogVlmBlocks::new(checkpoint, device)?;
        check_shapes(blocks.tensors(), checkpoint)?;
        let CogVlmBlocks { config, language, .. } = blocks;
        let precision = options.precision;
        let language = CogVlmLanguage::load(checkpoint, language, options, device)?;
        Ok(Self {
            vision: EvaClip::load(checkpoint, &config.vision_config, VISION, precision, device)?,
            connector: Connector::load(checkpoint, &config, precision, device)?,
            language: TextModel::from_decoder(Box::new(language), device),
            device: device.clone(),
            config,
        })
    }

    /// The model's configuration.
    pub fn config(&self) -> &CogVlmConfig {
        &self.config
    }

    /// The language model. Prompts with a picture need a cache that knows its [`PicturePlace`].
    pub fn language(&self) -> &TextModel {
        &self.language
    }

    /// What the tower sees in the `patches` of a picture (see [`PictureProcessor::patches`]), `[1, 1 + patches, d_vision]`, the
    /// class token first. `go_on` is asked before each block of the tower.
    ///
    /// # Errors
    /// [`VlmError::Places`] if they are not the patches of one picture, [`VlmError::Stopped`].
    pub fn look(&self, patches: Vec<f32>, go_on: GoOn<'_>) -> Result<Tensor<3>, VlmError> {
        let (count, width) = (self.config.vision_config.patches(), self.config.vision_config.patch_values());
        if patches.len() != count * width {
            return Err(VlmError::Places { places: count, features: patches.len() / width });
        }
        let patches = Tensor::from_data(TensorData::new(patches, [1, count, width]), &self.device);
        self.vision.forward_while(patches, go_on).ok_or(VlmError::Stopped)
    }

    /// The positions that a picture takes in a prompt, `[1, positions, d]`.
    ///
    /// # Errors
    /// As [`CogVlm::look`].
    pub fn see(&self, patches: Vec<f32>, go_on: GoOn<'_>) -> Result<Tensor<3>, VlmError> {
        Ok(self.connector.forward(self.look(patches, go_on)?))
    }

    /// What the language model's first block reads of `tokens`, `[1, t, d]`, with the `features` of the picture (see
    /// [`CogVlm::see`]) in their places.
    ///
    /// # Errors
    /// [`VlmError`] if a token is not in the vocabulary, there are too many, or more or fewer places than features.
    pub fn embed(&self, tokens: &[u32], features: Tensor<3>) -> Result<Tensor<3>, VlmError> {
        put_features(self.language.embed(tokens, 0)?, tokens, self.config.pad_token_id, vec![features])
    }

    /// Bytes the weights take in memory, norms left out: vision tower, connector, language model.
    pub fn bytes(&self) -> [usize; 3] {
        [self.vision.bytes(), self.connector.bytes(), self.language.bytes()]
    }
}
