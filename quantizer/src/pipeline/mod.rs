//! Quantizes a whole model, block by block, on inputs from the model quantized so far.
//!
//! Memory holds one block of weights, the calibration activations between two stages of a block, and the moments of one
//! stage. Every finished stage is a file, so a run that was killed goes on where it was, to the same bits.

mod activations;
pub mod calibration;
mod layer;
pub mod memory;
mod options;
mod parts;
pub mod report;
mod run;

pub use layer::quantize_layer;
pub use options::{EmbeddingType, Method, QuantizeOptions};
pub use run::{Job, quantize_model};

use report::LayerReport;

/// What happens while a model is quantized, for whoever shows progress.
#[derive(Debug, Clone)]
pub enum Event {
    /// Before anything is computed.
    Planned(memory::MemoryPlan),
    /// Something the user should know, as a sentence.
    Notice(String),
    /// Work starts; this many linear layers are to be done.
    Started {
        /// Linear layers of the whole model.
        layers: usize,
    },
    /// A layer that an earlier run had finished.
    Resumed {
        /// Name of the layer.
        layer: String,
    },
    /// A layer is done and on disk.
    LayerDone(Box<LayerReport>),
}
