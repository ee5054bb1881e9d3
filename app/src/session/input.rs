//! Everything that can happen to a session, one letter each.

use std::sync::Arc;
use std::time::Instant;

use image::RgbImage;

use super::Request;
use super::view::{Page, Preview};
use crate::answer::{Answer, Document};
use crate::assistant::Scene;
use crate::camera::{CameraError, CameraInfo};
use crate::library::{ImportState, ModelEntry};
use crate::setup::Check;
use crate::speech::listen;
use crate::speech::voice::Notice;

/// What reaches the engine.
#[derive(Debug)]
pub(super) enum Input {
    /// The last handle is gone.
    Close,
    /// The user wants something.
    Request(Request),
    /// From the voice.
    Voice(Notice),
    /// From the microphone.
    Ear(listen::Event),
    /// From the camera.
    Eye(Sighting),
    /// From the networks.
    Brain(Thought),
    /// A check began or ended.
    Checked(Check),
    /// Cameras were looked for.
    Cameras(Vec<CameraInfo>),
    /// Models were looked for.
    Models(Vec<ModelEntry>),
    /// An import went on.
    Import(ImportState),
    /// A screen reader began or ended.
    ScreenReader(bool),
}

/// What the camera shows.
#[derive(Debug)]
pub(super) enum Sighting {
    /// It gives pictures.
    Opened {
        /// Its name.
        name: String,
        /// Whether its lamp is on; `None` without a lamp.
        torch: Option<bool>,
    },
    /// Its lamp was switched.
    Torch(bool),
    /// It is lost; told once.
    Lost(CameraError),
    /// A picture, small.
    Preview(Preview),
    /// A hint for aiming, and when the picture was taken that it is about.
    Hint(String, Instant),
    /// A text is steady and complete: the best picture of it.
    Capture(Arc<RgbImage>),
}

/// What the networks made.
#[derive(Debug)]
pub(super) enum Thought {
    /// The reading model is loaded.
    CanRead,
    /// The speech model is loaded, or is not for a reason.
    CanHear(Result<(), String>),
    /// The reading model is not loaded, for a reason.
    CannotRead(String),
    /// The language model of that name answers from now on, or why it does not.
    Answers(Result<String, String>),
    /// A picture was read.
    Read {
        /// Number of the job.
        job: u64,
        /// What was read, or why nothing was.
        result: Result<Box<ReadPicture>, String>,
    },
    /// A piece of an answer.
    Piece {
        /// Number of the job.
        job: u64,
        /// The piece.
        text: String,
    },
    /// An answer is complete.
    Answered {
        /// Number of the job.
        job: u64,
        /// The answer, or why there is none.
        result: Result<Answer, String>,
    },
    /// A recording was understood; empty for a cough or a door.
    Understood(Result<String, String>),
}

/// A picture and all that was read from it.
#[derive(Debug, Clone)]
pub(super) struct ReadPicture {
    /// For the assistant.
    pub(super) scene: Scene,
    /// For whoever shows it.
    pub(super) page: Arc<Page>,
    /// For questions.
    pub(super) document: Document,
}
