//! `sightread ask`: a question about a picture.

use std::io::{Write, stdout};
use std::path::PathBuf;

use clap::Args;
use sightread_models::text::generate::Flow;

use super::ModelArgs;
use super::read::read_one;
use crate::answer::Conversation;

#[derive(Debug, Args)]
pub(super) struct AskArgs {
    /// The picture; `-` is standard input.
    photo: PathBuf,
    /// Questions, answered one after the other.
    #[arg(required = true)]
    questions: Vec<String>,
    /// One JSON object per answer: text, whether it is sure, the lines it rests on.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    model: ModelArgs,
}

pub(super) fn run(args: AskArgs) -> anyhow::Result<()> {
    let starter = args.model.open()?;
    let reading = read_one(&args.photo, &starter)?;
    let mut conversation = Conversation::new(reading.document());
    for question in &args.questions {
        let mut shown = false;
        let answer = conversation.ask(
            question,
            || starter.language(),
            |piece| {
                if !args.json {
                    print!("{piece}");
                    shown = true;
                    // A closed pipe ends the answer.
                    if stdout().flush().is_err() {
                        return Flow::Stop;
                    }
                }
                Flow::Continue
            },
        )?;
        if args.json {
            println!("{}", serde_json::to_string(&answer)?);
        } else {
            let doubt = if answer.sure { "" } else { " (not sure)" };
            println!("{}{doubt}", if shown { "" } else { &answer.text });
        }
    }
    Ok(())
}
