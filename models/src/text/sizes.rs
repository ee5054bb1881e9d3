//! The numbers that all language models have.

use super::TextError;

/// Widths, vocabulary and context of a language model; fields as in Hugging Face configurations.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TextSizes {
    /// Width of the residual stream, `d`.
    pub hidden_size: usize,
    /// Query heads, `h`.
    pub num_attention_heads: usize,
    /// Blocks.
    pub num_hidden_layers: usize,
    /// Tokens.
    pub vocab_size: usize,
    /// Positions that can be used.
    pub context: usize,
}

impl TextSizes {
    /// Checks that `tokens` can be read behind `offset` other positions.
    ///
    /// # Errors
    /// [`TextError`] if there is no token, one is not in the vocabulary, or they are too many.
    pub fn check(&self, tokens: &[u32], offset: usize) -> Result<(), TextError> {
        let (vocab_size, limit) = (self.vocab_size, self.context);
        if tokens.is_empty() {
            return Err(TextError::EmptyPrompt);
        }
        if let Some(&token) = tokens.iter().find(|&&t| t as usize >= vocab_size) {
            return Err(TextError::ForeignToken { token, vocab_size });
        }
        match offset + tokens.len() {
            tokens if tokens > limit => Err(TextError::TooLong { tokens, limit }),
            _ => Ok(()),
        }
    }
}
