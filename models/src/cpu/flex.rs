//! Tensors of the CPU backend as slices, for our own kernels.

use burn::backend::flex::{FlexTensor, Layout};
use burn::backend::{DispatchDevice, Flex};
use burn::tensor::{Bytes, DType, Device, FloatDType, Shape, Tensor};

/// Whether tensors of this device are plain memory.
pub(crate) fn is_cpu(device: &Device) -> bool {
    matches!(device.as_dispatch(), DispatchDevice::Flex(_))
}

/// The memory of a tensor that lives on the CPU, converted to f32 if it was another float.
///
/// # Panics
/// If the tensor lives on another device: callers ask [`is_cpu`] first.
pub(crate) fn primitive<const D: usize>(tensor: Tensor<D>) -> FlexTensor {
    let tensor = if tensor.dtype() == DType::F32 { tensor } else { tensor.cast(FloatDType::F32) };
    match tensor.try_into_primitive::<Flex>() {
        Ok(primitive) => primitive,
        Err(error) => panic!("a CPU kernel was given a tensor of another device: {error:?}"),
    }
}

/// Calls `read` with the values of a tensor in row-major order; copies them only where they are not.
///
/// # Panics
/// As [`primitive`].
pub(crate) fn with_values<const D: usize, T>(tensor: Tensor<D>, read: impl FnOnce(&[f32]) -> T) -> T {
    let primitive = primitive(tensor);
    match primitive.as_slice::<f32>() {
        Some(values) => read(values),
        None => read(primitive.to_contiguous().storage::<f32>()),
    }
}

/// The rows of a tensor, all but its last dimension taken as one; they may be part of wider rows.
#[derive(Clone, Copy)]
pub(crate) struct Rows<'a> {
    values: &'a [f32],
    stride: usize,
    width: usize,
    count: usize,
}

impl<'a> Rows<'a> {
    /// One row.
    pub(crate) fn row(&self, n: usize) -> &'a [f32] {
        &self.values[n * self.stride..][..self.width]
    }

    /// All rows.
    pub(crate) fn iter(self) -> impl Iterator<Item = &'a [f32]> {
        (0..self.count).map(move |n| self.row(n))
    }
}

/// Calls `read` with the rows of a tensor; those of a column range of a wider tensor are not copied.
///
/// # Panics
/// As [`primitive`].
pub(crate) fn with_rows<const D: usize, T>(tensor: Tensor<D>, read: impl FnOnce(Rows<'_>) -> T) -> T {
    let shape = tensor.dims();
    let (width, count) = (shape[D - 1], shape[..D - 1].iter().product());
    let primitive = primitive(tensor);
    let (strides, start) = (primitive.layout().strides(), primitive.layout().start_offset());
    // One step between rows is the same everywhere if each dimension continues where the next one ends.
    let even = (0..D.saturating_sub(2)).all(|i| shape[i] == 1 || strides[i] == strides[i + 1] * shape[i + 1] as isize);
    match usize::try_from(strides[D.saturating_sub(2)]) {
        Ok(stride) if even && D > 1 && strides[D - 1] == 1 => {
            read(Rows { values: &primitive.storage::<f32>()[start..], stride, width, count })
        }
        _ => read(Rows { values: primitive.to_contiguous().storage::<f32>(), stride: width, width, count }),
    }
}

/// A CPU tensor out of values in row-major order.
pub(crate) fn from_values<const D: usize>(values: Vec<f32>, shape: [usize; D]) -> Tensor<D> {
    let layout = Layout::contiguous(Shape::from(shape));
    Tensor::from_primitive::<Flex>(FlexTensor::new(Bytes::from_elems(values), layout, DType::F32))
}
