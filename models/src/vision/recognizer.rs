//! What does a line say? PP-OCRv6 small recogniser: PP-LCNetV4 backbone, light SVTR neck, CTC head.

use std::path::Path;

use burn::tensor::Device;

use super::{LineRead, RgbView, VisionError};

/// The text recogniser.
pub struct Recognizer {}

impl Recognizer {
    /// Height of a line crop.
    pub const HEIGHT: usize = 48;
    /// Pixels of the crop's width that make one time step.
    pub const PIXELS_PER_STEP: usize = 8;
    /// rapidocr pads every line to at least this width; pass it as `min_width` for the same result.
    pub const USUAL_MIN_WIDTH: usize = 320;

    /// Loads `recognizer.safetensors`.
    pub fn load(path: &Path, device: &Device) -> Result<Self, VisionError> {
        let _ = (path, device);
        todo!("in work")
    }

    /// The characters this network can tell apart, without the blank.
    pub fn characters(&self) -> &[char] {
        todo!("in work")
    }

    /// Reads lines: each [`Self::HEIGHT`] pixels high, of any width (at least one pixel).
    ///
    /// Every line is padded on the right with mid grey to `min_width`, then to a multiple of [`Self::PIXELS_PER_STEP`];
    /// padding changes the result slightly. Lines may differ in width; the answer is in the order of the question.
    /// `runners_up` is the number of alternatives to keep per character.
    pub fn read(
        &self,
        lines: &[RgbView<'_>],
        min_width: usize,
        runners_up: usize,
    ) -> Result<Vec<LineRead>, VisionError> {
        let _ = (lines, min_width, runners_up);
        todo!("in work")
    }
}
