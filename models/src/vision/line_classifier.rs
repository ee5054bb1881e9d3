//! Is a line upside down? PaddleOCR's mobile 0/180° classifier (MobileNetV3 small, width 0.35).

use std::path::Path;

use burn::tensor::Device;

use super::{RgbView, VisionError};

/// The 0/180° classifier.
pub struct LineClassifier {}

impl LineClassifier {
    /// Height of a line crop.
    pub const HEIGHT: usize = 48;
    /// Greatest width; longer lines are squeezed to it by the caller.
    pub const MAX_WIDTH: usize = 192;

    /// Loads `line_classifier.safetensors`.
    pub fn load(path: &Path, device: &Device) -> Result<Self, VisionError> {
        let _ = (path, device);
        todo!("in work")
    }

    /// For every line (48 high, at most 192 wide) the probability that it is upside down; rapidocr turns a line from
    /// 0.9 on.
    pub fn upside_down(&self, lines: &[RgbView<'_>]) -> Result<Vec<f32>, VisionError> {
        let _ = lines;
        todo!("in work")
    }
}
