//! Whisper: a spectrogram in, logits of the next token of its text out (Radford et al., 2022).
//!
//! Reference: `transformers/models/whisper/modeling_whisper.py`; names of modules and configuration fields are those of
//! Hugging Face.

use burn::tensor::{Device, Tensor, TensorData};

use super::config::FRAMES_PER_POSITION;
use super::decoder::{Decoder, DecoderCache};
use super::encoder::Encoder;
use super::{Mel, SpeechError, WhisperConfig};
use crate::checkpoint::{Checkpoint, CheckpointError};
use crate::text::LoadOptions;

/// A whole Whisper.
#[derive(Debug)]
pub struct Whisper {
    config: WhisperConfig,
    device: Device,
    encoder: Encoder,
    decoder: Decoder,
}

impl Whisper {
    /// Reads all weights of `checkpoint` onto `device`, as they are stored.
    ///
    /// # Errors
    /// [`CheckpointError`] if the configuration is wrong or a tensor is missing, of another shape, or damaged.
    pub fn load(checkpoint: &Checkpoint, device: &Device) -> Result<Self, CheckpointError> {
        Self::load_with(checkpoint, LoadOptions::default(), device)
    }

    /// As [`Whisper::load`], with options.
    ///
    /// # Errors
    /// As [`Whisper::load`].
    pub fn load_with(checkpoint: &Checkpoint, options: LoadOptions, device: &Device) -> Result<Self, CheckpointError> {
        let config = WhisperConfig::from_checkpoint(checkpoint)?;
        Ok(Self {
            encoder: Encoder::load(checkpoint, &config, options.precision, device)?,
            decoder: Decoder::load(checkpoint, &config, options, device)?,
            device: device.clone(),
            config,
        })
    }

    /// The model's configuration.
    pub fn config(&self) -> &WhisperConfig {
        &self.config
    }

    /// The device the weights are on.
    pub fn device(&self) -> &Device {
        &self.device
    }

    /// What the encoder hears in `mel`, `[1, frames / 2, d]`.
    ///
    /// A spectrogram shorter than the model's 30 s costs in proportion less.
    ///
    /// # Errors
    /// [`SpeechError::Options`] if the spectrogram has other bands than the model, or more or an odd number of frames.
    pub fn encode(&self, mel: &Mel) -> Result<Tensor<3>, SpeechError> {
        let Mel { bins, frames, values } = mel;
        let longest = FRAMES_PER_POSITION * self.config.max_source_positions;
        if *bins != self.config.num_mel_bins || values.len() != bins * frames {
            let expected = self.config.num_mel_bins;
            return Err(SpeechError::Options(format!("a spectrogram of {bins} bands for a model of {expected}")));
        }
        if *frames == 0 || *frames > longest || !frames.is_multiple_of(FRAMES_PER_POSITION) {
            let what = format!("a spectrogram of {frames} frames; it must be an even number up to {longest}");
            return Err(SpeechError::Options(what));
        }
        let mel = Tensor::from_data(TensorData::new(values.clone(), [1, *bins, *frames]), &self.device);
        Ok(self.encoder.forward(mel))
    }

    /// A cache without text for what was heard, an output of [`Whisper::encode`].
    pub fn cache(&self, heard: Tensor<3>) -> DecoderCache {
        self.decoder.cache(heard)
    }

    /// Reads `tokens` `[b, t]`, row by row, behind the text that `cache` holds; the normed output of the last block,
    /// `[b, t, d]`.
    ///
    /// # Errors
    /// [`SpeechError::Options`] if there is no token, one is not in the vocabulary, or the text is too long.
    pub fn forward(&self, tokens: &[u32], b: usize, cache: &mut DecoderCache) -> Result<Tensor<3>, SpeechError> {
        let (vocab_size, limit) = (self.config.vocab_size, self.config.max_target_positions);
        if b == 0 || tokens.is_empty() || !tokens.len().is_multiple_of(b) {
            return Err(SpeechError::Options(format!("{} tokens in {b} rows", tokens.len())));
        }
        if let Some(token) = tokens.iter().find(|&&token| token as usize >= vocab_size) {
            return Err(SpeechError::Options(format!("token {token} is not in the vocabulary of {vocab_size}")));
        }
        if cache.len() + tokens.len() / b > limit {
            return Err(SpeechError::Options(format!("the text is longer than the model's {limit} tokens")));
        }
        Ok(self.decoder.forward(tokens, b, cache))
    }

    /// Logits of the token after each of `hidden` `[b, t, d]`, an output of [`Whisper::forward`]: `b * t` rows of
    /// `vocab_size`.
    ///
    /// # Errors
    /// [`SpeechError::Device`] if the device failed.
    pub fn logits(&self, hidden: Tensor<3>) -> Result<Vec<f32>, SpeechError> {
        let data = self.decoder.logits(hidden).try_into_data().map_err(|e| SpeechError::Device(format!("{e:?}")))?;
        data.try_into_vec().map_err(|e| SpeechError::Device(format!("{e:?}")))
    }

    /// Bytes the weights take in memory, convolutions and norms left out.
    pub fn bytes(&self) -> usize {
        self.encoder.bytes() + self.decoder.bytes()
    }
}
