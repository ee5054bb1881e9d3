//! `sightread transcribe`: what was said in a recording.

use std::path::PathBuf;

use anyhow::Context;
use clap::Args;

use super::ModelArgs;
use crate::speech::transcribe::{Expected, LONGEST, open_transcriber};
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
    let mut transcriber = open_transcriber(Expected::Anything, args.model.backend())?;
    for recording in &args.recordings {
        let samples = wav::open(recording).with_context(|| format!("{} was not heard", recording.display()))?;
        let parts: Result<Vec<_>, _> = samples.chunks(LONGEST).map(|part| transcriber.transcribe(part)).collect();
        let text: Vec<String> = parts?.into_iter().map(|transcript| transcript.text).collect();
        println!("{}", text.join(" ").trim());
    }
    Ok(())
}
