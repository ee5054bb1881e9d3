//! Sound in and out: the microphone becomes utterances ([`listen`]) and words ([`transcribe`]), sentences ([`sentences`])
//! are spoken by a [`voice`] or into a file ([`to_file`]); [`route`] tells what is left to a screen reader.

pub mod aloud;
mod capture;
mod ear;
mod endpoint;
pub mod listen;
mod noise_floor;
pub mod resample;
pub mod route;
pub mod sentences;
pub mod speaker;
pub mod spell;
pub mod to_file;
pub mod transcribe;
pub mod voice;
pub mod wav;
