//! The output head of a language model: from the last hidden state to one logit for each token.

use burn::tensor::{Device, Tensor};

use super::LoadOptions;
use crate::checkpoint::{Checkpoint, CheckpointError};
use crate::nn::{Embedding, Linear};

/// Name of the head where it is not the embedding.
pub(crate) const LM_HEAD: &str = "lm_head";

/// The output head.
#[derive(Debug)]
pub(crate) enum Head {
    /// The embedding serves as output head.
    Tied,
    /// Floats or 8-bit rows.
    Rows(Embedding),
    /// Packed to 4 bit.
    Int4(Linear),
}

impl Head {
    /// Reads the head of hidden states of width `d`, unless it is `tied` to the embedding.
    pub(crate) fn load(
        checkpoint: &Checkpoint,
        tied: bool,
        [vocab_size, d]: [usize; 2],
        options: LoadOptions,
        device: &Device,
    ) -> Result<Self, CheckpointError> {
        if tied {
            Ok(Self::Tied)
        } else if checkpoint.tensors.info(&format!("{LM_HEAD}.qweight")).is_some() {
            let linear = Linear::load(checkpoint, LM_HEAD, d, vocab_size, device)?;
            Ok(Self::Int4(linear.with_precision(options.precision)))
        } else {
            Ok(Self::Rows(options.load_embedding(checkpoint, LM_HEAD, [vocab_size, d], device)?))
        }
    }

    /// `hidden` `[b, t, d]` to logits `[b, t, vocab]`; `embed_tokens` is the embedding it may be tied to.
    pub(crate) fn forward(&self, hidden: Tensor<3>, embed_tokens: &Embedding) -> Tensor<3> {
        match self {
            Self::Tied => embed_tokens.project(hidden),
            Self::Rows(rows) => rows.project(hidden),
            Self::Int4(linear) => linear.forward(hidden),
        }
    }

    /// Bytes the head takes in memory beside the embedding.
    pub(crate) fn bytes(&self) -> usize {
        match self {
            Self::Tied => 0,
            Self::Rows(rows) => rows.bytes(),
            Self::Int4(linear) => linear.bytes(),
        }
    }
}
