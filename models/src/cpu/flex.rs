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

/// A CPU tensor out of values in row-major order.
pub(crate) fn from_values<const D: usize>(values: Vec<f32>, shape: [usize; D]) -> Tensor<D> {
    let layout = Layout::contiguous(Shape::from(shape));
    Tensor::from_primitive::<Flex>(FlexTensor::new(Bytes::from_elems(values), layout, DType::F32))
}
