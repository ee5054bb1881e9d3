//! The tokens that steer Whisper, and those that it must not say.

use std::collections::BTreeSet;

use serde_json::Value;
use tokenizers::Tokenizer;

use super::{SpeechError, WhisperConfig};
use crate::checkpoint::Checkpoint;

/// Vocabularies from this size on have languages.
const MULTILINGUAL_VOCABULARY: usize = 51_865;

/// Tokens that steer the decoder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SpecialTokens {
    /// Begins every text.
    pub start_of_transcript: u32,
    /// Ends every text; all tokens below it are text, all above it steer or give times.
    pub end_of_text: u32,
    /// Asks for the words as they were said.
    pub transcribe: u32,
    /// Asks for an English translation.
    pub translate: u32,
    /// Asks for no times.
    pub no_timestamps: u32,
    /// Begins what was said before.
    pub start_of_prev: Option<u32>,
    /// Its probability in place of the first token is that of silence.
    pub no_speech: Option<u32>,
    /// Codes (`"en"`) and tokens of the languages; empty if the model knows only English.
    pub languages: Vec<(String, u32)>,
}

impl SpecialTokens {
    /// Looks the tokens up by name.
    ///
    /// # Errors
    /// [`SpeechError::MissingToken`] if the tokenizer is not one of Whisper.
    pub fn find(tokenizer: &Tokenizer, config: &WhisperConfig) -> Result<Self, SpeechError> {
        let id = |token: &str| tokenizer.token_to_id(token).filter(|&id| (id as usize) < config.vocab_size);
        let required = |token: &str| id(token).ok_or_else(|| SpeechError::MissingToken(token.into()));
        let start_of_transcript = required("<|startoftranscript|>")?;
        let translate = required("<|translate|>")?;
        let language = |id: u32| {
            let code = tokenizer.id_to_token(id)?;
            Some((code.strip_prefix("<|")?.strip_suffix("|>")?.to_string(), id))
        };
        let languages = match config.vocab_size {
            MULTILINGUAL_VOCABULARY.. => (start_of_transcript + 1..translate).filter_map(language).collect(),
            _ => Vec::new(),
        };
        Ok(Self {
            start_of_transcript,
            end_of_text: required("<|endoftext|>")?,
            transcribe: required("<|transcribe|>")?,
            translate,
            no_timestamps: required("<|notimestamps|>")?,
            start_of_prev: id("<|startofprev|>"),
            no_speech: id("<|nospeech|>").or_else(|| id("<|nocaptions|>")),
            languages,
        })
    }

    /// The token of a language code.
    ///
    /// # Errors
    /// [`SpeechError::Language`] if the model does not know it.
    pub fn language(&self, code: &str) -> Result<u32, SpeechError> {
        let found = self.languages.iter().find(|(known, _)| known == code);
        found.map(|&(_, id)| id).ok_or_else(|| SpeechError::Language(code.into()))
    }

    /// The beginning of every text; a model that knows only English takes no notice of the arguments.
    ///
    /// # Errors
    /// As [`SpecialTokens::language`].
    pub fn prompt(&self, language: &str, translate: bool) -> Result<Vec<u32>, SpeechError> {
        if self.languages.is_empty() {
            return Ok(vec![self.start_of_transcript, self.no_timestamps]);
        }
        let task = if translate { self.translate } else { self.transcribe };
        Ok(vec![self.start_of_transcript, self.language(language)?, task, self.no_timestamps])
    }
}

/// Which tokens may be said.
#[derive(Debug, Clone)]
pub(super) struct Rules {
    pub(super) end_of_text: u32,
    /// By token: never said (anything that steers, times, and what is no speech, such as brackets and notes).
    forbidden: Vec<bool>,
    /// Not said first: the end, and a space.
    not_first: Vec<u32>,
}

impl Rules {
    /// From the lists of `generation_config.json` or the configuration; where there are none, from the tokenizer.
    pub(super) fn new(
        checkpoint: &Checkpoint,
        tokenizer: &Tokenizer,
        special: &SpecialTokens,
        vocab_size: usize,
    ) -> Result<Self, SpeechError> {
        let generation: Option<Value> = checkpoint.side_file("generation_config.json")?;
        let list = |name: &str| {
            let lists = [generation.as_ref(), Some(&checkpoint.config)].into_iter().flatten();
            lists.filter_map(|fields| fields.get(name)?.as_array()).find(|ids| !ids.is_empty()).map(|ids| tokens(ids))
        };
        let suppressed = list("suppress_tokens").unwrap_or_else(|| no_speech_symbols(tokenizer));
        let blank = || ids(tokenizer, " ").into_iter().chain([special.end_of_text]).collect();
        let not_first = list("begin_suppress_tokens").unwrap_or_else(blank);
        Ok(Self::from_lists(special.end_of_text, vocab_size, &suppressed, not_first))
    }

    pub(super) fn from_lists(end_of_text: u32, vocab_size: usize, suppressed: &[u32], not_first: Vec<u32>) -> Self {
        let mut forbidden: Vec<bool> = (0..vocab_size).map(|token| token > end_of_text as usize).collect();
        for &token in suppressed {
            if let Some(forbidden) = forbidden.get_mut(token as usize) {
                *forbidden = true;
            }
        }
        Self { end_of_text, forbidden, not_first }
    }

    /// Takes from `logits` `[vocab]` what may not come next.
    pub(super) fn apply(&self, logits: &mut [f32], first: bool) {
        for (logit, _) in logits.iter_mut().zip(&self.forbidden).filter(|(_, forbidden)| **forbidden) {
            *logit = f32::NEG_INFINITY;
        }
        if first {
            for &token in &self.not_first {
                if let Some(logit) = logits.get_mut(token as usize) {
                    *logit = f32::NEG_INFINITY;
                }
            }
        }
    }
}

fn tokens(ids: &[Value]) -> Vec<u32> {
    ids.iter().filter_map(|id| u32::try_from(id.as_u64()?).ok()).collect()
}

fn ids(tokenizer: &Tokenizer, text: &str) -> Vec<u32> {
    tokenizer.encode_fast(text, false).map(|encoding| encoding.get_ids().to_vec()).unwrap_or_default()
}

/// OpenAI's list (`non_speech_tokens`) of symbols that captions have and nobody says: speaker tags, brackets, notes.
fn no_speech_symbols(tokenizer: &Tokenizer) -> Vec<u32> {
    const SINGLE: &str = "\"#()*+/:;<=>@[\\]^_`{|}~「」『』";
    const SEVERAL: &str = "<< >> <<< >>> -- --- -( -[ (' (\" (( )) ((( ))) [[ ]] {{ }} ♪♪ ♪♪♪";
    /// Written with several tokens, whose first one no other character shares.
    const NOTES: &str = "♩♪♫♬♭♮♯";
    let mut found: BTreeSet<u32> =
        [" -", " '"].iter().filter_map(|text| ids(tokenizer, text).first().copied()).collect();
    let symbols = SINGLE.chars().map(String::from).chain(SEVERAL.split(' ').map(String::from));
    for (symbol, is_note) in symbols.map(|s| (s, false)).chain(NOTES.chars().map(|c| (c.to_string(), true))) {
        for text in [symbol.clone(), format!(" {symbol}")] {
            match ids(tokenizer, &text).as_slice() {
                [only] => found.extend([*only]),
                [first, ..] if is_note => found.extend([*first]),
                _ => {}
            }
        }
    }
    found.into_iter().collect()
}
