//! What can go wrong between a prompt and its answer.

use crate::checkpoint::CheckpointError;

/// Why a language model could not be loaded or gave no answer.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TextError {
    /// The checkpoint is not usable.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    /// The checkpoint has no tokenizer.
    #[error("the model has no tokenizer; its files may be incomplete")]
    NoTokenizer,
    /// The checkpoint has no chat template.
    #[error("the model has no chat template; ask it for a plain completion instead")]
    NoChatTemplate,
    /// The vocabulary has no mark for the end of a turn.
    #[error("the model was not taught conversations: its vocabulary has no {token}; choose a model made for chat")]
    NoTurns {
        /// The mark.
        token: &'static str,
    },
    /// The chat template is not valid or refused the conversation.
    #[error("the model's chat template failed: {0}")]
    ChatTemplate(String),
    /// The tokenizer refused a text.
    #[error("the model's tokenizer failed: {0}")]
    Tokenizer(String),
    /// A token of another vocabulary.
    #[error("token {token} is not in the model's vocabulary of {vocab_size}; the tokenizer belongs to another model")]
    ForeignToken {
        /// The token.
        token: u32,
        /// Size of the vocabulary.
        vocab_size: usize,
    },
    /// More tokens than the model has positions.
    #[error("the text has {tokens} tokens, but the model reads at most {limit}; use a shorter text")]
    TooLong {
        /// Tokens of prompt and answer.
        tokens: usize,
        /// Positions of the model.
        limit: usize,
    },
    /// Nothing to read.
    #[error("the prompt is empty")]
    EmptyPrompt,
    /// Logits without any number in them.
    #[error("the model computed no number; its weights may be damaged")]
    NoNumber,
    /// The device failed while computing.
    #[error("the device failed while computing: {0}")]
    Device(String),
}
