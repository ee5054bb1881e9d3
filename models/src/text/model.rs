//! A whole language model, whatever its architecture.

use std::fmt;
use std::ops::Range;

use burn::tensor::{Device, Tensor};

use super::llama::{Llama, LlamaBlocks};
use super::opt::Opt;
use super::{Architecture, TextError, TextSizes, TokenEmbedding};
use crate::checkpoint::{Checkpoint, CheckpointError};
use crate::int4::Precision;
use crate::nn::{Embedding, KvCache};

/// How the weights of a whole model are loaded.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct LoadOptions {
    /// Rounds embedding and output head to 8-bit rows if they are stored wider: a quarter of the memory, and every
    /// generated token, which reads the whole head, is made sooner.
    pub int8_embedding: bool,
    /// How exactly packed layers read their input; only the CPU knows a difference.
    pub precision: Precision,
}

impl LoadOptions {
    /// The embedding or head `{prefix}.weight` `[rows, width]`.
    pub(crate) fn load_embedding(
        self,
        checkpoint: &Checkpoint,
        prefix: &str,
        [rows, width]: [usize; 2],
        device: &Device,
    ) -> Result<Embedding, CheckpointError> {
        let load = if self.int8_embedding { Embedding::load_rows8 } else { Embedding::load };
        load(checkpoint, prefix, rows, width, device).map(|rows| rows.with_precision(self.precision))
    }
}

/// What one architecture does to tokens of its vocabulary at positions of its context; [`TextModel`] sees to that.
pub trait Decoder: fmt::Debug + Send + Sync {
    /// Its sizes.
    fn sizes(&self) -> TextSizes;

    /// What makes the input of the first block.
    fn embedding(&self) -> &dyn TokenEmbedding;

    /// All blocks and what follows up to the output head: `x` `[b, t, d]` behind what `caches` hold, one cache for each block.
    fn run(&self, x: Tensor<3>, caches: &mut [KvCache]) -> Tensor<3>;

    /// Logits `[b, t, vocab]` of outputs of [`Decoder::run`].
    fn logits(&self, hidden: Tensor<3>) -> Tensor<3>;

    /// Bytes the weights take in memory, norms left out.
    fn bytes(&self) -> usize;
}

/// The KV caches of all blocks.
#[derive(Debug, Clone)]
pub struct TextCache(Vec<KvCache>);

impl TextCache {
    /// Positions held.
    pub fn len(&self) -> usize {
        self.0.first().map_or(0, KvCache::len)
    }

    /// Whether nothing is held.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Forgets all positions from `len` on: the encoded beginning of a text is kept for another continuation.
    pub fn truncate(&mut self, len: usize) {
        self.0.iter_mut().for_each(|cache| cache.truncate(len));
    }
}

/// A whole language model on a device.
#[derive(Debug)]
pub struct TextModel {
    decoder: Box<dyn Decoder>,
    device: Device,
}

impl TextModel {
    /// Reads all weights of `checkpoint` onto `device`, as they are stored.
    ///
    /// # Errors
    /// [`CheckpointError`] if the architecture is not known, the configuration is wrong, or a tensor is missing, of another
    /// shape, or damaged.
    pub fn load(checkpoint: &Checkpoint, device: &Device) -> Result<Self, CheckpointError> {
        Self::load_with(checkpoint, LoadOptions::default(), device)
    }

    /// As [`TextModel::load`], with options.
    ///
    /// # Errors
    /// As [`TextModel::load`].
    pub fn load_with(checkpoint: &Checkpoint, options: LoadOptions, device: &Device) -> Result<Self, CheckpointError> {
        let decoder: Box<dyn Decoder> = match Architecture::of(checkpoint)? {
            Architecture::Llama => Box::new(Llama::load(checkpoint, options, device)?),
            Architecture::Opt => Box::new(Opt::load(checkpoint, options, device)?),
        };
        Ok(Self::from_decoder(decoder, device))
    }

