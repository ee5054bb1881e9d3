//! A picture as the vision tower reads it: squeezed to a square by Pillow's bicubic filter, whatever its shape, and scaled as CLIP
//! was trained.

use super::CogVlmConfig;
use crate::vision::{RgbPicture, RgbView, resize_bicubic};
use crate::vlm::patches::patches;

const CLIP_MEAN: [f32; 3] = [0.481_454_66, 0.457_827_5, 0.408_210_73];
const CLIP_STD: [f32; 3] = [0.268_629_54, 0.261_302_6, 0.275_777_1];

/// Makes squares of pictures.
#[derive(Debug, Clone)]
pub struct PictureProcessor {
    side: usize,
    patch_size: usize,
    /// What a byte stands for, by colour.
    values: [[f32; 256]; 3],
}

impl PictureProcessor {
    /// For pictures of a model's size.
    pub fn new(config: &CogVlmConfig) -> Self {
        let value = |colour: usize, byte: usize| (byte as f32 / 255.0 - CLIP_MEAN[colour]) / CLIP_STD[colour];
        Self {
            side: config.vision_config.image_size,
            patch_size: config.vision_config.patch_size,
            values: std::array::from_fn(|colour| std::array::from_fn(|byte| value(colour, byte))),
        }
    }

    /// Squeezes a picture to the square.
    pub fn process(&self, picture: RgbView<'_>) -> RgbPicture {
        resize_bicubic(picture, self.side, self.side)
    }

    /// Values of the square's pixels, patch by patch: `[patches, 3 * patch_size²]`, within a patch plane by plane and row by row.
    pub fn patches(&self, square: &RgbPicture) -> Vec<f32> {
        patches(&self.values, square, self.patch_size)
    }
}
