//! A feature map in memory, and its way in and out of burn's tensors.

use std::cell::RefCell;

use burn::backend::Flex;
use burn::backend::flex::{FlexTensor, Layout};
use burn::tensor::{Bytes, DType, Shape, Tensor};

/// Alignment that burn's buffers keep: 16 bytes.
#[derive(Clone, Copy, bytemuck::Pod, bytemuck::Zeroable)]
#[repr(C, align(16))]
struct Quad([f32; 4]);

/// Floats in a cache line.
const LINE: usize = 16;

/// A zeroed `f32` buffer that starts on a cache line, so that no vector straddles two lines.
pub(in crate::vision) struct Buffer {
    storage: Vec<Quad>,
    /// Floats before the first cache line.
    start: usize,
    len: usize,
}

impl Buffer {
    pub(super) fn zeros(len: usize) -> Self {
        let storage: Vec<Quad> = bytemuck::zeroed_vec((len + LINE).div_ceil(4));
        let start = (storage.as_ptr() as usize / size_of::<f32>()).wrapping_neg() % LINE;
        Self { storage, start, len }
    }

    /// The longest `len` that fits.
    fn capacity(&self) -> usize {
        (self.storage.len() * 4).saturating_sub(self.start)
    }
}

impl std::ops::Deref for Buffer {
    type Target = [f32];
    fn deref(&self) -> &[f32] {
        &bytemuck::cast_slice(&self.storage)[self.start..][..self.len]
    }
}

impl std::ops::DerefMut for Buffer {
    fn deref_mut(&mut self) -> &mut [f32] {
        &mut bytemuck::cast_slice_mut(&mut self.storage)[self.start..][..self.len]
    }
}

/// Room for intermediate results, with whatever the thread last left in it: taking it costs nothing.
pub(super) struct Scratch(Buffer);

thread_local! {
    static SPARE: RefCell<Vec<Buffer>> = const { RefCell::new(Vec::new()) };
}

impl Scratch {
    /// `len` values of no meaning.
    pub(super) fn take(len: usize) -> Self {
        let spare = SPARE.with_borrow_mut(Vec::pop).filter(|b| b.capacity() >= len);
        let mut buffer = spare.unwrap_or_else(|| Buffer::zeros(len));
        buffer.len = len;
        Self(buffer)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let buffer = std::mem::replace(&mut self.0, Buffer { storage: Vec::new(), start: 0, len: 0 });
        SPARE.with_borrow_mut(|spare| {
            if spare.len() < 4 {
                spare.push(buffer);
                spare.sort_by_key(Buffer::capacity);
            }
        });
    }
}

impl std::ops::Deref for Scratch {
    type Target = [f32];
    fn deref(&self) -> &[f32] {
        &self.0
    }
}

impl std::ops::DerefMut for Scratch {
    fn deref_mut(&mut self) -> &mut [f32] {
        &mut self.0
    }
}

/// A channels-last feature map `[b, h, w, c]` on the CPU.
pub(in crate::vision) struct Map {
    /// `[b, h, w, c]`
    pub shape: [usize; 4],
    data: Data,
}

enum Data {
    Own(Buffer),
    Shared(FlexTensor),
}

impl Map {
    /// A map of zeros to be filled.
    pub fn zeros(shape: [usize; 4]) -> Self {
        Self { shape, data: Data::Own(Buffer::zeros(shape.iter().product())) }
    }

    /// The map behind a tensor on the Flex backend; no copy if the tensor is contiguous.
    ///
    /// Panics if the tensor lives elsewhere: blocks hold CPU weights only when their device is Flex.
    pub fn from_tensor(tensor: Tensor<4>) -> Self {
        let shape = tensor.dims();
        let primitive = tensor.try_into_primitive::<Flex>().expect("CPU weights belong to the Flex backend");
        // `to_contiguous` would also copy what merely starts after the beginning of its storage, as our buffers do.
        let primitive = if primitive.is_contiguous() { primitive } else { primitive.to_contiguous() };
        Self { shape, data: Data::Shared(primitive) }
    }

    /// Hands the map to burn; no copy.
    pub fn into_tensor(self) -> Tensor<4> {
        let primitive = match self.data {
            Data::Shared(primitive) => primitive,
            Data::Own(buffer) => {
                let [_, h, w, c] = self.shape;
                let strides = [h * w * c, w * c, c, 1].map(|s| s as isize).to_vec();
                let layout = Layout::new(Shape::from(self.shape), strides, buffer.start);
                FlexTensor::new(Bytes::from_elems(buffer.storage), layout, DType::F32)
            }
        };
        Tensor::from_primitive::<Flex>(primitive)
    }

    /// The numbers, `[b * h * w * c]`.
    pub fn data(&self) -> &[f32] {
        match &self.data {
            Data::Own(buffer) => buffer,
            Data::Shared(tensor) => tensor.as_slice().expect("made contiguous in from_tensor"),
        }
    }

    /// The numbers of a map made by [`Map::zeros`].
    pub fn data_mut(&mut self) -> &mut [f32] {
        match &mut self.data {
            Data::Own(buffer) => buffer,
            Data::Shared(_) => panic!("a map made from a tensor is read only"),
        }
    }
}
