//! `sightread ask`: a question about a picture.

use std::io::{Write, stdout};
use std::path::PathBuf;

use anyhow::bail;
use clap::Args;
use sightread_models::text::generate::Flow;

use super::read::{open_picture, read_picture};
use super::{AnsweringArgs, ModelArgs};
use crate::answer::Conversation;
use crate::library::{AnsweringModel, answering};
use crate::speech::transcribe::{Expected, Transcriber};
use crate::speech::wav;

#[derive(Debug, Args)]
pub(super) struct AskArgs {
    /// The picture; `-` is standard input.
    photo: PathBuf,
    /// Questions, answered one after the other.
    #[arg(required_unless_present = "audio")]
    questions: Vec<String>,
    /// Spoken questions, in WAV, answered before the written ones.
    #[arg(long, value_name = "Q.wav")]
    audio: Vec<PathBuf>,
    /// One JSON object per answer: text, whether it is sure, the lines it rests on.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    answering: AnsweringArgs,
    #[command(flatten)]
    model: ModelArgs,
}

pub(super) fn run(args: AskArgs) -> anyhow::Result<()> {
    // First what can be refused at once.
    let spoken = spoken_questions(&args)?;
    let starter = args.model.open()?;
    let chosen = args.answering.open(&starter)?;
    let picture = open_picture(&args.photo)?;
    let mut conversation = Conversation::new(read_picture(&picture, &starter)?.document());
    if chosen.as_ref().is_some_and(AnsweringModel::sees) {
        conversation = conversation.with_picture(picture.into(), args.answering.with_text);
    }
    let model = || answering(chosen.as_ref(), &starter);
    for question in spoken.iter().chain(&args.questions) {
        let mut shown = false;
        let answer = conversation.ask(question, model, |piece| {
            if !args.json {
                print!("{piece}");
                shown = true;
                // A closed pipe ends the answer.
                if stdout().flush().is_err() {
                    return Flow::Stop;
                }
            }
            Flow::Continue
        })?;
        if args.json {
            println!("{}", serde_json::to_string(&answer)?);
        } else {
            let doubt = if answer.sure { "" } else { " (not sure)" };
            println!("{}{doubt}", if shown { "" } else { &answer.text });
        }
    }
    Ok(())
}

/// The questions of the recordings.
fn spoken_questions(args: &AskArgs) -> anyhow::Result<Vec<String>> {
    let mut questions = vec![];
    if args.audio.is_empty() {
        return Ok(questions);
    }
    let transcriber = Transcriber::open(Expected::Questions, args.model.backend())?;
    for recording in &args.audio {
        let question = transcriber.transcribe(&wav::open(recording)?)?;
        if question.is_empty() {
            bail!("nothing was said in {}; record the question again", recording.display());
        }
        eprintln!("> {question}");
        questions.push(question);
    }
    Ok(questions)
}
