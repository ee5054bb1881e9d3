//! Pictures that keep coming: cameras, a file, a folder, or an MJPEG stream, all behind [`FrameSource`].
//!
//! A [`Camera`] runs a source on a thread of its own and opens it again when it was lost. Only the newest picture matters:
//! every source leaves out what nobody fetched in time, before it is decoded.

#[cfg(feature = "camera")]
mod device;
mod error;
mod file;
mod folder;
mod jpeg;
mod mjpeg;
mod newest;
mod open;
mod pace;
mod source;
mod stream;
mod worker;

use std::sync::Arc;
use std::time::{Duration, Instant};

use image::RgbImage;

pub use error::CameraError;
pub use newest::Newest;
pub use open::{list, open};
pub use source::Source;
pub use worker::{Camera, CameraEvent};

/// One picture of a stream.
#[derive(Debug, Clone)]
pub struct Frame {
    /// Upright pixels. A source that shows one picture for a while hands on the same one (`Arc::ptr_eq`).
    pub picture: Arc<RgbImage>,
    /// When it arrived.
    pub at: Instant,
}

impl Frame {
    /// A picture that has just arrived.
    fn now(picture: Arc<RgbImage>) -> Self {
        Self { picture, at: Instant::now() }
    }
}

/// Where frames come from.
pub trait FrameSource: Send {
    /// The source in words a user knows it by ("HD Webcam").
    fn name(&self) -> String;

    /// Waits for the next frame, at most for `timeout`.
    ///
    /// # Errors
    /// [`CameraError`]; after [`CameraError::Stalled`] it may be called again.
    fn next_frame(&mut self, timeout: Duration) -> Result<Frame, CameraError>;

    /// Whether it has a lamp.
    fn has_torch(&self) -> bool {
        false
    }

    /// Switches the lamp.
    ///
    /// # Errors
    /// [`CameraError::NoTorch`] where there is none.
    fn set_torch(&mut self, _on: bool) -> Result<(), CameraError> {
        Err(CameraError::NoTorch)
    }
}

/// A camera that could be chosen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CameraInfo {
    /// Identifier for [`Source::Device`].
    pub id: String,
    /// Name for people.
    pub name: String,
}
