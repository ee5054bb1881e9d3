//! How a recording is transcribed.

use super::config::{FRAMES_PER_POSITION, HOP};
use super::mel::SAMPLE_RATE;

/// Positions of the encoder by which a fitted context grows, so that a GPU meets few different shapes.
const CONTEXT_STEP: usize = 64;

/// How much of the model's 30 s the encoder computes for a shorter recording.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum AudioContext {
    /// All of it, as in training.
    Full,
    /// The recording and this many seconds of silence: several times faster for a question of a few seconds. A text that
    /// fails a check is tried again with [`AudioContext::Full`].
    Fitted {
        /// Silence behind the recording; with less than two seconds the decoder often misses the end and begins again.
        silence: f32,
    },
}

impl AudioContext {
    /// Positions of the encoder for a recording of so many samples, `most` at most.
    pub fn positions(self, samples: usize, most: usize) -> usize {
        match self {
            Self::Full => most,
            Self::Fitted { silence } => {
                let silence = (silence.clamp(0.0, 30.0) * SAMPLE_RATE as f32) as usize;
                (samples + silence).div_ceil(HOP * FRAMES_PER_POSITION).next_multiple_of(CONTEXT_STEP).clamp(1, most)
            }
        }
    }
}

/// How a recording is transcribed. The default is what faster-whisper does, with a fitted context and less trust in what
/// sounds like silence.
#[derive(Debug, Clone, PartialEq)]
pub struct TranscribeOptions {
    /// Code of the language (`"en"`); detected if `None`.
    pub language: Option<String>,
    /// Translates into English.
    pub translate: bool,
    /// Taken for what was said before the recording: words that are likely to be said are then understood more often. Its end
    /// counts if it is long.
    pub initial_prompt: Option<String>,
    /// Beginnings that are followed at once; 1 is greedy.
    pub beam: usize,
    /// Texts are compared by log-probability over length to this power; 1 is the mean.
    pub length_penalty: f32,
    /// How much of the window the encoder computes.
    pub context: AudioContext,
    /// Longest text of one window, in tokens.
    pub max_tokens: usize,
    /// Tried one after the other until a text passes the checks; 0 is a beam search, more is drawn.
    pub temperatures: Vec<f32>,
    /// A text with a lower mean log-probability fails.
    pub logprob_threshold: f32,
    /// A text that repeats itself more than this fails.
    pub compression_ratio_threshold: f32,
    /// With a higher probability of silence, a text must be more probable than the next field says, or nobody spoke.
    pub no_speech_threshold: f32,
    /// Mean log-probability for that. The reference has -1; noise alone reaches -0.94 with a row of digits nobody said.
    pub no_speech_logprob_threshold: f32,
    /// Equal seeds draw equal texts.
    pub seed: u64,
}

impl Default for TranscribeOptions {
    fn default() -> Self {
        Self {
            language: None,
            translate: false,
            initial_prompt: None,
            beam: 5,
            length_penalty: 1.0,
            context: AudioContext::Fitted { silence: 2.0 },
            max_tokens: 224,
            temperatures: vec![0.0, 0.2, 0.4, 0.6, 0.8, 1.0],
            logprob_threshold: -1.0,
            compression_ratio_threshold: 2.4,
            no_speech_threshold: 0.6,
            no_speech_logprob_threshold: -0.5,
            seed: 0,
        }
    }
}

/// What is tried: the fitted context once, then all of it at every temperature.
pub(super) fn attempts(options: &TranscribeOptions) -> Vec<(AudioContext, f32)> {
    let full = options.temperatures.iter().map(|&temperature| (AudioContext::Full, temperature));
    let first = options.temperatures.first().map(|&temperature| (options.context, temperature));
    let first = first.filter(|(context, _)| *context != AudioContext::Full);
    first.into_iter().chain(full).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fitted_context_holds_the_recording_and_never_more_than_the_model() {
        let fitted = AudioContext::Fitted { silence: 1.0 };
        assert_eq!(fitted.positions(4 * SAMPLE_RATE, 1500), 256);
        assert_eq!(fitted.positions(30 * SAMPLE_RATE, 1500), 1500);
        assert_eq!(AudioContext::Fitted { silence: f32::NAN }.positions(0, 1500), 1);
        assert_eq!(AudioContext::Full.positions(0, 1500), 1500);
    }

    #[test]
    fn a_failed_fitted_context_is_followed_by_the_full_one_at_the_same_temperature() {
        let options = TranscribeOptions { temperatures: vec![0.0, 0.5], ..TranscribeOptions::default() };
        let tried = attempts(&options);
        assert_eq!(tried, [(options.context, 0.0), (AudioContext::Full, 0.0), (AudioContext::Full, 0.5)]);
        let full = TranscribeOptions { context: AudioContext::Full, ..options };
        assert_eq!(attempts(&full).len(), 2);
    }
}
