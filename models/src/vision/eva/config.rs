//! `vision_config` of a CogVLM2.

use serde::Deserialize;

use crate::checkpoint::CheckpointError;
use crate::vision::vit_fields::{VitFields, wrong};

/// `vision_config`; fields as in the published checkpoint.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct EvaVisionConfig {
    /// Width of the tower, `d`.
    pub hidden_size: usize,
    /// Width inside the feed-forward layers.
    pub intermediate_size: usize,
    /// Blocks.
    pub num_hidden_layers: usize,
    /// Heads, `h`.
    pub num_heads: usize,
    /// Planes of a picture.
    pub in_channels: usize,
    /// Height and width of a picture.
    pub image_size: usize,
    /// Height and width of a patch.
    pub patch_size: usize,
    /// Positions: the patches and the class token.
    pub num_positions: usize,
    /// Activation of the feed-forward layers; only `gelu` is known.
    pub hidden_act: String,
    /// Added under the root of the norms.
    pub layer_norm_eps: f64,
}

impl EvaVisionConfig {
    /// Patches along one side of a picture.
    pub fn patches_per_side(&self) -> usize {
        self.image_size / self.patch_size.max(1)
    }

    /// Patches of a picture.
    pub fn patches(&self) -> usize {
        self.patches_per_side().pow(2)
    }

    /// Values of a patch.
    pub fn patch_values(&self) -> usize {
        self.in_channels * self.patch_size.pow(2)
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
            heads: ("num_heads", self.num_heads),
            channels: ("in_channels", self.in_channels),
            image_size: self.image_size,
            patch_size: self.patch_size,
            hidden_act: &self.hidden_act,
            known_act: "gelu",
            layer_norm_eps: self.layer_norm_eps,
        };
        fields.check()?;
        let (side, patch) = (self.image_size, self.patch_size);
        if !side.is_multiple_of(patch) {
            return Err(wrong(format!("{side} pixels are no whole number of patches of {patch} pixels")));
        }
        let (positions, patches) = (self.num_positions, self.patches());
        if positions != patches + 1 {
            return Err(wrong(format!(
                "num_positions is {positions}, but a picture has {patches} patches and a class token"
            )));
        }
        Ok(())
    }
}
