//! A vision-language model and pictures with answers: the blocks of its vision tower, then those of its language model.
//!
//! Each stack is calibrated on what it reads itself: the tower on the patches of the pictures, the language model on whole
//! prompts with what the tower quantized so far made of them.

use burn::tensor::{Device, Tensor};
use sha2::{Digest, Sha256};
use sightread_models::checkpoint::{Checkpoint, CheckpointError};
use sightread_models::nn::KvCache;
use sightread_models::text::{BlockStack, TextError};
use sightread_models::vision::RgbView;
use sightread_models::vlm::VlmError;
use sightread_models::vlm::idefics3::{
    END_OF_UTTERANCE, Idefics3Blocks, PROJECTION, PictureOptions, PictureProcessor, PromptBuilder, TiledPicture,
};

use super::EmbeddingType;
use super::calibration::CalibrationSet;
use super::network::{Begin, Network, StackSize, scored_heads};
use super::stack::{load_all, modules_of};
use super::streams::{to_matrix, to_tensor};
use crate::PipelineError;
use crate::pictures::{self, Captioned};

/// How the linear layers of a part that sees are stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub enum VisionType {
    /// Packed to 4 bit like the language model.
    #[default]
    Int4,
    /// Rows of 8-bit codes with a scale each; Python libraries do not read them.
    Int8,
    /// 16-bit floats.
    F16,
}

/// What is done with the parts that only a vision-language model has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct VlmOptions {
    /// Storage of the vision tower.
    pub vision: VisionType,
    /// Storage of the connector's linear layers. That of Idefics3 reads some ten thousand inputs, which is why it is not packed to
    /// 4 bit: a Hessian of that width takes more memory than the whole model, to save a hundredth of its size, which is what
    /// the connector of CogVLM2 takes too.
    pub connector: EmbeddingType,
    /// Storage of the vision experts beside the language model's own layers, which only CogVLM2 has.
    pub experts: VisionType,
    /// Pictures at most that the vision tower is calibrated on; each has hundreds of patches.
    pub vision_sequences: usize,
    /// How pictures are cut into tiles.
    pub pictures: PictureOptions,
}

impl Default for VlmOptions {
    fn default() -> Self {
        Self {
            vision: VisionType::default(),
            connector: EmbeddingType::F16,
            experts: VisionType::default(),
            vision_sequences: 64,
            pictures: PictureOptions { detail: false, max_tiles: 0 },
        }
    }
}

/// A picture in tiles and the whole of its prompt and answer.
struct Seen {
    picture: TiledPicture,
    tokens: Vec<u32>,
}

/// A vision-language model and the pictures it is calibrated on.
pub struct VlmNetwork<'a> {
    source: &'a Checkpoint,
    device: &'a Device,
    blocks: Idefics3Blocks,
    processor: PictureProcessor,
    options: VlmOptions,
    set: CalibrationSet<Seen>,
}

impl<'a> VlmNetwork<'a> {
    /// Checks, before hours of work, that the model is whole.
    ///
    /// # Errors
    /// [`PipelineError`] if the configuration is wrong or a tensor missing, or a picture cannot be read or does not fit in the
    /// context.
    pub fn new(
        source: &'a Checkpoint,
        set: &CalibrationSet<Captioned>,
        options: VlmOptions,
        device: &'a Device,
    ) -> Result<Self, PipelineError> {
        let blocks = Idefics3Blocks::new(source, device)?;
        blocks.check(source)?;
        let processor = PictureProcessor::from_checkpoint(source)?;
        let set = prepare(source, set, &blocks, &processor, &options.pictures)?;
        Ok(Self { source, device, blocks, processor, options, set })
    }

    fn packs_vision(&self) -> bool {
        self.options.vision == VisionType::Int4
    }

    /// Pixel values of all tiles of a picture.
    fn patches(&self, picture: &TiledPicture) -> Vec<Vec<f32>> {
        let patch_size = self.blocks.config.vision_config.patch_size;
        picture.tiles.iter().map(|tile| self.processor.patches(tile, patch_size)).collect()
    }
}

