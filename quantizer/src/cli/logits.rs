//! `rpiq logits MODEL --text "…" --out FILE`: what the model makes of a text, for comparing with other programs.

use std::path::PathBuf;

use sightread_models::checkpoint::{Checkpoint, FloatType, TensorData, write_part};
use sightread_models::device::Backend;
use sightread_models::int4::Precision;
use sightread_models::text::{LoadOptions, TextModel};

use super::BackendArg;
use crate::eval::{encode, tokenizer};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Folder or .gguf file of the model
    model: PathBuf,
    /// Text to read
    #[arg(long)]
    text: String,
    /// File to write: `ids` I32 [t] and `logits` F32 [t, vocabulary]
    #[arg(long)]
    out: PathBuf,
    /// Where to compute
    #[arg(long, value_enum, default_value_t)]
    backend: BackendArg,
}

/// Inputs of packed layers are read as they are, so that only the weights differ from full precision.
pub(super) fn run(args: &Args) -> anyhow::Result<()> {
    let device = Backend::from(args.backend).open()?;
    let checkpoint = Checkpoint::open(&args.model)?;
    let ids = encode(tokenizer(&checkpoint)?, &args.text)?;
    let options = LoadOptions { int8_embedding: false, precision: Precision::F32 };
    let model = TextModel::load_with(&checkpoint, options, &device)?;
    let logits = model.logit_values(model.forward(&ids, &mut model.cache())?)?;

    let shape = [ids.len(), logits.len() / ids.len()];
    let ids: Vec<i32> = ids.into_iter().map(u32::cast_signed).collect();
    let tensors =
        [TensorData::i32("ids", &[ids.len()], &ids)?, TensorData::float("logits", &shape, &logits, FloatType::F32)?];
    Ok(write_part(&args.out, &tensors)?)
}
