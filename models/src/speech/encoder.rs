//! Whisper's encoder: two convolutions and a stack of blocks that see the whole window.

use burn::tensor::ops::ConvOptions;
use burn::tensor::{Device, Tensor, module};

use super::WhisperConfig;
use super::layers::{EPS, FeedForward};
use crate::checkpoint::{Checkpoint, CheckpointError};
use crate::int4::Precision;
use crate::nn::attention_op::full_attention;
use crate::nn::{FusedLinear, KvCache, LayerNorm, Linear, LoadLayers, gelu, load, merge_heads, split_heads};
use crate::text::{Block, BlockState};

/// Width of the convolutions.
const KERNEL: usize = 3;
const QKV: [&str; 3] = ["self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj"];
const OUT: &str = "self_attn.out_proj";
const FC1: &str = "fc1";
const FC2: &str = "fc2";

/// Names and widths `(name, in, out)` of the linear layers of every stage of a block.
pub(super) fn stages(config: &WhisperConfig) -> Vec<Vec<(&'static str, usize, usize)>> {
    let (d, ffn_dim) = (config.d_model, config.encoder_ffn_dim);
    vec![QKV.map(|name| (name, d, d)).to_vec(), vec![(OUT, d, d)], vec![(FC1, d, ffn_dim)], vec![(FC2, ffn_dim, d)]]
}

/// The encoder.
#[derive(Debug)]
pub struct Encoder {
    stem: Stem,
    layers: Vec<EncoderBlock>,
    layer_norm: LayerNorm,
}

impl Encoder {
    pub(super) fn load(
        checkpoint: &Checkpoint,
        config: &WhisperConfig,
        precision: Precision,
        device: &Device,
    ) -> Result<Self, CheckpointError> {
        let load_block = |n| {
            let block = EncoderBlock::load_fused(checkpoint, config, &block_prefix(n), device);
            block.map(|block| block.with_precision(precision))
        };
        Ok(Self {
            stem: Stem::load(checkpoint, config, device)?,
            layers: (0..config.encoder_layers).map(load_block).collect::<Result<_, _>>()?,
            layer_norm: LayerNorm::load(checkpoint, "model.encoder.layer_norm", config.d_model, EPS, device)?,
        })
    }

    /// `mel` `[b, bins, 2 t]` to what was heard, `[b, t, d]`; `t` at most `max_source_positions`.
    pub fn forward(&self, mel: Tensor<3>) -> Tensor<3> {
        let cache = &mut KvCache::default();
        let x = self.layers.iter().fold(self.stem.forward(mel), |x, layer| layer.forward(x, cache));
        self.layer_norm.forward(x)
    }

    /// Bytes the linear layers take in memory.
    pub fn bytes(&self) -> usize {
        self.layers.iter().map(EncoderBlock::bytes).sum()
    }
}

/// Name of a block in the checkpoint.
pub(super) fn block_prefix(block: usize) -> String {
    format!("model.encoder.layers.{block}")
}

/// From the spectrogram to the input of the first block.
#[derive(Debug)]
pub(super) struct Stem {
    conv1: Conv1d,
    conv2: Conv1d,
    /// `[max_source_positions, d]`
    embed_positions: Tensor<2>,
}

impl Stem {
    pub(super) fn load(
        checkpoint: &Checkpoint,
        config: &WhisperConfig,
        device: &Device,
    ) -> Result<Self, CheckpointError> {
        let d = config.d_model;
        let conv = |name: &str, channels, stride| {
            Conv1d::load(checkpoint, &format!("model.encoder.{name}"), channels, d, stride, device)
        };
        let positions = [config.max_source_positions, d];
        Ok(Self {
            conv1: conv("conv1", config.num_mel_bins, 1)?,
            conv2: conv("conv2", d, 2)?,
            embed_positions: load(checkpoint, "model.encoder.embed_positions.weight", positions, device)?,
        })
    }

    /// `mel` `[b, bins, 2 t]` to `[b, t, d]`. A window shorter than the model's has the first of its positions.
    pub(super) fn forward(&self, mel: Tensor<3>) -> Tensor<3> {
        let x = gelu(self.conv2.forward(gelu(self.conv1.forward(mel)))).swap_dims(1, 2);
        let [_, t, _] = x.dims();
        x + self.embed_positions.clone().narrow(0, 0, t).unsqueeze()
    }
}

/// A convolution over time with silence around it.
#[derive(Debug)]
struct Conv1d {
    /// `[out, in, 3]`
    weight: Tensor<3>,
    /// `[out]`
    bias: Tensor<1>,
    stride: usize,
}

