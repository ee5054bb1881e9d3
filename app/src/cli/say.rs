//! `sightread say`: speaks a text, or writes the speech into a file.

use std::path::PathBuf;
use std::sync::mpsc::channel;

use anyhow::Context;
use clap::Args;

use super::screen::show;
use crate::speech::sentences::split;
use crate::speech::to_file::speak_to_file;
use crate::speech::voice::{Notice, Priority, Settings, Utterance, Voice, VoiceChoice};

/// How the voice is set.
#[derive(Debug, Clone, Args)]
pub(super) struct VoiceArgs {
    /// Pace: -100 slowest, 0 the voice's own, 100 fastest.
    #[arg(long, default_value_t = 0, allow_hyphen_values = true, value_parser = clap::value_parser!(i32).range(-100..=100))]
    rate: i32,
    /// Loudness, 20 to 100.
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(i32).range(20..=100))]
    volume: i32,
    /// Name of the voice, as `sightread voices` lists it.
    #[arg(long, value_name = "NAME", default_value = "")]
    voice: String,
    /// Language of the voice, `en-GB` for example.
    #[arg(long, value_name = "TAG", default_value = "")]
    language: String,
}

impl VoiceArgs {
    pub(super) fn settings(&self) -> Settings {
        Settings::new(self.rate, self.volume)
    }

    pub(super) fn choice(&self) -> VoiceChoice {
        VoiceChoice::new(&self.language, &self.voice)
    }
}

#[derive(Debug, Args)]
pub(super) struct SayArgs {
    /// The text; `-` is standard input.
    text: String,
    /// Write the speech into this WAV file instead of speaking; needs the program espeak-ng.
    #[arg(long, value_name = "F.wav")]
    output: Option<PathBuf>,
    #[command(flatten)]
    voice: VoiceArgs,
}

pub(super) fn run(args: SayArgs) -> anyhow::Result<()> {
    let text = match args.text.as_str() {
        "-" => std::io::read_to_string(std::io::stdin()).context("standard input holds no text")?,
        text => text.to_string(),
    };
    if let Some(path) = &args.output {
        return Ok(speak_to_file(&text, path, args.voice.settings(), &args.voice.choice())?);
    }
    let (done, quiet) = channel();
    let voice = Voice::start(move |notice| {
        show(&notice);
        if let Notice::Quiet { said } = notice {
            let _ = done.send(said);
        }
    })?;
    voice.configure(args.voice.settings());
    voice.choose(args.voice.choice());
    let silence = voice.clone();
    // The handle that is dropped last waits until the service is silent.
    ctrlc::set_handler(move || silence.silence()).context("Ctrl-C cannot be caught")?;
    let sentences = split(&text);
    if sentences.is_empty() {
        return Ok(());
    }
    let count = sentences.len() as u64;
    for sentence in sentences {
        voice.say(Utterance::new(Priority::Answer, sentence));
    }
    // Every utterance is watched over, so this ends; the voice may be quiet between two sentences.
    while quiet.recv().is_ok_and(|said| said < count) {}
    Ok(())
}
