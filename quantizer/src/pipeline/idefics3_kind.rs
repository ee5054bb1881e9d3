//! What is particular to Idefics3 and SmolVLM: pictures in tiles.

use burn::tensor::Device;
use sha2::{Digest, Sha256};
use sightread_models::checkpoint::{Checkpoint, CheckpointError};
use sightread_models::text::BlockStack;
use sightread_models::vision::RgbView;
use sightread_models::vlm::VlmError;
use sightread_models::vlm::idefics3::{
    Idefics3Blocks, PROJECTION, PictureOptions, PictureProcessor, PromptBuilder, TiledPicture,
};

use super::vlm_network::{LanguageStart, VisionStart, VlmKind};
use crate::PipelineError;

/// An Idefics3 or a SmolVLM.
pub(super) struct Idefics3Kind {
    blocks: Idefics3Blocks,
    processor: PictureProcessor,
    prompts: PromptBuilder,
    options: PictureOptions,
}

impl Idefics3Kind {
    /// Checks, before hours of work, that the model is whole.
    ///
    /// # Errors
    /// [`PipelineError`] if the configuration is wrong or a tensor is missing.
    pub(super) fn new(source: &Checkpoint, options: PictureOptions, device: &Device) -> Result<Self, PipelineError> {
        let blocks = Idefics3Blocks::new(source, device)?;
        blocks.check(source)?;
        let processor = PictureProcessor::from_checkpoint(source)?;
        let config = &blocks.config;
        let prompts = PromptBuilder::from_checkpoint(source, config.image_token_id, config.image_seq_len())?;
        Ok(Self { blocks, processor, prompts, options })
    }
}

impl VlmKind for Idefics3Kind {
    type Picture = TiledPicture;

    fn stacks(&self) -> [&dyn BlockStack; 2] {
        [&self.blocks.vision, &self.blocks.language]
    }

    fn widths(&self) -> [(usize, usize); 2] {
        let (vision, text) = (&self.blocks.config.vision_config, &self.blocks.config.text_config);
        [(vision.hidden_size, vision.num_attention_heads), (text.hidden_size, text.num_attention_heads)]
    }

    fn start_size(&self) -> usize {
        // The table, and the copy it is made of.
        2 * self.blocks.config.text_config.vocab_size * self.blocks.config.text_config.hidden_size
    }

    fn context(&self) -> usize {
        self.blocks.config.text_config.context()
    }

    fn see(&self, picture: RgbView<'_>) -> TiledPicture {
        self.processor.process(picture, &self.options)
    }

    fn patches(&self, picture: &TiledPicture) -> usize {
        picture.tiles.len() * self.blocks.config.vision_config.patches()
    }

    fn digest(&self, picture: &TiledPicture, digest: &mut Sha256) {
        digest.update((picture.tiles.len() as u64).to_le_bytes());
        picture.tiles.iter().for_each(|tile| digest.update(tile.pixels()));
    }

    fn prompt(&self, picture: &TiledPicture, question: &str, answer: &str) -> Result<[Vec<u32>; 3], VlmError> {
        Ok([self.prompts.picture(picture)?, self.prompts.question(question)?, self.prompts.answer(answer)?])
    }

    fn start_vision<'a>(
        &'a self,
        source: &Checkpoint,
        device: &'a Device,
    ) -> Result<VisionStart<'a, TiledPicture>, CheckpointError> {
        let start = self.blocks.start_vision(source, device)?;
        let patch_size = self.blocks.config.vision_config.patch_size;
        Ok(Box::new(move |picture| {
            let patches = picture.tiles.iter().map(|tile| self.processor.patches(tile, patch_size));
            start.forward(&patches.collect::<Vec<_>>(), device)
        }))
    }

    fn start_language<'a>(
        &'a self,
        source: &Checkpoint,
        device: &'a Device,
    ) -> Result<LanguageStart<'a>, CheckpointError> {
        let start = self.blocks.start_language(source, device)?;
        Ok(Box::new(move |seen, tokens| start.forward(seen, tokens, device)))
    }

    fn embeddings(&self) -> Vec<String> {
        let head = (!self.blocks.config.text_config.tie_word_embeddings).then_some("lm_head");
        ["model.text_model.embed_tokens"].into_iter().chain(head).map(String::from).collect()
    }

    fn connector(&self) -> Vec<String> {
        vec![PROJECTION.into()]
    }

    fn class(&self, tensor: &str) -> &'static str {
        let part = tensor.strip_prefix("model.").unwrap_or(tensor);
        match part.split('.').next() {
            Some("vision_model") => "vision tower",
            Some("connector") => "connector",
            _ => "language model",
        }
    }
}
