//! From a recording to its text: language, silence, and what is tried when a text cannot be right.
//!
//! Reference: `whisper/transcribe.py` and `whisper/decoding.py` of OpenAI.

use std::io::Write;
use std::ops::Range;
use std::path::Path;

use burn::tensor::{Device, Tensor};
use flate2::Compression;
use flate2::write::ZlibEncoder;
use tokenizers::Tokenizer;

use super::config::FRAMES_PER_POSITION;
use super::decoder::DecoderCache;
use super::mel::MelFrontEnd;
use super::options::attempts;
use super::search::{Found, NextLogits, Strategy, log_sum_exp, search};
use super::tokens::{Rules, SpecialTokens};
use super::transcript::{Segment, Transcript, decode, words};
use super::windows::windows;
use super::{AudioContext, SpeechError, TranscribeOptions, Whisper};
use crate::checkpoint::Checkpoint;
use crate::text::LoadOptions;
use crate::text::generate::Flow;

/// A language less probable than this is open.
const SURE_OF_LANGUAGE: f32 = 0.9;

/// A Whisper with everything around it.
#[derive(Debug)]
pub struct Transcriber {
    model: Whisper,
    front_end: MelFrontEnd,
    tokenizer: Tokenizer,
    special: SpecialTokens,
    rules: Rules,
}

impl Transcriber {
    /// Reads a model folder of Hugging Face or CTranslate2.
    ///
    /// # Errors
    /// [`SpeechError`] if a file is missing or damaged.
    pub fn load(folder: &Path, options: LoadOptions, device: &Device) -> Result<Self, SpeechError> {
        Self::from_checkpoint(Checkpoint::open(folder)?, options, device)
    }

    /// Reads an opened model.
    ///
    /// # Errors
    /// As [`Transcriber::load`].
    pub fn from_checkpoint(
        mut checkpoint: Checkpoint,
        options: LoadOptions,
        device: &Device,
    ) -> Result<Self, SpeechError> {
        let tokenizer = checkpoint.tokenizer.take().ok_or(SpeechError::NoTokenizer)?;
        let model = Whisper::load_with(&checkpoint, options, device)?;
        let special = SpecialTokens::find(&tokenizer, model.config())?;
        let rules = Rules::new(&checkpoint, &tokenizer, &special, model.config().vocab_size)?;
        Ok(Self { front_end: MelFrontEnd::new(model.config().num_mel_bins), model, tokenizer, special, rules })
    }

    /// The network.
    pub fn model(&self) -> &Whisper {
        &self.model
    }

    /// Codes of the languages the model knows; empty if it knows only English.
    pub fn languages(&self) -> impl Iterator<Item = &str> {
        self.special.languages.iter().map(|(code, _)| code.as_str())
    }

    /// What is said in `samples` (mono, 16 kHz, -1 to 1).
    ///
    /// # Errors
    /// [`SpeechError`] if the samples are no sound, an option is wrong, or the device failed.
    pub fn transcribe(&self, samples: &[f32], options: &TranscribeOptions) -> Result<Transcript, SpeechError> {
        self.transcribe_while(samples, options, &mut || Flow::Continue)
    }

    /// The same; `flow` is asked before every token and may stop it.
    ///
    /// # Errors
    /// As [`Transcriber::transcribe`]; [`SpeechError::Stopped`] if `flow` said so.
    pub fn transcribe_while(
        &self,
        samples: &[f32],
        options: &TranscribeOptions,
        flow: &mut dyn FnMut() -> Flow,
    ) -> Result<Transcript, SpeechError> {
        if !samples.iter().all(|s| s.is_finite()) {
            return Err(SpeechError::Audio("it holds samples that are no numbers"));
        }
        let mut language = self.given_language(options)?;
        let mut segments = Vec::new();
        for window in windows(samples, self.model.config().window_samples()) {
            let mut heard = Heard { transcriber: self, samples: &samples[window.clone()], states: None };
            let (code, _) = match &language {
                Some(known) => known.clone(),
                None => language.insert(heard.sure_language(options.context)?).clone(),
            };
            segments.push(self.segment(&mut heard, &code, options, window, flow)?);
        }
        let (language, probability) = language.unwrap_or_default();
        Ok(Transcript::join(language, probability, segments))
    }

