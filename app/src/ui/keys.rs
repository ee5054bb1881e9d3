//! What the keys mean, everywhere but in a text field, and there those that type nothing.
//!
//! A key is a wish; what is behind it is somebody else's business. Space is two wishes: a short press reads, a long one
//! asks for as long as it is held.

use eframe::egui::{Event, Key, Modifiers};

use crate::assistant::{Command, Screen};

/// Seconds that Space is held before it asks.
pub const HOLD: f64 = 0.4;

/// What the user wants of the window.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wish {
    /// A command of the assistant.
    Do(Command),
    /// Listen from now on, or no longer.
    Listen(bool),
    /// The camera's lamp the other way.
    TurnLamp,
    /// Choose a picture file.
    OpenPicture,
    /// Type a question.
    TypeQuestion,
    /// Everything larger or smaller by a step; back to the usual size at 0.
    Scale(i8),
    /// The whole screen, or no longer.
    TurnFullScreen,
    /// End the program.
    Quit,
}

/// What a key stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Meaning {
    /// Reads when it was pressed briefly, asks while it is held.
    LookOrAsk,
    /// Asks while it is held.
    Ask,
    Wish(Wish),
}

/// Keys and what they do, for people; the order is that of the help.
pub const HELP: [(&str, &str); 25] = [
    ("Space", "reads what the camera sees"),
    ("Space, held", "listens to a question as long as it is held"),
    ("A, held", "listens to a question as long as it is held"),
    ("Escape, or any key without a meaning", "silence"),
    ("Down arrow", "next line"),
    ("Up arrow", "previous line"),
    ("R", "says the last thing again"),
    ("S", "spells the last thing"),
    ("Plus", "faster"),
    ("Minus", "slower"),
    ("Page Up, or Control and Up", "louder"),
    ("Page Down, or Control and Down", "quieter"),
    ("C", "names the colour"),
    ("L", "tells how light it is"),
    ("T", "switches the lamp of the camera"),
    ("Q", "goes to the field for a typed question"),
    ("Control and O", "opens a picture"),
    ("Control and C", "copies the text"),
    ("Control and S", "saves the text"),
    ("Tab, and Shift and Tab", "the next control, the one before"),
    ("Enter", "presses the control that has the focus"),
    ("F1", "speaks the help"),
    ("F2 to F7, or Alt and 1 to 6", "the screens: Reader, History, Models, Settings, Set-up, Help"),
    ("F11; Control and Plus, Minus, 0", "full screen; larger, smaller, usual size"),
    ("Control and Q", "ends the program"),
];

fn meaning(key: Key, modifiers: Modifiers) -> Option<Meaning> {
    let wish = |wish| Some(Meaning::Wish(wish));
    let act = |command| Some(Meaning::Wish(Wish::Do(command)));
    if modifiers.command || modifiers.ctrl {
        return match key {
            Key::ArrowUp => act(Command::Louder),
            Key::ArrowDown => act(Command::Quieter),
            Key::C => act(Command::Copy),
            Key::S => act(Command::Save),
            Key::O => wish(Wish::OpenPicture),
            Key::Plus | Key::Equals => wish(Wish::Scale(1)),
            Key::Minus => wish(Wish::Scale(-1)),
            Key::Num0 => wish(Wish::Scale(0)),
            Key::Q => wish(Wish::Quit),
            _ => None,
        };
    }
    if modifiers.alt {
        return screen_of(key, &[Key::Num1, Key::Num2, Key::Num3, Key::Num4, Key::Num5, Key::Num6]);
    }
    match key {
        Key::Space => Some(Meaning::LookOrAsk),
        Key::A => Some(Meaning::Ask),
        Key::ArrowDown => act(Command::NextLine),
        Key::ArrowUp => act(Command::PreviousLine),
        Key::R => act(Command::Again),
        Key::S => act(Command::Spell),
        Key::Plus | Key::Equals => act(Command::Faster),
        Key::Minus => act(Command::Slower),
        Key::PageUp => act(Command::Louder),
        Key::PageDown => act(Command::Quieter),
        Key::C => act(Command::Colour),
        Key::L => act(Command::Light),
        Key::T => wish(Wish::TurnLamp),
        Key::Q => wish(Wish::TypeQuestion),
        Key::F1 => act(Command::Help),
        Key::F11 => wish(Wish::TurnFullScreen),
        _ => screen_of(key, &[Key::F2, Key::F3, Key::F4, Key::F5, Key::F6, Key::F7]),
    }
}

fn screen_of(key: Key, keys: &[Key; 6]) -> Option<Meaning> {
    let (_, screen) = keys.iter().zip(Screen::ALL).find(|(k, _)| **k == key)?;
    Some(Meaning::Wish(Wish::Do(Command::Open(screen))))
}

