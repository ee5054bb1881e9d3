//! The language half of the starter model: answers questions about the lines of text that the vision half read.
//!
//! The prompt is the one of `models/starter/recipe/PROMPT.md`, built piece by piece with every piece tokenised by itself,
//! so that the picture's lines can be encoded once and every question starts from their KV cache.

use std::path::Path;

use burn::tensor::Device;
use tokenizers::Tokenizer;

use super::log_sum_exp;
use crate::checkpoint::Checkpoint;
use crate::text::generate::{Flow, GenerateOptions, StopReason, generate};
use crate::text::{TextCache, TextError, TextModel};

/// Ends a turn of a conversation.
const END_OF_TURN: &str = "<|im_end|>";
/// What ends an answer too.
const END_OF_TEXT: &str = "<|endoftext|>";
/// Answers are short copies; a longer one is a model that lost its way.
const MAX_ANSWER_TOKENS: usize = 48;
/// Tokens of a picture's text that the model reads; training saw pictures up to half of that.
const MAX_PICTURE_TOKENS: usize = 1500;
/// Tokens that a question may have in any case.
const QUESTION_TOKENS: usize = 64;
/// Of the most probable next tokens, how many are tried against the [`CopyRule`] before the answer is ended.
const TRIED_TOKENS: usize = 40;

/// What an answer may be made of, so that nothing is said that was not read.
pub trait CopyRule {
    /// Whether an answer may begin with `text`.
    fn may_begin(&self, text: &str) -> bool;
    /// Whether `text` may be a whole answer (for one thing, no number cut off in the middle).
    fn may_be_whole(&self, text: &str) -> bool;
}

/// The language half of the starter model.
#[derive(Debug)]
pub struct StarterLanguage {
    model: TextModel,
    tokenizer: Tokenizer,
    /// Either of these ends an answer; the first is the end of a turn.
    eos: Vec<u32>,
}

/// A picture's lines, encoded: the beginning that all questions about it share.
#[derive(Debug, Clone)]
pub struct EncodedText {
    cache: TextCache,
    /// Positions of the beginning.
    len: usize,
    /// Lines that fitted in.
    pub lines: usize,
}

/// An answer and how it came about.
#[derive(Debug, Clone, PartialEq)]
pub struct PictureAnswer {
    /// The answer, white space trimmed.
    pub text: String,
    /// Geometric mean of the probabilities of its tokens, 0 to 1.
    pub confidence: f32,
    /// Whether the caller stopped it.
    pub cancelled: bool,
}

impl StarterLanguage {
    /// Reads a language model from its Hugging Face folder: the starter's own, or another that was taught the same marks of
    /// a conversation (SmolLM2, Qwen).
    ///
    /// # Errors
    /// [`TextError`] if a file is missing or damaged, or the model knows no turns of a conversation.
    pub fn load(folder: &Path, device: &Device) -> Result<Self, TextError> {
        Self::from_checkpoint(Checkpoint::open(folder)?, device)
    }

    /// As [`StarterLanguage::load`], of a folder that is open.
    ///
    /// # Errors
    /// [`TextError`] if a file is damaged, or the model knows no turns of a conversation.
    pub fn from_checkpoint(mut checkpoint: Checkpoint, device: &Device) -> Result<Self, TextError> {
        let tokenizer = checkpoint.tokenizer.take().ok_or(TextError::NoTokenizer)?;
        let end_of_turn = tokenizer.token_to_id(END_OF_TURN).ok_or(TextError::NoTurns { token: END_OF_TURN })?;
        let eos = [end_of_turn].into_iter().chain(tokenizer.token_to_id(END_OF_TEXT)).collect();
        Ok(Self { model: TextModel::load(&checkpoint, device)?, tokenizer, eos })
    }

    /// Bytes the weights take in memory.
    pub fn bytes(&self) -> usize {
        self.model.bytes()
    }

    fn tokens(&self, piece: &str) -> Result<Vec<u32>, TextError> {
        let encoding = self.tokenizer.encode(piece, false).map_err(|e| TextError::Tokenizer(e.to_string()))?;
        Ok(encoding.get_ids().to_vec())
    }

