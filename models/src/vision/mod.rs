//! The vision tower of the starter model: text detector, line classifier, text recogniser (PP-OCRv6 small); and those of
//! SmolVLM and Idefics3 ([`siglip`]) and of CogVLM2 ([`eva`]).
//!
//! A picture goes in as plain 8-bit RGB ([`RgbView`]) at the size the caller chose; probabilities and characters come
//! out of the starter model's networks as plain numbers, no tensor leaves them. Normalisation and channel order are done here:
//! all three networks want BGR planes with `x / 255 * 2 - 1`, padded with 0 (mid grey).
//!
//! | network | input | output |
//! |---|---|---|
//! | [`Detector`] | any height and width that are multiples of 32 | text probability of every pixel |
//! | [`LineClassifier`] | 48 × up to 192, padded to 192 | probability that the line is upside down |
//! | [`Recognizer`] | 48 × any width, padded to a multiple of 8 | one [`LineRead`] per line |

mod blocks;
mod conv;
mod cpu;
mod ctc;
mod detector;
mod error;
pub mod eva;
mod image;
mod lcnet;
mod line_classifier;
#[cfg(test)]
mod oracle;
#[cfg(test)]
mod parity;
mod pyramid;
mod recognizer;
mod resize;
pub mod siglip;
mod vit_fields;
mod weights;

pub use conv::Ops;
pub use ctc::{CharRead, LineRead};
pub use detector::{Detector, ProbabilityMap};
pub use error::VisionError;
pub use eva::{EvaClip, EvaVisionConfig};
pub use image::{RgbPicture, RgbView};
pub use line_classifier::LineClassifier;
pub use recognizer::Recognizer;
pub(crate) use resize::{resize_bicubic, resize_lanczos};
pub use siglip::{Siglip, SiglipVisionConfig};
