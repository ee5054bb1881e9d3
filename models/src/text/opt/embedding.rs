//! What makes the input of the first block: tokens, widened where they have to be, and their positions.

use burn::tensor::{Device, Tensor};

use super::OptConfig;
use crate::checkpoint::{Checkpoint, CheckpointError};
use crate::nn::{Embedding, Linear, load};
use crate::text::{LoadOptions, TensorShape, TokenEmbedding};

pub(super) const EMBED_TOKENS: &str = "embed_tokens";
const EMBED_POSITIONS: &str = "embed_positions";
const PROJECT_IN: &str = "project_in";
/// The first position has this row in the table of positions.
const OFFSET: usize = 2;

/// Tokens and positions.
#[derive(Debug)]
pub struct OptEmbedding {
    embed_tokens: Embedding,
    /// From the width of the embedding to `hidden_size`, where they differ.
    project_in: Option<Linear>,
    /// `[OFFSET + max_position_embeddings, d]`
    embed_positions: Tensor<2>,
}

/// Every tensor, in full precision.
pub(super) fn tensors(config: &OptConfig, root: &str) -> Vec<TensorShape> {
    let (d, embed_dim) = (config.hidden_size, config.embed_dim());
    let name = |module: &str| format!("{root}.{module}.weight");
    let mut tensors = vec![
        (name(EMBED_TOKENS), vec![config.vocab_size, embed_dim]),
        (name(EMBED_POSITIONS), vec![OFFSET + config.max_position_embeddings, d]),
    ];
    if embed_dim != d {
        tensors.push((name(PROJECT_IN), vec![d, embed_dim]));
    }
    tensors
}

impl OptEmbedding {
    /// Reads the tensors whose names begin with `root` (`"model.decoder"`).
    ///
    /// # Errors
    /// [`CheckpointError`] if a tensor is missing, of another shape, or damaged.
    pub fn load(
        checkpoint: &Checkpoint,
        config: &OptConfig,
        root: &str,
        options: LoadOptions,
        device: &Device,
    ) -> Result<Self, CheckpointError> {
        let (d, embed_dim) = (config.hidden_size, config.embed_dim());
        let name = |module: &str| format!("{root}.{module}");
        let positions = [OFFSET + config.max_position_embeddings, d];
        let project_in = || Linear::load(checkpoint, &name(PROJECT_IN), embed_dim, d, device);
        Ok(Self {
            embed_tokens: options.load_embedding(
                checkpoint,
                &name(EMBED_TOKENS),
                [config.vocab_size, embed_dim],
                device,
            )?,
            project_in: (embed_dim != d).then(project_in).transpose()?,
            embed_positions: load(checkpoint, &format!("{}.weight", name(EMBED_POSITIONS)), positions, device)?,
        })
    }

    /// The rows of the tokens, which the output head may share.
    pub fn tokens(&self) -> &Embedding {
        &self.embed_tokens
    }

    /// Bytes the weights take in memory.
    pub fn bytes(&self) -> usize {
        let positions = self.embed_positions.shape().num_elements() * size_of::<f32>();
        self.embed_tokens.bytes() + self.project_in.as_ref().map_or(0, Linear::bytes) + positions
    }
}

impl TokenEmbedding for OptEmbedding {
    fn embed(&self, tokens: &[u32], offset: usize, device: &Device) -> Tensor<3> {
        let rows = self.embed_tokens.lookup(tokens, device);
        let rows = match &self.project_in {
            Some(project_in) => project_in.forward(rows),
            None => rows,
        };
        let positions = self.embed_positions.clone().narrow(0, OFFSET + offset, tokens.len());
        (rows + positions).unsqueeze()
    }
}
