//! `sightread read`: the text of pictures, a row a line.

use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use clap::Args;
use image::RgbImage;
use serde_json::json;
use sightread_models::text::generate::Flow;

use super::{AnsweringArgs, ModelArgs};
use crate::answer::{Answer, AnswerError, Conversation, NO_TEXT};
use crate::library::AnsweringModel;
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
    answering: AnsweringArgs,
    #[command(flatten)]
    model: ModelArgs,
}

/// What a model that sees a picture is asked about it.
const DESCRIBE: &str = "Describe this picture.";

pub(super) fn run(args: ReadArgs) -> anyhow::Result<()> {
    let starter = args.model.open()?;
    let describer = args.answering.open(&starter)?;
    if let Some(name) = args.answering.name.as_ref().filter(|_| describer.as_ref().is_some_and(|model| !model.sees())) {
        bail!("{name} sees no pictures; ask it about the text with \"sightread ask\"");
    }
    let mut failed = 0;
    for photo in &args.photos {
        // One bad picture must not keep the others from being read.
        match read_and_describe(photo, &starter, describer.as_ref(), args.answering.with_text) {
            Ok((reading, description)) if args.json => {
                let mut row = json!({"file": photo, "reading": reading});
                if let Some(description) = description {
                    row["description"] = json!(description);
                }
                println!("{row}");
            }
            Ok((reading, description)) => {
                print!("{}", spoken(&reading));
                description.iter().for_each(|description| println!("\n{}", description.spoken()));
            }
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

fn read_and_describe(
    photo: &Path,
    starter: &Starter,
    describer: Option<&AnsweringModel>,
    with_text: bool,
) -> anyhow::Result<(Reading, Option<Answer>)> {
    let pixels = open_picture(photo)?;
    let reading = read_picture(&pixels, starter)?;
    let describe = |model| {
        let mut conversation = Conversation::new(reading.document()).with_picture(pixels.into(), with_text);
        conversation.ask(DESCRIBE, || Ok::<_, AnswerError>(model), |_| Flow::Continue)
    };
    let description = describer.map(describe).transpose()?;
    Ok((reading, description))
}

pub(super) fn open_picture(photo: &Path) -> anyhow::Result<RgbImage> {
    picture::open(photo).with_context(|| format!("{} was not read", photo.display()))
}

pub(super) fn read_picture(pixels: &RgbImage, starter: &Starter) -> anyhow::Result<Reading> {
    Ok(read(pixels, &starter.text_models())?)
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
