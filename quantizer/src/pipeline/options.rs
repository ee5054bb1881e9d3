//! What a run is to do: everything that changes the result is here, and goes into the fingerprint.

use serde::{Deserialize, Serialize};

use crate::gptq::{ColumnOrder, GptqOptions};
use crate::grid::{GridOptions, GridSearch, Symmetry};
use crate::paper::PaperOptions;
use crate::rpiq::RpiqOptions;

/// How weights are chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum Method {
    /// Round to nearest, no calibration used.
    Rtn,
    /// GPTQ.
    Gptq,
    /// GPTQ, then the closed loop on the grid.
    Rpiq,
    /// GPTQ, then stage 2 as the RPIQ paper publishes it, put back on the grid.
    RpiqPaper,
}

/// How embeddings and output head are stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum EmbeddingType {
    /// 16-bit floats.
    #[default]
    F16,
    /// Rows of 8-bit codes with a scale each; Python libraries do not read them.
    Int8,
}

/// Everything that changes the result of a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct QuantizeOptions {
    /// How weights are chosen.
    pub method: Method,
    /// How grids are chosen.
    pub grid: GridOptions,
    /// Order in which GPTQ goes through the columns.
    pub order: ColumnOrder,
    /// Multiple of the mean of the Hessian's diagonal that is added to it.
    pub damping: f64,
    /// Settings of the closed loop.
    pub rpiq: RpiqOptions,
    /// Settings of the paper's stage 2.
    pub paper: PaperOptions,
    /// How far targets move towards the outputs of the full-precision model: 0 not at all, 1 all the way.
    pub cross_layer: f32,
    /// Weight of the latest batches in the Hessian of the closed loop, 0 to 1.
    pub snapshot_weight: f32,
    /// Batches that take turns as the one with that weight.
    pub snapshots: usize,
    /// Whether a layer keeps the GPTQ weights if refining them does not help on held-out text.
    pub accept_rule: bool,
    /// Storage of embeddings and head.
    pub embeddings: EmbeddingType,
    /// Only so many blocks of each stack are quantized, from the first on, and the others stay in 16 bit: to try something
    /// out. Other programs do not read such a model.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub blocks: Option<usize>,
}

impl QuantizeOptions {
    /// What is done unless something else is asked for, at a group size. Towards the full-precision model (`cross_layer` 0,
    /// 0.5, 1) was swept on SmolLM2-135M and the starter model (README): 0.5 and 1 are close in perplexity, 1 is ahead in
    /// sentiment, in answers and in every layer's distance from the full-precision model.
    pub fn new(method: Method, group_size: usize) -> Self {
        let baseline = matches!(method, Method::Rtn | Method::Gptq | Method::RpiqPaper);
        let search = if baseline { GridSearch::MinMax } else { GridSearch::WeightedMse };
        Self {
            method,
            grid: GridOptions { group_size, symmetry: Symmetry::Asymmetric, search },
            order: if baseline { ColumnOrder::Natural } else { ColumnOrder::ActOrder },
            damping: 0.01,
            rpiq: RpiqOptions::default(),
            paper: PaperOptions::default(),
            cross_layer: if baseline { 0.0 } else { 1.0 },
            snapshot_weight: 0.0,
            snapshots: 1,
            accept_rule: true,
            embeddings: EmbeddingType::F16,
            blocks: None,
        }
    }

    /// Blocks to quantize of a stack of so many.
    pub fn blocks_of(&self, num_blocks: usize) -> usize {
        self.blocks.map_or(num_blocks, |blocks| blocks.min(num_blocks))
    }

    /// What GPTQ is to do.
    pub fn gptq(&self) -> GptqOptions {
        GptqOptions { grid: self.grid, order: self.order }
    }

    /// Whether calibration inputs are needed at all.
    pub fn needs_hessian(&self) -> bool {
        self.method != Method::Rtn
    }

    /// Whether the full-precision model runs beside the quantized one on all calibration text.
    pub fn needs_full_precision_stream(&self) -> bool {
        self.method == Method::Rpiq && self.cross_layer > 0.0
    }

    /// Batches whose moments are kept for themselves.
    pub fn kept_snapshots(&self) -> usize {
        match self.method {
            Method::RpiqPaper => self.paper.instances.max(1),
            Method::Rpiq if self.snapshot_weight > 0.0 => self.snapshots.max(1),
            _ => 0,
        }
    }
}
