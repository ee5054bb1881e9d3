//! A CogVLM2 and pictures with answers: the blocks of its vision tower, then those of its language model, in which pictures and
//! text have linear layers of their own, each calibrated on its own rows.

use burn::tensor::{Device, Tensor};
use sha2::{Digest, Sha256};
use sightread_models::checkpoint::{Checkpoint, CheckpointError};
use sightread_models::nn::KvCache;
use sightread_models::text::{BlockStack, TextError, check_shapes};
use sightread_models::vision::{RgbPicture, RgbView};
use sightread_models::vlm::VlmError;
use sightread_models::vlm::cogvlm::{CONNECTOR_LINEARS, CogVlmBlocks, PictureProcessor, PromptBuilder};

use super::calibration::CalibrationSet;
use super::network::{Begin, Network, StackSize, scored_heads};
use super::stack::{load_all, modules_of};
use super::streams::{to_matrix, to_tensor};
use super::{EmbeddingType, VisionType, VlmOptions};
use crate::PipelineError;
use crate::pictures::{self, Captioned};

/// A picture, and the whole of its prompt and answer.
struct Seen {
    square: RgbPicture,
    tokens: Vec<u32>,
}

/// A CogVLM2 and the pictures it is calibrated on.
pub struct CogVlmNetwork<'a> {
    source: &'a Checkpoint,
    device: &'a Device,
    blocks: CogVlmBlocks,
    processor: PictureProcessor,
    options: VlmOptions,
    set: CalibrationSet<Seen>,
}

impl<'a> CogVlmNetwork<'a> {
    /// Checks, before hours of work, that the model is whole.
    ///
    /// # Errors
    /// [`PipelineError`] if the configuration is wrong, a tensor is missing, or a picture cannot be read or does not fit in the
    /// context.
    pub fn new(
        source: &'a Checkpoint,
        set: &CalibrationSet<Captioned>,
        options: VlmOptions,
        device: &'a Device,
    ) -> Result<Self, PipelineError> {
        let mut blocks = CogVlmBlocks::new(source, device)?;
        check_shapes(blocks.tensors(), source)?;
        blocks.language.leave_out_experts(options.experts != VisionType::Int4);
        let processor = PictureProcessor::new(&blocks.config);
        let set = prepare(source, set, &blocks, &processor)?;
        Ok(Self { source, device, blocks, processor, options, set })
    }

    fn packs_vision(&self) -> bool {
        self.options.vision == VisionType::Int4
    }
}

/// Squares and tokens of all pictures.
fn prepare(
    source: &Checkpoint,
    set: &CalibrationSet<Captioned>,
    blocks: &CogVlmBlocks,
    processor: &PictureProcessor,
) -> Result<CalibrationSet<Seen>, PipelineError> {
    let prompts = PromptBuilder::from_checkpoint(source, &blocks.config)?;
    let limit = blocks.config.max_position_embeddings;
    let eos = source.eos_token_ids()?.first().copied();
    let seen = |entry: &Captioned| {
        let wrong = |reason: String| PipelineError::Calibration { path: entry.path.clone(), reason };
        let pixels = pictures::open(&entry.path).map_err(wrong)?;
        let view = RgbView::new(&pixels, pixels.width() as usize, pixels.height() as usize);
        let square = processor.process(view.map_err(|e| wrong(e.to_string()))?);
        let mut tokens = prompts.picture().to_vec();
        if tokens.len() >= limit {
            return Err(VlmError::from(TextError::TooLong { tokens: tokens.len(), limit }).into());
        }
        tokens.extend(prompts.question(&entry.question)?);
        tokens.extend(prompts.answer(&entry.text)?);
        tokens.extend(eos);
        tokens.truncate(limit);
        Ok(Seen { square, tokens })
    };
    set.try_map(seen)
}

