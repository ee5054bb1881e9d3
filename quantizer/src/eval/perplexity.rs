//! Perplexity by GPTQ's protocol: the text as one token sequence, cut into windows of the context length without overlap,
//! every window read from an empty cache.

use std::path::Path;

use rayon::prelude::*;
use sightread_models::checkpoint::Checkpoint;
use sightread_models::text::TextModel;

use super::{EvalError, encode, log_probabilities, read, tokenizer};

/// The window of GPTQ's protocol.
const WINDOW: usize = 2048;
/// Positions whose logits are in memory at a time.
const HEAD_ROWS: usize = 256;

/// A perplexity and what it is made of.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Perplexity {
    /// `exp` of the mean negative log-likelihood of a token.
    pub perplexity: f64,
    /// Windows read.
    pub windows: usize,
    /// Tokens of a window.
    pub context: usize,
}

/// Measures perplexity on a text file, on at most `windows` windows. `on_window` hears the perplexity so far.
///
/// # Errors
/// [`EvalError`] if the file is missing or shorter than one window, or the model fails.
pub fn perplexity(
    model: &TextModel,
    checkpoint: &Checkpoint,
    text: &Path,
    windows: Option<usize>,
    mut on_window: impl FnMut(Perplexity),
) -> Result<Perplexity, EvalError> {
    let tokens = encode(tokenizer(checkpoint)?, &read(text)?)?;
    let context = WINDOW.min(model.sizes().context);
    let windows: Vec<&[u32]> = tokens.chunks_exact(context).take(windows.unwrap_or(usize::MAX)).collect();
    let (mut total, mut read, mut so_far) = (0.0, 0, None);
    // A window for every core: one alone does not keep all of them busy. The order of the sum stays.
    for some in windows.chunks(rayon::current_num_threads()) {
        let losses: Vec<f64> = some.par_iter().map(|window| mean_loss(model, window)).collect::<Result<_, _>>()?;
        for loss in losses {
            total += loss;
            read += 1;
            let result = Perplexity { perplexity: (total / read as f64).exp(), windows: read, context };
            on_window(result);
            so_far = Some(result);
        }
    }
    so_far.ok_or_else(|| EvalError::Data {
        path: text.into(),
        reason: format!("it has {} tokens, but one window takes {context}", tokens.len()),
    })
}

/// Mean negative log-likelihood of all tokens of a window but the first.
fn mean_loss(model: &TextModel, window: &[u32]) -> Result<f64, EvalError> {
    let hidden = model.forward(window, &mut model.cache())?;
    let targets = window.get(1..).unwrap_or_default();
    let mut total = 0.0;
    for (n, targets) in targets.chunks(HEAD_ROWS).enumerate() {
        let logits = model.logit_values(hidden.clone().narrow(1, n * HEAD_ROWS, targets.len()))?;
        total -= log_probabilities(&logits, targets).iter().sum::<f64>();
    }
    Ok(total / targets.len().max(1) as f64)
}
