//! `config.json` of an OPT model.

use serde::Deserialize;

use crate::checkpoint::{Checkpoint, CheckpointError};
use crate::text::TextSizes;

/// `config.json` of an OPT model; fields and defaults as in transformers.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct OptConfig {
    /// Width of the model, `d`.
    pub hidden_size: usize,
    /// Width inside the MLP.
    pub ffn_dim: usize,
    /// Blocks.
    pub num_hidden_layers: usize,
    /// Heads, `h`.
    pub num_attention_heads: usize,
    /// Tokens.
    pub vocab_size: usize,
    /// Positions.
    #[serde(default = "default_positions")]
    pub max_position_embeddings: usize,
    /// Width of the embedding; `hidden_size` if absent. OPT-350m's is narrower, with a projection on either side.
    pub word_embed_proj_dim: Option<usize>,
    /// Whether norms stand before attention and MLP, or, in OPT-350m, behind what they are added to.
    #[serde(default = "yes")]
    pub do_layer_norm_before: bool,
    /// Leaves out the norm behind the last block, as checkpoints from before transformers 4.20 need it.
    #[serde(default, rename = "_remove_final_layer_norm")]
    pub remove_final_layer_norm: bool,
    /// Activation of the MLP.
    #[serde(default)]
    pub activation_function: OptActivation,
    /// Whether the linear layers of the blocks have biases.
    #[serde(default = "yes")]
    pub enable_bias: bool,
    /// Whether norms have weights; only true is known.
    #[serde(default = "yes")]
    pub layer_norm_elementwise_affine: bool,
    /// Whether the output head is the embedding.
    #[serde(default = "yes")]
    pub tie_word_embeddings: bool,
}

/// Activation of the MLP.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OptActivation {
    /// OPT's.
    #[default]
    Relu,
    /// Galactica's, the exact one.
    Gelu,
}

fn default_positions() -> usize {
    2048
}
fn yes() -> bool {
    true
}

/// Widths beyond this are no model but a damaged or hostile file.
const LARGEST_WIDTH: usize = 1 << 20;

impl OptConfig {
    /// Reads the fields of a checkpoint's configuration and checks that they fit together.
    ///
    /// # Errors
    /// [`CheckpointError::Config`] says which field is wrong.
    pub fn from_checkpoint(checkpoint: &Checkpoint) -> Result<Self, CheckpointError> {
        let config = Self::deserialize(&checkpoint.config).map_err(|e| CheckpointError::Config(e.to_string()))?;
        config.check()?;
        Ok(config)
    }

    fn check(&self) -> Result<(), CheckpointError> {
        let widths = [
            ("hidden_size", self.hidden_size),
            ("ffn_dim", self.ffn_dim),
            ("num_hidden_layers", self.num_hidden_layers),
            ("num_attention_heads", self.num_attention_heads),
            ("vocab_size", self.vocab_size),
            ("max_position_embeddings", self.max_position_embeddings),
            ("word_embed_proj_dim", self.embed_dim()),
        ];
        if let Some((name, value)) = widths.iter().find(|(_, v)| !(1..=LARGEST_WIDTH).contains(v)) {
            return Err(CheckpointError::Config(format!("{name} is {value}")));
        }
        if !self.hidden_size.is_multiple_of(self.num_attention_heads) {
            let (d, h) = (self.hidden_size, self.num_attention_heads);
            return Err(CheckpointError::Config(format!("a width of {d} has no {h} equal heads")));
        }
        if !self.layer_norm_elementwise_affine {
            return Err(CheckpointError::unsupported("an OPT whose norms have no weights", "use another model"));
        }
        Ok(())
    }

    /// Width of the embedding.
    pub fn embed_dim(&self) -> usize {
        self.word_embed_proj_dim.unwrap_or(self.hidden_size)
    }

    /// Whether a norm stands behind the last block.
    pub fn has_final_norm(&self) -> bool {
        self.do_layer_norm_before && !self.remove_final_layer_norm
    }

    pub(super) fn sizes(&self) -> TextSizes {
        TextSizes {
            hidden_size: self.hidden_size,
            num_attention_heads: self.num_attention_heads,
            num_hidden_layers: self.num_hidden_layers,
            vocab_size: self.vocab_size,
            context: self.max_position_embeddings,
        }
    }
}
