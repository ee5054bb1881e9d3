//! Vision-language models.

mod starter;

pub use starter::{CopyRule, EncodedText, PictureAnswer, StarterLanguage};