/// Whether a text field makes something of the key.
fn types(key: Key, modifiers: Modifiers) -> bool {
    let function_key = key.name().strip_prefix('F').is_some_and(|n| n.parse::<u8>().is_ok());
    if function_key || matches!(key, Key::Escape | Key::PageUp | Key::PageDown) {
        return false;
    }
    // Control and C copies what is selected in the field.
    let of_ours = |meaning: Option<Meaning>| meaning.is_some_and(|m| m != Meaning::Wish(Wish::Do(Command::Copy)));
    !((modifiers.ctrl || modifiers.command || modifiers.alt) && of_ours(meaning(key, modifiers)))
}

/// What has the keyboard.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Focus {
    /// Nothing.
    Nowhere,
    /// A button or something like it.
    Control,
    /// A text field.
    Field,
}

/// A key that is held.
#[derive(Debug, Clone, Copy)]
struct Held {
    key: Key,
    since: f64,
    listening: bool,
}

/// Which key is held.
#[derive(Debug, Default)]
pub struct Keys {
    held: Option<Held>,
}

impl Keys {
    /// Takes the events that are meant for us out of `events`; `now` is in seconds. Call it at every pass: a key that is
    /// held makes no events.
    pub fn take(&mut self, events: &mut Vec<Event>, now: f64, focus: Focus) -> Vec<Wish> {
        let mut wishes = vec![];
        let mut pressed_with_alt = false;
        let mut queue = without_repeats(std::mem::take(events)).into_iter();
        for event in &mut queue {
            match event {
                Event::Key { key, pressed: true, repeat, modifiers, .. } => {
                    if is_for_widgets(key, modifiers, focus) {
                        // A button that is pressed again and again by a finger that lies on Enter surprises.
                        if !repeat || focus == Focus::Field {
                            events.push(event);
                        }
                    } else if !repeat {
                        pressed_with_alt |= modifiers.alt;
                        self.press(key, modifiers, now, &mut wishes);
                    }
                }
                Event::Key { key, pressed: false, .. } => {
                    self.release(key, &mut wishes);
                    events.push(event);
                }
                Event::Copy if focus != Focus::Field => wishes.push(Wish::Do(Command::Copy)),
                Event::Cut if focus != Focus::Field => wishes.push(Wish::Do(Command::Stop)),
                Event::Text(_) if focus != Focus::Field || pressed_with_alt => {}
                Event::WindowFocused(false) => {
                    self.let_go(&mut wishes);
                    events.push(event);
                }
                other => events.push(other),
            }
        }
        self.wait(now, &mut wishes);
        wishes
    }

    /// Seconds until a held key means something else.
    pub fn due(&self, now: f64) -> Option<f64> {
        let held = self.held.filter(|held| !held.listening)?;
        Some((held.since + HOLD - now).max(0.0))
    }

    fn press(&mut self, key: Key, modifiers: Modifiers, now: f64, wishes: &mut Vec<Wish>) {
        match meaning(key, modifiers) {
            Some(Meaning::LookOrAsk | Meaning::Ask) if self.held.is_some() => {}
            Some(Meaning::LookOrAsk) => self.held = Some(Held { key, since: now, listening: false }),
            Some(Meaning::Ask) => {
                self.held = Some(Held { key, since: now, listening: true });
                wishes.push(Wish::Listen(true));
            }
            Some(Meaning::Wish(wish)) => wishes.push(wish),
            None => {
                self.let_go(wishes);
                wishes.push(Wish::Do(Command::Stop));
            }
        }
    }

    fn release(&mut self, key: Key, wishes: &mut Vec<Wish>) {
        if let Some(held) = self.held.take_if(|held| held.key == key) {
            wishes.push(if held.listening { Wish::Listen(false) } else { Wish::Do(Command::Look) });
        }
    }

    /// The key is forgotten, without what a brief press means.
    fn let_go(&mut self, wishes: &mut Vec<Wish>) {
        if self.held.take().is_some_and(|held| held.listening) {
            wishes.push(Wish::Listen(false));
        }
    }

    fn wait(&mut self, now: f64, wishes: &mut Vec<Wish>) {
        if let Some(held) = &mut self.held
            && !held.listening
            && now - held.since >= HOLD
        {
            held.listening = true;
            wishes.push(Wish::Listen(true));
        }
    }
}

fn is_for_widgets(key: Key, modifiers: Modifiers, focus: Focus) -> bool {
    match focus {
        _ if key == Key::Tab => true,
        Focus::Field => types(key, modifiers),
        Focus::Control => key == Key::Enter,
        Focus::Nowhere => false,
    }
}

/// Some systems repeat a held key by letting it go and pressing it again at once: both are dropped.
fn without_repeats(events: Vec<Event>) -> Vec<Event> {
    let mut out: Vec<Event> = Vec::with_capacity(events.len());
    for event in events {
        if let Event::Key { key, pressed: true, .. } = event
            && let Some(Event::Key { key: before, pressed: false, .. }) = out.last()
            && *before == key
        {
            out.pop();
            continue;
        }
        out.push(event);
    }
    out
}

#[cfg(test)]
#[path = "keys_tests.rs"]
mod tests;
