//! Shared helpers of the tests that cross crates.

use std::path::{Path, PathBuf};

use safetensors::{Dtype, SafeTensors};

/// A file or folder under `tests/fixtures`.
pub fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures").join(name)
}

/// A model too big for the repository: the folder that `variable` names, else `var/models/NAME` if a recipe fetched it.
pub fn model_from_env(variable: &str, name: &str) -> Option<PathBuf> {
    let fetched = Path::new(env!("CARGO_MANIFEST_DIR")).join("../var/models").join(name);
    std::env::var_os(variable).map(PathBuf::from).or_else(|| fetched.is_dir().then_some(fetched))
}

/// Prints one row of the parity table, which `tests/parity/table.sh` collects: how far `model` is from its reference in
/// `what`, and how far it may be.
///
/// # Panics
/// If the error is not below the tolerance.
pub fn parity(model: &str, what: &str, error: f32, tolerance: f32) {
    println!("\nparity\t{model}\t{what}\t{error:.1e}\t{tolerance:.0e}");
    assert!(error < tolerance, "{model}, {what}: {error:e} is not below {tolerance:e}");
}

/// The tensors of one small file.
pub struct Tensors(Vec<u8>);

/// Reads a fixture whole.
///
/// # Panics
/// If it cannot be read.
pub fn read_safetensors(path: &Path) -> Tensors {
    Tensors(std::fs::read(path).unwrap_or_else(|e| panic!("{}: {e}", path.display())))
}

impl Tensors {
    fn values<const N: usize, T>(&self, name: &str, dtype: Dtype, from_bytes: fn([u8; N]) -> T) -> Vec<T> {
        let file = SafeTensors::deserialize(&self.0).expect("fixture is a safetensors file");
        let tensor = file.tensor(name).expect("fixture holds the tensor");
        assert_eq!(tensor.dtype(), dtype, "{name}");
        let (chunks, []) = tensor.data().as_chunks::<N>() else { panic!("{name}: odd length") };
        chunks.iter().map(|&bytes| from_bytes(bytes)).collect()
    }

    /// Whether there is a tensor of this name.
    pub fn holds(&self, name: &str) -> bool {
        SafeTensors::deserialize(&self.0).is_ok_and(|file| file.tensor(name).is_ok())
    }

    /// A tensor stored as `F32`.
    pub fn f32(&self, name: &str) -> Vec<f32> {
        self.values(name, Dtype::F32, f32::from_le_bytes)
    }

    /// A tensor stored as `I16`.
    pub fn i16(&self, name: &str) -> Vec<i16> {
        self.values(name, Dtype::I16, i16::from_le_bytes)
    }

    /// A tensor stored as `I64`.
    pub fn i64(&self, name: &str) -> Vec<i64> {
        self.values(name, Dtype::I64, i64::from_le_bytes)
    }
}
