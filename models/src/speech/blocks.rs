//! Whisper's blocks one by one, as the quantizer walks through them.
//!
//! A block of the decoder needs what the encoder heard beside the text. Its stream carries both: `[1, s + t, d]`, the `s`
//! encoder states first, which no block changes, then the `t` positions of the text. So every stage still has one input,
//! and one that is a function of the stream alone.

use burn::tensor::{Device, Tensor, TensorData};

use super::config::FRAMES_PER_POSITION;
use super::decoder::{self, DecoderBlock, ENCODER_KV, ENCODER_OUT, ENCODER_Q, OUT, QKV};
use super::encoder::{self, EncoderBlock, Stem};
use super::layers::{EPS, attend_shared};
use super::{Mel, WhisperConfig};
use crate::checkpoint::{Checkpoint, CheckpointError};
use crate::nn::{Embedding, KvCache, LayerNorm, Linear, gelu};
use crate::text::{Block, BlockStack, BlockState};

const FC1: &str = "fc1";
const FC2: &str = "fc2";

/// The encoder without its weights: loads and runs one block at a time.
#[derive(Debug)]
pub struct EncoderBlocks {
    config: WhisperConfig,
}

impl EncoderBlocks {
    /// The model's configuration.
    pub fn config(&self) -> &WhisperConfig {
        &self.config
    }

    /// Prepares to load the encoder's blocks of `checkpoint`.
    ///
    /// # Errors
    /// [`CheckpointError::Config`] if the configuration is wrong.
    pub fn new(checkpoint: &Checkpoint) -> Result<Self, CheckpointError> {
        Ok(Self { config: WhisperConfig::from_checkpoint(checkpoint)? })
    }

    /// Reads what makes the input of the first block.
    ///
    /// # Errors
    /// [`CheckpointError`] if the convolutions cannot be read.
    pub fn start(&self, checkpoint: &Checkpoint, device: &Device) -> Result<EncoderStart, CheckpointError> {
        Ok(EncoderStart { stem: Stem::load(checkpoint, &self.config, device)?, config: self.config.clone() })
    }
}

/// Makes the input of the encoder's first block.
#[derive(Debug)]
pub struct EncoderStart {
    config: WhisperConfig,
    stem: Stem,
}

impl EncoderStart {
    /// The input of the first block for `mel`, `[1, frames / 2, d]`.
    ///
    /// # Errors
    /// [`CheckpointError::Config`] if the spectrogram is not one for this model.
    pub fn forward(&self, mel: &Mel, device: &Device) -> Result<Tensor<3>, CheckpointError> {
        let longest = FRAMES_PER_POSITION * self.config.max_source_positions;
        let fits = mel.bins == self.config.num_mel_bins && (1..=longest).contains(&mel.frames);
        if !fits || mel.values.len() != mel.bins * mel.frames {
            return Err(CheckpointError::Config("a spectrogram of another shape than the model's".into()));
        }
        let shape = [1, mel.bins, mel.frames];
        Ok(self.stem.forward(Tensor::from_data(TensorData::new(mel.values.clone(), shape), device)))
    }
}

impl BlockStack for EncoderBlocks {
    fn num_blocks(&self) -> usize {
        self.config.encoder_layers
    }

    fn block_prefix(&self, block: usize) -> String {
        encoder::block_prefix(block)
    }

    fn stages(&self) -> Vec<Vec<(&'static str, usize, usize)>> {
        encoder::stages(&self.config)
    }

    fn load_block(
        &self,
        checkpoint: &Checkpoint,
        block: usize,
        device: &Device,
    ) -> Result<Box<dyn Block>, CheckpointError> {
        Ok(Box::new(EncoderBlock::load(checkpoint, &self.config, &self.block_prefix(block), device)?))
    }
}

/// The decoder without its weights: loads and runs one block at a time.
#[derive(Debug)]
pub struct DecoderBlocks {
    config: WhisperConfig,
    /// Encoder states at the front of every stream, `s`.
    heard: usize,
}

impl DecoderBlocks {
    /// Prepares to load the decoder's blocks of `checkpoint`; all streams begin with `heard` encoder states.
    ///
    /// # Errors
    /// [`CheckpointError::Config`] if the configuration is wrong.
    pub fn new(checkpoint: &Checkpoint, heard: usize) -> Result<Self, CheckpointError> {
        Ok(Self { config: WhisperConfig::from_checkpoint(checkpoint)?, heard })
    }

    /// Reads what makes the input of the first block.
    ///
    /// # Errors
    /// [`CheckpointError`] if the encoder's last norm or the embedding cannot be read.
    pub fn start(&self, checkpoint: &Checkpoint, device: &Device) -> Result<DecoderStart, CheckpointError> {
        let WhisperConfig { vocab_size, d_model, .. } = self.config;
        Ok(DecoderStart {
            encoder_norm: LayerNorm::load(checkpoint, "model.encoder.layer_norm", d_model, EPS, device)?,
            embed_tokens: Embedding::load(checkpoint, "model.decoder.embed_tokens", vocab_size, d_model, device)?,
            embed_positions: decoder::load_positions(checkpoint, &self.config, device)?,
            config: self.config.clone(),
            heard: self.heard,
        })
    }
}

/// Makes the input of the decoder's first block.
#[derive(Debug)]
pub struct DecoderStart {
    config: WhisperConfig,
    heard: usize,
    encoder_norm: LayerNorm,
    embed_tokens: Embedding,
    embed_positions: Tensor<2>,
}

