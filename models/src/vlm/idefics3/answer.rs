//! A picture is encoded once, then every question about it costs only its own tokens.

use std::path::Path;

use burn::tensor::Device;

use super::{Idefics3, PictureOptions, PictureProcessor, PromptBuilder};
use crate::checkpoint::{Checkpoint, CheckpointError};
use crate::text::generate::{Flow, GenerateOptions, StopReason, generate};
use crate::text::{LoadOptions, TextCache};
use crate::vision::RgbView;
use crate::vlm::{PictureAnswer, VlmError, log_sum_exp};

/// Ends a turn of a chat.
pub const END_OF_UTTERANCE: &str = "<end_of_utterance>";

/// A vision-language model with everything around it: pictures and questions in, text out.
#[derive(Debug)]
pub struct VisionLanguage {
    model: Idefics3,
    processor: PictureProcessor,
    prompts: PromptBuilder,
    eos_token_ids: Vec<u32>,
}

/// A picture that was looked at: the beginning that all questions about it share.
#[derive(Debug, Clone)]
pub struct EncodedPicture {
    cache: TextCache,
    /// Positions of the beginning.
    len: usize,
    /// Tiles that were looked at.
    pub tiles: usize,
}

impl EncodedPicture {
    /// Positions the picture takes in the language model's context.
    pub fn positions(&self) -> usize {
        self.len
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

    /// The network.
    pub fn model(&self) -> &Idefics3 {
        &self.model
    }

    /// Looks at `picture`.
    ///
    /// # Errors
    /// [`VlmError`] if the tokenizer or the device failed, or the picture takes more positions than the model has.
    pub fn encode(&self, picture: RgbView<'_>, options: &PictureOptions) -> Result<EncodedPicture, VlmError> {
        self.encode_while(picture, options, |_, _| Flow::Continue)
    }

    /// The same, asking `go_on` before each tile: how many of how many were looked at.
    ///
    /// # Errors
    /// As [`VisionLanguage::encode`], and [`VlmError::Stopped`].
    pub fn encode_while(
        &self,
        picture: RgbView<'_>,
        options: &PictureOptions,
        mut go_on: impl FnMut(usize, usize) -> Flow,
    ) -> Result<EncodedPicture, VlmError> {
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
        let language = self.model.language();
        let mut cache = language.cache();
        let embedded = self.model.embed(&tokens, features)?;
        language.forward_embeddings(embedded, &mut cache)?;
        Ok(EncodedPicture { cache, len: tokens.len(), tiles })
    }

    /// Answers `question` about `picture` in at most `max_tokens` tokens; `on_text` gets the answer piece by piece.
    ///
    /// # Errors
    /// [`VlmError`] if the question is too long, or the tokenizer or the device failed.
    pub fn answer(
        &self,
        picture: &mut EncodedPicture,
        question: &str,
        max_tokens: usize,
        mut on_text: impl FnMut(&str) -> Flow,
    ) -> Result<PictureAnswer, VlmError> {
        picture.cache.truncate(picture.len);
        let prompt = self.prompts.question(question)?;
        let options = GenerateOptions {
            max_new_tokens: max_tokens,
            eos_token_ids: self.eos_token_ids.clone(),
            ..GenerateOptions::default()
        };
        let (mut log_probability, mut chosen) = (0.0, 0);
        // The largest logit is the one that is chosen.
        let mut watch = |_: &[u32], logits: &mut [f32]| {
            log_probability += logits.iter().copied().fold(f32::NEG_INFINITY, f32::max) - log_sum_exp(logits);
            chosen += 1;
        };
        let tokenizer = self.prompts.tokenizer();
        let mut text = String::new();
        let collect = |piece: &str| {
            text += piece;
            on_text(piece)
        };
        let language = self.model.language();
        let generated =
            generate(language, tokenizer, &prompt, &mut picture.cache, &options, Some(&mut watch), collect)?;
        Ok(PictureAnswer {
            text: text.trim().to_string(),
            confidence: (log_probability / chosen.max(1) as f32).exp(),
            cancelled: generated.stop == StopReason::Cancelled,
        })
    }
}
