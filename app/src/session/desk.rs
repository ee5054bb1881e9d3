//! The [`Outlets`] of a real session: voice, microphone, camera, networks and helpers, each on threads of its own.

use std::ops::ControlFlow;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::Sender;

use image::RgbImage;
use sightread_models::device::Backend;

use super::Keeper;
use super::brain::{Brain, Job, SharedStarter};
use super::eyes::Eyes;
use super::input::Input;
use super::outlets::Outlets;
use crate::camera::{self, Source};
use crate::library::{self, Import, ImportSource};
use crate::settings::Settings;
use crate::speech::listen::{Listener, Mode};
use crate::speech::route::is_silent;
use crate::speech::voice::{self, Utterance, Voice, VoiceChoice};
use crate::{screen_reader, setup};

/// All that a session holds of the world.
pub(super) struct Desk {
    letters: Sender<Input>,
    keep: Keeper,
    voice: Voice,
    listener: Option<Listener>,
    brain: Brain,
    starter: SharedStarter,
    eyes: Option<Eyes>,
    import: Option<Import>,
}

impl Desk {
    /// Opens everything in the background; what comes of it goes to `letters`.
    pub(super) fn open(
        letters: Sender<Input>,
        keep: Keeper,
        model_dir: Option<PathBuf>,
        backend: Backend,
    ) -> std::io::Result<Self> {
        // First the voice: it greets while the rest is being opened.
        let to = letters.clone();
        let voice = Voice::start(move |notice| drop(to.send(Input::Voice(notice))))?;
        let starter = SharedStarter::default();
        let to = letters.clone();
        let brain =
            Brain::start(model_dir, backend, starter.clone(), move |thought| drop(to.send(Input::Brain(thought))))?;
        let to = letters.clone();
        let tell = move |running| match to.send(Input::ScreenReader(running)) {
            Ok(()) => ControlFlow::Continue(()),
            Err(_) => ControlFlow::Break(()),
        };
        // Without a thread to look for one there is none.
        let _ = screen_reader::watch(tell);
        let to = letters.clone();
        let listener = Listener::start(move |event| drop(to.send(Input::Ear(event)))).ok();
        Ok(Self { letters, keep, voice, listener, brain, starter, eyes: None, import: None })
    }

    /// Does something that takes its time on a thread of its own.
    fn aside(&self, name: &str, work: impl FnOnce(&Sender<Input>) + Send + 'static) {
        let letters = self.letters.clone();
        // Without a thread nothing is found, and the next try may find it.
        let _ = std::thread::Builder::new().name(name.into()).spawn(move || work(&letters));
    }
}

impl Outlets for Desk {
    fn say(&mut self, utterance: Utterance) {
        self.voice.say(utterance);
    }

    fn silence(&mut self) {
        self.voice.silence();
    }

    fn configure_voice(&mut self, settings: &Settings) {
        self.voice.configure(voice::Settings::new(settings.rate, settings.volume));
        self.voice.choose(VoiceChoice::new(&settings.language, &settings.voice));
        self.voice.set_silent(is_silent(settings.output));
    }

    fn list_voices(&mut self) {
        self.voice.list_voices();
    }

    fn listen(&mut self, mode: Mode) {
        if let Some(listener) = &self.listener {
            listener.set_mode(mode);
        }
    }

    fn think(&mut self, job: Job) {
        self.brain.take(job);
    }

    fn forget(&mut self, newest: u64) {
        self.brain.forget(newest);
    }

    fn open_camera(&mut self, source: &Source) {
        // The old one is closed first: it may be the same device.
        self.eyes = None;
        if *source != Source::None {
            let letters = self.letters.clone();
            let told = move |sighting| drop(letters.send(Input::Eye(sighting)));
            self.eyes = Eyes::open(source.clone(), self.starter.clone(), told).ok();
        }
    }

    fn set_torch(&mut self, on: bool) {
        if let Some(eyes) = &self.eyes {
            eyes.set_torch(on);
        }
    }

    fn best_frame(&mut self) -> Option<Arc<RgbImage>> {
        self.eyes.as_ref()?.best()
    }

    fn aim(&mut self, on: bool) {
        if let Some(eyes) = &self.eyes {
            eyes.aim(on);
        }
    }

    fn keep(&mut self, settings: &Settings) -> Result<(), String> {
        (self.keep)(settings)
    }

    fn check(&mut self, settings: &Settings) {
        let camera = settings.camera.clone();
        self.aside("checks", move |letters| setup::run_all(&camera, |check| drop(letters.send(Input::Checked(check)))));
    }

    fn find_cameras(&mut self) {
        self.aside("cameras", |letters| drop(letters.send(Input::Cameras(camera::list().unwrap_or_default()))));
    }

    fn find_models(&mut self) {
        self.aside("models", |letters| drop(letters.send(Input::Models(library::installed()))));
    }

    fn import(&mut self, from: ImportSource, calibration: Option<PathBuf>) {
        let letters = self.letters.clone();
        let told = move |state| drop(letters.send(Input::Import(state)));
        self.import = Import::start(from, calibration, &library::folder(), told).ok();
    }

    fn stop_import(&mut self) {
        if let Some(import) = &self.import {
            import.stop();
        }
    }
}
