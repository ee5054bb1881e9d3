//! What networks of several stacks ask of one of them.

use sightread_models::checkpoint::{Checkpoint, CheckpointError};
use sightread_models::device::Device;
use sightread_models::text::{Block, BlockStack};

/// All blocks of a stack, in full precision.
pub(super) fn load_all(
    stack: &dyn BlockStack,
    source: &Checkpoint,
    device: &Device,
) -> Result<Vec<Box<dyn Block>>, CheckpointError> {
    (0..stack.num_blocks()).map(|n| stack.load_block(source, n, device)).collect()
}

/// Full names of `layers` in every block.
pub(super) fn modules_of(stack: &dyn BlockStack, layers: &[(&'static str, usize, usize)]) -> Vec<String> {
    let prefixes = (0..stack.num_blocks()).map(|n| stack.block_prefix(n));
    prefixes.flat_map(|prefix| layers.iter().map(move |(layer, ..)| format!("{prefix}.{layer}"))).collect()
}

/// Elements of the linear layers of all blocks.
pub(super) fn parameters(stack: &dyn BlockStack) -> usize {
    stack.num_blocks() * stack.stages().concat().iter().map(|&(_, from, to)| from * to).sum::<usize>()
}
