//! The studies of the RPIQ paper (arXiv 2601.02888) on any model that is quantized here: how many rounds, which step,
//! which calibration text, which order, how much memory.
//!
//! A [`Kind`] becomes a list of [`Setting`]s ([`settings`]), each setting one run of the whole pipeline ([`Runner`]), whose
//! outcome is kept in a file as it ends, and all outcomes together [`StudyResults`], which are a JSON file and a figure.

mod memory;
mod plan;
mod plot;
mod results;
mod run;
mod svg;

use std::io;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use sightread_models::checkpoint::CheckpointError;
use sightread_models::text::TextError;

pub use memory::{Loaded, MemoryJob, MemoryResults, MemoryRow, load_and_run, measure_memory};
pub use plan::{Base, Setting, baselines, settings};
pub use plot::{memory_figure, study_figure};
pub use results::{ModelResults, Point, Spread, StudyResults};
pub use run::{Outcome, PerplexityText, Runner};

use crate::PipelineError;
use crate::eval::EvalError;

/// What a study varies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// Rounds of the closed loop, T
    Iterations,
    /// Step of the paper's stage 2, α
    Alpha,
    /// Choice of the calibration sequences, by seed
    Calibration,
    /// Order of columns and blocks, and batches that take turns as the single instance
    Order,
    /// Memory and time of quantizing, memory of running
    Memory,
}

impl Kind {
    /// What its files are called.
    pub fn name(self) -> &'static str {
        match self {
            Self::Iterations => "iterations",
            Self::Alpha => "alpha",
            Self::Calibration => "calibration",
            Self::Order => "order",
            Self::Memory => "memory",
        }
    }
}

/// Why a study ended.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StudyError {
    /// A run ended.
    #[error(transparent)]
    Pipeline(#[from] PipelineError),
    /// A result could not be measured.
    #[error(transparent)]
    Eval(#[from] EvalError),
    /// A model could not be read.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    /// A model could not be run.
    #[error(transparent)]
    Text(#[from] TextError),
    /// A run in a process of its own could not be started, or not be understood.
    #[error("{} could not be run to measure its memory: {source}", program.display())]
    Start {
        /// The program.
        program: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
    /// A run in a process of its own failed.
    #[error("a run to measure memory failed: {0}")]
    Failed(String),
}
