//! Language models, the blocks they are made of, chat prompts and generation.

mod architecture;
mod block;
pub mod chat;
mod error;
pub mod generate;
mod head;
mod inventory;
pub mod llama;
mod model;
pub mod opt;
mod sizes;

pub use architecture::{Architecture, text_blocks};
pub use block::{Block, BlockModel, BlockStack, BlockState, TokenEmbedding};
pub use error::TextError;
pub(crate) use head::{Head, LM_HEAD};
pub use inventory::{TensorShape, check_shapes, check_tensors};
pub(crate) use inventory::{layers_in_blocks, linear_layers};
pub use model::{Decoder, LoadOptions, TextCache, TextModel};
pub use sizes::TextSizes;
