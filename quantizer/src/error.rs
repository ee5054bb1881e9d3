//! What can go wrong, each in a sentence fit to be spoken.

use std::io;
use std::path::{Path, PathBuf};

use sightread_models::checkpoint::CheckpointError;
use sightread_models::int4::PackError;
use sightread_models::speech::SpeechError;
use sightread_models::text::TextError;
use sightread_models::vlm::VlmError;

/// Why a layer could not be quantized.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum QuantizeError {
    /// No calibration input reached the layer.
    #[error("no calibration text reached the layer; give a calibration file with more text")]
    NoInputs,
    /// Weights or inputs are infinite or not numbers.
    #[error("{0} contain values that are not finite numbers; the model file may be damaged, fetch it again")]
    NotFinite(&'static str),
    /// Every input of a layer was zero.
    #[error(
        "every calibration input of the layer is zero, so nothing can be learned about it; use other calibration text"
    )]
    DeadLayer,
    /// The Hessian cannot be inverted with any sensible damping.
    #[error("the calibration inputs say too little about the layer; use more calibration text")]
    Singular,
    /// Two arrays that belong together differ in size.
    #[error("the layer's {what} have {found} columns, but its weights have {expected}")]
    Shape {
        /// Which array.
        what: &'static str,
        /// Columns found.
        found: usize,
        /// Columns expected.
        expected: usize,
    },
    /// The group size does not fit.
    #[error("a group size of {0} is not possible; use 32, 64 or 128")]
    GroupSize(usize),
}

/// Why a run over a model ended.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PipelineError {
    /// The model could not be read or the result not be written.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    /// A sequence is not one for this model.
    #[error("a calibration sequence cannot be used: {0}")]
    Text(#[from] TextError),
    /// Recordings and a speech model do not go together.
    #[error(transparent)]
    Speech(#[from] SpeechError),
    /// Pictures and a vision-language model do not go together.
    #[error(transparent)]
    Vlm(#[from] VlmError),
    /// A layer could not be quantized.
    #[error("in layer {layer}: {source}")]
    Layer {
        /// Name in the checkpoint.
        layer: String,
        /// What is wrong.
        source: QuantizeError,
    },
    /// A layer could not be packed.
    #[error("layer {layer} cannot be packed: {source}")]
    Pack {
        /// Name in the checkpoint.
        layer: String,
        /// What is wrong.
        source: PackError,
    },
    /// The calibration text or the list of recordings is missing or unusable.
    #[error("the calibration set {} cannot be used: {reason}", path.display())]
    Calibration {
        /// The file.
        path: PathBuf,
        /// What is wrong with it and what to do.
        reason: String,
    },
    /// The model has no tokenizer.
    #[error("the model has no tokenizer; add its tokenizer.json")]
    NoTokenizer,
    /// The model is quantized already.
    #[error("the model is quantized already; start from the one in full precision")]
    AlreadyQuantized,
    /// The run needs more memory than there is.
    #[error("the run needs {needed_mib} MiB of memory but {available_mib} MiB are free; {hint}")]
    Memory {
        /// By the memory plan.
        needed_mib: u64,
        /// Free now.
        available_mib: u64,
        /// What to change.
        hint: &'static str,
    },
    /// Parts of another run are in the way.
    #[error(
        "{} holds the parts of a run with another {what}; finish that run with what it was started with, or delete the folder", folder.display()
    )]
    OtherRun {
        /// Folder of the parts.
        folder: PathBuf,
        /// What differs: model, calibration text or options.
        what: &'static str,
    },
    /// Another process works on the same parts.
    #[error("another rpiq is working in {}; wait until it is done", .0.display())]
    Busy(PathBuf),
    /// Whoever listened to the run stopped it.
    #[error("stopped; the finished layers are kept, start the same again to go on")]
    Cancelled,
    /// No room left on the disk.
    #[error("the disk is full, {} could not be written; make room and start again, the finished layers are kept", .0.display())]
    DiskFull(PathBuf),
    /// A file could not be read or written.
    #[error("cannot {action} {}: {source}", path.display())]
    Io {
        /// What was tried.
        action: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
    /// The device failed.
    #[error("the processor failed during the calculation ({0}); start again, the finished layers are kept")]
    Device(String),
    /// A mistake in this program.
    #[error("internal error: {0}; please report it")]
    Internal(&'static str),
}

impl PipelineError {
    pub(crate) fn io(action: &'static str, path: &Path, source: io::Error) -> Self {
        match source.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Self::DiskFull(path.into()),
            _ => Self::Io { action, path: path.into(), source },
        }
    }
}
