//! Blocks shared by networks: linear layers, norms, rotary embedding, attention with a KV cache, sampling.

mod attention_cpu;
pub mod attention_op;
mod embedding;
mod kv_cache;
mod linear;
mod rms_norm;
mod rotary;
mod sampling;

pub use embedding::Embedding;
pub use kv_cache::KvCache;
pub use linear::Linear;
pub use rms_norm::RmsNorm;
pub use rotary::{RopeScaling, Rotary};
pub use sampling::{Sampler, Sampling};

use burn::tensor::{Device, Tensor, TensorData};

use crate::checkpoint::{Checkpoint, CheckpointError};

/// One tensor of a checkpoint on a device, its shape checked.
pub(crate) fn load<const D: usize>(
    checkpoint: &Checkpoint,
    name: &str,
    shape: [usize; D],
    device: &Device,
) -> Result<Tensor<D>, CheckpointError> {
    let values = checkpoint.tensor(name, &shape)?;
    Ok(Tensor::from_data(TensorData::new(values, shape), device))
}
