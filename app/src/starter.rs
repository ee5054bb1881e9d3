//! The starter model as the app holds it: the vision half at once, the language half when the first question needs it.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use image::RgbImage;
use sightread_models::checkpoint::{CheckpointError, verify_if_listed};
use sightread_models::device::{Backend, Device, DeviceError};
use sightread_models::text::TextError;
use sightread_models::vision::{Detector, LineClassifier, LineRead, Recognizer, RgbView, VisionError};
use sightread_models::vlm::StarterLanguage;

use crate::reading::{LINE_HEIGHT, ReadError, TextModels, resize_to};
use crate::shipped::folders;

/// Environment variable that names the model folder.
pub const MODELS_VARIABLE: &str = "SIGHTREAD_MODELS";
/// The classifier sees lines at most this wide.
const CLASSIFIER_WIDTH: u32 = 192;
/// Alternatives kept for every character.
const RUNNERS_UP: usize = 3;

/// Why the starter model could not be opened.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StarterError {
    /// No folder holds it.
    #[error("the reading model is not here; set {MODELS_VARIABLE} to its folder or fetch the program again")]
    NotFound,
    /// A file of it is damaged.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    /// A network of the vision half could not be loaded.
    #[error(transparent)]
    Vision(#[from] VisionError),
    /// No device to run it on.
    #[error(transparent)]
    Device(#[from] DeviceError),
}

/// The folder of the starter model: the one asked for, the one in the environment, beside the program, or in the
/// source tree that the program was built from.
///
/// # Errors
/// [`StarterError::NotFound`].
pub fn find(asked_for: Option<&Path>) -> Result<PathBuf, StarterError> {
    let from_environment = std::env::var_os(MODELS_VARIABLE).map(PathBuf::from);
    if let Some(folder) = asked_for.map(Path::to_path_buf).or(from_environment) {
        return if is_starter(&folder) { Ok(folder) } else { Err(StarterError::NotFound) };
    }
    folders("models/starter").find(|folder| is_starter(folder)).ok_or(StarterError::NotFound)
}

/// Whether a folder looks like the starter model.
pub(crate) fn is_starter(folder: &Path) -> bool {
    folder.join("vision/detector.safetensors").is_file()
}

/// The starter model, opened.
pub struct Starter {
    folder: PathBuf,
    device: Device,
    detector: Detector,
    classifier: LineClassifier,
    recognizer: Recognizer,
    language: OnceLock<StarterLanguage>,
}

impl Starter {
    /// Opens the vision half of the starter model in `folder`, after its files were compared with their manifest.
    ///
    /// # Errors
    /// [`StarterError`].
    pub fn open(folder: &Path, backend: Backend) -> Result<Self, StarterError> {
        let device = backend.open()?;
        let vision = folder.join("vision");
        verify_if_listed(&vision)?;
        Ok(Self {
            detector: Detector::load(&vision.join("detector.safetensors"), &device)?,
            classifier: LineClassifier::load(&vision.join("line_classifier.safetensors"), &device)?,
            recognizer: Recognizer::load(&vision.join("recognizer.safetensors"), &device)?,
            folder: folder.into(),
            device,
            language: OnceLock::new(),
        })
    }

    /// The language half; loaded at the first call, after its files were compared with their manifest.
    ///
    /// # Errors
    /// [`TextError`] if a file is missing or damaged.
    pub fn language(&self) -> Result<&StarterLanguage, TextError> {
        if let Some(language) = self.language.get() {
            return Ok(language);
        }
        let folder = self.folder.join("language");
        verify_if_listed(&folder)?;
        let language = StarterLanguage::load(&folder, &self.device)?;
        Ok(self.language.get_or_init(|| language))
    }

    /// What the networks run on.
    pub fn device(&self) -> &Device {
        &self.device
    }

    /// The vision half alone, as reading needs it.
    pub fn text_models(&self) -> VisionHalf<'_> {
        VisionHalf { detector: &self.detector, classifier: &self.classifier, recognizer: &self.recognizer }
    }
}

/// The vision half of the starter model.
pub struct VisionHalf<'a> {
    detector: &'a Detector,
    classifier: &'a LineClassifier,
    recognizer: &'a Recognizer,
}

fn view(picture: &RgbImage) -> Result<RgbView<'_>, VisionError> {
    RgbView::new(picture.as_raw(), picture.width() as usize, picture.height() as usize)
}

impl TextModels for VisionHalf<'_> {
    fn probability_map(&self, picture: &RgbImage) -> Result<Vec<f32>, ReadError> {
        Ok(self.detector.probability_map(view(picture)?)?.values)
    }

    fn upside_down(&self, crops: &[&RgbImage]) -> Result<Vec<f32>, ReadError> {
        let squeezed: Vec<RgbImage> = crops
            .iter()
            .map(|crop| resize_to(crop, crop.width().min(CLASSIFIER_WIDTH), LINE_HEIGHT))
            .collect::<Result<_, _>>()?;
        let views: Vec<RgbView<'_>> = squeezed.iter().map(view).collect::<Result<_, _>>()?;
        Ok(self.classifier.upside_down(&views)?)
    }

    fn read_lines(&self, crops: &[&RgbImage]) -> Result<Vec<LineRead>, ReadError> {
        let views: Vec<RgbView<'_>> = crops.iter().map(|crop| view(crop)).collect::<Result<_, _>>()?;
        Ok(self.recognizer.read(&views, Recognizer::USUAL_MIN_WIDTH, RUNNERS_UP)?)
    }
}
