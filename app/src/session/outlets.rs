//! What the engine sets going; tests put a list of wishes in its place.

use std::path::PathBuf;
use std::sync::Arc;

use image::RgbImage;

use super::brain::Job;
use crate::camera::Source;
use crate::library::ImportSource;
use crate::settings::Settings;
use crate::speech::listen::Mode;
use crate::speech::voice::Utterance;

/// Voice, ear, eye, networks and helpers of a session. Nothing here blocks; what comes of it is an input of the engine.
pub(super) trait Outlets {
    /// Says something when its turn comes.
    fn say(&mut self, utterance: Utterance);
    /// Falls silent.
    fn silence(&mut self);
    /// Speaks as these settings say, from now on.
    fn configure_voice(&mut self, settings: &Settings);
    /// Asks the speech service for its voices.
    fn list_voices(&mut self);
    /// Listens so from now on.
    fn listen(&mut self, mode: Mode);
    /// Gives the networks something to do.
    fn think(&mut self, job: Job);
    /// Results of jobs older than this one are not wanted any more.
    fn forget(&mut self, newest: u64);
    /// Takes pictures from there from now on.
    fn open_camera(&mut self, source: &Source);
    /// Switches the camera's lamp.
    fn set_torch(&mut self, on: bool);
    /// The best of the newest camera pictures.
    fn best_frame(&mut self) -> Option<Arc<RgbImage>>;
    /// Looks for text in the camera's pictures, or only shows them: while a picture is read, the processor is needed there.
    fn aim(&mut self, on: bool);
    /// Keeps settings.
    ///
    /// # Errors
    /// A sentence fit to be spoken.
    fn keep(&mut self, settings: &Settings) -> Result<(), String>;
    /// Checks camera, microphone, speaker, voice and model.
    fn check(&mut self, settings: &Settings);
    /// Looks for cameras.
    fn find_cameras(&mut self);
    /// Looks for models.
    fn find_models(&mut self);
    /// Brings a model in.
    fn import(&mut self, from: ImportSource, calibration: Option<PathBuf>);
    /// Stops that.
    fn stop_import(&mut self);
}