    /// The language, if it need not be detected.
    fn given_language(&self, options: &TranscribeOptions) -> Result<Option<(String, f32)>, SpeechError> {
        match &options.language {
            Some(code) if self.special.languages.is_empty() && code != "en" => Err(SpeechError::Language(code.clone())),
            _ if self.special.languages.is_empty() => Ok(Some(("en".into(), 1.0))),
            Some(code) => self.special.language(code).map(|_| Some((code.clone(), 1.0))),
            None => Ok(None),
        }
    }

    /// Tokens of what was said before: at most half of the decoder's positions, as in the reference.
    fn previous(&self, options: &TranscribeOptions) -> Result<Vec<u32>, SpeechError> {
        let Some((text, start)) = options.initial_prompt.as_ref().zip(self.special.start_of_prev) else {
            return Ok(Vec::new());
        };
        let encoding = self.tokenizer.encode_fast(format!(" {}", text.trim()), false);
        let encoding = encoding.map_err(|e| SpeechError::Tokenizer(e.to_string()))?;
        let room = (self.model.config().max_target_positions / 2).saturating_sub(1);
        let ids = encoding.get_ids();
        Ok([&[start], &ids[ids.len().saturating_sub(room)..]].concat())
    }

    /// One window: tries until a text passes the checks, and takes the most probable one if none does, as faster-whisper.
    fn segment(
        &self,
        heard: &mut Heard<'_>,
        language: &str,
        options: &TranscribeOptions,
        samples: Range<usize>,
        flow: &mut dyn FnMut() -> Flow,
    ) -> Result<Segment, SpeechError> {
        let previous = self.previous(options)?;
        let prompt = Prompt {
            start: previous.len(),
            tokens: [previous, self.special.prompt(language, options.translate)?].concat(),
        };
        let mut failed = Vec::new();
        for (context, temperature) in attempts(options) {
            let (found, no_speech_prob) = self.attempt(heard, &prompt, context, temperature, options, flow)?;
            let Judged { segment, passed, silent, repeats } =
                self.judge(found, no_speech_prob, temperature, samples.clone(), options)?;
            // A short word in a short context is easily taken for silence.
            if silent && context != AudioContext::Full {
                continue;
            }
            // A decoder that hears its sound end too soon begins again at its start.
            let repeats = repeats || context != AudioContext::Full && says_it_again(&segment.text);
            if passed && !repeats {
                return Ok(segment);
            }
            failed.push((repeats, segment));
        }
        most_probable(failed).ok_or_else(|| SpeechError::Options("no temperature to try".into()))
    }

    /// One text, and the probability that nobody spoke.
    fn attempt(
        &self,
        heard: &mut Heard<'_>,
        prompt: &Prompt,
        context: AudioContext,
        temperature: f32,
        options: &TranscribeOptions,
        flow: &mut dyn FnMut() -> Flow,
    ) -> Result<(Found, f32), SpeechError> {
        let vocab_size = self.model.config().vocab_size;
        let mut cache = self.model.cache(heard.states(context)?);
        let hidden = self.model.forward(&prompt.tokens, 1, &mut cache)?;
        let at_start = self.model.logits(hidden.clone().narrow(1, prompt.start, 1))?;
        let no_speech_prob = self.special.no_speech.map_or(0.0, |token| probability(&at_start, token));
        let first = self.model.logits(hidden.narrow(1, prompt.tokens.len() - 1, 1))?;
        let strategy = if temperature > 0.0 {
            Strategy::Sample { temperature, seed: options.seed }
        } else {
            Strategy::Beam { width: options.beam, length_penalty: options.length_penalty }
        };
        let room = self.model.config().max_target_positions.saturating_sub(prompt.tokens.len());
        let mut decoding = Decoding { model: &self.model, cache, vocab_size, flow };
        let found = search(strategy, &self.rules, options.max_tokens.min(room), first, &mut decoding)?;
        Ok((found, no_speech_prob))
    }

