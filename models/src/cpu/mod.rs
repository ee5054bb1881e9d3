//! What our CPU kernels share: the instruction set, the threads, and tensors as slices.

pub(crate) mod flex;
mod isa;
mod pool;
pub(crate) mod simd;

pub use isa::Isa;
pub(crate) use pool::{for_each_part, threads};
