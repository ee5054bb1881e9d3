//! Tensors on their way to disk: element conversion, part files, and the safetensors layout.

use std::borrow::Cow;
use std::collections::HashMap;
use std::io::Write;
use std::path::Path;

use half::{bf16, f16};
use safetensors::Dtype;
use safetensors::tensor::{Metadata, TensorInfo};

use super::file::write_atomic;
use super::safetensors::{Q8_ROWS, Q8_SCALE};
use super::{CheckpointError, StoredType};
use crate::int4::{PER_WORD, PackError, PackedLinear, quantize_rows};

/// How numbers with a fraction are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum FloatType {
    /// 32 bit, as read.
    F32,
    /// 16-bit IEEE float; what Python's GPTQ kernels expect beside packed layers.
    #[default]
    F16,
    /// 16-bit brain float.
    BF16,
}

impl FloatType {
    pub(super) fn dtype(self) -> Dtype {
        match self {
            Self::F32 => Dtype::F32,
            Self::F16 => Dtype::F16,
            Self::BF16 => Dtype::BF16,
        }
    }

    /// The name that `config.json` uses.
    pub(super) fn torch_name(self) -> &'static str {
        match self {
            Self::F32 => "float32",
            Self::F16 => "float16",
            Self::BF16 => "bfloat16",
        }
    }

    /// Little-endian bytes of finite values; values that 16 bits cannot hold are refused.
    pub(super) fn encode(self, name: &str, values: &[f32]) -> Result<Vec<u8>, CheckpointError> {
        if !values.iter().all(|v| v.is_finite()) {
            return Err(CheckpointError::NotFinite { name: name.into() });
        }
        let (bytes, fits) = match self {
            Self::F32 => (bytes_of(values, f32::to_le_bytes), true),
            Self::F16 => {
                let halves: Vec<f16> = values.iter().map(|&v| f16::from_f32(v)).collect();
                (bytes_of(&halves, f16::to_le_bytes), halves.iter().all(|v| v.is_finite()))
            }
            Self::BF16 => {
                let halves: Vec<bf16> = values.iter().map(|&v| bf16::from_f32(v)).collect();
                (bytes_of(&halves, bf16::to_le_bytes), halves.iter().all(|v| v.is_finite()))
            }
        };
        if !fits {
            let what = format!("writing {name}, which holds very large numbers, as {self:?}");
            return Err(CheckpointError::unsupported(what, "write the model as F32"));
        }
        Ok(bytes)
    }
}

/// One named tensor in memory, ready to be written.
#[derive(Debug, Clone, PartialEq)]
pub struct TensorData {
    pub(super) name: String,
    pub(super) dtype: Dtype,
    pub(super) shape: Vec<usize>,
    /// Row-major, little-endian.
    pub(super) bytes: Vec<u8>,
}

impl TensorData {
    /// Numbers with a fraction, row-major in `shape`.
    ///
    /// # Errors
    /// [`CheckpointError::NotFinite`] for values that are no numbers, [`CheckpointError::Unsupported`] for values that `float`
    /// cannot hold, [`CheckpointError::Shape`] if the values do not fill the shape.
    pub fn float(
        name: impl Into<String>,
        shape: &[usize],
        values: &[f32],
        float: FloatType,
    ) -> Result<Self, CheckpointError> {
        let name = name.into();
        check_len(&name, shape, values.len())?;
        let bytes = float.encode(&name, values)?;
        Ok(Self { name, dtype: float.dtype(), shape: shape.into(), bytes })
    }

    /// Whole numbers, row-major in `shape`.
    ///
    /// # Errors
    /// [`CheckpointError::Shape`] if the values do not fill the shape.
    pub fn i32(name: impl Into<String>, shape: &[usize], values: &[i32]) -> Result<Self, CheckpointError> {
        let name = name.into();
        check_len(&name, shape, values.len())?;
        Ok(Self { name, dtype: Dtype::I32, shape: shape.into(), bytes: bytes_of(values, i32::to_le_bytes) })
    }

    /// The arrays of a packed layer: `P.qweight`, `P.qzeros`, `P.scales`, `P.g_idx`, and `P.bias` (as `F16`) if it has one.
    ///
    /// # Errors
    /// [`CheckpointError::Packed`] if the layer is not valid.
    pub fn packed(prefix: &str, layer: &PackedLinear) -> Result<Vec<Self>, CheckpointError> {
        layer.validate().map_err(|e| refused(prefix, e))?;
        let name = |array: &str| format!("{prefix}.{array}");
        let (inputs, outputs, groups) = (layer.in_features, layer.out_features, layer.groups());
        let scales: Vec<f32> = layer.scales.iter().map(|s| s.to_f32()).collect();
        let mut arrays = vec![
            Self::i32(name("qweight"), &[inputs / PER_WORD, outputs], &layer.qweight)?,
            Self::i32(name("qzeros"), &[groups, outputs / PER_WORD], &layer.qzeros)?,
            Self::float(name("scales"), &[groups, outputs], &scales, FloatType::F16)?,
            Self::i32(name("g_idx"), &[inputs], &layer.g_idx)?,
        ];
        if let Some(bias) = &layer.bias {
            arrays.push(Self::float(name("bias"), &[outputs], bias, FloatType::F16)?);
        }
        Ok(arrays)
    }

