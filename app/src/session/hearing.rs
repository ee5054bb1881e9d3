//! The session's ear: when it listens, and what becomes of what was said.

use super::Told;
use super::brain::Job;
use super::engine::Engine;
use super::outlets::Outlets;
use super::view::{EarState, Work};
use crate::assistant::{Screen, understand};
use crate::speech::listen::{self, Mode};
use crate::speech::route::Kind;
use crate::speech::voice::{Priority, Utterance};

impl<O: Outlets> Engine<O> {
    /// What was said is known in words.
    pub(super) fn understood(&mut self, result: Result<String, String>) {
        self.view.work = None;
        let held = std::mem::take(&mut self.held);
        match result {
            Ok(text) if text.is_empty() && held => self.answer("I did not hear anything."),
            // A cough or a door: nobody asked anything.
            Ok(text) if text.is_empty() => {}
            Ok(text) => {
                (self.told)(Told::Heard(text.clone()));
                self.command(understand(&text));
            }
            Err(reason) => self.alert(&format!("I did not understand: {reason}.")),
        }
    }

    /// The key for asking goes down or up.
    pub(super) fn hold(&mut self, down: bool) {
        if self.holding == down {
            return;
        }
        match &self.can_hear {
            Some(Err(reason)) if down => {
                let text = format!("I cannot listen: {reason}. Type your question instead.");
                return self.alert(&text);
            }
            None if down => return self.alert("I cannot listen yet, a moment please."),
            _ if down && !self.ear_open => return self.alert("There is no microphone. Type your question instead."),
            _ => {}
        }
        if down {
            self.silence();
            self.set_status("Listening", false);
        }
        self.holding = down;
        self.held |= down;
        self.update_ear();
    }

    /// Takes what the microphone tells.
    pub(super) fn ear(&mut self, event: listen::Event) {
        match event {
            listen::Event::Ready => {
                self.ear_open = true;
                self.cue_due = true;
                self.update_ear();
            }
            listen::Event::Lost(reason) => {
                self.ear_open = false;
                self.holding = false;
                self.alert(&format!("I cannot hear you: {reason}. You can type."));
                self.view.ear = EarState::Lost(reason);
            }
            listen::Event::Began => {
                self.view.ear = EarState::Hearing;
                if self.view.settings.headphones {
                    self.silence();
                }
            }
            listen::Event::Speech { samples, .. } => {
                self.view.work = Some(Work::Understanding);
                self.out.think(Job::Understand(samples));
                self.update_ear();
            }
            listen::Event::Nothing if std::mem::take(&mut self.held) => {
                self.answer("Hold the key as long as you speak.");
            }
            listen::Event::Nothing => self.update_ear(),
            listen::Event::Level(level) => {
                let shown =
                    !matches!(self.view.ear, EarState::Off | EarState::Lost(_)) || self.view.screen == Screen::SetUp;
                self.view.level = shown.then(|| self.view.level.filter(|known| known.is_like(level)).unwrap_or(level));
            }
        }
    }

    /// Listens while the key is held; hands-free as soon as nothing is being said: without headphones it would hear itself.
    /// The first time, and when the microphone came back, a word tells that from now on one is heard.
    pub(super) fn update_ear(&mut self) {
        if !self.ear_open {
            return;
        }
        let settings = self.view.settings.clone();
        let may = self.can_hear == Some(Ok(())) && self.view.work.is_none() && (settings.headphones || !self.speaking);
        let mode = match () {
            () if self.holding => Mode::Hold,
            () if settings.hands_free && may => Mode::HandsFree,
            () => Mode::Off,
        };
        if mode == Mode::HandsFree && std::mem::take(&mut self.cue_due) {
            return self.say(Kind::Answer, Utterance::new(Priority::Answer, "Listening."));
        }
        self.view.ear = if mode == Mode::Off { EarState::Off } else { EarState::Listening };
        self.out.listen(mode);
    }
}
