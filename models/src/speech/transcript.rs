//! What was understood, and how sure that is.

use std::ops::Range;

use tokenizers::Tokenizer;

use super::SpeechError;

/// A word with its punctuation.
#[derive(Debug, Clone, PartialEq)]
pub struct Word {
    /// Without the space before it.
    pub text: String,
    /// Probability of its least probable token, 0 to 1.
    pub confidence: f32,
}

/// What was understood in one window of the recording.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Segment {
    /// The samples it covers.
    pub samples: Range<usize>,
    /// White space trimmed; empty if nobody spoke.
    pub text: String,
    /// Its words; where a script has no spaces, pieces between punctuation.
    pub words: Vec<Word>,
    /// Its tokens.
    pub tokens: Vec<u32>,
    /// Mean log-probability of its tokens.
    pub avg_logprob: f32,
    /// Probability that nobody spoke.
    pub no_speech_prob: f32,
    /// Length of the text over its compressed length: above 2.4 it says the same again and again.
    pub compression_ratio: f32,
    /// 0 if the most probable text was good enough, more if it had to be drawn.
    pub temperature: f32,
}

/// What was understood in a recording.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Transcript {
    /// All segments, joined by spaces; empty if nobody spoke.
    pub text: String,
    /// Code of the language (`"en"`).
    pub language: String,
    /// Probability of that language if it was detected, 1 if it was given.
    pub language_probability: f32,
    /// Mean over all tokens.
    pub avg_logprob: f32,
    /// Of the segment that sounded most like speech.
    pub no_speech_prob: f32,
    /// In order.
    pub segments: Vec<Segment>,
}

impl Transcript {
    /// All words in order.
    pub fn words(&self) -> impl Iterator<Item = &Word> {
        self.segments.iter().flat_map(|segment| &segment.words)
    }

    /// Puts `segments` together.
    pub(super) fn join(language: String, language_probability: f32, segments: Vec<Segment>) -> Self {
        let texts: Vec<&str> = segments.iter().map(|s| s.text.as_str()).filter(|text| !text.is_empty()).collect();
        // The end of a text is a token too.
        let length = |s: &Segment| if s.text.is_empty() { 0.0 } else { (s.tokens.len() + 1) as f32 };
        let tokens: f32 = segments.iter().map(length).sum();
        let sum: f32 = segments.iter().map(|s| s.avg_logprob * length(s)).sum();
        Self {
            text: texts.join(" "),
            language,
            language_probability,
            avg_logprob: if tokens > 0.0 { sum / tokens } else { 0.0 },
            no_speech_prob: segments.iter().map(|s| s.no_speech_prob).fold(1.0, f32::min),
            segments,
        }
    }
}

/// Cuts `tokens` into words, each with the probability of its least probable token.
pub(super) fn words(
    tokenizer: &Tokenizer,
    tokens: &[u32],
    log_probabilities: &[f32],
) -> Result<Vec<Word>, SpeechError> {
    /// Byte-level BPE writes the space before a word as this character.
    const SPACE: char = 'Ġ';
    let begins_word = |token: u32| tokenizer.id_to_token(token).is_some_and(|text| text.starts_with(SPACE));
    let mut groups: Vec<(Vec<u32>, f32)> = Vec::new();
    for (&token, &log_probability) in tokens.iter().zip(log_probabilities) {
        match groups.last_mut() {
            Some((group, least)) if !begins_word(token) => {
                group.push(token);
                *least = least.min(log_probability);
            }
            _ => groups.push((vec![token], log_probability)),
        }
    }
    let word = |(group, least): (Vec<u32>, f32)| {
        Ok(Word { text: decode(tokenizer, &group)?.trim().to_string(), confidence: least.exp() })
    };
    let words = groups.into_iter().map(word).collect::<Result<Vec<_>, SpeechError>>()?;
    Ok(words.into_iter().filter(|word| !word.text.is_empty()).collect())
}

/// The text of tokens.
pub(super) fn decode(tokenizer: &Tokenizer, tokens: &[u32]) -> Result<String, SpeechError> {
    tokenizer.decode(tokens, true).map_err(|e| SpeechError::Tokenizer(e.to_string()))
}
