//! `preprocessor_config.json`: how pictures become tiles.

use serde::Deserialize;
use serde_json::Value;

use crate::checkpoint::{Checkpoint, CheckpointError};

/// Pillow's number for Lanczos' filter.
const LANCZOS: u32 = 1;
/// No side gets longer than this before a picture is cut.
const MAX_IMAGE_SIZE: usize = 4096;

/// Fields and defaults as transformers' `Idefics3ImageProcessor` has them.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(default)]
pub(super) struct Settings {
    /// Whether a picture is scaled to `size` at first.
    pub(super) do_resize: bool,
    pub(super) size: Edge,
    /// Whether it is cut into tiles; else it is shown whole in one.
    pub(super) do_image_splitting: bool,
    /// Height and width of a tile.
    pub(super) max_image_size: Edge,
    resample: u32,
    do_rescale: bool,
    rescale_factor: f64,
    do_normalize: bool,
    image_mean: [f32; 3],
    image_std: [f32; 3],
}

#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
pub(super) struct Edge {
    pub(super) longest_edge: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            do_resize: true,
            size: Edge { longest_edge: 4 * 364 },
            do_image_splitting: true,
            max_image_size: Edge { longest_edge: 364 },
            resample: LANCZOS,
            do_rescale: true,
            rescale_factor: 1.0 / 255.0,
            do_normalize: true,
            image_mean: [0.5; 3],
            image_std: [0.5; 3],
        }
    }
}

impl Settings {
    /// Reads `preprocessor_config.json`, or the part of `processor_config.json` that transformers 5 writes instead.
    pub(super) fn from_checkpoint(checkpoint: &Checkpoint) -> Result<Self, CheckpointError> {
        let fields = match checkpoint.side_file("preprocessor_config.json")? {
            Some(fields) => Some(fields),
            None => {
                let processor = checkpoint.side_file("processor_config.json")?;
                processor.and_then(|mut fields| fields.get_mut("image_processor").map(Value::take))
            }
        };
        let missing = || CheckpointError::Config("preprocessor_config.json is missing; fetch the model again".into());
        let wrong = |what: String| CheckpointError::Config(format!("in preprocessor_config.json, {what}"));
        let settings = Self::deserialize(fields.ok_or_else(missing)?).map_err(|e| wrong(e.to_string()))?;
        settings.check().map_err(wrong)?;
        Ok(settings)
    }

    fn check(&self) -> Result<(), String> {
        for (name, edge) in [("size", self.size), ("max_image_size", self.max_image_size)] {
            if !(1..=MAX_IMAGE_SIZE).contains(&edge.longest_edge) {
                return Err(format!("{name} is {}", edge.longest_edge));
            }
        }
        if self.resample != LANCZOS {
            return Err(format!("resample is {}, but only {LANCZOS}, Lanczos' filter, is known", self.resample));
        }
        match self.values().iter().flatten().all(|v| v.is_finite()) {
            true => Ok(()),
            false => Err("image_std holds a zero, or another value is no number".into()),
        }
    }

    /// What each byte stands for, by colour; rounded as numpy rounds it: the scaled byte, the difference, the quotient.
    pub(super) fn values(&self) -> [[f32; 256]; 3] {
        let factor = if self.do_rescale { self.rescale_factor } else { 1.0 };
        let (mean, std) = if self.do_normalize { (self.image_mean, self.image_std) } else { ([0.0; 3], [1.0; 3]) };
        std::array::from_fn(|c| std::array::from_fn(|byte| ((byte as f64 * factor) as f32 - mean[c]) / std[c]))
    }
}
