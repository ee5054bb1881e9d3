//! Idefics3 and SmolVLM: a SigLIP tower looks at tiles of a picture, a connector turns squares of patches into positions of
//! a prompt, a Llama answers (Laurençon et al., 2024; Marafioti et al., 2025).
//!
//! Reference: `transformers/models/idefics3` and `transformers/models/smolvlm`, the same network under two names; names of
//! modules and configuration fields are those of Hugging Face.
//!
//! | step | where |
//! |---|---|
//! | picture → tiles | [`PictureProcessor`] |
//! | tiles → features | [`Idefics3::see`] |
//! | picture and question → tokens | [`PromptBuilder`] |
//! | all of it, for the app | [`VisionLanguage`] |

mod blocks;
mod config;
mod connector;
mod processor;
mod prompt;
mod reader;
mod settings;
mod sizes;

use burn::tensor::{Device, Tensor, TensorData};

pub use blocks::{Idefics3Blocks, LanguageStart};
pub use config::Idefics3Config;
pub use connector::{Connector, PROJECTION};
pub use processor::{PictureOptions, PictureProcessor, TiledPicture};
pub use prompt::PromptBuilder;
pub use reader::{Idefics3Reader, VisionLanguage};

use super::VlmError;
use super::put_features::put_features;
use crate::checkpoint::{Checkpoint, CheckpointError};
use crate::text::llama::LlamaBlocks;
use crate::text::{LoadOptions, TextModel};
use crate::vision::Siglip;

/// Where the tower's tensors are in a checkpoint.
const VISION_MODEL: &str = "model.vision_model";
/// Where the language model's tensors are, but for its head.
const TEXT_MODEL: &str = "model.text_model";

/// A whole Idefics3 or SmolVLM.
#[derive(Debug)]
pub struct Idefics3 {
    config: Idefics3Config,
    vision: Siglip,
    connector: Connector,
    language: TextModel,
    device: Device,
}

impl Idefics3 {
    /// Reads all weights of `checkpoint` onto `device`, as they are stored.
    ///
    /// # Errors
    /// [`CheckpointError`] if the configuration is wrong or a tensor is missing, of another shape, or damaged.
    pub fn load(checkpoint: &Checkpoint, options: LoadOptions, device: &Device) -> Result<Self, CheckpointError> {
        let config = Idefics3Config::from_checkpoint(checkpoint)?;
        let precision = options.precision;
        let blocks = LlamaBlocks::part_of_a_model(config.text_config.clone(), TEXT_MODEL, device)?;
        Ok(Self {
            vision: Siglip::load(checkpoint, &config.vision_config, VISION_MODEL, precision, device)?,
            connector: Connector::load(checkpoint, &config, precision, device)?,
            language: TextModel::load_llama(checkpoint, blocks, options, device)?,
            device: device.clone(),
            config,
        })
    }

    /// The model's configuration.
    pub fn config(&self) -> &Idefics3Config {
        &self.config
    }

    /// The language model.
    pub fn language(&self) -> &TextModel {
        &self.language
    }

    /// What the tower sees in the `patches` of a tile (see [`PictureProcessor::patches`]), `[1, patches, d_vision]`.
    ///
    /// # Errors
    /// [`VlmError::Places`] if they are not the patches of one tile.
    pub fn look(&self, patches: Vec<f32>) -> Result<Tensor<3>, VlmError> {
        let (count, width) = (self.config.vision_config.patches(), self.config.vision_config.patch_values());
        if patches.len() != count * width {
            return Err(VlmError::Places { places: count, features: patches.len() / width });
        }
        Ok(self.vision.forward(Tensor::from_data(TensorData::new(patches, [1, count, width]), &self.device)))
    }

    /// The positions that a tile takes in a prompt, `[1, image_seq_len, d]`.
    ///
    /// # Errors
    /// As [`Idefics3::look`].
    pub fn see(&self, patches: Vec<f32>) -> Result<Tensor<3>, VlmError> {
        Ok(self.connector.forward(self.look(patches)?))
    }

    /// What the language model's first block reads of `tokens`, `[1, t, d]`, with the `features` of all tiles (see
    /// [`Idefics3::see`]) in the places of its image tokens.
    ///
    /// # Errors
    /// [`VlmError`] if a token is not in the vocabulary, there are too many, or more or fewer places than features.
    pub fn embed(&self, tokens: &[u32], features: Vec<Tensor<3>>) -> Result<Tensor<3>, VlmError> {
        put_features(self.language.embed(tokens, 0)?, tokens, self.config.image_token_id, features)
    }

    /// Bytes the weights take in memory, norms left out: vision tower, connector, language model.
    pub fn bytes(&self) -> [usize; 3] {
        [self.vision.bytes(), self.connector.bytes(), self.language.bytes()]
    }
}
