//! What is particular to CogVLM2: pictures squeezed to squares, and linear layers of their own for them, each calibrated on its
//! own rows.

use burn::tensor::Device;
use sha2::{Digest, Sha256};
use sightread_models::checkpoint::{Checkpoint, CheckpointError};
use sightread_models::text::{BlockStack, check_shapes};
use sightread_models::vision::{RgbPicture, RgbView};
use sightread_models::vlm::VlmError;
use sightread_models::vlm::cogvlm::{CONNECTOR_LINEARS, CogVlmBlocks, PictureProcessor, PromptBuilder};

use super::VisionType;
use super::vlm_network::{LanguageStart, VisionStart, VlmKind};
use crate::PipelineError;

/// A CogVLM2.
pub(super) struct CogVlmKind {
    blocks: CogVlmBlocks,
    processor: PictureProcessor,
    prompts: PromptBuilder,
    /// Ends an answer.
    eos: Option<u32>,
}

impl CogVlmKind {
    /// Checks, before hours of work, that the model is whole.
    ///
    /// # Errors
    /// [`PipelineError`] if the configuration is wrong or a tensor is missing.
    pub(super) fn new(source: &Checkpoint, experts: VisionType, device: &Device) -> Result<Self, PipelineError> {
        let mut blocks = CogVlmBlocks::new(source, device)?;
        check_shapes(blocks.tensors(), source)?;
        blocks.language.leave_out_experts(experts != VisionType::Int4);
        let processor = PictureProcessor::new(&blocks.config);
        let prompts = PromptBuilder::from_checkpoint(source, &blocks.config)?;
        let eos = source.eos_token_ids()?.first().copied();
        Ok(Self { blocks, processor, prompts, eos })
    }
}

impl VlmKind for CogVlmKind {
    type Picture = RgbPicture;

    fn stacks(&self) -> [&dyn BlockStack; 2] {
        [&self.blocks.vision, &self.blocks.language]
    }

    fn widths(&self) -> [(usize, usize); 2] {
        let (config, vision) = (&self.blocks.config, &self.blocks.config.vision_config);
        [(vision.hidden_size, vision.num_heads), (config.hidden_size, config.num_attention_heads)]
    }

    fn start_size(&self) -> usize {
        let (config, vision) = (&self.blocks.config, &self.blocks.config.vision_config);
        // The table, the copy it is made of, and the connector.
        config.hidden_size * (2 * config.vocab_size + vision.hidden_size + 3 * config.intermediate_size)
    }

    fn context(&self) -> usize {
        self.blocks.config.max_position_embeddings
    }

    fn see(&self, picture: RgbView<'_>) -> RgbPicture {
        self.processor.process(picture)
    }

    fn patches(&self, _picture: &RgbPicture) -> usize {
        self.blocks.config.vision_config.num_positions
    }

    fn digest(&self, picture: &RgbPicture, digest: &mut Sha256) {
        digest.update(picture.pixels());
    }

    fn prompt(&self, _picture: &RgbPicture, question: &str, answer: &str) -> Result<[Vec<u32>; 3], VlmError> {
        let mut answer = self.prompts.answer(answer)?;
        answer.extend(self.eos);
        Ok([self.prompts.picture().to_vec(), self.prompts.question(question)?, answer])
    }

    fn start_vision<'a>(
        &'a self,
        source: &Checkpoint,
        device: &'a Device,
    ) -> Result<VisionStart<'a, RgbPicture>, CheckpointError> {
        let start = self.blocks.start_vision(source, device)?;
        Ok(Box::new(move |picture| start.forward(self.processor.patches(picture), device)))
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
        self.blocks.embeddings()
    }

    fn connector(&self) -> Vec<String> {
        CONNECTOR_LINEARS.map(String::from).to_vec()
    }

    fn experts(&self) -> Vec<(&'static str, usize, usize)> {
        self.blocks.language.expert_layers()
    }

    fn class(&self, tensor: &str) -> &'static str {
        let of_vision = tensor.strip_prefix("model.vision.").map(|part| part.split('.').next().unwrap_or_default());
        match of_vision {
            Some("patch_embedding" | "transformer") => "vision tower",
            Some(_) => "connector",
            None if tensor.contains(".vision_expert_") || tensor.contains(".vision_mlp.") => "vision experts",
            None => "language model",
        }
    }
}
