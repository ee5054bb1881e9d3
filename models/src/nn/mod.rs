//! Blocks shared by networks: linear layers, norms, activations, rotary embedding, attention with a KV cache, sampling.

mod attention_cpu;
pub mod attention_op;
mod embedding;
mod fused_linear;
mod gelu;
mod heads;
mod kv_cache;
mod layer_norm;
mod linear;
mod rms_norm;
mod rope;
mod rotary;
mod sampling;
mod swiglu;

pub use embedding::Embedding;
pub use fused_linear::FusedLinear;
pub(crate) use fused_linear::LoadLayers;
pub use gelu::{gelu, gelu_tanh};
pub(crate) use heads::{merge_heads, split_heads};
pub use kv_cache::KvCache;
pub use layer_norm::LayerNorm;
pub use linear::Linear;
pub use rms_norm::RmsNorm;
pub use rope::RopeParameters;
pub use rotary::Rotary;
pub use sampling::{Sampler, Sampling};
pub use swiglu::swiglu;

use burn::tensor::{Device, Tensor, TensorData};

use crate::checkpoint::{Checkpoint, CheckpointError};
use crate::int4::PackError;

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

/// A packed layer that is not valid, or not for this device.
fn unusable(name: &str, reason: &PackError) -> CheckpointError {
    CheckpointError::Config(format!("layer {name} cannot be used: {reason}"))
}
