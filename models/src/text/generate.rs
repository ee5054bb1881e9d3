//! Streaming generation: tokens in, pieces of text out as soon as they are whole.

use std::time::{Duration, Instant};

use tokenizers::Tokenizer;

use super::{TextCache, TextError, TextModel};
use crate::nn::{Sampler, Sampling};

/// When generation stops and how tokens are chosen.
#[derive(Debug, Clone, Default)]
pub struct GenerateOptions {
    /// Tokens after which it stops.
    pub max_new_tokens: usize,
    /// Tokens that end the answer.
    pub eos_token_ids: Vec<u32>,
    /// How tokens are chosen.
    pub sampling: Sampling,
}

/// Why generation ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StopReason {
    /// The model ended its answer.
    EndOfText,
    /// `max_new_tokens` were made, or the context is full.
    Length,
    /// The caller asked for it.
    Cancelled,
}

/// What came out and how long it took.
#[derive(Debug, Clone)]
pub struct Generated {
    /// The new tokens, without the one that ended the answer.
    pub tokens: Vec<u32>,
    /// Why it ended.
    pub stop: StopReason,
    /// Time for reading the prompt.
    pub prefill: Duration,
    /// Time for the new tokens.
    pub decode: Duration,
    /// Passes through the model in that time; the first token needs none, it comes out of the prompt's.
    pub passes: usize,
}

/// What the caller wants after a piece of text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flow {
    /// Go on.
    Continue,
    /// Stop here.
    Stop,
}

/// Looks at the logits of the next token before it is chosen, given the new tokens so far: to forbid or favour some.
pub type LogitHook<'a> = &'a mut dyn FnMut(&[u32], &mut [f32]);

/// Reads `prompt` behind what `cache` holds, then makes new tokens until it stops.
///
/// `on_text` gets every piece of text as soon as its characters are whole. The cache then holds the prompt and the answer,
/// perhaps without its last token;
/// [`TextCache::truncate`] brings it back to a beginning that another prompt shares.
///
/// # Errors
/// [`TextError`] if the prompt is empty, too long, of another vocabulary, or the model computed no number.
pub fn generate(
    model: &TextModel,
    tokenizer: &Tokenizer,
    prompt: &[u32],
    cache: &mut TextCache,
    options: &GenerateOptions,
    hook: Option<LogitHook<'_>>,
    mut on_text: impl FnMut(&str) -> Flow,
) -> Result<Generated, TextError> {
    let mut ignore = |_: &[u32], _: &mut [f32]| {};
    let hook = hook.unwrap_or(&mut ignore);
    let mut sampler = Sampler::new(options.sampling.clone());
    let mut text = Detokenizer::new(tokenizer);
    let mut seen = prompt.to_vec();

    let start = Instant::now();
    let mut logits = model.next_logits(model.forward(prompt, cache)?)?;
    let prefill = start.elapsed();

    let start = Instant::now();
    let mut tokens = vec![];
    let mut passes = 0;
    let context = model.sizes().context;
    let stop = loop {
        if options.max_new_tokens == 0 {
            break StopReason::Length;
        }
        hook(&tokens, &mut logits);
        let token = sampler.choose(&mut logits, &seen).ok_or(TextError::NoNumber)?;
        if options.eos_token_ids.contains(&token) {
            break StopReason::EndOfText;
        }
        tokens.push(token);
        seen.push(token);
        if let Some(piece) = text.push(token)?
            && on_text(&piece) == Flow::Stop
        {
            break StopReason::Cancelled;
        }
        if tokens.len() == options.max_new_tokens || cache.len() == context {
            break StopReason::Length;
        }
        logits = model.next_logits(model.forward(&[token], cache)?)?;
        passes += 1;
    };
    if let Some(piece) = text.finish()? {
        on_text(&piece);
    }
    Ok(Generated { tokens, stop, prefill, decode: start.elapsed(), passes })
}

/// Turns tokens into text, holding back tokens whose last character is not whole yet.
struct Detokenizer<'a> {
    tokenizer: &'a Tokenizer,
    /// Tokens from the last place where the text was whole.
    tokens: Vec<u32>,
    /// Of those, the tokens whose text went out.
    sent: usize,
}

impl<'a> Detokenizer<'a> {
    fn new(tokenizer: &'a Tokenizer) -> Self {
        Self { tokenizer, tokens: vec![], sent: 0 }
    }

    fn decode(&self, tokens: &[u32]) -> Result<String, TextError> {
        self.tokenizer.decode(tokens, true).map_err(|e| TextError::Tokenizer(e.to_string()))
    }

    /// The text that `token` completes, if it does.
    fn push(&mut self, token: u32) -> Result<Option<String>, TextError> {
        self.tokens.push(token);
        let before = self.decode(&self.tokens[..self.sent])?;
        let now = self.decode(&self.tokens)?;
        // A character cut in two decodes as the replacement character.
        if now.ends_with('\u{fffd}') || now.len() <= before.len() {
            return Ok(None);
        }
        let piece = now.get(before.len()..).unwrap_or_default().to_string();
        // The tokens just sent stay as context: some tokenizers write a token differently at the beginning of a text.
        self.tokens.drain(..self.sent);
        self.sent = self.tokens.len();
        Ok(Some(piece))
    }

    /// What is still held back.
    fn finish(&mut self) -> Result<Option<String>, TextError> {
        let before = self.decode(&self.tokens[..self.sent])?;
        let now = self.decode(&self.tokens)?;
        Ok(now.get(before.len()..).filter(|rest| !rest.is_empty()).map(str::to_string))
    }
}
