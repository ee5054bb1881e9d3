//! `sightread transcribe`: what was said in a recording.

use std::path::PathBuf;

use anyhow::Context;
use clap::Args;

use super::ModelArgs;
use crate::speech::transcribe::{Expected, Transcriber};
use crate::speech::wav;

#[derive(Debug, Args)]
pub(super) struct TranscribeArgs {
    /// Recordings, in WAV.
    #[arg(required = true)]
    recordings: Vec<PathBuf>,
    #[command(flatten)]
    model: ModelArgs,
}

pub(super) fn run(args: TranscribeArgs) -> anyhow::Result<()> {
    let transcriber = Transcriber::open(Expected::Anything, args.model.backend())?;
    for recording in &args.recordings {
        let samples = wav::open(recording).with_context(|| format!("{} was not heard", recording.display()))?;
        println!("{}", transcriber.transcribe(&samples)?);
    }
    Ok(())
}
