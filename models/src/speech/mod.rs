//! Speech recognition: Whisper, from samples to words with how sure they are.
//!
//! | step | where |
//! |---|---|
//! | samples → log-mel spectrogram | [`MelFrontEnd`] |
//! | spectrogram → what was heard → logits | [`Whisper`] |
//! | logits → tokens: beam search, sampling | `search` |
//! | tokens → text, language, confidence; long recordings, silence, repetition | [`Transcriber`] |

mod blocks;
mod config;
mod decode;
mod decoder;
mod encoder;
mod error;
mod fourier;
mod layers;
mod mel;
mod options;
mod search;
mod tokens;
mod transcript;
mod whisper;
mod windows;

pub use blocks::{DecoderBlocks, DecoderStart, EncoderBlocks, EncoderStart};
pub use config::{FRAMES_PER_POSITION, WhisperConfig};
pub use decode::Transcriber;
pub use decoder::{DecoderBlock, DecoderCache};
pub use encoder::EncoderBlock;
pub use error::SpeechError;
pub use mel::{Mel, MelFrontEnd, SAMPLE_RATE};
pub use options::{AudioContext, TranscribeOptions};
pub use tokens::SpecialTokens;
pub use transcript::{Segment, Transcript, Word};
pub use whisper::Whisper;
