//! Sightread's reader: picture → text regions → lines → language model → sentences.

pub mod aiming;
pub mod answer;
pub mod assistant;
pub mod camera;
pub mod cli;
pub mod colour;
mod files;
pub mod history;
pub mod library;
pub mod picture;
pub mod places;
pub mod reading;
pub mod screen_reader;
pub mod session;
pub mod settings;
pub mod setup;
mod shipped;
pub mod speech;
pub mod starter;
#[cfg(feature = "window")]
pub mod ui;
mod words;

// The made-up views of the example `gallery` are those of the window's tests.
#[cfg(all(test, feature = "window"))]
extern crate self as sightread;
