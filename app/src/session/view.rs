//! What a surface shows: a picture of the session's state that never changes once it is made.

use std::sync::Arc;

use image::RgbImage;
use serde::{Deserialize, Serialize};

use crate::assistant::Screen;
use crate::camera::CameraInfo;
use crate::history::{Entry, Turn};
use crate::library::{ImportState, ModelEntry};
use crate::reading::Quad;
use crate::settings::Settings;
use crate::setup::Check;
use crate::speech::listen::Level;
use crate::speech::voice::VoiceInfo;

/// All that a surface shows.
#[derive(Debug, Clone, Default)]
pub struct View {
    /// Counts up with every change.
    pub version: u64,
    /// Which screen is open.
    pub screen: Screen,
    /// The newest camera picture.
    pub preview: Option<Preview>,
    /// The state of the camera.
    pub camera: CameraState,
    /// The picture that was read.
    pub page: Option<Arc<Page>>,
    /// The row of the page that is being spoken or was spoken last.
    pub row: Option<usize>,
    /// The sentence that is being spoken.
    pub speaking: Option<String>,
    /// Why the own voice cannot be heard, while it cannot.
    pub voice_lost: Option<String>,
    /// The newest message for a status line and the screen reader.
    pub status: Status,
    /// What is being worked on.
    pub work: Option<Work>,
    /// Whether it listens.
    pub ear: EarState,
    /// How loud it is at the microphone.
    pub level: Option<Level>,
    /// Questions and answers about the page.
    pub dialogue: Vec<Turn>,
    /// Earlier readings, the newest first.
    pub history: Vec<Arc<Entry>>,
    /// What the user has chosen.
    pub settings: Arc<Settings>,
    /// Whether a screen reader runs.
    pub screen_reader: bool,
    /// Cameras that can be chosen.
    pub cameras: Vec<CameraInfo>,
    /// Voices that can be chosen; empty until the speech service has told them.
    pub voices: Arc<Vec<VoiceInfo>>,
    /// The first-run check; empty before it was asked for.
    pub checks: Vec<Check>,
    /// Models on this machine.
    pub models: Arc<Vec<ModelEntry>>,
    /// The import that runs or has ended.
    pub import: Option<ImportState>,
    /// What the user asked to have in the clipboard.
    pub clipboard: Option<Arc<Clip>>,
    /// What was measured since the start.
    pub figures: Figures,
    /// The program ends.
    pub quit: bool,
}

/// What was measured since the start.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Figures {
    /// Seconds until pictures could be read.
    pub ready: Option<f32>,
    /// Seconds until the first word was heard.
    pub first_word: Option<f32>,
    /// Seconds from a camera picture to the hint about it, the latest ones.
    pub hint_latency: Vec<f32>,
    /// Pictures that were looked at for aiming.
    pub looks: u64,
}

/// Words for the clipboard.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Clip {
    /// Counts up with every wish to copy.
    pub number: u64,
    /// The words.
    pub text: String,
}

/// A camera picture with what was found in it.
#[derive(Debug, Clone)]
pub struct Preview {
    /// Small enough to be drawn at every frame.
    pub picture: Arc<RgbImage>,
    /// Text regions, in pixels of `picture`.
    pub regions: Vec<Quad>,
    /// The hint for aiming, if there is one.
    pub hint: Option<String>,
    /// Pictures that were searched for text since the preview before this.
    pub looks: u64,
}

/// The state of the camera.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum CameraState {
    /// No camera is wanted.
    #[default]
    Off,
    /// It is being opened.
    Opening,
    /// It gives pictures.
    On {
        /// Its name.
        name: String,
        /// Whether its lamp is on; `None` without a lamp.
        torch: Option<bool>,
    },
    /// It is lost, and is being waited for; the reason.
    Lost(String),
}

/// A picture that was read.
#[derive(Debug, Clone)]
pub struct Page {
    /// The picture, small enough to be drawn.
    pub picture: Arc<RgbImage>,
    /// Rows in reading order.
    pub rows: Vec<PageRow>,
    /// What is wrong with the photo.
    pub warnings: Vec<String>,
}

/// A row of a page.
#[derive(Debug, Clone, PartialEq)]
pub struct PageRow {
    /// As it was read, doubtful words marked.
    pub text: String,
    /// Whether every word of it was read surely.
    pub sure: bool,
    /// Its lines, in pixels of the page's picture.
    pub quads: Vec<Quad>,
}

/// A message.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Status {
    /// Counts up, so that the same words said twice are noticed.
    pub number: u64,
    /// The words.
    pub text: String,
    /// Whether it interrupts the screen reader.
    pub urgent: bool,
    /// Whether the screen reader is to say it: not where the program's own voice does.
    pub announce: bool,
}

/// What is being worked on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Work {
    /// Networks are being loaded.
    Starting,
    /// A picture is being read.
    Reading,
    /// A recording is being understood.
    Understanding,
    /// A question is being answered.
    Answering,
}

/// Whether it listens.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum EarState {
    /// It does not.
    #[default]
    Off,
    /// A key is held, or hands-free listening is on.
    Listening,
    /// Somebody speaks.
    Hearing,
    /// There is no microphone, or no speech model; the reason.
    Lost(String),
}
