//! What can go wrong between a sound and its words.

use crate::checkpoint::CheckpointError;

/// Why a speech model could not be loaded or understood nothing.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SpeechError {
    /// The checkpoint is not usable.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    /// The checkpoint has no tokenizer.
    #[error("the speech model has no tokenizer.json; its files may be incomplete")]
    NoTokenizer,
    /// The tokenizer lacks a token that Whisper is steered with.
    #[error("the tokenizer has no token {0}; it belongs to another model")]
    MissingToken(String),
    /// The tokenizer refused a text or a token.
    #[error("the speech model's tokenizer failed: {0}")]
    Tokenizer(String),
    /// A language that the model was not trained on.
    #[error("the speech model does not know the language {0:?}; it is given as a short code such as \"en\"")]
    Language(String),
    /// Samples that are no sound.
    #[error("the recording cannot be used: {0}")]
    Audio(&'static str),
    /// Options that contradict each other or the model.
    #[error("speech recognition is set up wrong: {0}")]
    Options(String),
    /// Logits without any number in them.
    #[error("the speech model computed no number; its weights may be damaged")]
    NoNumber,
    /// The device failed while computing.
    #[error("the device failed while computing: {0}; try the CPU backend")]
    Device(String),
    /// The caller lost interest.
    #[error("listening was stopped")]
    Stopped,
}
