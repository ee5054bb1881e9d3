//! `sightread listen`: reads a picture aloud, then answers what is asked, by voice or typed, until it is told to stop.

use std::io::BufRead;
use std::path::PathBuf;
use std::sync::mpsc::{Receiver, Sender, channel};

use anyhow::Context;
use clap::Args;
use sightread_models::device::Backend;

use super::ModelArgs;
use super::ask::StarterMind;
use super::say::VoiceArgs;
use super::screen::show;
use crate::answer::Conversation;
use crate::assistant::{Assistant, Command, Event, Scene, understand};
use crate::picture;
use crate::reading::read;
use crate::speech::listen::{self, Listener, Mode};
use crate::speech::transcribe::{Expected, Transcriber};
use crate::speech::voice::{Notice, Priority, Utterance, Voice};

#[derive(Debug, Args)]
pub(super) struct ListenArgs {
    /// The picture that is spoken about; `-` is standard input.
    #[arg(long)]
    photo: Option<PathBuf>,
    /// Listens while it speaks, so that a word interrupts it. Only for headphones: it would hear itself.
    #[arg(long)]
    headphones: bool,
    #[command(flatten)]
    voice: VoiceArgs,
    #[command(flatten)]
    model: ModelArgs,
}

/// What the loop waits for.
enum Input {
    Heard(listen::Event),
    Spoken(Notice),
    /// A line was typed; an empty one silences.
    Typed(String),
    /// Ctrl-C.
    Quit,
}

pub(super) fn run(args: ListenArgs) -> anyhow::Result<()> {
    let starter = args.model.open()?;
    let (send, inbox) = channel();
    let voice = start_voice(&send)?;
    voice.configure(args.voice.settings());
    voice.choose(args.voice.choice());
    let quit = send.clone();
    ctrlc::set_handler(move || drop(quit.send(Input::Quit))).context("Ctrl-C cannot be caught")?;

    let mut assistant = Assistant::new(args.voice.settings());
    let mut conversation = Conversation::new(Default::default());
    if let Some(photo) = &args.photo {
        let pixels = picture::open(photo).with_context(|| format!("{} was not read", photo.display()))?;
        let reading = read(&pixels, &starter.text_models())?;
        assistant.show(Scene::new(&pixels, &reading));
        conversation = Conversation::new(reading.document());
    }
    type_in(&send);
    let mut session = Session {
        assistant,
        mind: StarterMind { starter: &starter, conversation: &mut conversation },
        transcriber: None,
        listener: None,
        voice,
        headphones: args.headphones,
        quitting: false,
        speaking: false,
        said: 0,
        cue_due: false,
    };
    if args.photo.is_some() {
        session.handle(Command::Read);
    }
    // While the first row is spoken.
    session.open_ears(args.model.backend(), &send);
    session.converse(&inbox);
    Ok(())
}

fn start_voice(send: &Sender<Input>) -> std::io::Result<Voice> {
    let spoken = send.clone();
    Voice::start(move |notice| {
        show(&notice);
        let _ = spoken.send(Input::Spoken(notice));
    })
}

/// Typed lines are commands and questions too: for a noisy place, or when there is no microphone.
fn type_in(send: &Sender<Input>) {
    let typed = send.clone();
    // It waits for the keyboard for ever and ends with the program.
    std::thread::spawn(move || {
        for line in std::io::stdin().lock().lines() {
            if line.map(|line| typed.send(Input::Typed(line))).is_err() {
                return;
            }
        }
    });
}

/// A conversation under way.
struct Session<'a> {
    assistant: Assistant,
    mind: StarterMind<'a>,
    transcriber: Option<Transcriber>,
    listener: Option<Listener>,
    voice: Voice,
    headphones: bool,
    quitting: bool,
    /// Whether the voice has something to say, and how many utterances it was given.
    speaking: bool,
    said: u64,
    /// The microphone is open and the user has not been told yet.
    cue_due: bool,
}

