//! Every tensor of a language model, so that a file that lacks one is found before hours of work.

use super::{BlockModel, BlockStack};
use crate::checkpoint::{Checkpoint, CheckpointError};

/// Name and shape of a tensor in full precision.
pub type TensorShape = (String, Vec<usize>);

/// Checks that every tensor of `model` is in `checkpoint` and has its shape. Packed layers check themselves when they are read.
///
/// # Errors
/// [`CheckpointError::MissingTensor`] or [`CheckpointError::Shape`] names the first that is wrong.
pub fn check_tensors(model: &dyn BlockModel, checkpoint: &Checkpoint) -> Result<(), CheckpointError> {
    check_shapes(model.tensors(), checkpoint)
}

/// The same for any list of tensors.
///
/// # Errors
/// As [`check_tensors`].
pub fn check_shapes(tensors: Vec<TensorShape>, checkpoint: &Checkpoint) -> Result<(), CheckpointError> {
    let is_packed = |name: &str| {
        let prefix = name.strip_suffix(".weight");
        prefix.is_some_and(|prefix| checkpoint.tensors.info(&format!("{prefix}.qweight")).is_some())
    };
    let mut tensors = tensors.into_iter().filter(|(name, _)| !is_packed(name));
    tensors.try_for_each(|(name, shape)| checkpoint.expect_shape(&name, &shape))
}

/// The linear layers of all blocks; `has_bias` tells which, by their names in the block, have a bias.
pub(crate) fn linear_layers(stack: &dyn BlockStack, has_bias: impl Fn(&str) -> bool) -> Vec<TensorShape> {
    layers_in_blocks(stack, &stack.stages().concat(), has_bias)
}

/// The same for `layers` (name, in, out) that the stages need not name.
pub(crate) fn layers_in_blocks(
    stack: &dyn BlockStack,
    layers: &[(&'static str, usize, usize)],
    has_bias: impl Fn(&str) -> bool,
) -> Vec<TensorShape> {
    let mut tensors = Vec::new();
    for block in 0..stack.num_blocks() {
        let prefix = stack.block_prefix(block);
        for &(name, in_features, out_features) in layers {
            tensors.push((format!("{prefix}.{name}.weight"), vec![out_features, in_features]));
            if has_bias(name) {
                tensors.push((format!("{prefix}.{name}.bias"), vec![out_features]));
            }
        }
    }
    tensors
}