    /// Text of a picture or a user: what looks like a control token in it is only text.
    fn text_tokens(&self, text: &str) -> Result<Vec<u32>, TextError> {
        self.tokens(&text.replace("<|", "< |"))
    }

    /// Encodes the lines of a picture. Lines beyond what the model reads are left out; see [`EncodedText::lines`].
    ///
    /// # Errors
    /// [`TextError`] if the tokenizer or the device failed.
    pub fn encode(&self, lines: &[String]) -> Result<EncodedText, TextError> {
        let mut tokens = self.tokens("<|im_start|>user\n")?;
        let room = self.model.sizes().context.saturating_sub(QUESTION_TOKENS + MAX_ANSWER_TOKENS);
        let mut fitted = 0;
        for line in lines {
            let line = self.text_tokens(&format!("{line}\n"))?;
            if tokens.len() + line.len() > MAX_PICTURE_TOKENS.min(room) {
                break;
            }
            tokens.extend(line);
            fitted += 1;
        }
        tokens.extend(self.tokens("\n")?);
        let mut cache = self.model.cache();
        self.model.forward(&tokens, &mut cache)?;
        Ok(EncodedText { cache, len: tokens.len(), lines: fitted })
    }

    /// Answers `question` about `picture`. `rule` bounds what may be said; `on_text` gets the answer piece by piece.
    ///
    /// # Errors
    /// [`TextError`] if the question is too long, or the tokenizer or the device failed.
    pub fn answer(
        &self,
        picture: &mut EncodedText,
        question: &str,
        rule: &dyn CopyRule,
        on_text: impl FnMut(&str) -> Flow,
    ) -> Result<PictureAnswer, TextError> {
        picture.cache.truncate(picture.len);
        let mut prompt = self.text_tokens(question.trim())?;
        prompt.extend(self.tokens("<|im_end|>\n<|im_start|>assistant\n")?);
        let options = GenerateOptions {
            max_new_tokens: MAX_ANSWER_TOKENS,
            eos_token_ids: self.eos.clone(),
            ..GenerateOptions::default()
        };
        let mut log_probability = 0.0;
        let mut chosen = 0;
        let mut choose = |tokens: &[u32], logits: &mut [f32]| {
            let total = log_sum_exp(logits);
            let token = self.allowed(tokens, logits, rule);
            log_probability += logits[token as usize] - total;
            chosen += 1;
            // Leaves one choice only.
            let logit = logits[token as usize];
            logits.fill(f32::NEG_INFINITY);
            logits[token as usize] = logit;
        };
        let generated =
            generate(&self.model, &self.tokenizer, &prompt, &mut picture.cache, &options, Some(&mut choose), on_text)?;
        let text = self.decode(&generated.tokens);
        Ok(PictureAnswer {
            text: text.trim().to_string(),
            confidence: (log_probability / chosen.max(1) as f32).exp(),
            cancelled: generated.stop == StopReason::Cancelled,
        })
    }

    fn decode(&self, tokens: &[u32]) -> String {
        self.tokenizer.decode(tokens, true).unwrap_or_default()
    }

    /// The most probable token after `tokens` that `rule` allows; the end of the answer if it allows none of the likely ones.
    fn allowed(&self, tokens: &[u32], logits: &[f32], rule: &dyn CopyRule) -> u32 {
        let mut likely: Vec<u32> = (0..logits.len() as u32).collect();
        let by_logit = |a: &u32, b: &u32| logits[*b as usize].total_cmp(&logits[*a as usize]);
        if likely.len() > TRIED_TOKENS {
            likely.select_nth_unstable_by(TRIED_TOKENS, by_logit);
            likely.truncate(TRIED_TOKENS);
        }
        likely.sort_by(by_logit);
        let mut text = tokens.to_vec();
        let allowed = likely.into_iter().find(|&token| {
            if self.eos.contains(&token) {
                return rule.may_be_whole(self.decode(tokens).trim());
            }
            text.truncate(tokens.len());
            text.push(token);
            // A character cut in two may still become one that was read.
            rule.may_begin(self.decode(&text).trim_end_matches('\u{fffd}'))
        });
        allowed.or_else(|| self.eos.first().copied()).unwrap_or_default()
    }
}
