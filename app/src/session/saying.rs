//! The session's voice: what is said, by whom, and what is shown of it.

use super::Told;
use super::engine::Engine;
use super::outlets::Outlets;
use super::view::Status;
use crate::speech::route::{Audible, Kind, Route, route};
use crate::speech::voice::{Notice, Priority, Utterance};

impl<O: Outlets> Engine<O> {
    /// Takes what the voice tells.
    pub(super) fn voice(&mut self, notice: Notice) {
        (self.told)(Told::Voice(notice.clone()));
        match notice {
            Notice::Began(utterance) => {
                self.view.figures.first_word.get_or_insert_with(|| self.started.elapsed().as_secs_f32());
                self.assistant.began(utterance.mark);
                self.view.row = utterance.mark.or(self.view.row);
                if self.route(Kind::of(utterance.priority)).announced {
                    self.announce(&utterance.text, utterance.priority == Priority::Alert);
                }
                self.view.speaking = Some(utterance.text);
            }
            Notice::Ended(_) => self.view.speaking = None,
            Notice::Unspoken(utterance) => self.set_status(&utterance.text, utterance.priority == Priority::Alert),
            Notice::NoSuchVoice(text) => self.tell(&text),
            Notice::Voices(voices) => self.view.voices = voices,
            Notice::Lost(reason) => {
                self.view.voice_lost = Some(reason.clone());
                self.announce(&format!("I cannot speak: {reason}. I go on in writing and keep trying."), true);
            }
            Notice::Back => {
                self.view.voice_lost = None;
                self.set_status("The voice is back.", false);
            }
            // It was quiet for a moment, but was given more to say since.
            Notice::Quiet { said } if said < self.said => {}
            Notice::Quiet { .. } if self.quitting => self.view.quit = true,
            Notice::Quiet { .. } => {
                self.assistant.quiet();
                self.speaking = false;
                self.view.speaking = None;
                self.update_ear();
                self.read_what_waits();
                self.say_waiting_hint();
            }
        }
    }

    /// Something more important than a hint is being said.
    pub(super) fn is_speaking(&self) -> bool {
        self.speaking
    }

    /// Says something, by whoever is to say it: the own voice, the screen reader, or both.
    pub(super) fn say(&mut self, kind: Kind, utterance: Utterance) {
        let to = self.route(kind);
        if to.announced && !to.voice {
            self.announce(&utterance.text, kind == Kind::Alert);
        }
        if !to.voice {
            return;
        }
        self.said += 1;
        if utterance.priority > Priority::Guidance {
            self.speaking = true;
            self.update_ear();
        }
        self.out.say(utterance);
    }

    fn route(&self, kind: Kind) -> Route {
        let audible = Audible { own_voice: self.view.voice_lost.is_none(), screen_reader: self.view.screen_reader };
        route(self.view.settings.output, audible, kind)
    }

    /// Says what was asked for.
    pub(super) fn answer(&mut self, text: &str) {
        self.say(Kind::Answer, Utterance::new(Priority::Answer, text));
    }

    /// Says and shows that something is wrong.
    pub(super) fn alert(&mut self, text: &str) {
        self.set_status(text, true);
        self.say(Kind::Alert, Utterance::new(Priority::Alert, text));
    }

    /// Says and shows that something was done.
    pub(super) fn tell(&mut self, text: &str) {
        self.set_status(text, false);
        self.say(Kind::Status, Utterance::new(Priority::Answer, text));
    }

    /// Shows a message; nobody says it.
    pub(super) fn set_status(&mut self, text: &str, urgent: bool) {
        let number = self.view.status.number + 1;
        self.view.status = Status { number, text: text.into(), urgent, announce: false };
    }

    /// Lets the screen reader say it.
    fn announce(&mut self, text: &str, urgent: bool) {
        self.set_status(text, urgent);
        self.view.status.announce = true;
    }
}
