//! `vision_config` of a CogVLM2.

use serde::Deserialize;

use crate::checkpoint::CheckpointError;

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

/// Widths beyond this are no model but a damaged or hostile file.
const LARGEST_WIDTH: usize = 1 << 16;
/// Patches beyond this are not computed with: attention's cost grows with their square.
const MOST_PATCHES: usize = 1 << 14;

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
        let wrong = |what: String| Err(CheckpointError::Config(format!("in vision_config, {what}")));
        let widths = [
            ("hidden_size", self.hidden_size),
            ("intermediate_size", self.intermediate_size),
            ("num_hidden_layers", self.num_hidden_layers),
            ("num_heads", self.num_heads),
            ("image_size", self.image_size),
            ("patch_size", self.patch_size),
        ];
        if let Some((name, value)) = widths.iter().find(|(_, v)| !(1..=LARGEST_WIDTH).contains(v)) {
            return wrong(format!("{name} is {value}"));
        }
        if !self.hidden_size.is_multiple_of(self.num_heads) {
            let (d, heads) = (self.hidden_size, self.num_heads);
            return wrong(format!("a width of {d} has no {heads} equal heads"));
        }
        let (side, patch) = (self.image_size, self.patch_size);
        if !side.is_multiple_of(patch) || !(1..=MOST_PATCHES).contains(&self.patches()) {
            return wrong(format!("a picture of {side} pixels has no sensible number of patches of {patch} pixels"));
        }
        if self.num_positions != self.patches() + 1 {
            let (positions, patches) = (self.num_positions, self.patches());
            return wrong(format!(
                "num_positions is {positions}, but a picture has {patches} patches and a class token"
            ));
        }
        if self.in_channels != 3 {
            return wrong(format!("in_channels is {}, but pictures are read in three colours", self.in_channels));
        }
        if self.hidden_act != "gelu" {
            return wrong(format!("hidden_act is {}, but only gelu is known", self.hidden_act));
        }
        if !(self.layer_norm_eps.is_finite() && self.layer_norm_eps >= 0.0) {
            return wrong(format!("layer_norm_eps is {}", self.layer_norm_eps));
        }
        Ok(())
    }
}
