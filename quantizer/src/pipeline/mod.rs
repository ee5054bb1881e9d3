//! Quantizes a whole model, block by block, on inputs from the model quantized so far.
//!
//! Memory holds one block of weights, the calibration activations between two stages of a block, and the moments of one
//! stage. Every finished stage is a file, so a run that was killed goes on where it was, to the same bits.

mod activations;
pub mod calibration;
mod cogvlm_kind;
mod idefics3_kind;
mod layer;
pub mod memory;
mod network;
mod options;
mod parts;
mod plan;
mod prepare;
pub mod report;
mod run;
mod speech_network;
mod stack;
mod streams;
mod text_network;
mod vlm_network;
mod vlm_options;

pub use network::{Begin, Network, StackSize};
pub use options::{EmbeddingType, Method, QuantizeOptions};
pub use parts::{Fingerprint, PARTS_ENDING};
pub use plan::{PlanLine, plan};
pub use prepare::open_network;
pub use run::{Job, quantize_model};
pub use speech_network::SpeechNetwork;
pub use text_network::TextNetwork;
pub use vlm_options::{VisionType, VlmOptions};

use std::ops::ControlFlow;

use crate::PipelineError;
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
    /// A small step on the way, told only so that whoever listens can stop in time.
    Step,
}

/// Hears what happens, and says whether to go on. After a `Break` the run ends with [`PipelineError::Cancelled`].
pub type Listener<'a> = dyn FnMut(Event) -> ControlFlow<()> + 'a;

fn tell(listener: &mut Listener<'_>, event: Event) -> Result<(), PipelineError> {
    match listener(event) {
        ControlFlow::Continue(()) => Ok(()),
        ControlFlow::Break(()) => Err(PipelineError::Cancelled),
    }
}
