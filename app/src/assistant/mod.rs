//! The assistant: commands in, events out. It knows the picture, where in its text the user is, what was said last and how
//! the voice is set; it draws nothing, computes nothing and speaks through whoever takes its events.

mod command;
mod scene;
mod screen;

pub use command::{Command, understand};
pub use scene::Scene;
pub use screen::Screen;

use crate::answer::{Answer, NO_TEXT};
use crate::speech::sentences::{Sentences, split};
use crate::speech::spell::spell;
use crate::speech::voice::{Priority, Settings, Utterance};

/// What the assistant wants done.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// Say it when its turn comes.
    Say(Utterance),
    /// Fall silent and forget all that was to be said.
    Silence,
    /// Set the voice.
    Configure(Settings),
    /// Answer a question about the picture; the answer comes back through [`Assistant::piece`] and [`Assistant::answered`].
    Think(String),
    /// Take a new picture and read it.
    Look,
    /// Switch the camera's lamp.
    Torch(bool),
    /// Put these words into the clipboard.
    Copy(String),
    /// Save the text as a file.
    Save,
    /// Open a screen.
    Open(Screen),
    /// End the program.
    Quit,
}

/// Said where there is nothing to speak about.
const NO_PICTURE: &str = "There is no picture yet.";
/// Said when nothing was understood.
const UNCLEAR: &str = "Sorry, what would you like to know?";
/// Said on "help".
const HELP: &str = "Say: look, read it, next line, previous line, again, spell that, slower, faster, louder, quieter, \
    what colour is it, is the light on, lamp on, copy it, save it, open settings, stop, or quit. \
    Anything else is a question about the picture.";
/// A step of the rate.
const RATE_STEP: i32 = 20;
/// A step of the volume.
const VOLUME_STEP: i32 = 15;

/// The state of the conversation.
#[derive(Debug, Default)]
pub struct Assistant {
    scene: Option<Scene>,
    /// The row that was spoken last.
    row: Option<usize>,
    /// Whether the text is being read out from the top.
    reading: bool,
    last_said: Vec<String>,
    settings: Settings,
    /// The question that is being thought about.
    asking: Option<Asking>,
    /// Colour and light of what the camera sees.
    glance: Option<(String, String)>,
}

/// An answer that is still being made.
#[derive(Debug, Default)]
struct Asking {
    sentences: Sentences,
    said: Vec<String>,
}

impl Assistant {
    /// An assistant whose voice is set so.
    pub fn new(settings: Settings) -> Self {
        Self { settings, ..Self::default() }
    }

    /// How the voice is set.
    pub fn settings(&self) -> Settings {
        self.settings
    }

    /// The voice is set so from now on.
    pub fn configure(&mut self, settings: Settings) {
        self.settings = settings;
    }

    /// A new picture. Nothing is said of it yet.
    pub fn show(&mut self, scene: Scene) {
        self.scene = Some(scene);
        self.row = None;
        self.reading = false;
        self.asking = None;
    }

    /// Whether there is a picture.
    pub fn has_picture(&self) -> bool {
        self.scene.is_some()
    }

    /// What a camera sees now, which goes before the colour and light of the picture that was read.
    pub fn glance(&mut self, colour: String, light: String) {
        self.glance = Some((colour, light));
    }

    /// The voice began an utterance with this mark.
    pub fn began(&mut self, mark: Option<usize>) {
        self.row = mark.or(self.row);
    }

    /// The voice has nothing left to say.
    pub fn quiet(&mut self) {
        self.reading = false;
    }

    /// Does what was asked.
    pub fn handle(&mut self, command: Command, emit: &mut dyn FnMut(Event)) {
        // Whatever is being said gives way to what was asked.
        emit(Event::Silence);
        self.asking = None;
        let was_reading = std::mem::take(&mut self.reading);
        match command {
            Command::Read => self.read(0, true, emit),
            Command::NextLine => self.line(1, emit),
            Command::PreviousLine => self.line(-1, emit),
            Command::Again => self.again(emit),
            Command::Spell => self.spell(emit),
            Command::Slower => self.set(-RATE_STEP, 0, "Slower.", was_reading, emit),
            Command::Faster => self.set(RATE_STEP, 0, "Faster.", was_reading, emit),
            Command::Louder => self.set(0, VOLUME_STEP, "Louder.", was_reading, emit),
            Command::Quieter => self.set(0, -VOLUME_STEP, "Quieter.", was_reading, emit),
            Command::Stop => {}
            Command::Colour => self.tell(|(colour, _)| colour, emit),
            Command::Light => self.tell(|(_, light)| light, emit),
            Command::Look => emit(Event::Look),
            Command::Torch(on) => emit(Event::Torch(on)),
            Command::Copy => match &self.scene {
                Some(scene) => emit(Event::Copy(scene.rows.join("\n"))),
                None => self.say(NO_PICTURE, emit),
            },
            Command::Save => match &self.scene {
                Some(_) => emit(Event::Save),
                None => self.say(NO_PICTURE, emit),
            },
            Command::Open(screen) => emit(Event::Open(screen)),
            Command::Help => self.say(HELP, emit),
            Command::Quit => {
                // Not kept as what was said last: nobody can ask for it again.
                emit(answer("Goodbye.".into(), None));
                emit(Event::Quit);
            }
            Command::Ask(question) => self.ask(question, emit),
            Command::Unclear => emit(answer(UNCLEAR.into(), None)),
        }
    }

