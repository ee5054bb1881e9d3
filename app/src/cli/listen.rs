//! `sightread listen`: the program without a window. Reads what a camera or a picture shows, and answers what is asked, by
//! voice or typed, until it is told to stop.

use std::io::BufRead;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::channel;

use anyhow::Context;
use clap::Args;

use super::ModelArgs;
use super::say::VoiceArgs;
use super::screen::show;
use crate::assistant::{Command, Screen, understand};
use crate::camera::Source;
use crate::picture;
use crate::session::{Options, Request, Session, Told};
use crate::settings::Settings;

#[derive(Debug, Args)]
pub(super) struct ListenArgs {
    /// The picture that is spoken about; `-` is standard input.
    #[arg(long)]
    photo: Option<PathBuf>,
    /// Where pictures come from: auto, none, camera:NAME, file:PATH, folder:PATH or an http address of an MJPEG stream.
    /// Text that is steady and complete is read by itself, with hints for aiming before.
    #[arg(long, default_value_t = Source::None)]
    camera: Source,
    /// Listens while it speaks, so that a word interrupts it. Only for headphones: it would hear itself.
    #[arg(long)]
    headphones: bool,
    #[command(flatten)]
    voice: VoiceArgs,
    #[command(flatten)]
    model: ModelArgs,
}

/// What ends the wait for the next letter.
enum Wake {
    View,
    /// Ctrl-C.
    Quit,
}

pub(super) fn run(args: ListenArgs) -> anyhow::Result<()> {
    // First what can be refused at once.
    let folder = args.model.folder()?;
    let photo = args.photo.as_ref().map(|photo| {
        let bytes = picture::bytes(photo).and_then(|bytes| picture::decode(&bytes).map(|_| bytes));
        bytes.with_context(|| format!("{} was not read", photo.display()))
    });
    let photo = photo.transpose()?;
    let (voice, choice) = (args.voice.settings(), args.voice.choice());
    let settings = Settings {
        camera: args.camera,
        rate: voice.rate(),
        volume: voice.volume(),
        language: choice.language().into(),
        voice: choice.name().into(),
        hands_free: true,
        headphones: args.headphones,
        ..Settings::default()
    };
    let (wake, woken) = channel();
    let options = Options {
        settings,
        // What is said here holds for this conversation.
        keep: Box::new(|_| Ok(())),
        greeting: vec![],
        screen: Screen::Reader,
        model_dir: Some(folder),
        backend: args.model.backend(),
        told: Box::new(|told| match told {
            Told::Heard(text) => println!("> {text}"),
            Told::Voice(notice) => show(&notice),
        }),
    };
    let quit = wake.clone();
    ctrlc::set_handler(move || drop(quit.send(Wake::Quit))).context("Ctrl-C cannot be caught")?;
    let session = Arc::new(Session::start(options, move || drop(wake.send(Wake::View)))?);
    if let Some(bytes) = photo {
        session.send(Request::TakePicture(bytes));
    }
    type_in(&session);
    while let Ok(Wake::View) = woken.recv() {
        if session.view().quit {
            break;
        }
    }
    Ok(())
}

/// Typed lines are commands and questions too: for a noisy place, or when there is no microphone. An empty one silences.
fn type_in(session: &Arc<Session>) {
    // It waits for the keyboard for ever, and must not keep the session from ending.
    let session = Arc::downgrade(session);
    std::thread::spawn(move || {
        for line in std::io::stdin().lock().lines().map_while(Result::ok) {
            let command = if line.trim().is_empty() { Command::Stop } else { understand(&line) };
            match session.upgrade() {
                Some(session) => session.send(Request::Do(command)),
                None => return,
            }
        }
    });
}
