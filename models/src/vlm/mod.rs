//! Vision-language models.

mod error;
pub mod idefics3;
mod starter;

pub use error::VlmError;
pub use starter::{CopyRule, EncodedText, PictureAnswer, StarterLanguage};

/// `ln Σ eˡ`, without overflow.
fn log_sum_exp(logits: &[f32]) -> f32 {
    let largest = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    largest + logits.iter().map(|l| (l - largest).exp()).sum::<f32>().ln()
}