    /// The Llama of a larger model.
    ///
    /// # Errors
    /// [`CheckpointError`] if a tensor is missing, of another shape, or damaged.
    pub fn load_llama(
        checkpoint: &Checkpoint,
        blocks: LlamaBlocks,
        options: LoadOptions,
        device: &Device,
    ) -> Result<Self, CheckpointError> {
        let decoder = Box::new(Llama::load_blocks(checkpoint, blocks, options, device)?);
        Ok(Self::from_decoder(decoder, device))
    }

    /// A model of any architecture, its weights on `device`.
    pub fn from_decoder(decoder: Box<dyn Decoder>, device: &Device) -> Self {
        Self { decoder, device: device.clone() }
    }

    /// Widths, vocabulary and context.
    pub fn sizes(&self) -> TextSizes {
        self.decoder.sizes()
    }

    /// The device the weights are on.
    pub fn device(&self) -> &Device {
        &self.device
    }

    /// An empty cache for [`TextModel::forward`].
    pub fn cache(&self) -> TextCache {
        TextCache(vec![KvCache::default(); self.sizes().num_hidden_layers])
    }

    /// An empty cache for a text in which the positions `picture` are those of a picture, for models that treat them otherwise.
    pub fn cache_with_picture(&self, picture: Range<usize>) -> TextCache {
        TextCache(vec![KvCache::with_picture(picture); self.sizes().num_hidden_layers])
    }

    /// Reads `tokens` behind what `cache` holds; what the output head reads, `[1, t, d]`.
    ///
    /// # Errors
    /// [`TextError`] if there is no token, one is not in the vocabulary, or the context is full.
    pub fn forward(&self, tokens: &[u32], cache: &mut TextCache) -> Result<Tensor<3>, TextError> {
        let x = self.embed(tokens, cache.len())?;
        Ok(self.decoder.run(x, &mut cache.0))
    }

    /// What the first block reads of `tokens` at the positions from `offset` on, `[1, t, d]`.
    ///
    /// # Errors
    /// As [`TextModel::forward`].
    pub fn embed(&self, tokens: &[u32], offset: usize) -> Result<Tensor<3>, TextError> {
        self.sizes().check(tokens, offset)?;
        Ok(self.decoder.embedding().embed(tokens, offset, &self.device))
    }

    /// [`TextModel::forward`] for embeddings `x` `[1, t, d]`, which need not be of tokens: those of a picture go in here.
    ///
    /// # Errors
    /// [`TextError::TooLong`] if the context is full.
    pub fn forward_embeddings(&self, x: Tensor<3>, cache: &mut TextCache) -> Result<Tensor<3>, TextError> {
        let (tokens, limit) = (cache.len() + x.dims()[1], self.sizes().context);
        if tokens > limit {
            return Err(TextError::TooLong { tokens, limit });
        }
        Ok(self.decoder.run(x, &mut cache.0))
    }

    /// Logits `[b, t, vocab]` of outputs `hidden` `[b, t, d]` of [`TextModel::forward`].
    pub fn logits(&self, hidden: Tensor<3>) -> Tensor<3> {
        self.decoder.logits(hidden)
    }

    /// Logits of the token after the last of `hidden` `[1, t, d]`.
    ///
    /// # Errors
    /// [`TextError::Device`] if the device failed.
    pub fn next_logits(&self, hidden: Tensor<3>) -> Result<Vec<f32>, TextError> {
        let t = hidden.dims()[1];
        self.logit_values(hidden.narrow(1, t - 1, 1))
    }

    /// [`TextModel::logits`] as plain numbers, row-major.
    ///
    /// # Errors
    /// [`TextError::Device`] if the device failed.
    pub fn logit_values(&self, hidden: Tensor<3>) -> Result<Vec<f32>, TextError> {
        let logits = self.logits(hidden).try_into_data().map_err(|e| TextError::Device(format!("{e:?}")))?;
        logits.try_into_vec().map_err(|e| TextError::Device(format!("{e:?}")))
    }

    /// Bytes the weights take in memory, norms left out.
    pub fn bytes(&self) -> usize {
        self.decoder.bytes()
    }
}
