//! Vision-language models.

mod architecture;
pub mod cogvlm;
mod error;
pub mod idefics3;
mod patches;
mod pixel_shuffle;
mod plain_text;
mod put_features;
mod starter;
mod viewer;

pub use architecture::{Architecture, VisionLanguage};
pub use error::VlmError;
pub use idefics3::PictureOptions;
pub use starter::{CopyRule, EncodedText, PictureAnswer, StarterLanguage};
pub use viewer::{Beginning, EncodedPicture, GoOn, PictureModel, Viewer};

/// `ln Σ eˡ`, without overflow.
fn log_sum_exp(logits: &[f32]) -> f32 {
    let largest = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    largest + logits.iter().map(|l| (l - largest).exp()).sum::<f32>().ln()
}
