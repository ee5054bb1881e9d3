//! What can go wrong between a picture, a question and an answer.

use crate::checkpoint::CheckpointError;
use crate::text::TextError;

/// Why a vision-language model could not be loaded or gave no answer, each in a sentence fit to be spoken.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum VlmError {
    /// The checkpoint is not usable.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    /// The language model refused its input.
    #[error(transparent)]
    Text(#[from] TextError),
    /// The tokenizer lacks a token that stands for a picture.
    #[error("the tokenizer has no token {0}; it belongs to another model")]
    MissingToken(&'static str),
    /// The tokenizer and the configuration speak of different tokens.
    #[error("the tokenizer numbers the token {token} {found}, but the model {expected}; it belongs to another model")]
    ForeignToken {
        /// The token.
        token: &'static str,
        /// Its number in the tokenizer.
        found: u32,
        /// Its number in the configuration.
        expected: u32,
    },
    /// A chat template for text only.
    #[error("the model's chat template has no place for a picture; it belongs to another model")]
    NoPictureInTemplate,
    /// Places for picture and what is put there differ in number.
    #[error("the prompt has room for {places} positions of a picture, but the picture has {features}")]
    Places {
        /// Image tokens of the prompt.
        places: usize,
        /// Positions the picture takes.
        features: usize,
    },
    /// The device failed while computing.
    #[error("the device failed while computing: {0}; try the CPU backend")]
    Device(String),
    /// The caller lost interest.
    #[error("looking at the picture was stopped")]
    Stopped,
}
