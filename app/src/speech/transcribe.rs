//! What was said, as text: the speech model as the app holds it.

use std::path::{Path, PathBuf};

use sightread_models::checkpoint::{CheckpointError, verify_if_listed};
use sightread_models::device::{Backend, DeviceError};
use sightread_models::speech::{self, SpeechError, TranscribeOptions};
use sightread_models::text::llama::LoadOptions;

use crate::shipped::folders;

/// Environment variable that names the folder of the speech model.
pub const SPEECH_VARIABLE: &str = "SIGHTREAD_SPEECH";
/// The assistant answers in English, and is asked in English.
const LANGUAGE: &str = "en";
/// What users of this program say, so that "read it" is not taken for "reddit".
const USUAL_WORDS: &str = "Read it. Next line. Spell that. Slower. Questions about a receipt, a medicine, a label or a letter: \
    price, date, phone number, address, lines, tablets.";

/// What is listened to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expected {
    /// Commands and questions to the assistant.
    Questions,
    /// Anything.
    Anything,
}

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
pub fn open_transcriber(expected: Expected, backend: Backend) -> Result<Box<dyn Transcriber>, TranscribeError> {
    open_folder(&find()?, expected, backend)
}

/// Opens the speech recogniser in `folder`.
///
/// # Errors
/// As [`open_transcriber`].
pub fn open_folder(
    folder: &Path,
    expected: Expected,
    backend: Backend,
) -> Result<Box<dyn Transcriber>, TranscribeError> {
    if !is_model(folder) {
        return Err(TranscribeError::NotInstalled);
    }
    verify_if_listed(folder)?;
    let load = LoadOptions { int8_embedding: true, ..LoadOptions::default() };
    let options = TranscribeOptions {
        language: Some(LANGUAGE.into()),
        initial_prompt: (expected == Expected::Questions).then(|| USUAL_WORDS.into()),
        beam: 1,
        ..TranscribeOptions::default()
    };
    Ok(Box::new(Whisper { model: speech::Transcriber::load(folder, load, &backend.open()?)?, options }))
}

/// The folder of the speech model: the one in the environment, or the one that comes with the program.
fn find() -> Result<PathBuf, TranscribeError> {
    let asked_for = std::env::var_os(SPEECH_VARIABLE).map(PathBuf::from);
    asked_for.or_else(|| folders("speech").find(|folder| is_model(folder))).ok_or(TranscribeError::NotInstalled)
}

fn is_model(folder: &Path) -> bool {
    folder.join("config.json").is_file()
}

struct Whisper {
    model: speech::Transcriber,
    options: TranscribeOptions,
}

impl Transcriber for Whisper {
    fn transcribe(&mut self, samples_16k: &[f32]) -> Result<Transcript, TranscribeError> {
        Ok(Transcript { text: self.model.transcribe(samples_16k, &self.options)?.text })
    }
}
