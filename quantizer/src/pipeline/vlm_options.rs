//! What is done with the parts that only a vision-language model has.

use sightread_models::vlm::PictureOptions;

use super::EmbeddingType;

/// How the linear layers of a part that sees are stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub enum VisionType {
    /// Packed to 4 bit like the language model.
    #[default]
    Int4,
    /// Rows of 8-bit codes with a scale each; Python libraries do not read them.
    Int8,
    /// 16-bit floats.
    F16,
}

/// What is done with the parts that only a vision-language model has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct VlmOptions {
    /// Storage of the vision tower.
    pub vision: VisionType,
    /// Storage of the connector's linear layers. That of Idefics3 reads some ten thousand inputs, which is why it is not packed to
    /// 4 bit: a Hessian of that width takes more memory than the whole model, to save a hundredth of its size, which is what
    /// the connector of CogVLM2 takes too.
    pub connector: EmbeddingType,
    /// Storage of the vision experts beside the language model's own layers, which only CogVLM2 has.
    pub experts: VisionType,
    /// Pictures at most that the vision tower is calibrated on; each has hundreds of patches.
    pub vision_sequences: usize,
    /// How pictures are cut into tiles.
    pub pictures: PictureOptions,
}

impl Default for VlmOptions {
    fn default() -> Self {
        Self {
            vision: VisionType::default(),
            connector: EmbeddingType::F16,
            experts: VisionType::default(),
            vision_sequences: 64,
            pictures: PictureOptions { detail: false, max_tiles: 0 },
        }
    }
}
