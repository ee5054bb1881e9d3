//! `config.json` of a Whisper model.

use serde::Deserialize;

use crate::checkpoint::{Checkpoint, CheckpointError};

/// `config.json` of a Whisper model; fields as in transformers.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct WhisperConfig {
    /// Width of the model, `d`.
    pub d_model: usize,
    /// Blocks of the encoder.
    pub encoder_layers: usize,
    /// Heads of the encoder, `h`.
    pub encoder_attention_heads: usize,
    /// Width inside the feed-forward layers of the encoder.
    pub encoder_ffn_dim: usize,
    /// Blocks of the decoder.
    pub decoder_layers: usize,
    /// Heads of the decoder, `h`.
    pub decoder_attention_heads: usize,
    /// Width inside the feed-forward layers of the decoder.
    pub decoder_ffn_dim: usize,
    /// Frequency bands of the spectrogram: 80, or 128 in large-v3.
    pub num_mel_bins: usize,
    /// Tokens.
    pub vocab_size: usize,
    /// Positions of the encoder; each stands for two frames of the spectrogram, 20 ms.
    pub max_source_positions: usize,
    /// Positions of the decoder.
    pub max_target_positions: usize,
    /// Activation of the feed-forward layers; only `gelu` is known.
    #[serde(default = "default_activation")]
    pub activation_function: String,
    /// Whether embeddings are multiplied by the root of their width; no Whisper does.
    #[serde(default)]
    pub scale_embedding: bool,
    /// Whether the output head is the embedding.
    #[serde(default = "default_tie")]
    pub tie_word_embeddings: bool,
}

fn default_activation() -> String {
    "gelu".into()
}
fn default_tie() -> bool {
    true
}

/// Widths beyond this are no model but a damaged or hostile file.
const LARGEST_WIDTH: usize = 1 << 20;
/// Samples between two frames of the spectrogram.
pub const HOP: usize = 160;
/// Frames of the spectrogram for one position of the encoder.
pub const FRAMES_PER_POSITION: usize = 2;

impl WhisperConfig {
    /// Whether `checkpoint` says that it is a Whisper.
    pub fn is_whisper(checkpoint: &Checkpoint) -> bool {
        checkpoint.config.get("model_type").is_some_and(|kind| kind == "whisper")
    }

    /// Reads the fields of a checkpoint's configuration and checks that they fit together.
    ///
    /// # Errors
    /// [`CheckpointError::Config`] says which field is wrong.
    pub fn from_checkpoint(checkpoint: &Checkpoint) -> Result<Self, CheckpointError> {
        let config = Self::deserialize(&checkpoint.config).map_err(|e| CheckpointError::Config(e.to_string()))?;
        config.check()?;
        Ok(config)
    }

    fn check(&self) -> Result<(), CheckpointError> {
        let wrong = |what: String| Err(CheckpointError::Config(what));
        let widths = [
            ("d_model", self.d_model),
            ("encoder_layers", self.encoder_layers),
            ("encoder_attention_heads", self.encoder_attention_heads),
            ("encoder_ffn_dim", self.encoder_ffn_dim),
            ("decoder_layers", self.decoder_layers),
            ("decoder_attention_heads", self.decoder_attention_heads),
            ("decoder_ffn_dim", self.decoder_ffn_dim),
            ("num_mel_bins", self.num_mel_bins),
            ("vocab_size", self.vocab_size),
            ("max_source_positions", self.max_source_positions),
            ("max_target_positions", self.max_target_positions),
        ];
        if let Some((name, value)) = widths.iter().find(|(_, v)| !(1..=LARGEST_WIDTH).contains(v)) {
            return wrong(format!("{name} is {value}"));
        }
        for heads in [self.encoder_attention_heads, self.decoder_attention_heads] {
            if !self.d_model.is_multiple_of(heads) {
                return wrong(format!("a width of {} has no {heads} equal heads", self.d_model));
            }
        }
        if self.activation_function != "gelu" {
            return wrong(format!("activation_function is {}, but only gelu is known", self.activation_function));
        }
        if self.scale_embedding {
            return wrong("scale_embedding is true, which no Whisper has".into());
        }
        if !self.tie_word_embeddings {
            return wrong("tie_word_embeddings is false, but Whisper's output head is its embedding".into());
        }
        Ok(())
    }

    /// Samples that the encoder sees at once: 30 s.
    pub fn window_samples(&self) -> usize {
        self.max_source_positions * FRAMES_PER_POSITION * HOP
    }
}
