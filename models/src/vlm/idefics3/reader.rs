//! Everything around the network: pictures are cut into tiles, prompts are made of them.

use std::path::Path;

use burn::tensor::Device;
use tokenizers::Tokenizer;

use super::prompt::END_OF_UTTERANCE;
use super::{Idefics3, PictureOptions, PictureProcessor, PromptBuilder};
use crate::checkpoint::{Checkpoint, CheckpointError};
use crate::text::generate::Flow;
use crate::text::{LoadOptions, TextModel};
use crate::vision::RgbView;
use crate::vlm::{Beginning, GoOn, PictureModel, Viewer, VlmError};

/// An Idefics3 or a SmolVLM with its processor and its prompts.
#[derive(Debug)]
pub struct Idefics3Reader {
    model: Idefics3,
    processor: PictureProcessor,
    prompts: PromptBuilder,
    eos_token_ids: Vec<u32>,
}

/// An Idefics3 or a SmolVLM that answers questions about pictures.
pub type VisionLanguage = Viewer<Idefics3Reader>;

impl Idefics3Reader {
    /// Reads a model, packed or in full precision.
    ///
    /// # Errors
    /// [`VlmError`] if a file is missing or damaged, or files belong to different models.
    pub fn load(checkpoint: &Checkpoint, options: LoadOptions, device: &Device) -> Result<Self, VlmError> {
        // What is quickly known to be wrong goes before weights that take long to read.
        let config = super::Idefics3Config::from_checkpoint(checkpoint)?;
        let processor = PictureProcessor::from_checkpoint(checkpoint)?;
        if processor.tile() != config.vision_config.image_size {
            let (made, read) = (processor.tile(), config.vision_config.image_size);
            let what =
                format!("the processor makes tiles of {made} pixels, but the vision tower reads tiles of {read}");
            return Err(CheckpointError::Config(what).into());
        }
        let prompts = PromptBuilder::from_checkpoint(checkpoint, config.image_token_id, config.image_seq_len())?;
        let mut eos_token_ids = checkpoint.eos_token_ids()?;
        // Chat templates end every turn with it, whether or not the configuration says that it ends an answer.
        eos_token_ids.extend(prompts.tokenizer().token_to_id(END_OF_UTTERANCE));
        Ok(Self { prompts, eos_token_ids, model: Idefics3::load(checkpoint, options, device)?, processor })
    }
}

impl PictureModel for Idefics3Reader {
    fn language(&self) -> &TextModel {
        self.model.language()
    }

    fn tokenizer(&self) -> &Tokenizer {
        self.prompts.tokenizer()
    }

    fn eos_token_ids(&self) -> &[u32] {
        &self.eos_token_ids
    }

    fn look(&self, picture: RgbView<'_>, options: &PictureOptions, go_on: GoOn<'_>) -> Result<Beginning, VlmError> {
        let picture = self.processor.process(picture, options);
        let tokens = self.prompts.picture(&picture)?;
        let tiles = picture.tiles.len();
        let patch_size = self.model.config().vision_config.patch_size;
        let mut features = Vec::with_capacity(tiles);
        for (n, tile) in picture.tiles.iter().enumerate() {
            if go_on(n, tiles) == Flow::Stop {
                return Err(VlmError::Stopped);
            }
            features.push(self.model.see(self.processor.patches(tile, patch_size))?);
        }
        // A Llama reads a picture as it reads text.
        Ok(Beginning { embedded: self.model.embed(&tokens, features)?, picture: 0..0, tiles })
    }

    fn question(&self, question: &str) -> Result<Vec<u32>, VlmError> {
        self.prompts.question(question)
    }

    fn bytes(&self) -> [usize; 3] {
        self.model.bytes()
    }
}

impl VisionLanguage {
    /// Reads a model from its Hugging Face folder, packed or in full precision.
    ///
    /// # Errors
    /// [`VlmError`] if a file is missing or damaged, or files belong to different models.
    pub fn load(folder: &Path, options: LoadOptions, device: &Device) -> Result<Self, VlmError> {
        Self::from_checkpoint(&Checkpoint::open(folder)?, options, device)
    }

    /// The same from an opened checkpoint.
    ///
    /// # Errors
    /// As [`VisionLanguage::load`].
    pub fn from_checkpoint(checkpoint: &Checkpoint, options: LoadOptions, device: &Device) -> Result<Self, VlmError> {
        Ok(Self(Idefics3Reader::load(checkpoint, options, device)?))
    }

    /// The network.
    pub fn model(&self) -> &Idefics3 {
        &self.0.model
    }
}