impl DecoderStart {
    /// The input of the first block, `[1, s + t, d]`, for an output of the encoder's last block `[1, s, d]` and its text,
    /// special tokens included.
    ///
    /// # Errors
    /// [`CheckpointError::Config`] if the text or the sound is not one for this model.
    pub fn forward(&self, heard: Tensor<3>, tokens: &[u32], device: &Device) -> Result<Tensor<3>, CheckpointError> {
        let WhisperConfig { vocab_size, d_model, max_target_positions, .. } = self.config;
        if heard.dims() != [1, self.heard, d_model] {
            return Err(CheckpointError::Config(format!("encoder states of shape {:?}", heard.dims())));
        }
        if tokens.is_empty() || tokens.len() > max_target_positions {
            return Err(CheckpointError::Config(format!("a text of {} tokens", tokens.len())));
        }
        if let Some(token) = tokens.iter().find(|&&t| t as usize >= vocab_size) {
            return Err(CheckpointError::Config(format!("token {token} is not in the vocabulary of {vocab_size}")));
        }
        let text = self.embed_tokens.lookup(tokens, device) + self.embed_positions.clone().narrow(0, 0, tokens.len());
        Ok(Tensor::cat(vec![self.encoder_norm.forward(heard), text.unsqueeze()], 1))
    }
}

impl BlockStack for DecoderBlocks {
    fn num_blocks(&self) -> usize {
        self.config.decoder_layers
    }

    fn block_prefix(&self, block: usize) -> String {
        decoder::block_prefix(block)
    }

    fn stages(&self) -> Vec<Vec<(&'static str, usize, usize)>> {
        let (d, ffn_dim) = (self.config.d_model, self.config.decoder_ffn_dim);
        vec![
            QKV.map(|name| (name, d, d)).to_vec(),
            vec![(OUT, d, d)],
            vec![(ENCODER_Q, d, d)],
            ENCODER_KV.map(|name| (name, d, d)).to_vec(),
            vec![(ENCODER_OUT, d, d)],
            vec![(FC1, d, ffn_dim)],
            vec![(FC2, ffn_dim, d)],
        ]
    }

    fn load_block(
        &self,
        checkpoint: &Checkpoint,
        block: usize,
        device: &Device,
    ) -> Result<Box<dyn Block>, CheckpointError> {
        let block = DecoderBlock::load(checkpoint, &self.config, &self.block_prefix(block), device)?;
        Ok(Box::new(HearingBlock { block, heard: self.heard }))
    }
}

/// A block of the decoder whose stream begins with what was heard.
#[derive(Debug)]
struct HearingBlock {
    block: DecoderBlock,
    heard: usize,
}

impl HearingBlock {
    /// What was heard, at the front of the stream, and its text.
    fn split(&self, stream: Tensor<3>) -> (Tensor<3>, Tensor<3>) {
        let [_, rows, _] = stream.dims();
        (stream.clone().narrow(1, 0, self.heard), stream.narrow(1, self.heard, rows - self.heard))
    }

    /// The stream with `update` added to its text, and the text.
    fn add(&self, stream: Tensor<3>, update: Tensor<3>) -> (Tensor<3>, Tensor<3>) {
        let (heard, text) = self.split(stream);
        let text = text + update;
        (Tensor::cat(vec![heard, text.clone()], 1), text)
    }
}

impl Block for HearingBlock {
    fn begin(&self, x: Tensor<3>) -> BlockState {
        let (_, text) = self.split(x.clone());
        BlockState { input: self.block.self_attn_layer_norm.forward(text), residual: x }
    }

    fn advance(&self, stage: usize, BlockState { residual, input }: BlockState, cache: &mut KvCache) -> BlockState {
        let block = &self.block;
        match stage {
            0 => BlockState { residual, input: block.look_back(input, cache) },
            1 => {
                let (residual, text) = self.add(residual, block.out_proj.forward(input));
                BlockState { residual, input: block.encoder_attn_layer_norm.forward(text) }
            }
            // The queries are computed in the next stage, out of the stream, where they meet their keys.
            2 => BlockState { input: self.split(residual.clone()).0, residual },
            3 => {
                let (_, text) = self.split(residual.clone());
                let q = block.encoder_q_proj.forward(block.encoder_attn_layer_norm.forward(text));
                BlockState { residual, input: attend_shared(q, block.hear(input)) }
            }
            4 => {
                let (residual, text) = self.add(residual, block.encoder_out_proj.forward(input));
                BlockState { residual, input: block.feed_forward.norm.forward(text) }
            }
            5 => BlockState { residual, input: gelu(block.feed_forward.fc1.forward(input)) },
            _ => {
                let (residual, _) = self.add(residual, block.feed_forward.fc2.forward(input.clone()));
                BlockState { residual, input }
            }
        }
    }

    fn stages(&self) -> usize {
        7
    }

    fn linear_mut(&mut self, name: &str) -> Option<&mut Linear> {
        let block = &mut self.block;
        match name {
            OUT => Some(&mut block.out_proj),
            ENCODER_Q => Some(&mut block.encoder_q_proj),
            ENCODER_OUT => Some(&mut block.encoder_out_proj),
            FC1 => Some(&mut block.feed_forward.fc1),
            FC2 => Some(&mut block.feed_forward.fc2),
            _ => match QKV.iter().position(|n| *n == name) {
                Some(n) => block.qkv_proj.get_mut(n),
                None => block.encoder_kv_proj.get_mut(ENCODER_KV.iter().position(|n| *n == name)?),
            },
        }
    }
}
