//! What was said, as text: the speech model as the app holds it.

use std::path::{Path, PathBuf};

use sightread_models::checkpoint::{CheckpointError, verify_if_listed};
use sightread_models::device::{Backend, DeviceError};
use sightread_models::speech::{self, SpeechError, TranscribeOptions};
use sightread_models::text::LoadOptions;

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

/// The speech recogniser.
#[derive(Debug)]
pub struct Transcriber {
    model: speech::Transcriber,
    options: TranscribeOptions,
}

impl Transcriber {
    /// Opens the recogniser that comes with the program, after its files were compared with their manifest.
    ///
    /// # Errors
    /// [`TranscribeError`] if it is not here, damaged, or does not run on `backend`.
    pub fn open(expected: Expected, backend: Backend) -> Result<Self, TranscribeError> {
        Self::open_folder(&find()?, expected, backend)
    }

    /// Opens the recogniser in `folder`.
    ///
    /// # Errors
    /// As [`Transcriber::open`].
    pub fn open_folder(folder: &Path, expected: Expected, backend: Backend) -> Result<Self, TranscribeError> {
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
        Ok(Self { model: speech::Transcriber::load(folder, load, &backend.open()?)?, options })
    }

    /// The words in `samples_16k` (16 kHz, mono, between −1 and 1); empty if there was no speech.
    ///
    /// # Errors
    /// [`TranscribeError::Speech`].
    pub fn transcribe(&self, samples_16k: &[f32]) -> Result<String, TranscribeError> {
        Ok(self.model.transcribe(samples_16k, &self.options)?.text)
    }
}

/// The folder of the speech model: the one in the environment, or the one that comes with the program.
///
/// # Errors
/// [`TranscribeError::NotInstalled`].
pub(crate) fn find() -> Result<PathBuf, TranscribeError> {
    let asked_for = std::env::var_os(SPEECH_VARIABLE).map(PathBuf::from);
    asked_for.or_else(|| folders("models/speech").find(|folder| is_model(folder))).ok_or(TranscribeError::NotInstalled)
}

fn is_model(folder: &Path) -> bool {
    folder.join("config.json").is_file()
}
