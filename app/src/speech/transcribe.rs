//! What was said, as text: the place where a speech recogniser is plugged in.

use sightread_models::device::Backend;

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
    #[error("no speech model is installed")]
    NotInstalled,
    /// The model is here but failed.
    #[error("the speech model failed: {0}")]
    Failed(String),
}

/// A speech recogniser.
pub trait Transcriber: Send {
    /// Understands an utterance of at most 30 s: 16 kHz, mono, samples between −1 and 1.
    ///
    /// # Errors
    /// [`TranscribeError::Failed`].
    fn transcribe(&mut self, samples_16k: &[f32]) -> Result<Transcript, TranscribeError>;
}

/// Opens the speech recogniser that comes with the program.
///
/// # Errors
/// [`TranscribeError::NotInstalled`] while none does.
pub fn open_transcriber(_backend: Backend) -> Result<Box<dyn Transcriber>, TranscribeError> {
    Err(TranscribeError::NotInstalled)
}
