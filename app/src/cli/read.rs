//! `sightread read`: the text of pictures, a row a line.

use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use clap::Args;
use serde_json::json;

use super::ModelArgs;
use crate::answer::NO_TEXT;
use crate::picture;
use crate::reading::{Line, Reading, read};
use crate::starter::Starter;

#[derive(Debug, Args)]
pub(super) struct ReadArgs {
    /// Pictures; `-` is standard input.
    #[arg(required = true)]
    photos: Vec<PathBuf>,
    /// One JSON object per picture: lines, boxes, confidence, warnings.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    model: ModelArgs,
}

pub(super) fn run(args: ReadArgs) -> anyhow::Result<()> {
    let starter = args.model.open()?;
    let mut failed = 0;
    for photo in &args.photos {
        // One bad picture must not keep the others from being read.
        match read_one(photo, &starter) {
            Ok(reading) if args.json => println!("{}", json!({"file": photo, "reading": reading})),
            Ok(reading) => print!("{}", spoken(&reading)),
            Err(error) => {
                failed += 1;
                eprintln!("{error:#}");
            }
        }
    }
    if failed > 0 && args.photos.len() > 1 {
        bail!("{failed} of {} pictures could not be read", args.photos.len());
    }
    if failed > 0 {
        std::process::exit(1);
    }
    Ok(())
}

pub(super) fn read_one(photo: &Path, starter: &Starter) -> anyhow::Result<Reading> {
    let pixels = picture::open(photo).with_context(|| format!("{} was not read", photo.display()))?;
    Ok(read(&pixels, &starter.text_models())?)
}

/// A reading as it is spoken: warnings first, then row by row, doubtful words marked.
fn spoken(reading: &Reading) -> String {
    let mut text: String = reading.warnings.iter().map(|w| format!("({})\n", w.spoken())).collect();
    if reading.lines.is_empty() {
        return text + NO_TEXT + "\n";
    }
    for row in reading.rows() {
        let cells: Vec<String> = row.iter().map(Line::marked).collect();
        text += &format!("{}\n", cells.join("  "));
    }
    text
}
