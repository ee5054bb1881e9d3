//! `vision_config` of a model with a SigLIP tower.

use serde::Deserialize;

use crate::checkpoint::CheckpointError;
use crate::vision::vit_fields::VitFields;

/// `vision_config`; fields and defaults as transformers' `Idefics3VisionConfig` has them.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(default)]
pub struct SiglipVisionConfig {
    /// Width of the tower, `d`.
    pub hidden_size: usize,
    /// Width inside the feed-forward layers.
    pub intermediate_size: usize,
    /// Blocks.
    pub num_hidden_layers: usize,
    /// Heads, `h`.
    pub num_attention_heads: usize,
    /// Planes of a picture.
    pub num_channels: usize,
    /// Height and width of a tile.
    pub image_size: usize,
    /// Height and width of a patch; what is left of a tile beside whole patches is not seen.
    pub patch_size: usize,
    /// Activation of the feed-forward layers; only `gelu_pytorch_tanh` is known.
    pub hidden_act: String,
    /// Added under the root of the norms.
    pub layer_norm_eps: f64,
}

impl Default for SiglipVisionConfig {
    fn default() -> Self {
        Self {
            hidden_size: 1152,
            intermediate_size: 3072,
            num_hidden_layers: 12,
            num_attention_heads: 16,
            num_channels: 3,
            image_size: 224,
            patch_size: 32,
            hidden_act: "gelu_pytorch_tanh".into(),
            layer_norm_eps: 1e-6,
        }
    }
}

impl SiglipVisionConfig {
    /// Patches along one side of a tile.
    pub fn patches_per_side(&self) -> usize {
        self.image_size / self.patch_size.max(1)
    }

    /// Patches of a tile.
    pub fn patches(&self) -> usize {
        self.patches_per_side().pow(2)
    }

    /// Values of a patch.
    pub fn patch_values(&self) -> usize {
        self.num_channels * self.patch_size.pow(2)
    }

    /// Checks that the fields fit together.
    ///
    /// # Errors
    /// [`CheckpointError::Config`] says which field is wrong.
    pub fn check(&self) -> Result<(), CheckpointError> {
        let fields = VitFields {
            hidden_size: self.hidden_size,
            intermediate_size: self.intermediate_size,
            num_hidden_layers: self.num_hidden_layers,
            heads: ("num_attention_heads", self.num_attention_heads),
            channels: ("num_channels", self.num_channels),
            image_size: self.image_size,
            patch_size: self.patch_size,
            hidden_act: &self.hidden_act,
            known_act: "gelu_pytorch_tanh",
            layer_norm_eps: self.layer_norm_eps,
        };
        fields.check()
    }
}
