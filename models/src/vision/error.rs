//! Why a vision network could not be loaded or refused a picture.

use crate::checkpoint::CheckpointError;

/// What can go wrong in the vision tower, each in a sentence fit to be spoken.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum VisionError {
    /// The weights are missing, damaged, or of another network.
    #[error(transparent)]
    Weights(#[from] CheckpointError),
    /// The picture's buffer, height or width is not what the network takes.
    #[error("the picture cannot be read: {0}")]
    Picture(String),
    /// The device gave up while computing (out of memory, a lost graphics driver).
    #[error("the computation failed: {0}; try the CPU backend")]
    Device(String),
}
