//! Measures what a model folder can do, with the code that the app runs: the same for full precision and packed weights.

pub mod perplexity;
pub mod sentiment;
pub mod speech;
mod words;

use std::path::{Path, PathBuf};

use rayon::prelude::*;
use sightread_models::checkpoint::{Checkpoint, CheckpointError};
use sightread_models::speech::SpeechError;
use sightread_models::text::TextError;
use tokenizers::Tokenizer;

/// Why a model could not be measured.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EvalError {
    /// The model could not be used.
    #[error(transparent)]
    Text(#[from] TextError),
    /// The speech model could not be used.
    #[error(transparent)]
    Speech(#[from] SpeechError),
    /// The checkpoint could not be used.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    /// The test data could not be used.
    #[error("{} cannot be used for measuring: {reason}", path.display())]
    Data {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
}

fn read(path: &Path) -> Result<String, EvalError> {
    std::fs::read_to_string(path).map_err(|e| EvalError::Data { path: path.into(), reason: e.to_string() })
}

pub(crate) fn tokenizer(checkpoint: &Checkpoint) -> Result<&Tokenizer, EvalError> {
    Ok(checkpoint.tokenizer.as_ref().ok_or(TextError::NoTokenizer)?)
}

pub(crate) fn encode(tokenizer: &Tokenizer, text: &str) -> Result<Vec<u32>, EvalError> {
    let encoding = tokenizer.encode_fast(text, false).map_err(|e| TextError::Tokenizer(e.to_string()))?;
    Ok(encoding.get_ids().to_vec())
}

/// `ln p(target)` for each row of `logits` `[targets, vocab]`, in f64.
fn log_probabilities(logits: &[f32], targets: &[u32]) -> Vec<f64> {
    let width = logits.len() / targets.len().max(1);
    let row = |(row, &target): (&[f32], &u32)| {
        let highest = row.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        let sum: f64 =
            row.chunks(1024).map(|part| f64::from(part.iter().map(|&l| (l - highest).exp()).sum::<f32>())).sum();
        let own = row.get(target as usize).copied().unwrap_or(f32::NEG_INFINITY);
        f64::from(own - highest) - sum.ln()
    };
    logits.par_chunks(width.max(1)).zip(targets).map(row).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn log_probabilities_are_those_of_the_softmax() {
        let logits = [0.0f32, 1.0, 2.0, 1000.0, 0.0, -1000.0];
        let found = log_probabilities(&logits, &[1, 0]);
        let sum: f64 = [0.0f64, 1.0, 2.0].iter().map(|l| l.exp()).sum();
        assert!((found[0] - (1.0 - sum.ln())).abs() < 1e-6);
        assert!(found[1].abs() < 1e-12);
    }
}
