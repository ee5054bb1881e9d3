//! Guidance for the hand that holds the camera: [`look`] measures a frame, [`Aim`] turns looks into spoken hints and takes
//! a page by itself once it is steady, complete, sharp and light.
//!
//! Frames come at the camera's pace; the caller looks at about five of them a second.

mod aim;
mod edges;
mod flaws;
mod focus;
mod glare;
mod glimpse;
mod hint;
mod pace;
mod page;
mod search;
mod sight;
mod turn;

pub use aim::{Advice, Aim, AimState};
pub use hint::{Hint, Turn};
pub use sight::{Sight, look};

#[cfg(test)]
mod sequence_tests;
#[cfg(test)]
mod stage;
