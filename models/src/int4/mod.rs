//! The packed 4-bit linear layer: format, CPU kernels, wgpu kernels.

mod format;

pub use format::{BITS, MAX_CODE, PER_WORD, PackError, PackedLinear, PackedShape};
