//! How much tensors take as they are stored.

use sightread_models::checkpoint::{StoredType, TensorInfo};

/// Bytes of a tensor as stored. Block formats say nothing about theirs here and count as one byte an element.
pub(crate) fn stored_bytes(info: &TensorInfo) -> u64 {
    let bytes_per_element = match info.stored {
        StoredType::F32 | StoredType::I32 => 4,
        StoredType::F16 | StoredType::BF16 => 2,
        _ => 1,
    };
    info.shape.iter().product::<usize>() as u64 * bytes_per_element
}
