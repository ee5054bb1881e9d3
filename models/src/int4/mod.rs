//! The packed 4-bit linear layer: format, CPU kernels, wgpu kernels.

mod cpu;
mod format;
#[cfg(feature = "wgpu")]
mod gpu;
mod linear;
mod rows8;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;

pub use cpu::Precision;
pub use format::{BITS, MAX_CODE, PER_WORD, PackError, PackedLinear, PackedShape};
pub use linear::Int4Linear;
pub use rows8::Int8Rows;
pub(crate) use rows8::quantize_rows;