impl Network for CogVlmNetwork<'_> {
    fn stacks(&self) -> Vec<&dyn BlockStack> {
        let language: &dyn BlockStack = &self.blocks.language;
        if self.packs_vision() { vec![&self.blocks.vision, language] } else { vec![language] }
    }

    fn calibration(&self) -> usize {
        self.set.sequences.len()
    }

    fn calibration_of(&self, stack: usize) -> usize {
        let is_vision = self.packs_vision() && stack == 0;
        if is_vision { self.calibration().min(self.options.vision_sequences.max(1)) } else { self.calibration() }
    }

    fn held_out(&self) -> usize {
        self.set.held_out.len()
    }

    fn size(&self, stack: usize) -> StackSize {
        let (config, vision) = (&self.blocks.config, &self.blocks.config.vision_config);
        let is_vision = self.packs_vision() && stack == 0;
        let length = |seen: &Seen| match is_vision {
            true => vision.num_positions as u64,
            false => seen.tokens.len() as u64,
        };
        let tower =
            vision.num_hidden_layers * vision.hidden_size * (4 * vision.hidden_size + 2 * vision.intermediate_size);
        // The table, the copy it is made of, and the connector.
        let start = config.hidden_size * (2 * config.vocab_size + vision.hidden_size + 3 * config.intermediate_size);
        let at_start = match (is_vision, self.packs_vision()) {
            (true, _) => 0,
            (false, true) => start,
            (false, false) => start + tower,
        };
        let (hidden, heads) = match is_vision {
            true => (vision.hidden_size, vision.num_heads),
            false => (config.hidden_size, config.num_attention_heads),
        };
        StackSize {
            tokens: self.set.all().map(length).sum(),
            held_out_tokens: self.set.held_out.iter().map(length).sum(),
            longest: self.set.all().map(length).max().unwrap_or(0),
            hidden: hidden as u64,
            heads: scored_heads(heads, self.device),
            at_start: (size_of::<f32>() * at_start) as u64,
        }
    }

    fn begin(&self, stack: usize) -> Result<Begin<'_>, PipelineError> {
        const MISSING: PipelineError = PipelineError::Internal("a picture is missing");
        let start_vision = self.blocks.start_vision(self.source, self.device)?;
        let embed = move |seen: &Seen| start_vision.forward(self.processor.patches(&seen.square), self.device);
        if self.packs_vision() && stack == 0 {
            return Ok(Box::new(move |n, _| to_matrix(embed(self.set.get(n).ok_or(MISSING)?)?)));
        }
        let start = self.blocks.start_language(self.source, self.device)?;
        // A tower that is not packed is as good as in full precision: one pass serves both models.
        let tower =
            if self.packs_vision() { Vec::new() } else { load_all(&self.blocks.vision, self.source, self.device)? };
        let look = move |seen: &Seen| -> Result<Tensor<3>, CheckpointError> {
            Ok(tower.iter().fold(embed(seen)?, |x, block| block.forward(x, &mut KvCache::default())))
        };
        Ok(Box::new(move |n, before| {
            let seen = self.set.get(n).ok_or(MISSING)?;
            let looked = match before {
                Some(before) => to_tensor(before, self.device),
                None => look(seen)?,
            };
            to_matrix(start.forward(looked, &seen.tokens, self.device)?)
        }))
    }

    fn digest(&self, digest: &mut Sha256) {
        digest.update(format!("{:?}", self.options));
        digest.update((self.set.sequences.len() as u64).to_le_bytes());
        for Seen { square, tokens } in self.set.all() {
            digest.update(square.pixels());
            digest.update((tokens.len() as u64).to_le_bytes());
            tokens.iter().for_each(|token| digest.update(token.to_le_bytes()));
        }
    }

    fn embeddings(&self) -> Vec<String> {
        self.blocks.embeddings()
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

    fn rows_i8(&self) -> Vec<String> {
        let mut modules = Vec::new();
        if self.options.vision == VisionType::Int8 {
            let vision = &self.blocks.vision;
            modules.extend(modules_of(vision, &vision.stages().concat()));
        }
        if self.options.experts == VisionType::Int8 {
            modules.extend(modules_of(&self.blocks.language, &self.blocks.language.expert_layers()));
        }
        if self.options.connector == EmbeddingType::Int8 {
            modules.extend(CONNECTOR_LINEARS.map(String::from));
        }
        modules
    }
}
