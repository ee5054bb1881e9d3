//! The engine's part that is not the conversation: camera state, screens, settings, history, checks and imports.

use std::path::PathBuf;
use std::sync::Arc;

use super::brain::Job;
use super::engine::Engine;
use super::input::Sighting;
use super::outlets::Outlets;
use super::view::CameraState;
use crate::assistant::{Command, Screen};
use crate::library::ImportState;
use crate::settings::Settings;
use crate::setup::{Check, Outcome};
use crate::speech::route::Kind;
use crate::speech::voice::{self, Priority, Utterance};

/// Hints whose latency is kept.
const LATENCIES_KEPT: usize = 200;

impl<O: Outlets> Engine<O> {
    pub(super) fn eye(&mut self, sighting: Sighting) {
        match sighting {
            Sighting::Opened { name, torch } => {
                let again = matches!(self.view.camera, CameraState::Lost(_));
                self.view.camera = CameraState::On { name, torch };
                if again {
                    self.tell("The camera is back.");
                }
            }
            Sighting::Torch(on) => {
                if let CameraState::On { torch, .. } = &mut self.view.camera {
                    *torch = Some(on);
                    self.tell(if on { "The lamp is on." } else { "The lamp is off." });
                }
            }
            Sighting::Lost(error) => {
                self.view.preview = None;
                self.alert(&format!("I see nothing: {error}."));
                self.view.camera = CameraState::Lost(error.to_string());
            }
            Sighting::Preview(preview) => {
                self.view.figures.looks += preview.looks;
                self.view.preview = Some(preview);
                if std::mem::take(&mut self.look_due) {
                    self.look();
                }
            }
            Sighting::Hint(text, taken) => {
                if !self.view.settings.guidance || self.view.screen != Screen::Reader || self.view.work.is_some() {
                    return;
                }
                self.set_status(&text, false);
                self.waiting_hint = self.is_speaking().then(|| text.clone());
                self.say(Kind::Hint, Utterance::new(Priority::Guidance, text));
                let latencies = &mut self.view.figures.hint_latency;
                latencies.push(taken.elapsed().as_secs_f32());
                let old = latencies.len().saturating_sub(LATENCIES_KEPT);
                latencies.drain(..old);
            }
            Sighting::Capture(picture) => self.captured(picture),
        }
    }

    /// Says the hint that came while something else was being said, if it still holds.
    pub(super) fn say_waiting_hint(&mut self) {
        let holds =
            |hint: &String| self.view.preview.as_ref().is_some_and(|preview| preview.hint.as_ref() == Some(hint));
        if let Some(hint) = self.waiting_hint.take().filter(holds) {
            self.say(Kind::Hint, Utterance::new(Priority::Guidance, hint));
        }
    }

    pub(super) fn torch(&mut self, on: bool) {
        match &self.view.camera {
            CameraState::On { torch: Some(_), .. } => self.out.set_torch(on),
            _ => self.answer("This camera has no lamp."),
        }
    }

    pub(super) fn open(&mut self, screen: Screen) {
        self.tell(&format!("{}.", screen.name()));
        self.enter(screen);
        if screen == Screen::Help {
            self.command(Command::Help);
        }
    }

    /// Shows a screen and looks for what it shows.
    pub(super) fn enter(&mut self, screen: Screen) {
        self.view.screen = screen;
        match screen {
            Screen::Models => self.out.find_models(),
            Screen::Settings => {
                self.out.find_cameras();
                self.out.list_voices();
            }
            Screen::SetUp => self.out.find_cameras(),
            Screen::Reader | Screen::History | Screen::Help => {}
        }
    }

    /// Takes settings from a surface.
    pub(super) fn change(&mut self, settings: Settings) {
        let old = self.view.settings.clone();
        if settings.camera != old.camera {
            self.open_camera(&settings.camera);
        }
        self.assistant.configure(voice::Settings::new(settings.rate, settings.volume));
        self.take_settings(settings);
    }

    /// Takes settings whoever changed them, and keeps them.
    pub(super) fn take_settings(&mut self, settings: Settings) {
        self.view.settings = Arc::new(settings);
        let settings = self.view.settings.clone();
        self.out.configure_voice(&settings);
        if let Err(reason) = self.out.keep(&settings) {
            self.alert(&reason);
        }
        self.update_ear();
    }

    /// Goes back to an earlier reading.
    pub(super) fn recall(&mut self, id: u64) {
        let Some((_, read)) = self.pages.iter().find(|(page, _)| *page == id) else {
            return self.answer("That reading is too old; only its words are kept.");
        };
        let read = read.clone();
        self.silence();
        self.out.think(Job::Recall(read.document.clone(), read.page.picture.clone()));
        self.show(id, read);
        self.view.screen = Screen::Reader;
        self.command(Command::Read);
    }

    pub(super) fn save(&mut self, id: u64, to: Option<PathBuf>) {
        match self.history.save(id, to.as_deref()) {
            Ok(path) => self.tell(&format!("Saved as {}.", path.display())),
            Err(error) => self.alert(&error.to_string()),
        }
    }

    /// Answers with another model from now on; the empty name is the one that comes with the program.
    pub(super) fn use_model(&mut self, name: String) {
        self.silence();
        self.out.think(Job::UseModel(name));
    }

    /// The model of that name answers now, and when the program starts the next time.
    pub(super) fn model_is_used(&mut self, name: &str) {
        self.tell(&match name {
            "" => "The model that came with the program answers.".into(),
            name => format!("{name} answers from now on."),
        });
        if self.view.settings.model != name {
            self.take_settings(Settings { model: name.into(), ..Settings::clone(&self.view.settings) });
        }
    }

    pub(super) fn check(&mut self) {
        self.view.checks.clear();
        self.out.check(&self.view.settings.clone());
    }

    pub(super) fn checked(&mut self, check: Check) {
        match &check.outcome {
            Outcome::Running => {}
            Outcome::Works(found) => self.answer(&format!("{}: {found}.", check.part.name())),
            Outcome::Problem { what, remedy } => self.answer(&format!("{}: {what}. {remedy}.", check.part.name())),
        }
        match self.view.checks.iter_mut().find(|known| known.part == check.part) {
            Some(known) => *known = check,
            None => self.view.checks.push(check),
        }
    }

    pub(super) fn import(&mut self, state: ImportState) {
        let step = self.view.import.as_ref().map(|known| known.step.clone());
        match &state.ended {
            Some(Ok(done)) => {
                self.tell(&done.clone());
                self.out.find_models();
            }
            Some(Err(reason)) => self.alert(&reason.clone()),
            None if step.as_ref() != Some(&state.step) => self.set_status(&state.step, false),
            None => {}
        }
        self.view.import = Some(state);
    }
}
