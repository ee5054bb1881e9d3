//! Sightread's reader: picture → text regions → lines → language model → sentences.

pub mod answer;
pub mod assistant;
pub mod cli;
pub mod colour;
pub mod picture;
pub mod reading;
mod shipped;
pub mod speech;
pub mod starter;
