//! The checks that every vision transformer's configuration has to pass.

use crate::checkpoint::CheckpointError;

/// Widths beyond this are no model but a damaged or hostile file.
const LARGEST_WIDTH: usize = 1 << 16;
/// Patches beyond this are not computed with: attention's cost grows with their square.
const MOST_PATCHES: usize = 1 << 14;

/// The fields of a `vision_config` that all families have, some under names of their own.
pub(super) struct VitFields<'a> {
    pub(super) hidden_size: usize,
    pub(super) intermediate_size: usize,
    pub(super) num_hidden_layers: usize,
    /// What the field is called, and its value.
    pub(super) heads: (&'static str, usize),
    /// What the field is called, and its value.
    pub(super) channels: (&'static str, usize),
    pub(super) image_size: usize,
    pub(super) patch_size: usize,
    pub(super) hidden_act: &'a str,
    /// The only activation that the family has.
    pub(super) known_act: &'static str,
    pub(super) layer_norm_eps: f64,
}

impl VitFields<'_> {
    /// Checks that the fields fit together.
    ///
    /// # Errors
    /// [`CheckpointError::Config`] says which field is wrong.
    pub(super) fn check(&self) -> Result<(), CheckpointError> {
        let widths = [
            ("hidden_size", self.hidden_size),
            ("intermediate_size", self.intermediate_size),
            ("num_hidden_layers", self.num_hidden_layers),
            self.heads,
            ("image_size", self.image_size),
            ("patch_size", self.patch_size),
        ];
        if let Some((name, value)) = widths.iter().find(|(_, v)| !(1..=LARGEST_WIDTH).contains(v)) {
            return Err(wrong(format!("{name} is {value}")));
        }
        let (d, (_, heads)) = (self.hidden_size, self.heads);
        if !d.is_multiple_of(heads) {
            return Err(wrong(format!("a width of {d} has no {heads} equal heads")));
        }
        let (side, patch) = (self.image_size, self.patch_size);
        if !(1..=MOST_PATCHES).contains(&(side / patch).pow(2)) {
            return Err(wrong(format!("{side} pixels have no sensible number of patches of {patch} pixels")));
        }
        let (name, channels) = self.channels;
        if channels != 3 {
            return Err(wrong(format!("{name} is {channels}, but pictures are read in three colours")));
        }
        let (found, known) = (self.hidden_act, self.known_act);
        if found != known {
            return Err(wrong(format!("hidden_act is {found}, but only {known} is known")));
        }
        if !(self.layer_norm_eps.is_finite() && self.layer_norm_eps >= 0.0) {
            return Err(wrong(format!("layer_norm_eps is {}", self.layer_norm_eps)));
        }
        Ok(())
    }
}

/// The error of a field that is wrong.
pub(super) fn wrong(what: String) -> CheckpointError {
    CheckpointError::Config(format!("in vision_config, {what}"))
}
