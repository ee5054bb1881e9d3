//! Whisper and recordings with their words: the encoder's blocks, then the decoder's.

use burn::tensor::Device;
use sha2::{Digest, Sha256};
use sightread_models::checkpoint::Checkpoint;
use sightread_models::speech::{
    DecoderBlocks, EncoderBlocks, FRAMES_PER_POSITION, Mel, MelFrontEnd, SpecialTokens, SpeechError, TranscribeOptions,
};
use sightread_models::text::BlockStack;

use super::calibration::CalibrationSet;
use super::network::{Begin, Network, StackSize};
use super::streams::{to_matrix, to_tensor};
use crate::PipelineError;
use crate::recordings::Recording;

/// A recording as encoder and decoder read it.
struct Spoken {
    mel: Mel,
    /// Its text with the tokens before and after it.
    tokens: Vec<u32>,
}

/// A Whisper and the recordings it is calibrated on.
pub struct SpeechNetwork<'a> {
    source: &'a Checkpoint,
    device: &'a Device,
    encoder: EncoderBlocks,
    decoder: DecoderBlocks,
    /// Positions of the encoder, the same for all recordings.
    positions: usize,
    set: CalibrationSet<Spoken>,
}

impl<'a> SpeechNetwork<'a> {
    /// # Errors
    /// [`PipelineError`] if the configuration is wrong, or the model does not know a language.
    pub fn new(
        source: &'a Checkpoint,
        set: &CalibrationSet<Recording>,
        device: &'a Device,
    ) -> Result<Self, PipelineError> {
        let encoder = EncoderBlocks::new(source)?;
        // One context for all, fitted to the longest as in the app.
        let longest = set.all().map(|r| r.samples.len()).max().unwrap_or(0);
        let positions = TranscribeOptions::default().context.positions(longest, encoder.config().max_source_positions);
        let decoder = DecoderBlocks::new(source, positions)?;
        let set = prepare(source, set, &encoder, positions)?;
        Ok(Self { source, device, encoder, decoder, positions, set })
    }
}

/// Spectrograms and tokens of all recordings.
fn prepare(
    source: &Checkpoint,
    set: &CalibrationSet<Recording>,
    encoder: &EncoderBlocks,
    positions: usize,
) -> Result<CalibrationSet<Spoken>, PipelineError> {
    let config = encoder.config();
    let tokenizer = source.tokenizer.as_ref().ok_or(PipelineError::NoTokenizer)?;
    let special = SpecialTokens::find(tokenizer, config)?;
    let front_end = MelFrontEnd::new(config.num_mel_bins);
    let spoken = |recording: &Recording| {
        let text = format!(" {}", recording.text.trim());
        let text = tokenizer.encode_fast(text, false).map_err(|e| SpeechError::Tokenizer(e.to_string()))?;
        let mut tokens = special.prompt(&recording.language, false)?;
        tokens.extend(text.get_ids());
        tokens.push(special.end_of_text);
        let mel = front_end.compute(&recording.samples, FRAMES_PER_POSITION * positions, config.window_samples());
        Ok(Spoken { mel, tokens })
    };
    set.try_map(spoken)
}

impl Network for SpeechNetwork<'_> {
    fn stacks(&self) -> Vec<&dyn BlockStack> {
        vec![&self.encoder, &self.decoder]
    }

    fn calibration(&self) -> usize {
        self.set.sequences.len()
    }

    fn held_out(&self) -> usize {
        self.set.held_out.len()
    }

    fn size(&self, stack: usize) -> StackSize {
        let config = self.encoder.config();
        let is_decoder = stack > 0;
        let length = |spoken: &Spoken| (self.positions + if is_decoder { spoken.tokens.len() } else { 0 }) as u64;
        let heads = if is_decoder { config.decoder_attention_heads } else { config.encoder_attention_heads };
        let at_start = if is_decoder { 2 * size_of::<f32>() * config.vocab_size * config.d_model } else { 0 };
        StackSize {
            tokens: self.set.all().map(length).sum(),
            held_out_tokens: self.set.held_out.iter().map(length).sum(),
            longest: self.set.all().map(length).max().unwrap_or(0),
            hidden: config.d_model as u64,
            heads: heads as u64,
            kept: 0,
            at_start: at_start as u64,
        }
    }

    fn begin(&self, stack: usize) -> Result<Begin<'_>, PipelineError> {
        const MISSING: PipelineError = PipelineError::Internal("a recording is missing");
        if stack == 0 {
            let start = self.encoder.start(self.source, self.device)?;
            return Ok(Box::new(move |n, _| {
                let spoken = self.set.get(n).ok_or(MISSING)?;
                to_matrix(start.forward(&spoken.mel, self.device)?)
            }));
        }
        let start = self.decoder.start(self.source, self.device)?;
        Ok(Box::new(move |n, heard| {
            let (spoken, heard) = self.set.get(n).zip(heard).ok_or(MISSING)?;
            to_matrix(start.forward(to_tensor(heard, self.device), &spoken.tokens, self.device)?)
        }))
    }

    fn digest(&self, digest: &mut Sha256) {
        digest.update((self.set.sequences.len() as u64).to_le_bytes());
        for Spoken { mel, tokens } in self.set.all() {
            digest.update((mel.frames as u64).to_le_bytes());
            mel.values.iter().for_each(|value| digest.update(value.to_le_bytes()));
            digest.update((tokens.len() as u64).to_le_bytes());
            tokens.iter().for_each(|token| digest.update(token.to_le_bytes()));
        }
    }

    fn class(&self, tensor: &str) -> &'static str {
        if tensor.starts_with("model.encoder.") { "encoder" } else { "decoder" }
    }

    fn embeddings(&self) -> Vec<String> {
        vec!["model.decoder.embed_tokens".into()]
    }
}
