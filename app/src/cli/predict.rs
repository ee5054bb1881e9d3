//! `sightread predict`: a folder of pictures in the form that a scorer reads.

use std::collections::HashMap;
use std::io::{Write, stdout};
use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::Context;
use clap::Args;
use serde_json::{Map, Value, json};
use sightread_models::text::generate::Flow;

use super::ModelArgs;
use super::read::{open_picture, read_picture};
use crate::answer::Conversation;
use crate::picture;
use crate::starter::Starter;

#[derive(Debug, Args)]
pub(super) struct PredictArgs {
    /// Pictures, and perhaps labels.jsonl, of whose questions only the field `q` is used.
    folder: PathBuf,
    /// Leave out the answers.
    #[arg(long)]
    no_answers: bool,
    #[command(flatten)]
    model: ModelArgs,
}

pub(super) fn run(args: PredictArgs) -> anyhow::Result<()> {
    let starter = args.model.open()?;
    let questions = if args.no_answers { HashMap::new() } else { questions(&args.folder.join("labels.jsonl"))? };
    let none = vec![];
    let photos = picture::in_folder(&args.folder);
    for photo in photos.with_context(|| format!("cannot open the folder {}", args.folder.display()))? {
        let name = photo.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let start = Instant::now();
        let prediction = predict(&photo, questions.get(&name).unwrap_or(&none), &starter, start);
        let prediction = prediction.unwrap_or_else(|error| {
            eprintln!("{error:#}");
            json!({"text": "", "answers": {}})
        });
        let mut row = json!({"file": name});
        if let (Some(row), Value::Object(prediction)) = (row.as_object_mut(), prediction) {
            row.extend(prediction);
        }
        writeln!(stdout(), "{row}")?;
    }
    Ok(())
}

fn predict(photo: &Path, questions: &[String], starter: &Starter, start: Instant) -> anyhow::Result<Value> {
    let reading = read_picture(&open_picture(photo)?, starter)?;
    let seconds = start.elapsed().as_secs_f64();
    let mut conversation = Conversation::new(reading.document());
    let (mut answers, mut details) = (Map::new(), Map::new());
    for question in questions {
        let answer = conversation.ask(question, || starter.language(), |_| Flow::Continue)?;
        details.insert(question.clone(), serde_json::to_value(&answer)?);
        answers.insert(question.clone(), answer.text.into());
    }
    Ok(json!({"text": reading.text(), "answers": answers, "details": details, "seconds": seconds}))
}

/// The questions of every picture; the answers that stand beside them are not looked at.
fn questions(labels: &Path) -> anyhow::Result<HashMap<String, Vec<String>>> {
    if !labels.is_file() {
        return Ok(HashMap::new());
    }
    let text = std::fs::read_to_string(labels).with_context(|| format!("cannot read {}", labels.display()))?;
    let of_line = |line: &str| -> anyhow::Result<(String, Vec<String>)> {
        let row: Value =
            serde_json::from_str(line).with_context(|| format!("{} is not JSON lines", labels.display()))?;
        let asked = row["qa"].as_array().into_iter().flatten().filter_map(|qa| Some(qa["q"].as_str()?.to_string()));
        Ok((row["file"].as_str().unwrap_or_default().to_string(), asked.collect()))
    };
    text.lines().filter(|line| !line.trim().is_empty()).map(of_line).collect()
}
