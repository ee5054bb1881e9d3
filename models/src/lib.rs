//! Every network of Sightread, defined once for the quantizer and the app.
//!
//! Data flows one way: a checkpoint ([`checkpoint`]) fills a network ([`text`], [`vision`], [`speech`], [`vlm`]) made of shared
//! blocks ([`nn`]) whose linear layers may be packed to 4 bit ([`int4`]).

pub mod atomic;
pub mod checkpoint;
pub mod cpu;
pub mod device;
pub mod int4;
pub mod nn;
pub mod speech;
pub mod text;
pub mod vision;
pub mod vlm;
