//! Language models, the blocks they are made of, chat prompts and generation.

mod block;
pub mod chat;
mod error;
pub mod generate;
pub mod llama;

pub use block::{Block, BlockModel, BlockStack, BlockState};
pub use error::TextError;
pub use llama::{Llama, LlamaConfig};
