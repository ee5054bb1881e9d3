//! `sightread voices`: the voices of the system's speech service.

use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::Duration;

use anyhow::bail;
use clap::Args;
use serde_json::json;

use crate::speech::voice::{Notice, Voice};

/// A service that starts up and has thousands of voices takes seconds.
const LIMIT: Duration = Duration::from_secs(30);

#[derive(Debug, Args)]
pub(super) struct VoicesArgs {
    /// Only voices for this language: `en`, or `en-GB`.
    #[arg(long, value_name = "TAG")]
    language: Option<String>,
    /// One JSON object per voice.
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: VoicesArgs) -> anyhow::Result<()> {
    let (send, notices) = channel();
    let voice = Voice::start(move |notice| drop(send.send(notice)))?;
    voice.list_voices();
    let voices = loop {
        match notices.recv_timeout(LIMIT) {
            Ok(Notice::Voices(voices)) => break voices,
            Ok(Notice::Lost(reason)) => bail!("The voices are not known: {reason}."),
            Ok(_) => {}
            Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => {
                bail!("The speech service does not tell its voices.")
            }
        }
    };
    let found: Vec<_> =
        voices.iter().filter(|voice| args.language.as_ref().is_none_or(|tag| voice.speaks(tag))).collect();
    match args.language {
        _ if voices.is_empty() => bail!("The speech service does not tell its voices."),
        Some(tag) if found.is_empty() => bail!("There is no voice for {tag}."),
        _ => {}
    }
    for voice in found {
        if args.json {
            println!("{}", json!(voice));
        } else {
            println!("{}\t{}", voice.language, voice.name);
        }
    }
    Ok(())
}
