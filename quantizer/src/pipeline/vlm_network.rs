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

use super::calibration::CalibrationSet;
use super::network::{Begin, Network, StackSize, scored_heads};
use super::stack::{load_all, modules_of, parameters};
use super::streams::{to_matrix, to_tensor};
use super::{EmbeddingType, VisionType, VlmOptions};
use crate::PipelineError;
use crate::pictures::{self, Captioned};

/// Makes the input of the tower's first block of a picture, `[1, patches, d_vision]`.
pub(super) type VisionStart<'a, P> = Box<dyn Fn(&P) -> Result<Tensor<3>, CheckpointError> + 'a>;
/// Makes the input of the language model's first block, `[1, t, d]`, of what the tower saw and the tokens of a prompt.
pub(super) type LanguageStart<'a> = Box<dyn Fn(Tensor<3>, &[u32]) -> Result<Tensor<3>, VlmError> + 'a>;

/// A kind of vision-language model, without its weights.
pub(super) trait VlmKind {
    /// A picture as the tower reads it.
    type Picture;

    /// The vision tower and the language model.
    fn stacks(&self) -> [&dyn BlockStack; 2];

    /// Width and attention heads of both.
    fn widths(&self) -> [(usize, usize); 2];

    /// Floats that [`VlmKind::start_language`] holds.
    fn start_size(&self) -> usize;

    /// Tokens of a prompt at most.
    fn context(&self) -> usize;

    /// A picture as the tower reads it.
    fn see(&self, picture: RgbView<'_>) -> Self::Picture;

    /// Rows that the tower makes of it.
    fn patches(&self, picture: &Self::Picture) -> usize;

    /// Feeds its pixels to a fingerprint.
    fn digest(&self, picture: &Self::Picture, digest: &mut Sha256);

    /// Tokens of a prompt up to the end of the picture, those of a question behind it, and those of its answer.
    fn prompt(&self, picture: &Self::Picture, question: &str, answer: &str) -> Result<[Vec<u32>; 3], VlmError>;

    /// Reads what is before the tower.
    fn start_vision<'a>(
        &'a self,
        source: &Checkpoint,
        device: &'a Device,
    ) -> Result<VisionStart<'a, Self::Picture>, CheckpointError>;

    /// Reads what is between the tower and the language model.
    fn start_language<'a>(
        &'a self,
        source: &Checkpoint,
        device: &'a Device,
    ) -> Result<LanguageStart<'a>, CheckpointError>;

    /// Modules that hold one row for each token of the vocabulary.
    fn embeddings(&self) -> Vec<String>;

    /// Modules of the connector.
    fn connector(&self) -> Vec<String>;

    /// Layers of every block of the language model that read pictures alone.
    fn experts(&self) -> Vec<(&'static str, usize, usize)> {
        Vec::new()
    }

    /// Which part of the model a tensor belongs to.
    fn class(&self, tensor: &str) -> &'static str;
}

/// A picture, and the whole of its prompt and answer.
struct Seen<P> {
    picture: P,
    tokens: Vec<u32>,
}

/// A vision-language model and the pictures it is calibrated on.
pub(super) struct VlmNetwork<'a, K: VlmKind> {
    kind: K,
    source: &'a Checkpoint,
    device: &'a Device,
    options: VlmOptions,
    set: CalibrationSet<Seen<K::Picture>>,
}

impl<'a, K: VlmKind> VlmNetwork<'a, K> {
    /// # Errors
    /// [`PipelineError`] if a picture cannot be read or does not fit in the context.
    pub(super) fn new(
        kind: K,
        source: &'a Checkpoint,
        set: &CalibrationSet<Captioned>,
        options: VlmOptions,
        device: &'a Device,
    ) -> Result<Self, PipelineError> {
        let set = set.try_map(|entry| prepare(&kind, entry))?;
        Ok(Self { kind, source, device, options, set })
    }

    fn packs_vision(&self) -> bool {
        self.options.vision == VisionType::Int4
    }

    fn is_vision(&self, stack: usize) -> bool {
        self.packs_vision() && stack == 0
    }
}

/// Pixels and tokens of a picture.
fn prepare<K: VlmKind>(kind: &K, entry: &Captioned) -> Result<Seen<K::Picture>, PipelineError> {
    let wrong = |reason: String| PipelineError::Calibration { path: entry.path.clone(), reason };
    let pixels = pictures::open(&entry.path).map_err(wrong)?;
    let view = RgbView::new(&pixels, pixels.width() as usize, pixels.height() as usize);
    let picture = kind.see(view.map_err(|e| wrong(e.to_string()))?);
    let [mut tokens, question, answer] = kind.prompt(&picture, &entry.question, &entry.text)?;
    let limit = kind.context();
    if tokens.len() >= limit {
        return Err(VlmError::from(TextError::TooLong { tokens: tokens.len(), limit }).into());
    }
    tokens.extend([question, answer].concat());
    tokens.truncate(limit);
    Ok(Seen { picture, tokens })
}

