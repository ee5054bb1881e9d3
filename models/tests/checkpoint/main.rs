//! Reading and writing checkpoints, against what other programs make of the same files.

mod folder;
mod gguf;
#[cfg(feature = "hub")]
mod hub;
mod packed;
mod publish;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use safetensors::SafeTensors;
use sightread_models::checkpoint::Checkpoint;

/// A file made by `tests/parity/make_gguf_fixtures.py`.
fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/parity/gguf").join(name)
}

fn open(path: impl AsRef<Path>) -> Checkpoint {
    Checkpoint::open(path).expect("opens")
}

/// Name to shape and values of an `F32` safetensors file, read without the code under test.
fn expected(name: &str) -> BTreeMap<String, (Vec<usize>, Vec<f32>)> {
    let bytes = std::fs::read(fixture(name)).expect("fixture");
    let file = SafeTensors::deserialize(&bytes).expect("safetensors");
    let values = |data: &[u8]| data.as_chunks().0.iter().map(|&b| f32::from_le_bytes(b)).collect();
    file.iter().map(|(name, t)| (name.to_string(), (t.shape().to_vec(), values(t.data())))).collect()
}

/// All tensors of two checkpoints are the same to the bit.
fn assert_same_tensors(a: &Checkpoint, b: &Checkpoint) {
    assert_eq!(a.tensors.names(), b.tensors.names());
    for name in a.tensors.names() {
        assert_eq!(a.tensors.info(&name).expect("info").shape, b.tensors.info(&name).expect("info").shape, "{name}");
        assert!(a.tensors.read_f32(&name).expect("reads") == b.tensors.read_f32(&name).expect("reads"), "{name}");
    }
}

/// Names in a folder, hidden ones included, sorted.
fn names(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).expect("folder");
    let mut names: Vec<_> = entries.map(|e| e.expect("entry").file_name().into_string().expect("UTF-8")).collect();
    names.sort();
    names
}
