//! What the user has chosen; kept in the platform's configuration folder by a [`Store`].

mod migrate;
mod store;

use serde::{Deserialize, Serialize};

use crate::camera::Source;

pub use migrate::VERSION;
pub use store::{SettingsError, Store};

/// Who speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Output {
    /// The screen reader if one runs, for names of controls and short messages, and the program's own voice for what is read.
    #[default]
    Auto,
    /// The program's own voice says everything.
    OwnVoice,
    /// Only the screen reader speaks.
    ScreenReader,
    /// Both say everything.
    Both,
}

/// Colours of the window.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Theme {
    /// As the system has it.
    #[default]
    System,
    /// Dark on light.
    Light,
    /// Light on dark.
    Dark,
    /// White and yellow on black, thick lines.
    HighContrast,
}

/// Everything that can be chosen. Fields that a file does not name have their defaults.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Settings {
    /// Version of the file's layout.
    pub version: u32,
    /// Where pictures come from.
    pub camera: Source,
    /// Who speaks.
    pub output: Output,
    /// Pace of the voice, −100 to 100.
    pub rate: i32,
    /// Loudness of the voice, 20 to 100.
    pub volume: i32,
    /// Language of the voice (`en-GB`); empty for the system's.
    pub language: String,
    /// Name of the voice; empty for the language's first.
    pub voice: String,
    /// Reads by itself as soon as a text is steady and complete.
    pub auto_capture: bool,
    /// Speaks hints for aiming.
    pub guidance: bool,
    /// Listens for commands without a key.
    pub hands_free: bool,
    /// Headphones are worn: it may listen while it speaks.
    pub headphones: bool,
    /// Colours of the window.
    pub theme: Theme,
    /// Size of everything in the window, 1.0 to 3.0.
    pub scale: f32,
    /// Covers the whole screen.
    pub full_screen: bool,
    /// Name of the model that answers; empty for the one that comes with the program.
    pub model: String,
    /// The first-run check was finished.
    pub set_up: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            version: VERSION,
            camera: Source::Auto,
            output: Output::Auto,
            rate: 0,
            volume: 100,
            language: String::new(),
            voice: String::new(),
            auto_capture: true,
            guidance: true,
            hands_free: false,
            headphones: false,
            theme: Theme::System,
            scale: 1.0,
            full_screen: false,
            model: String::new(),
            set_up: false,
        }
    }
}

impl Settings {
    /// Slowest and fastest [`Settings::rate`].
    pub const RATES: (i32, i32) = (-100, 100);
    /// Softest and loudest [`Settings::volume`].
    pub const VOLUMES: (i32, i32) = (20, 100);
    /// Smallest and largest [`Settings::scale`].
    pub const SCALES: (f32, f32) = (1.0, 3.0);

    /// The same, with every number in its range.
    pub fn in_range(self) -> Self {
        let scale = if self.scale.is_nan() { Self::SCALES.0 } else { self.scale };
        Self {
            version: VERSION,
            rate: self.rate.clamp(Self::RATES.0, Self::RATES.1),
            volume: self.volume.clamp(Self::VOLUMES.0, Self::VOLUMES.1),
            scale: scale.clamp(Self::SCALES.0, Self::SCALES.1),
            ..self
        }
    }
}