/// Tiles and tokens of all pictures.
fn prepare(
    source: &Checkpoint,
    set: &CalibrationSet<Captioned>,
    blocks: &Idefics3Blocks,
    processor: &PictureProcessor,
    options: &PictureOptions,
) -> Result<CalibrationSet<Seen>, PipelineError> {
    let config = &blocks.config;
    let prompts = PromptBuilder::from_checkpoint(source, config.image_token_id, config.image_seq_len())?;
    let limit = config.text_config.context();
    let seen = |entry: &Captioned| {
        let wrong = |reason: String| PipelineError::Calibration { path: entry.path.clone(), reason };
        let pixels = pictures::open(&entry.path).map_err(wrong)?;
        let view = RgbView::new(&pixels, pixels.width() as usize, pixels.height() as usize);
        let picture = processor.process(view.map_err(|e| wrong(e.to_string()))?, options);
        let mut tokens = prompts.picture(&picture)?;
        if tokens.len() >= limit {
            return Err(VlmError::from(TextError::TooLong { tokens: tokens.len(), limit }).into());
        }
        tokens.extend(prompts.question(&entry.question)?);
        let answer = format!(" {}{END_OF_UTTERANCE}", entry.text.trim());
        let answer = prompts.tokenizer().encode_fast(answer, false);
        tokens.extend(answer.map_err(|e| VlmError::from(TextError::Tokenizer(e.to_string())))?.get_ids());
        tokens.truncate(limit);
        Ok(Seen { picture, tokens })
    };
    set.try_map(seen)
}

impl Network for VlmNetwork<'_> {
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
        let (vision, text) = (&self.blocks.config.vision_config, &self.blocks.config.text_config);
        let is_vision = self.packs_vision() && stack == 0;
        let length = |seen: &Seen| match is_vision {
            true => (seen.picture.tiles.len() * vision.patches()) as u64,
            false => seen.tokens.len() as u64,
        };
        let tower =
            vision.num_hidden_layers * vision.hidden_size * (4 * vision.hidden_size + 2 * vision.intermediate_size);
        let embedding = 2 * text.vocab_size * text.hidden_size;
        let at_start = match (is_vision, self.packs_vision()) {
            (true, _) => 0,
            (false, true) => embedding,
            (false, false) => embedding + tower,
        };
        let hidden = if is_vision { vision.hidden_size } else { text.hidden_size };
        let heads = if is_vision { vision.num_attention_heads } else { text.num_attention_heads };
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
        let embed = move |seen: &Seen| start_vision.forward(&self.patches(&seen.picture), self.device);
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
        for Seen { picture, tokens } in self.set.all() {
            digest.update((picture.tiles.len() as u64).to_le_bytes());
            picture.tiles.iter().for_each(|tile| digest.update(tile.pixels()));
            digest.update((tokens.len() as u64).to_le_bytes());
            tokens.iter().for_each(|token| digest.update(token.to_le_bytes()));
        }
    }

    fn embeddings(&self) -> Vec<String> {
        let head = (!self.blocks.config.text_config.tie_word_embeddings).then_some("lm_head");
        ["model.text_model.embed_tokens"].into_iter().chain(head).map(String::from).collect()
    }

    fn class(&self, tensor: &str) -> &'static str {
        let part = tensor.strip_prefix("model.").unwrap_or(tensor);
        match part.split('.').next() {
            Some("vision_model") => "vision tower",
            Some("connector") => "connector",
            _ => "language model",
        }
    }

    fn rows_i8(&self) -> Vec<String> {
        let mut modules = Vec::new();
        if self.options.vision == VisionType::Int8 {
            let vision = &self.blocks.vision;
            modules.extend(modules_of(vision, &vision.stages().concat()));
        }
        if self.options.connector == EmbeddingType::Int8 {
            modules.push(PROJECTION.into());
        }
        modules
    }
}
