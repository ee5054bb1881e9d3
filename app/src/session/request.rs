//! What a surface can ask for. Keys, buttons, voice and the command line all end up here.

use std::path::PathBuf;

use crate::assistant::Command;
use crate::library::ImportSource;
use crate::settings::Settings;

/// A wish of the user.
#[derive(Debug, Clone, PartialEq)]
pub enum Request {
    /// A command of the assistant, as it is spoken or typed.
    Do(Command),
    /// The key for asking is held (`true`) or was let go.
    HoldToAsk(bool),
    /// Reads a picture file.
    OpenPicture(PathBuf),
    /// Reads a picture that was dropped or pasted.
    TakePicture(Vec<u8>),
    /// Switches the camera's lamp.
    Torch(bool),
    /// Takes these settings from now on, and keeps them.
    Change(Box<Settings>),
    /// Goes back to an earlier reading.
    Recall(u64),
    /// Saves a reading as a text file; to the documents folder if no path is given.
    Save {
        /// The entry's number.
        id: u64,
        /// Where to.
        to: Option<PathBuf>,
    },
    /// Forgets all readings.
    ForgetHistory,
    /// Checks camera, microphone, speaker, voice and model.
    Check,
    /// Looks for cameras again.
    FindCameras,
    /// Looks for models again.
    FindModels,
    /// Answers with this model from now on.
    UseModel(String),
    /// Brings a model in: opens or downloads it, and quantizes it if it is not.
    Import {
        /// Where from.
        from: ImportSource,
        /// Text file or JSON lines to calibrate on; the text that comes with the program if none is given.
        calibration: Option<PathBuf>,
    },
    /// Stops the import; what is done is kept, and the same import goes on from there.
    StopImport,
    /// Ends the program.
    Quit,
}