impl Conv1d {
    fn load(
        checkpoint: &Checkpoint,
        prefix: &str,
        in_channels: usize,
        out_channels: usize,
        stride: usize,
        device: &Device,
    ) -> Result<Self, CheckpointError> {
        let weight = load(checkpoint, &format!("{prefix}.weight"), [out_channels, in_channels, KERNEL], device)?;
        let bias = load(checkpoint, &format!("{prefix}.bias"), [out_channels], device)?;
        Ok(Self { weight, bias, stride })
    }

    /// `[b, in, t]` to `[b, out, t / stride]`.
    fn forward(&self, x: Tensor<3>) -> Tensor<3> {
        let options = ConvOptions::new([self.stride], [KERNEL / 2], [1], 1);
        module::conv1d(x, self.weight.clone(), Some(self.bias.clone()), options)
    }
}

/// One block of the encoder: attention and feed-forward layers, each behind a norm and added to the residual stream.
#[derive(Debug)]
pub struct EncoderBlock {
    self_attn_layer_norm: LayerNorm,
    qkv_proj: FusedLinear<3>,
    out_proj: Linear,
    feed_forward: FeedForward,
    heads: usize,
}

impl EncoderBlock {
    /// Reads the block whose tensor names begin with `prefix` (`"model.encoder.layers.3"`), each linear layer on its own.
    ///
    /// # Errors
    /// [`CheckpointError`] if a tensor is missing, of another shape, or damaged.
    pub fn load(
        checkpoint: &Checkpoint,
        config: &WhisperConfig,
        prefix: &str,
        device: &Device,
    ) -> Result<Self, CheckpointError> {
        Self::load_by(FusedLinear::load_separate, checkpoint, config, prefix, device)
    }

    /// The same with q, k and v joined: faster, but these cannot be replaced one by one.
    ///
    /// # Errors
    /// As [`EncoderBlock::load`].
    pub fn load_fused(
        checkpoint: &Checkpoint,
        config: &WhisperConfig,
        prefix: &str,
        device: &Device,
    ) -> Result<Self, CheckpointError> {
        Self::load_by(FusedLinear::load_joined, checkpoint, config, prefix, device)
    }

    fn load_by(
        load_qkv: LoadLayers<3>,
        checkpoint: &Checkpoint,
        config: &WhisperConfig,
        prefix: &str,
        device: &Device,
    ) -> Result<Self, CheckpointError> {
        let d = config.d_model;
        let name = |module: &str| format!("{prefix}.{module}");
        Ok(Self {
            self_attn_layer_norm: LayerNorm::load(checkpoint, &name("self_attn_layer_norm"), d, EPS, device)?,
            qkv_proj: load_qkv(checkpoint, QKV.map(name), d, [d; 3], device)?,
            out_proj: Linear::load(checkpoint, &name(OUT), d, d, device)?,
            feed_forward: FeedForward::load(checkpoint, prefix, d, config.encoder_ffn_dim, device)?,
            heads: config.encoder_attention_heads,
        })
    }

    fn with_precision(self, precision: Precision) -> Self {
        Self {
            qkv_proj: self.qkv_proj.with_precision(precision),
            out_proj: self.out_proj.with_precision(precision),
            feed_forward: self.feed_forward.with_precision(precision),
            ..self
        }
    }

    fn bytes(&self) -> usize {
        self.qkv_proj.bytes() + self.out_proj.bytes() + self.feed_forward.bytes()
    }
}

impl Block for EncoderBlock {
    fn begin(&self, x: Tensor<3>) -> BlockState {
        BlockState { input: self.self_attn_layer_norm.forward(x.clone()), residual: x }
    }

    fn advance(&self, stage: usize, BlockState { residual, input }: BlockState, _: &mut KvCache) -> BlockState {
        match stage {
            0 => {
                let [q, k, v] = self.qkv_proj.forward(input).map(|x| split_heads(x, self.heads));
                BlockState { residual, input: merge_heads(full_attention(q, k, v)) }
            }
            1 => {
                let residual = residual + self.out_proj.forward(input);
                BlockState { input: self.feed_forward.norm.forward(residual.clone()), residual }
            }
            2 => BlockState { residual, input: gelu(self.feed_forward.fc1.forward(input)) },
            _ => BlockState { residual: residual + self.feed_forward.fc2.forward(input.clone()), input },
        }
    }

    fn stages(&self) -> usize {
        4
    }

    fn linear_mut(&mut self, name: &str) -> Option<&mut Linear> {
        match name {
            OUT => Some(&mut self.out_proj),
            FC1 => Some(&mut self.feed_forward.fc1),
            FC2 => Some(&mut self.feed_forward.fc2),
            _ => self.qkv_proj.get_mut(QKV.iter().position(|n| *n == name)?),
        }
    }
}