impl<K: VlmKind> Network for VlmNetwork<'_, K> {
    fn stacks(&self) -> Vec<&dyn BlockStack> {
        self.kind.stacks().into_iter().skip(usize::from(!self.packs_vision())).collect()
    }

    fn calibration(&self) -> usize {
        self.set.sequences.len()
    }

    fn calibration_of(&self, stack: usize) -> usize {
        match self.is_vision(stack) {
            true => self.calibration().min(self.options.vision_sequences.max(1)),
            false => self.calibration(),
        }
    }

    fn held_out(&self) -> usize {
        self.set.held_out.len()
    }

    fn size(&self, stack: usize) -> StackSize {
        let is_vision = self.is_vision(stack);
        let length = |seen: &Seen<K::Picture>| match is_vision {
            true => self.kind.patches(&seen.picture) as u64,
            false => seen.tokens.len() as u64,
        };
        let [tower, _] = self.kind.stacks();
        let tower = if self.packs_vision() { 0 } else { parameters(tower) };
        let at_start = if is_vision { 0 } else { self.kind.start_size() + tower };
        let is_kept = !is_vision && self.options.experts != VisionType::Int4;
        let kept = if is_kept { self.kind.experts() } else { Vec::new() };
        let [vision, language] = self.kind.widths();
        let (hidden, heads) = if is_vision { vision } else { language };
        StackSize {
            tokens: self.set.all().map(length).sum(),
            held_out_tokens: self.set.held_out.iter().map(length).sum(),
            longest: self.set.all().map(length).max().unwrap_or(0),
            hidden: hidden as u64,
            heads: scored_heads(heads, self.device),
            kept: kept.iter().map(|&(_, from, to)| (from * to) as u64).sum(),
            at_start: (size_of::<f32>() * at_start) as u64,
        }
    }

    fn begin(&self, stack: usize) -> Result<Begin<'_>, PipelineError> {
        const MISSING: PipelineError = PipelineError::Internal("a picture is missing");
        let embed = self.kind.start_vision(self.source, self.device)?;
        if self.is_vision(stack) {
            return Ok(Box::new(move |n, _| to_matrix(embed(&self.set.get(n).ok_or(MISSING)?.picture)?)));
        }
        let start = self.kind.start_language(self.source, self.device)?;
        // A tower that is not packed is as good as in full precision: one pass serves both models.
        let tower = match self.packs_vision() {
            true => Vec::new(),
            false => load_all(self.kind.stacks()[0], self.source, self.device)?,
        };
        let look = move |seen: &Seen<K::Picture>| -> Result<Tensor<3>, CheckpointError> {
            let patches = embed(&seen.picture)?;
            Ok(tower.iter().fold(patches, |x, block| block.forward(x, &mut KvCache::default())))
        };
        Ok(Box::new(move |n, before| {
            let seen = self.set.get(n).ok_or(MISSING)?;
            let looked = match before {
                Some(before) => to_tensor(before, self.device),
                None => look(seen)?,
            };
            to_matrix(start(looked, &seen.tokens)?)
        }))
    }

    fn digest(&self, digest: &mut Sha256) {
        digest.update(format!("{:?}", self.options));
        digest.update((self.set.sequences.len() as u64).to_le_bytes());
        for Seen { picture, tokens } in self.set.all() {
            self.kind.digest(picture, digest);
            digest.update((tokens.len() as u64).to_le_bytes());
            tokens.iter().for_each(|token| digest.update(token.to_le_bytes()));
        }
    }

    fn embeddings(&self) -> Vec<String> {
        self.kind.embeddings()
    }

    fn class(&self, tensor: &str) -> &'static str {
        self.kind.class(tensor)
    }

    fn rows_i8(&self) -> Vec<String> {
        let (mut modules, [vision, language]) = (Vec::new(), self.kind.stacks());
        if self.options.vision == VisionType::Int8 {
            modules.extend(modules_of(vision, &vision.stages().concat()));
        }
        if self.options.experts == VisionType::Int8 {
            modules.extend(modules_of(language, &self.kind.experts()));
        }
        if self.options.connector == EmbeddingType::Int8 {
            modules.extend(self.kind.connector());
        }
        modules
    }
}
