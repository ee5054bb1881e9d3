//! Reads a network's safetensors file.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use burn::tensor::Device;
use half::f16;
use safetensors::{Dtype, SafeTensors};

use super::conv::Ops;
use crate::checkpoint::CheckpointError;

/// The tensors of one file as `f32`, and where the network is to run.
pub(super) struct Weights {
    path: PathBuf,
    tensors: HashMap<String, (Vec<usize>, Vec<f32>)>,
    metadata: HashMap<String, String>,
    /// The device of the network.
    pub device: Device,
    /// Whether its blocks run as our CPU kernels or as burn operations.
    pub ops: Ops,
}

impl Weights {
    /// Reads a file whose metadata says `network`. `f16` and `f32` are understood.
    pub fn open(path: &Path, network: &str, device: &Device, ops: Ops) -> Result<Self, CheckpointError> {
        let io = |source| CheckpointError::Io { action: "read", path: path.to_owned(), source };
        let damaged = |reason: String| CheckpointError::Damaged { path: path.to_owned(), reason };
        let file = std::fs::read(path).map_err(io)?;
        let (_, header) = SafeTensors::read_metadata(&file).map_err(|e| damaged(e.to_string()))?;
        let metadata = header.metadata().clone().unwrap_or_default();
        match metadata.get("network") {
            Some(found) if found == network => {}
            found => {
                let found = found.map_or("an unknown network", String::as_str);
                return Err(CheckpointError::Unsupported {
                    what: format!("{} holds {found}, not {network}; it", path.display()),
                    hint: "restore the model folder".into(),
                });
            }
        }
        let views = SafeTensors::deserialize(&file).map_err(|e| damaged(e.to_string()))?;
        let mut tensors = HashMap::new();
        for (name, view) in views.iter() {
            let values = match view.dtype() {
                Dtype::F32 => view.data().as_chunks().0.iter().map(|b| f32::from_le_bytes(*b)).collect::<Vec<_>>(),
                Dtype::F16 => view.data().as_chunks().0.iter().map(|b| f16::from_le_bytes(*b).to_f32()).collect(),
                other => return Err(damaged(format!("tensor {name} has type {other:?}"))),
            };
            if values.iter().any(|v| !v.is_finite()) {
                return Err(CheckpointError::NotFinite { name: name.to_owned() });
            }
            tensors.insert(name.to_owned(), (view.shape().to_vec(), values));
        }
        Ok(Self { path: path.to_owned(), tensors, metadata, device: device.clone(), ops })
    }

    /// Takes a tensor out, checking its shape.
    pub fn take(&mut self, name: &str, shape: &[usize]) -> Result<Vec<f32>, CheckpointError> {
        let (found, values) =
            self.tensors.remove(name).ok_or_else(|| CheckpointError::MissingTensor { name: name.to_owned() })?;
        if found != shape {
            return Err(CheckpointError::Shape { name: name.to_owned(), expected: shape.to_vec(), found });
        }
        Ok(values)
    }

    /// Like [`Self::take`], `None` if the file has no such tensor (a layer without bias).
    pub fn take_optional(&mut self, name: &str, shape: &[usize]) -> Result<Option<Vec<f32>>, CheckpointError> {
        if self.tensors.contains_key(name) { self.take(name, shape).map(Some) } else { Ok(None) }
    }

    /// The first dimension of a tensor.
    pub fn rows(&self, name: &str) -> Result<usize, CheckpointError> {
        let (shape, _) =
            self.tensors.get(name).ok_or_else(|| CheckpointError::MissingTensor { name: name.to_owned() })?;
        Ok(shape.first().copied().unwrap_or(1))
    }

    /// A value of the file's metadata.
    pub fn metadata(&self, key: &str) -> Result<&str, CheckpointError> {
        let value = self.metadata.get(key).map(String::as_str);
        value.ok_or_else(|| self.damaged(format!("its header lacks {key}")))
    }

    /// The file contradicts itself.
    pub fn damaged(&self, reason: String) -> CheckpointError {
        CheckpointError::Damaged { path: self.path.clone(), reason }
    }

    /// Every tensor must have been taken: a leftover means a file of another network.
    pub fn finish(self) -> Result<(), CheckpointError> {
        match self.tensors.keys().min() {
            None => Ok(()),
            Some(name) => {
                let count = self.tensors.len();
                Err(self.damaged(format!("{count} tensors have no place in the network, {name} for one")))
            }
        }
    }
}

#[cfg(test)]
impl Weights {
    /// Pseudo-random tensors of the given names and shapes, the same for the same name: for tests of blocks.
    pub fn generated(shapes: &[(&str, &[usize])], ops: Ops) -> Self {
        use rand::{RngExt, SeedableRng};
        let tensors = shapes.iter().map(|(name, shape)| {
            let seed = name.bytes().fold(7u64, |h, b| h.wrapping_mul(31).wrapping_add(u64::from(b)));
            let mut rng = rand_chacha::ChaCha8Rng::seed_from_u64(seed);
            let scale = 1.0 / (shape[1..].iter().product::<usize>() as f32).sqrt();
            let values = (0..shape.iter().product()).map(|_| rng.random_range(-1.0..1.0) * scale).collect();
            ((*name).to_owned(), (shape.to_vec(), values))
        });
        let (path, metadata, device) = (PathBuf::from("generated"), HashMap::new(), Device::flex());
        Self { path, tensors: tensors.collect(), metadata, device, ops }
    }
}
