//! RPIQ: makes 4-bit weights offline. One algorithm per file, pure functions on matrices; `pipeline` walks a model layer by
//! layer with bounded memory; `eval` measures what was made; `study` compares settings.

mod cholesky;
pub mod cli;
pub mod damped;
mod error;
pub mod eval;
mod files;
pub mod gptq;
pub mod grid;
pub mod hessian;
pub mod layer;
pub mod matrix;
pub mod order;
pub mod paper;
pub mod pictures;
pub mod pipeline;
pub mod random_model;
pub mod random_pictures;
pub mod recordings;
mod round;
pub mod rpiq;
pub mod rtn;
mod sizes;
pub mod study;
#[cfg(test)]
mod synthetic;

pub use error::{PipelineError, QuantizeError};
