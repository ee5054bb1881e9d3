//! What can be wrong with a checkpoint, each in a sentence fit to be spoken.

use std::path::PathBuf;

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
    /// The configuration lacks a field or holds a value out of range.
    #[error("the model's configuration is wrong: {0}")]
    Config(String),
}
