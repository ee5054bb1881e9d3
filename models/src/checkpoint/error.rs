//! What can be wrong with a checkpoint, each in a sentence fit to be spoken.

use std::path::{Path, PathBuf};

use super::StoredType;
use crate::int4::PackError;

/// Why a checkpoint could not be opened, read or written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CheckpointError {
    /// The operating system refused a file operation.
    #[error("cannot {action} {}: {source}", path.display())]
    Io {
        /// What was tried, as a verb ("read", "write").
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// The system's reason.
        source: std::io::Error,
    },
    /// The file is not what its name or header says.
    #[error("{} is damaged: {reason}; fetch it again", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// The format or architecture is not one that this program reads.
    #[error("{what} is not supported; {hint}")]
    Unsupported {
        /// What was met.
        what: String,
        /// What to do instead.
        hint: String,
    },
    /// A tensor that the network needs is not there.
    #[error("the model has no tensor named {name}; its files may be incomplete")]
    MissingTensor {
        /// Hugging Face name.
        name: String,
    },
    /// A tensor is stored in a type that cannot be what is asked for.
    #[error("tensor {name} is stored as {found}, which cannot be read as {wanted}; fetch the model in another format")]
    Type {
        /// Hugging Face name.
        name: String,
        /// How it is stored.
        found: StoredType,
        /// What it should be read as.
        wanted: &'static str,
    },
    /// A tensor has another shape than the configuration says.
    #[error("tensor {name} has shape {found:?}, but the configuration asks for {expected:?}")]
    Shape {
        /// Hugging Face name.
        name: String,
        /// Shape asked for.
        expected: Vec<usize>,
        /// Shape found.
        found: Vec<usize>,
    },
    /// A tensor holds values that are no numbers.
    #[error("tensor {name} holds values that are not finite; the file is damaged, fetch it again")]
    NotFinite {
        /// Hugging Face name.
        name: String,
    },
    /// A packed 4-bit layer that is not what its format allows.
    #[error("layer {prefix} is damaged ({source}); fetch the model again")]
    Packed {
        /// Hugging Face name of the layer.
        prefix: String,
        /// What is wrong with it.
        source: PackError,
    },
    /// There is no room left where a file is written.
    #[error("the disk is full, {} could not be written; make room and start again, nothing that was there before is lost", path.display())]
    DiskFull {
        /// The file.
        path: PathBuf,
    },
    /// Something that is no model stands where a model should be written.
    #[error("{} is already there and is not a model folder; choose another name", .0.display())]
    Occupied(PathBuf),
    /// A download from the model hub failed.
    #[error("cannot download {repository}: {reason}")]
    Download {
        /// `owner/name`.
        repository: String,
        /// What happened and what to do.
        reason: String,
    },
    /// Whoever listened stopped it.
    #[error("stopped; what is here is kept, start the same again to go on")]
    Cancelled,
    /// The configuration lacks a field or holds a value out of range.
    #[error("the model's configuration is wrong: {0}")]
    Config(String),
}

impl CheckpointError {
    /// For `map_err`: an I/O error with what was tried and on which file; a full disk gets its own sentence.
    pub(crate) fn io(action: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> Self {
        move |source| match source.kind() {
            std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded => Self::DiskFull { path: path.into() },
            _ => Self::Io { action, path: path.into(), source },
        }
    }

    /// A file whose contents are wrong.
    pub(crate) fn damaged(path: &Path, reason: impl Into<String>) -> Self {
        Self::Damaged { path: path.into(), reason: reason.into() }
    }

    /// Something that is well formed but not read here.
    pub(crate) fn unsupported(what: impl Into<String>, hint: impl Into<String>) -> Self {
        Self::Unsupported { what: what.into(), hint: hint.into() }
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::fs::OpenOptions;
    use std::io::Write;

    use super::*;

    /// `/dev/full` refuses every byte as a full disk does.
    #[test]
    fn a_full_disk_has_its_own_sentence() {
        let path = Path::new("/dev/full");
        let mut full = OpenOptions::new().write(true).open(path).expect("Linux has it");
        let refused = full.write_all(b"x").map_err(CheckpointError::io("write", path)).expect_err("full");
        assert!(matches!(refused, CheckpointError::DiskFull { .. }), "{refused:?}");
        assert!(refused.to_string().contains("make room and start again"), "{refused}");
    }
}
