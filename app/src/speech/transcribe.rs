//! What was said, as text: the speech model as the app holds it.

use std::path::PathBuf;

use sightread_models::checkpoint::{CheckpointError, verify_if_listed};
use sightread_models::device::{Backend, DeviceError};
use sightread_models::speech::{self, SpeechError, TranscribeOptions};
use sightread_models::text::llama::LoadOptions;

use crate::shipped::folders;

/// Environment variable that names the folder of the speech model.
pub const SPEECH_VARIABLE: &str = "SIGHTREAD_SPEECH";
/// The assistant answers in English, and is asked in English.
const LANGUAGE: &str = "en";

/// Samples of the longest utterance that is understood at once: 30 s.
pub const LONGEST: usize = super::endpoint::LONGEST;

/// What was understood of an utterance.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Transcript {
    /// The words; empty if there was no speech.
    pub text: String,
}

/// Why nothing could be understood, each in a sentence fit to be spoken.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TranscribeError {
    /// The model is not here.
    #[error("no speech model is installed; set {SPEECH_VARIABLE} to its folder or fetch the program again")]
    NotInstalled,
    /// A file of it is damaged.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    /// No device to run it on.
    #[error(transparent)]
    Device(#[from] DeviceError),
    /// The model is here but failed.
    #[error(transparent)]
    Speech(#[from] SpeechError),
}

/// A speech recogniser.
pub trait Transcriber: Send {
    /// Understands an utterance of at most 30 s: 16 kHz, mono, samples between −1 and 1.
    ///
    /// # Errors
    /// [`TranscribeError::Speech`].
    fn transcribe(&mut self, samples_16k: &[f32]) -> Result<Transcript, TranscribeError>;
}

/// Opens the speech recogniser that comes with the program, after its files were compared with their manifest.
///
/// # Errors
/// [`TranscribeError`] if it is not here, damaged, or does not run on `backend`.
pub fn open_transcriber(backend: Backend) -> Result<Box<dyn Transcriber>, TranscribeError> {
    let folder = find()?;
    verify_if_listed(&folder)?;
    let options = LoadOptions { int8_embedding: true, ..LoadOptions::default() };
    Ok(Box::new(Whisper(speech::Transcriber::load(&folder, options, &backend.open()?)?)))
}

/// The folder of the speech model: the one in the environment, or the one that comes with the program.
fn find() -> Result<PathBuf, TranscribeError> {
    let is_model = |folder: &PathBuf| folder.join("config.json").is_file();
    match std::env::var_os(SPEECH_VARIABLE) {
        Some(folder) => Some(PathBuf::from(folder)).filter(is_model),
        None => folders("speech").find(is_model),
    }
    .ok_or(TranscribeError::NotInstalled)
}

struct Whisper(speech::Transcriber);

impl Transcriber for Whisper {
    fn transcribe(&mut self, samples_16k: &[f32]) -> Result<Transcript, TranscribeError> {
        let options = TranscribeOptions { language: Some(LANGUAGE.into()), beam: 1, ..TranscribeOptions::default() };
        Ok(Transcript { text: self.0.transcribe(samples_16k, &options)?.text })
    }
}
