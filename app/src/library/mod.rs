//! The models on this machine, and bringing new ones in.

mod answering;
mod architecture;
mod card;
mod download;
mod import;
mod installed;
mod remove;

use std::path::PathBuf;
use std::time::Duration;

use serde::Serialize;

use crate::{places, shipped};

pub use answering::{AnsweringModel, answering};
pub use architecture::{Architecture, Senses};
use card::Card;
pub use import::{Import, ImportError};
pub use installed::{BUILT_IN, inspect, installed, installed_in};
pub use remove::{RemoveError, remove};

/// The folder of the models that were brought in; for a user without a home, one where the program was started.
pub fn folder() -> PathBuf {
    places::library().unwrap_or_else(|| PathBuf::from("sightread-models"))
}

/// The text that language models are calibrated on if none is given; `None` if it is missing.
pub fn calibration_text() -> Option<PathBuf> {
    shipped::folders("assets/calibration").map(|folder| folder.join("english.txt")).find(|text| text.is_file())
}

/// A model that can be used, or says why not.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct ModelEntry {
    /// Its folder's name; what settings and `--model` call it.
    pub name: String,
    /// Where it is.
    pub folder: PathBuf,
    /// Bytes on disk.
    pub bytes: u64,
    /// Languages it knows, in words ("English").
    pub languages: Vec<String>,
    /// What it can do, in words ("reads text", "answers questions about the text", "understands speech"); see
    /// [`Architecture::abilities`].
    pub abilities: Vec<String>,
    /// Whether the program can be set to answer with it.
    pub answers: bool,
    /// Licence, if it is told.
    pub licence: Option<String>,
    /// How it was quantized and what that cost, in words, if it is told.
    pub quantization: Option<String>,
    /// Why it cannot be used.
    pub problem: Option<String>,
    /// Comes with the program and cannot be removed.
    pub built_in: bool,
}

/// Where a model is to be taken from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ImportSource {
    /// A Hugging Face folder or a GGUF file on this machine.
    Folder(PathBuf),
    /// A repository of the Hugging Face hub, downloaded over the network because somebody asked for it.
    Repository(String),
}

/// How far an import is.
#[derive(Debug, Clone, PartialEq)]
pub struct ImportState {
    /// Name of the model that is made.
    pub name: String,
    /// What is being done, in words ("Downloading", "Quantizing").
    pub step: String,
    /// 0 to 1, if it is known.
    pub share: Option<f32>,
    /// Estimated time that is left.
    pub left: Option<Duration>,
    /// How it ended: a sentence, whether good or bad. `None` while it runs.
    pub ended: Option<Result<String, String>>,
}
