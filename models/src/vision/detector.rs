//! Where is text? PP-OCRv6 small detector: a probability for every pixel (Differentiable Binarization).

use std::path::Path;

use burn::tensor::Device;

use super::{RgbView, VisionError};

/// Text probability of every pixel of the picture that went in.
#[derive(Debug, Clone, PartialEq)]
pub struct ProbabilityMap {
    /// Pixels per row.
    pub width: usize,
    /// Rows.
    pub height: usize,
    /// Row by row, 0 to 1: `[height * width]`.
    pub values: Vec<f32>,
}

/// The text detector.
pub struct Detector {}

impl Detector {
    /// Height and width of a picture must be multiples of this.
    pub const SIZE_MULTIPLE: usize = 32;

    /// Loads `detector.safetensors`.
    pub fn load(path: &Path, device: &Device) -> Result<Self, VisionError> {
        let _ = (path, device);
        todo!("in work")
    }

    /// The probability map of `picture`, whose height and width are multiples of [`Self::SIZE_MULTIPLE`].
    ///
    /// rapidocr resizes so that the shorter side is at least 736 (the longer at most 2000), then rounds both sides to
    /// multiples of 32; a pixel is text from 0.3 on.
    pub fn probability_map(&self, picture: RgbView<'_>) -> Result<ProbabilityMap, VisionError> {
        let _ = picture;
        todo!("in work")
    }
}
