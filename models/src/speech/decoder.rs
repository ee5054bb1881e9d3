//! Whisper's decoder: blocks that look back on the text so far and over at what the encoder heard.

use burn::tensor::{Device, Tensor};

use super::WhisperConfig;
use super::layers::{EPS, FeedForward, attend_shared};
use crate::checkpoint::{Checkpoint, CheckpointError};
use crate::nn::attention_op::attention;
use crate::nn::{Embedding, FusedLinear, KvCache, LayerNorm, Linear, LoadLayers, load, merge_heads, split_heads};
use crate::text::LoadOptions;

pub(super) const QKV: [&str; 3] = ["self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj"];
pub(super) const OUT: &str = "self_attn.out_proj";
pub(super) const ENCODER_Q: &str = "encoder_attn.q_proj";
pub(super) const ENCODER_KV: [&str; 2] = ["encoder_attn.k_proj", "encoder_attn.v_proj"];
pub(super) const ENCODER_OUT: &str = "encoder_attn.out_proj";

/// The decoder.
#[derive(Debug)]
pub struct Decoder {
    pub(super) embed_tokens: Embedding,
    /// `[max_target_positions, d]`
    pub(super) embed_positions: Tensor<2>,
    layers: Vec<DecoderBlock>,
    layer_norm: LayerNorm,
}

/// What the decoder keeps between two tokens: keys and values of the text so far, and of what was heard.
///
/// Its rows are texts that differ from some point on; all listen to the same sound.
#[derive(Debug, Clone)]
pub struct DecoderCache(Vec<BlockCache>);

#[derive(Debug, Clone)]
struct BlockCache {
    text: KvCache,
    /// `[1, h, s, dh]` each, computed once.
    heard: [Tensor<4>; 2],
}

impl DecoderCache {
    /// Positions of text held.
    pub fn len(&self) -> usize {
        self.0.first().map_or(0, |block| block.text.len())
    }

    /// Whether no text is held.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Forgets all text from position `len` on.
    pub fn truncate(&mut self, len: usize) {
        self.0.iter_mut().for_each(|block| block.text.truncate(len));
    }

    /// Makes row `i` a copy of row `rows[i]`. There may be more or fewer rows than before.
    pub fn select(&mut self, rows: &[usize]) {
        self.0.iter_mut().for_each(|block| block.text.select(rows));
    }
}

impl Decoder {
    pub(super) fn load(
        checkpoint: &Checkpoint,
        config: &WhisperConfig,
        options: LoadOptions,
        device: &Device,
    ) -> Result<Self, CheckpointError> {
        let d = config.d_model;
        let rows = [config.vocab_size, d];
        let load_block = |n| {
            let block = DecoderBlock::load_fused(checkpoint, config, &block_prefix(n), device);
            block.map(|block| block.with_precision(options))
        };
        Ok(Self {
            embed_tokens: options.load_embedding(checkpoint, "model.decoder.embed_tokens", rows, device)?,
            embed_positions: load_positions(checkpoint, config, device)?,
            layers: (0..config.decoder_layers).map(load_block).collect::<Result<_, _>>()?,
            layer_norm: LayerNorm::load(checkpoint, "model.decoder.layer_norm", d, EPS, device)?,
        })
    }

    /// A cache without text for what the encoder heard, `[1, s, d]`.
    pub fn cache(&self, heard: Tensor<3>) -> DecoderCache {
        let of = |layer: &DecoderBlock| BlockCache { text: KvCache::default(), heard: layer.hear(heard.clone()) };
        DecoderCache(self.layers.iter().map(of).collect())
    }

    /// Reads `tokens` `[b, t]`, row by row, behind the text that `cache` holds; the normed output of the last block,
    /// `[b, t, d]`. Tokens are below `vocab_size`, and all positions below `max_target_positions`.
    pub fn forward(&self, tokens: &[u32], b: usize, cache: &mut DecoderCache) -> Tensor<3> {
        let device = self.embed_positions.device();
        let [_, d] = self.embed_positions.dims();
        let t = tokens.len() / b;
        let positions = self.embed_positions.clone().narrow(0, cache.len(), t);
        let x = self.embed_tokens.lookup(tokens, &device).reshape([b, t, d]) + positions.unsqueeze();
        let step = |x, (layer, cache): (&DecoderBlock, &mut BlockCache)| layer.forward(x, cache);
        let x = self.layers.iter().zip(&mut cache.0).fold(x, step);
        self.layer_norm.forward(x)
    }

    /// Logits `[b, t, vocab]` of outputs `[b, t, d]` of [`Decoder::forward`]: the embedding is the output head.
    pub fn logits(&self, hidden: Tensor<3>) -> Tensor<3> {
        self.embed_tokens.project(hidden)
    }

    /// Bytes the linear layers and the embedding take in memory.
    pub fn bytes(&self) -> usize {
        self.layers.iter().map(DecoderBlock::bytes).sum::<usize>() + self.embed_tokens.bytes()
    }
}

/// Name of a block in the checkpoint.
pub(super) fn block_prefix(block: usize) -> String {
    format!("model.decoder.layers.{block}")
}

pub(super) fn load_positions(
    checkpoint: &Checkpoint,
    config: &WhisperConfig,
    device: &Device,
) -> Result<Tensor<2>, CheckpointError> {
    let shape = [config.max_target_positions, config.d_model];
    load(checkpoint, "model.decoder.embed_positions.weight", shape, device)
}

