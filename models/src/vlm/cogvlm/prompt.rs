//! The prompt: a beginning, the places of a picture, and a question as the model was trained to answer it.

use tokenizers::Tokenizer;

use super::CogVlmConfig;
use crate::checkpoint::{Checkpoint, CheckpointError};
use crate::text::TextError;
use crate::vlm::VlmError;
use crate::vlm::plain_text::plain_text;

/// The token of LLaMA 3 that begins a prompt.
pub const BEGIN: &str = "<|begin_of_text|>";
/// The token of LLaMA 3 that stands in the places of a picture.
pub const PAD: &str = "<|reserved_special_token_0|>";

/// Makes prompts of pictures and questions.
#[derive(Debug)]
pub struct PromptBuilder {
    tokenizer: Tokenizer,
    /// Before and behind a question.
    around: [&'static str; 2],
    picture: Vec<u32>,
    /// What the tokenizer takes for more than text.
    special: Vec<String>,
}

impl PromptBuilder {
    /// Takes the tokenizer of a checkpoint. Its chat template, LLaMA 3's, is not what the model was trained with.
    ///
    /// # Errors
    /// [`VlmError`] if there is no tokenizer, it is another model's, or the configuration asks for a template that is not known.
    pub fn from_checkpoint(checkpoint: &Checkpoint, config: &CogVlmConfig) -> Result<Self, VlmError> {
        let tokenizer = checkpoint.tokenizer.clone().ok_or(TextError::NoTokenizer)?;
        for (token, expected) in [(BEGIN, config.bos_token_id), (PAD, config.pad_token_id)] {
            match tokenizer.token_to_id(token) {
                None => return Err(VlmError::MissingToken(token)),
                Some(found) if found != expected => return Err(VlmError::ForeignToken { token, found, expected }),
                Some(_) => {}
            }
        }
        let around = match config.template_version.as_str() {
            "base" => ["", ""],
            "chat" => ["Question: ", " Answer:"],
            "vqa" => ["Question: ", " Short answer:"],
            other => {
                let what = format!("template_version is {other}, but only base, chat and vqa are known");
                return Err(CheckpointError::Config(what).into());
            }
        };
        let mut picture = vec![config.bos_token_id];
        picture.resize(1 + config.picture_positions(), config.pad_token_id);
        let special = tokenizer.get_added_tokens_decoder().into_values().map(|token| token.content).collect();
        Ok(Self { tokenizer, around, picture, special })
    }

    /// The tokenizer of the prompts and their answers.
    pub fn tokenizer(&self) -> &Tokenizer {
        &self.tokenizer
    }

    /// Tokens of the prompt up to the end of the picture: the same whatever is asked, and whatever is seen.
    pub fn picture(&self) -> &[u32] {
        &self.picture
    }

    /// Tokens of the prompt behind the picture, up to where the answer begins.
    ///
    /// # Errors
    /// [`VlmError`] if the tokenizer fails.
    pub fn question(&self, question: &str) -> Result<Vec<u32>, VlmError> {
        let [before, behind] = self.around;
        self.tokens(&format!("{before}{}{behind}", plain_text(question, &self.special)))
    }

    /// Tokens of an answer behind its question.
    ///
    /// # Errors
    /// [`VlmError`] if the tokenizer fails.
    pub fn answer(&self, answer: &str) -> Result<Vec<u32>, VlmError> {
        self.tokens(&format!(" {}", plain_text(answer, &self.special)))
    }

    fn tokens(&self, text: &str) -> Result<Vec<u32>, VlmError> {
        let encoding = self.tokenizer.encode(text, false).map_err(|e| TextError::Tokenizer(e.to_string()))?;
        Ok(encoding.get_ids().to_vec())
    }
}