    /// `X.weight` of `[rows, width]` as 8-bit rows: `X.weight_q8` and `X.weight_scale` (see
    /// [`TensorSource::read_i8`](super::TensorSource::read_i8)). Each row is symmetric, its largest value becomes ±127.
    ///
    /// # Errors
    /// [`CheckpointError::Shape`] if the values do not fill the shape, [`CheckpointError::Packed`] if they are not finite.
    pub fn rows_i8(owner: &str, rows: usize, width: usize, values: &[f32]) -> Result<[Self; 2], CheckpointError> {
        let name = format!("{owner}{Q8_ROWS}");
        check_len(&name, &[rows, width], values.len())?;
        let (codes, scales) = quantize_rows(values, width).map_err(|e| refused(owner, e))?;
        let scales = Self::float(format!("{owner}{Q8_SCALE}"), &[rows], &scales, FloatType::F32)?;
        Ok([
            Self { name, dtype: Dtype::I8, shape: vec![rows, width], bytes: bytes_of(&codes, i8::to_le_bytes) },
            scales,
        ])
    }
}

fn refused(prefix: &str, source: PackError) -> CheckpointError {
    CheckpointError::Packed { prefix: prefix.into(), source }
}

fn bytes_of<T: Copy, const N: usize>(values: &[T], bytes: impl Fn(T) -> [u8; N]) -> Vec<u8> {
    values.iter().flat_map(|&v| bytes(v)).collect()
}

fn check_len(name: &str, shape: &[usize], found: usize) -> Result<(), CheckpointError> {
    if shape.iter().try_fold(1usize, |n, &d| n.checked_mul(d)) == Some(found) {
        Ok(())
    } else {
        Err(CheckpointError::Shape { name: name.into(), expected: shape.into(), found: vec![found] })
    }
}

/// Writes finished tensors to a safetensors file of their own, atomically; [`super::PackedFolderWriter::assemble`] joins such
/// parts later, so that a quantizer holds one block in memory at a time and resumes from what is on disk.
///
/// # Errors
/// [`CheckpointError`] if a name comes twice or the file cannot be written.
pub fn write_part(path: &Path, tensors: &[TensorData]) -> Result<(), CheckpointError> {
    write_safetensors(path, tensors.iter().map(Planned::from).collect())
}

/// A tensor of a file to be written; its bytes are made when their turn comes.
pub(super) struct Planned<'a> {
    pub(super) name: String,
    dtype: Dtype,
    shape: Vec<usize>,
    bytes: Box<dyn Fn() -> Result<Cow<'a, [u8]>, CheckpointError> + 'a>,
}

impl<'a> From<&'a TensorData> for Planned<'a> {
    fn from(tensor: &'a TensorData) -> Self {
        Self::new(tensor.name.clone(), tensor.dtype, tensor.shape.clone(), || Ok(Cow::Borrowed(&*tensor.bytes)))
    }
}

impl<'a> Planned<'a> {
    pub(super) fn new(
        name: String,
        dtype: Dtype,
        shape: Vec<usize>,
        bytes: impl Fn() -> Result<Cow<'a, [u8]>, CheckpointError> + 'a,
    ) -> Self {
        Self { name, dtype, shape, bytes: Box::new(bytes) }
    }

    /// Bytes on disk.
    pub(super) fn len(&self) -> usize {
        self.shape.iter().product::<usize>() * self.dtype.bitsize() / 8
    }
}

/// Writes one safetensors file, one tensor in memory at a time.
pub(super) fn write_safetensors(path: &Path, mut tensors: Vec<Planned<'_>>) -> Result<(), CheckpointError> {
    // Wide elements first keeps every tensor aligned, as the safetensors library itself does.
    tensors.sort_by(|a, b| b.dtype.cmp(&a.dtype).then_with(|| a.name.cmp(&b.name)));
    if let Some([a, _]) = tensors.windows(2).find(|pair| matches!(pair, [a, b] if a.name == b.name)) {
        return Err(CheckpointError::Config(format!("tensor {} would be written twice", a.name)));
    }
    let mut offset = 0;
    let infos = tensors.iter().map(|t| {
        let start = offset;
        offset += t.len();
        (t.name.clone(), TensorInfo { dtype: t.dtype, shape: t.shape.clone(), data_offsets: (start, offset) })
    });
    let note = HashMap::from([("format".to_string(), "pt".to_string())]);
    let wrong =
        |e: String| CheckpointError::Config(format!("the tensors of {} cannot be written ({e})", path.display()));
    let metadata = Metadata::new(Some(note), infos.collect()).map_err(|e| wrong(e.to_string()))?;
    let mut header = serde_json::to_vec(&metadata).map_err(|e| wrong(e.to_string()))?;
    header.resize(header.len().next_multiple_of(8), b' ');

    write_atomic(path, |file| {
        file.write_all(&(header.len() as u64).to_le_bytes()).map_err(CheckpointError::io("write", path))?;
        file.write_all(&header).map_err(CheckpointError::io("write", path))?;
        for tensor in &tensors {
            let bytes = (tensor.bytes)()?;
            check_len(&tensor.name, &[tensor.len()], bytes.len())?;
            file.write_all(&bytes).map_err(CheckpointError::io("write", path))?;
        }
        Ok(())
    })
}

/// The file type of a stored type, `None` for block formats and what is not read.
pub(super) fn dtype_of(stored: StoredType) -> Option<Dtype> {
    match stored {
        StoredType::F32 => Some(Dtype::F32),
        StoredType::F16 => Some(Dtype::F16),
        StoredType::BF16 => Some(Dtype::BF16),
        StoredType::I32 => Some(Dtype::I32),
        StoredType::I8 => Some(Dtype::I8),
        StoredType::RowsI8 | StoredType::Block(_) | StoredType::Other(_) => None,
    }
}