    /// Makes a segment of a text and checks whether it can be right.
    fn judge(
        &self,
        found: Found,
        no_speech_prob: f32,
        temperature: f32,
        samples: Range<usize>,
        options: &TranscribeOptions,
    ) -> Result<Judged, SpeechError> {
        let avg_logprob = found.avg_logprob();
        let text = decode(&self.tokenizer, &found.tokens)?.trim().to_string();
        let compression_ratio = compression_ratio(&text);
        let improbable = avg_logprob < options.logprob_threshold;
        let silent = no_speech_prob > options.no_speech_threshold && avg_logprob < options.no_speech_logprob_threshold;
        let repeats = found.looped || compression_ratio > options.compression_ratio_threshold;
        let words = words(&self.tokenizer, &found.tokens, &found.log_probabilities)?;
        let mut segment = Segment {
            samples,
            text,
            words,
            tokens: found.tokens,
            avg_logprob,
            no_speech_prob,
            compression_ratio,
            temperature,
        };
        if silent {
            segment.text.clear();
            segment.words.clear();
            segment.tokens.clear();
        }
        Ok(Judged { segment, passed: silent || !improbable, silent, repeats: !silent && repeats })
    }
}

/// What the decoder is given before it writes.
struct Prompt {
    tokens: Vec<u32>,
    /// Place of the start of the transcript.
    start: usize,
}

struct Judged {
    segment: Segment,
    /// Probable enough, or silence.
    passed: bool,
    silent: bool,
    repeats: bool,
}

/// A window of the recording, and what the encoder heard in it.
struct Heard<'a> {
    transcriber: &'a Transcriber,
    samples: &'a [f32],
    /// `[1, positions, d]`
    states: Option<(usize, Tensor<3>)>,
}

impl Heard<'_> {
    fn states(&mut self, context: AudioContext) -> Result<Tensor<3>, SpeechError> {
        let Transcriber { model, front_end, .. } = self.transcriber;
        let positions = context.positions(self.samples.len(), model.config().max_source_positions);
        match &self.states {
            Some((known, states)) if *known == positions => Ok(states.clone()),
            _ => {
                let window = model.config().window_samples();
                let mel = front_end.compute(self.samples, FRAMES_PER_POSITION * positions, window);
                let states = model.encode(&mel)?;
                self.states = Some((positions, states.clone()));
                Ok(states)
            }
        }
    }

    /// The language; where a fitted context leaves it open, the full one decides.
    fn sure_language(&mut self, context: AudioContext) -> Result<(String, f32), SpeechError> {
        let fitted = self.language(context)?;
        if fitted.1 < SURE_OF_LANGUAGE { self.language(AudioContext::Full) } else { Ok(fitted) }
    }

    /// The most probable language and its probability among all languages.
    fn language(&mut self, context: AudioContext) -> Result<(String, f32), SpeechError> {
        let Transcriber { model, special, .. } = self.transcriber;
        let mut cache = model.cache(self.states(context)?);
        let logits = model.logits(model.forward(&[special.start_of_transcript], 1, &mut cache)?)?;
        let of = |token: u32| logits.get(token as usize).copied().unwrap_or(f32::NEG_INFINITY);
        let all: Vec<f32> = special.languages.iter().map(|&(_, token)| of(token)).collect();
        let total = log_sum_exp(&all).ok_or(SpeechError::NoNumber)?;
        let best = special.languages.iter().zip(all).max_by(|(_, a), (_, b)| a.total_cmp(b));
        best.map(|((code, _), logit)| (code.clone(), (logit - total).exp())).ok_or(SpeechError::NoNumber)
    }
}