impl Session<'_> {
    /// Opens the speech model and the microphone; without them questions are typed.
    fn open_ears(&mut self, backend: Backend, send: &Sender<Input>) {
        match Transcriber::open(Expected::Questions, backend) {
            Ok(transcriber) => self.transcriber = Some(transcriber),
            Err(reason) => return self.alert(&format!("I cannot listen: {reason}. Type your questions instead.")),
        }
        let heard = send.clone();
        match Listener::start(move |event| drop(heard.send(Input::Heard(event)))) {
            Ok(listener) => self.listener = Some(listener),
            Err(reason) => self.alert(&format!("I cannot listen: {reason}.")),
        }
    }

    fn converse(&mut self, inbox: &Receiver<Input>) {
        while let Ok(input) = inbox.recv() {
            match input {
                Input::Heard(event) => self.heard(event),
                Input::Typed(line) if line.trim().is_empty() => self.handle(Command::Stop),
                Input::Typed(line) => self.handle(understand(&line)),
                Input::Spoken(Notice::Began(utterance)) => self.assistant.began(utterance.mark),
                // It was quiet for a moment, but was given more to say since.
                Input::Spoken(Notice::Quiet { said }) if said < self.said => {}
                Input::Spoken(Notice::Quiet { .. }) if self.quitting => return,
                Input::Spoken(Notice::Quiet { .. }) => {
                    self.assistant.quiet();
                    self.speaking = false;
                    self.open_ear();
                }
                Input::Spoken(_) => {}
                Input::Quit => return,
            }
        }
    }

    fn heard(&mut self, event: listen::Event) {
        match event {
            listen::Event::Ready => {
                self.cue_due = true;
                self.open_ear();
            }
            listen::Event::Lost(reason) => self.alert(&format!("I cannot hear you: {reason}. You can type.")),
            listen::Event::Began if self.headphones => self.voice.silence(),
            listen::Event::Speech { samples, .. } => {
                let understood = self.transcriber.as_ref().map(|transcriber| transcriber.transcribe(&samples));
                match understood {
                    // A cough or a door: nobody asked anything.
                    Some(Ok(text)) if text.is_empty() => {}
                    Some(Ok(text)) => {
                        println!("> {text}");
                        self.handle(understand(&text));
                    }
                    Some(Err(reason)) => self.alert(&format!("I did not understand: {reason}.")),
                    None => {}
                }
            }
            listen::Event::Began | listen::Event::Nothing | listen::Event::Level(_) => {}
        }
    }

    fn handle(&mut self, command: Command) {
        if !self.headphones {
            self.set_ear(Mode::Off);
        }
        let (voice, quitting, speaking, said) = (&self.voice, &mut self.quitting, &mut self.speaking, &mut self.said);
        self.assistant.handle(command, &mut self.mind, &mut |event| match event {
            Event::Say(utterance) => {
                *speaking = true;
                *said += 1;
                voice.say(utterance);
            }
            Event::Silence => {
                *speaking = false;
                voice.silence();
            }
            Event::Configure(settings) => voice.configure(settings),
            Event::Quit => *quitting = true,
            _ => {}
        });
        self.open_ear();
    }

    /// Listens, as soon as nothing is being said: without headphones it would hear itself. The first time, and when the
    /// microphone came back, a word tells that from now on one is heard.
    fn open_ear(&mut self) {
        if self.speaking && !self.headphones {
            return;
        }
        if std::mem::take(&mut self.cue_due) {
            self.say(Priority::Answer, "Listening.");
        } else {
            self.set_ear(Mode::HandsFree);
        }
    }

    fn set_ear(&self, mode: Mode) {
        if let Some(listener) = &self.listener {
            listener.set_mode(mode);
        }
    }

    fn alert(&mut self, text: &str) {
        self.say(Priority::Alert, text);
    }

    fn say(&mut self, priority: Priority, text: &str) {
        self.speaking = true;
        self.said += 1;
        if !self.headphones {
            self.set_ear(Mode::Off);
        }
        self.voice.say(Utterance::new(priority, text));
    }
}
