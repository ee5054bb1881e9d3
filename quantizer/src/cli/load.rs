//! `rpiq load MODEL`: what `rpiq study memory` starts to measure a model that runs.

use std::path::PathBuf;

use sightread_models::device::Backend;

use super::BackendArg;
use crate::study::load_and_run;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// A model folder or GGUF file
    model: PathBuf,
    /// Where to compute
    #[arg(long, value_enum, default_value_t)]
    backend: BackendArg,
}

pub(super) fn run(args: &Args) -> anyhow::Result<()> {
    let device = Backend::from(args.backend).open()?;
    println!("{}", serde_json::to_string(&load_and_run(&args.model, &device)?)?);
    Ok(())
}