/// The decoder as search sees it.
struct Decoding<'a> {
    model: &'a Whisper,
    cache: DecoderCache,
    vocab_size: usize,
    flow: &'a mut dyn FnMut() -> Flow,
}

impl NextLogits for Decoding<'_> {
    fn step(&mut self, parents: &[usize], tokens: &[u32]) -> Result<Vec<f32>, SpeechError> {
        if (self.flow)() == Flow::Stop {
            return Err(SpeechError::Stopped);
        }
        self.cache.select(parents);
        let hidden = self.model.forward(tokens, tokens.len(), &mut self.cache)?;
        let logits = self.model.logits(hidden)?;
        debug_assert_eq!(logits.len(), tokens.len() * self.vocab_size);
        Ok(logits)
    }
}

/// Softmax of one token.
fn probability(logits: &[f32], token: u32) -> f32 {
    match (logits.get(token as usize), log_sum_exp(logits)) {
        (Some(logit), Some(total)) => (logit - total).exp(),
        _ => 0.0,
    }
}

/// The most probable of texts that failed; one that repeats itself only if all do.
fn most_probable(failed: Vec<(bool, Segment)>) -> Option<Segment> {
    let better =
        |a: &(bool, Segment), b: &(bool, Segment)| b.0.cmp(&a.0).then(a.1.avg_logprob.total_cmp(&b.1.avg_logprob));
    failed.into_iter().max_by(better).map(|(_, segment)| segment)
}

/// Whether a text is the same words two or more times over; the last time may be cut short.
fn says_it_again(text: &str) -> bool {
    let letters = |word: &str| word.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect();
    let words: Vec<String> = text.split_whitespace().map(letters).collect();
    let last = words.len().saturating_sub(1);
    let same = |n: usize, a: &String, b: &String| a == b || n == last && !b.is_empty() && a.starts_with(b.as_str());
    let repeats = |period: usize| (period..words.len()).all(|n| same(n, &words[n - period], &words[n]));
    (1..=words.len() / 2).any(repeats)
}

/// Length of a text over its length when compressed.
fn compression_ratio(text: &str) -> f32 {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::default());
    // Writing into memory does not fail.
    let compressed = encoder.write_all(text.as_bytes()).and_then(|()| encoder.finish());
    compressed.map_or(0.0, |compressed| text.len() as f32 / compressed.len().max(1) as f32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_again_is_noticed_and_nothing_else() {
        assert!(says_it_again("When does it expire? When does it expire?"));
        assert!(says_it_again("Read on. read on, Read on!"));
        assert!(says_it_again("12 12") && says_it_again("0163 188 0163 188 0163 1"));
        for text in ["", "No", "Read the line, read the next line.", "one two one", "Read it, read the line."] {
            assert!(!says_it_again(text), "{text}");
        }
    }

    #[test]
    fn of_texts_that_failed_the_most_probable_is_taken_and_a_repeated_one_last() {
        let failed = |text: &str, avg_logprob| Segment { text: text.into(), avg_logprob, ..Segment::default() };
        let taken = |failed: &[(bool, Segment)]| most_probable(failed.to_vec()).map(|segment| segment.text);
        let [a, b, c] = [failed("a", -1.2), failed("b", -4.0), failed("c", -0.2)];
        assert_eq!(taken(&[(false, b.clone()), (false, a.clone()), (true, c.clone())]).as_deref(), Some("a"));
        assert_eq!(taken(&[(true, b), (true, c), (true, a)]).as_deref(), Some("c"));
        assert_eq!(taken(&[]), None);
    }

    #[test]
    fn what_repeats_compresses() {
        assert!(compression_ratio("What is the dose of this medicine?") < 1.5);
        assert!(compression_ratio(&"and then ".repeat(30)) > 2.4);
        assert_eq!(compression_ratio(""), 0.0);
    }
}