    /// Reads from a row to the end, the photo's faults first.
    fn read(&mut self, from: usize, with_warnings: bool, emit: &mut dyn FnMut(Event)) {
        let Some(scene) = &self.scene else { return self.say(NO_PICTURE, emit) };
        if with_warnings {
            scene.warnings.iter().for_each(|warning| emit(answer(warning.clone(), None)));
        }
        let passages = scene.passages(from);
        if passages.is_empty() {
            return self.say(NO_TEXT, emit);
        }
        self.reading = true;
        self.row = None;
        self.last_said = passages.iter().map(|(_, text)| text.clone()).collect();
        passages.into_iter().for_each(|(row, text)| emit(answer(text, Some(row))));
    }

    /// Reads the row that many further down.
    fn line(&mut self, step: isize, emit: &mut dyn FnMut(Event)) {
        let Some(scene) = &self.scene else { return self.say(NO_PICTURE, emit) };
        if scene.rows.is_empty() {
            return self.say(NO_TEXT, emit);
        }
        let wanted = match self.row {
            Some(row) => row.checked_add_signed(step),
            None => Some(0),
        };
        match wanted.map(|row| (row, scene.rows.get(row))) {
            Some((row, Some(text))) => {
                self.last_said = vec![text.clone()];
                emit(answer(text.clone(), Some(row)));
                // At once, not when the voice begins: "next, next" moves two rows.
                self.row = Some(row);
            }
            Some((_, None)) => emit(answer("That was the last line.".into(), None)),
            None => emit(answer("This is the first line.".into(), None)),
        }
    }

    fn again(&mut self, emit: &mut dyn FnMut(Event)) {
        if self.last_said.is_empty() {
            return self.say("I have not said anything yet.", emit);
        }
        self.last_said.iter().for_each(|text| emit(answer(text.clone(), None)));
    }

    /// Spells the last answer; of a text that was read out, the row that was reached.
    fn spell(&mut self, emit: &mut dyn FnMut(Event)) {
        let row = self.row.and_then(|row| self.scene.as_ref()?.rows.get(row));
        let text = match (self.last_said.as_slice(), row) {
            ([], _) => return self.say("There is nothing to spell yet.", emit),
            ([_, _, ..], Some(row)) => row,
            ([first, ..], _) => first,
        };
        emit(answer(spell(text), None));
    }

    fn set(&mut self, rate: i32, volume: i32, done: &str, was_reading: bool, emit: &mut dyn FnMut(Event)) {
        let wanted = Settings::new(self.settings.rate() + rate, self.settings.volume() + volume);
        if wanted == self.settings {
            let end = if rate == 0 { "That is as far as the volume goes." } else { "That is as far as the pace goes." };
            emit(answer(end.into(), None));
        } else {
            self.settings = wanted;
            emit(Event::Configure(wanted));
            emit(answer(done.into(), None));
        }
        if was_reading {
            // On from where it was, to hear the difference at once.
            self.read(self.row.unwrap_or(0), false, emit);
        }
    }

    fn tell(&mut self, what: impl Fn((String, String)) -> String, emit: &mut dyn FnMut(Event)) {
        let of_picture = || self.scene.as_ref().map(|scene| (scene.colour.clone(), scene.light.clone()));
        let text = self.glance.take().or_else(of_picture).map_or_else(|| NO_PICTURE.to_string(), what);
        self.say(&text, emit);
    }

    fn ask(&mut self, question: String, emit: &mut dyn FnMut(Event)) {
        if self.scene.is_none() {
            return self.say(NO_PICTURE, emit);
        }
        self.asking = Some(Asking::default());
        emit(Event::Think(question));
    }

    /// The next piece of the answer that is being made. Each sentence is spoken as soon as it is whole; the last one waits
    /// for the verdict: an answer of one sentence that is not sure says so first, not after the number.
    pub fn piece(&mut self, piece: &str, emit: &mut dyn FnMut(Event)) {
        let Some(asking) = &mut self.asking else { return };
        for sentence in asking.sentences.push(piece) {
            asking.speak(sentence, emit);
        }
    }

    /// The answer is complete, or there is none for a reason fit to be spoken.
    pub fn answered(&mut self, answer: Result<&Answer, String>, emit: &mut dyn FnMut(Event)) {
        let Some(mut asking) = self.asking.take() else { return };
        match answer {
            Err(reason) => asking.speak(format!("That did not work: {reason}."), emit),
            Ok(found) if asking.said.is_empty() => {
                split(&found.spoken()).into_iter().for_each(|sentence| asking.speak(sentence, emit));
            }
            Ok(found) => {
                let doubt = (!found.sure).then(|| "I am not sure of that.".to_string());
                asking.sentences.finish().into_iter().chain(doubt).for_each(|sentence| asking.speak(sentence, emit));
            }
        }
        if !asking.said.is_empty() {
            self.last_said = asking.said;
        }
    }

    fn say(&mut self, text: &str, emit: &mut dyn FnMut(Event)) {
        self.last_said = vec![text.into()];
        emit(answer(text.into(), None));
    }
}

impl Asking {
    fn speak(&mut self, sentence: String, emit: &mut dyn FnMut(Event)) {
        // The bar stands between cells of a row.
        let text = sentence.replace(" | ", ", ");
        emit(answer(text.clone(), None));
        self.said.push(text);
    }
}

fn answer(text: String, mark: Option<usize>) -> Event {
    Event::Say(Utterance { text, priority: Priority::Answer, mark })
}

#[cfg(test)]
#[path = "assistant_tests.rs"]
mod tests;
