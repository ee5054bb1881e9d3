//! Why a model was not imported, each in words fit to be spoken.

use std::io;
use std::path::PathBuf;

use rpiq::PipelineError;
use sightread_models::checkpoint::CheckpointError;
use sightread_models::device::DeviceError;

use crate::files;

/// Why a model was not imported.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ImportError {
    /// Nothing has that path.
    #[error("there is nothing at {}; check the path", .0.display())]
    NotThere(PathBuf),
    /// The source has no name that a folder could have.
    #[error("it has no name; name the folder of the model, or owner and model on the hub")]
    NoName,
    /// The library has a model of that name.
    #[error("a model named {0} is here already; remove it first, or give the folder that you import another name")]
    Taken(String),
    /// Its architecture is not known.
    #[error(
        "models of the kind {0} are not known to this program; it takes models of the kinds llama, whisper and cogvlm2"
    )]
    Unknown(String),
    /// No calibration text was given, and the one that comes with the program is missing.
    #[error(
        "the calibration text that comes with the program is missing; name a text of your own, or fetch the program again"
    )]
    NoCalibration,
    /// More memory is needed than is free.
    #[error(
        "it needs {needed_mib} megabytes of memory and {available_mib} are free; close other programs, or take a smaller model"
    )]
    Memory {
        /// Megabytes that are needed.
        needed_mib: u64,
        /// Megabytes that are free.
        available_mib: u64,
    },
    /// The folder of the library cannot be used.
    #[error("the folder {} cannot be used: {}", path.display(), files::reason(source))]
    Library {
        /// The folder.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
    /// What was made cannot be used.
    #[error("the model that was made cannot be used: {0}")]
    Unusable(String),
    /// This program was built without the network.
    #[error("this program was built without downloads; fetch the model with another program and import its folder")]
    NoNetwork,
    /// Somebody stopped it.
    #[error("it was stopped")]
    Stopped,
    /// The model could not be read, downloaded or written.
    #[error(transparent)]
    Checkpoint(CheckpointError),
    /// It could not be quantized.
    #[error(transparent)]
    Pipeline(PipelineError),
    /// There is nothing to compute on.
    #[error(transparent)]
    Device(#[from] DeviceError),
    /// A mistake in this program.
    #[error("internal error: {0}; please report it")]
    Internal(String),
}

impl From<CheckpointError> for ImportError {
    fn from(error: CheckpointError) -> Self {
        match error {
            CheckpointError::Cancelled => Self::Stopped,
            other => Self::Checkpoint(other),
        }
    }
}

impl From<PipelineError> for ImportError {
    fn from(error: PipelineError) -> Self {
        match error {
            PipelineError::Cancelled => Self::Stopped,
            PipelineError::Memory { needed_mib, available_mib, .. } => Self::Memory { needed_mib, available_mib },
            PipelineError::Checkpoint(error) => error.into(),
            other => Self::Pipeline(other),
        }
    }
}
