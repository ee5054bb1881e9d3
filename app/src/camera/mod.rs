//! Pictures that keep coming: cameras, a file, a folder, or an MJPEG stream, all behind [`FrameSource`].

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use image::RgbImage;
use serde::{Deserialize, Serialize};

/// One picture of a stream.
#[derive(Debug, Clone)]
pub struct Frame {
    /// Upright pixels.
    pub picture: Arc<RgbImage>,
    /// When it arrived.
    pub at: Instant,
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

/// Why no picture comes, each in a sentence fit to be spoken, with what to do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CameraError {
    /// No camera is connected.
    #[error("there is no camera; plug one in, or open a picture file")]
    NotFound,
    /// It has no lamp.
    #[error("this camera has no lamp")]
    NoTorch,
    /// It gave nothing for too long.
    #[error("the camera gives no pictures")]
    Stalled,
}

/// Which source is wanted; as text in the settings and on the command line.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Source {
    /// The first camera that works (`auto`).
    #[default]
    Auto,
    /// No camera is opened (`none`).
    None,
    /// The camera of that name or identifier (`camera:NAME`).
    Device(String),
    /// A picture, or a file of MJPEG (`file:PATH`).
    File(PathBuf),
    /// The pictures of a folder, one after the other, and those that are added (`folder:PATH`).
    Folder(PathBuf),
    /// An MJPEG stream (`http://…`).
    Stream(String),
}

/// A camera that could be chosen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CameraInfo {
    /// Identifier for [`Source::Device`].
    pub id: String,
    /// Name for people.
    pub name: String,
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Auto => f.write_str("auto"),
            Self::None => f.write_str("none"),
            Self::Device(id) => write!(f, "camera:{id}"),
            Self::File(path) => write!(f, "file:{}", path.display()),
            Self::Folder(path) => write!(f, "folder:{}", path.display()),
            Self::Stream(address) => f.write_str(address),
        }
    }
}

impl From<Source> for String {
    fn from(source: Source) -> Self {
        source.to_string()
    }
}

impl FromStr for Source {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let text = text.trim();
        Ok(match text.split_once(':') {
            None if text == "auto" => Self::Auto,
            None if text == "none" => Self::None,
            Some(("camera", id)) if !id.is_empty() => Self::Device(id.into()),
            Some(("file", path)) if !path.is_empty() => Self::File(path.into()),
            Some(("folder", path)) if !path.is_empty() => Self::Folder(path.into()),
            Some(("http", _)) => Self::Stream(text.into()),
            _ => {
                return Err(format!(
                    "{text} names no camera; write auto, none, camera:NAME, file:PATH, folder:PATH or an http address"
                ));
            }
        })
    }
}

impl TryFrom<String> for Source {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}