/// One block of the decoder: attention to the text so far, attention to what was heard, and feed-forward layers, each
/// behind a norm and added to the residual stream.
#[derive(Debug)]
pub struct DecoderBlock {
    pub(super) self_attn_layer_norm: LayerNorm,
    pub(super) qkv_proj: FusedLinear<3>,
    pub(super) out_proj: Linear,
    pub(super) encoder_attn_layer_norm: LayerNorm,
    pub(super) encoder_q_proj: Linear,
    pub(super) encoder_kv_proj: FusedLinear<2>,
    pub(super) encoder_out_proj: Linear,
    pub(super) feed_forward: FeedForward,
    heads: usize,
}

impl DecoderBlock {
    /// Reads the block whose tensor names begin with `prefix` (`"model.decoder.layers.3"`), each linear layer on its own.
    ///
    /// # Errors
    /// [`CheckpointError`] if a tensor is missing, of another shape, or damaged.
    pub fn load(
        checkpoint: &Checkpoint,
        config: &WhisperConfig,
        prefix: &str,
        device: &Device,
    ) -> Result<Self, CheckpointError> {
        let loaders = (FusedLinear::load_separate as LoadLayers<3>, FusedLinear::load_separate as LoadLayers<2>);
        Self::load_by(loaders, checkpoint, config, prefix, device)
    }

    /// The same with the layers of one input joined: faster, but these cannot be replaced one by one.
    ///
    /// # Errors
    /// As [`DecoderBlock::load`].
    pub fn load_fused(
        checkpoint: &Checkpoint,
        config: &WhisperConfig,
        prefix: &str,
        device: &Device,
    ) -> Result<Self, CheckpointError> {
        let loaders = (FusedLinear::load_joined as LoadLayers<3>, FusedLinear::load_joined as LoadLayers<2>);
        Self::load_by(loaders, checkpoint, config, prefix, device)
    }

    fn load_by(
        (load_qkv, load_kv): (LoadLayers<3>, LoadLayers<2>),
        checkpoint: &Checkpoint,
        config: &WhisperConfig,
        prefix: &str,
        device: &Device,
    ) -> Result<Self, CheckpointError> {
        let d = config.d_model;
        let name = |module: &str| format!("{prefix}.{module}");
        let norm = |module| LayerNorm::load(checkpoint, &name(module), d, EPS, device);
        let linear = |module| Linear::load(checkpoint, &name(module), d, d, device);
        Ok(Self {
            self_attn_layer_norm: norm("self_attn_layer_norm")?,
            qkv_proj: load_qkv(checkpoint, QKV.map(name), d, [d; 3], device)?,
            out_proj: linear(OUT)?,
            encoder_attn_layer_norm: norm("encoder_attn_layer_norm")?,
            encoder_q_proj: linear(ENCODER_Q)?,
            encoder_kv_proj: load_kv(checkpoint, ENCODER_KV.map(name), d, [d; 2], device)?,
            encoder_out_proj: linear(ENCODER_OUT)?,
            feed_forward: FeedForward::load(checkpoint, prefix, d, config.decoder_ffn_dim, device)?,
            heads: config.decoder_attention_heads,
        })
    }

    fn with_precision(self, LoadOptions { precision, .. }: LoadOptions) -> Self {
        Self {
            qkv_proj: self.qkv_proj.with_precision(precision),
            out_proj: self.out_proj.with_precision(precision),
            encoder_q_proj: self.encoder_q_proj.with_precision(precision),
            encoder_kv_proj: self.encoder_kv_proj.with_precision(precision),
            encoder_out_proj: self.encoder_out_proj.with_precision(precision),
            feed_forward: self.feed_forward.with_precision(precision),
            ..self
        }
    }

    /// `x` `[b, t, d]` behind what `cache` holds, same shape out.
    fn forward(&self, x: Tensor<3>, cache: &mut BlockCache) -> Tensor<3> {
        let attended = self.look_back(self.self_attn_layer_norm.forward(x.clone()), &mut cache.text);
        let x = x + self.out_proj.forward(attended);
        let q = self.encoder_q_proj.forward(self.encoder_attn_layer_norm.forward(x.clone()));
        let x = x + self.encoder_out_proj.forward(attend_shared(q, cache.heard.clone()));
        self.feed_forward.forward(x)
    }

    /// Everything between the normed input `x` `[b, t, d]` and the input of `self_attn.out_proj`, of the same shape.
    pub(super) fn look_back(&self, x: Tensor<3>, cache: &mut KvCache) -> Tensor<3> {
        let offset = cache.len();
        let [q, k, v] = self.qkv_proj.forward(x).map(|x| split_heads(x, self.heads));
        let [k, v] = cache.append(k, v);
        merge_heads(attention(q, k, v, offset))
    }

    /// Keys and values of what the encoder heard, `[1, s, d]` to `[1, h, s, dh]` each.
    pub(super) fn hear(&self, heard: Tensor<3>) -> [Tensor<4>; 2] {
        let [_, s, _] = heard.dims();
        let [k, v] = self.encoder_kv_proj.forward(heard).map(|x| split_heads(x, self.heads));
        // Through a cache, so that the rows of one head come to lie side by side: every token reads them all.
        KvCache::default().append(k, v).map(|x| x.narrow(2, 0, s))
    }

    fn bytes(&self) -> usize {
        let own = self.qkv_proj.bytes() + self.out_proj.bytes();
        let over = self.encoder_q_proj.bytes() + self.encoder_kv_proj.bytes() + self.encoder_out_proj.bytes();
        own + over + self.feed_forward.bytes()
    }
}
