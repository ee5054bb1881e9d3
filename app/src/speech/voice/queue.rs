//! What is spoken when: priorities, interruption, and what to do when the speech service dies or hangs.
//!
//! Pure: it is told what happened and what time it is, commands a [`Backend`] and gives [`Notice`]s. One utterance is
//! with the backend at a time, so that everything behind it can still be dropped or overtaken.

use std::collections::VecDeque;
use std::time::Duration;

use super::backend::{Backend, Event, Settings};
use super::choice::VoiceChoice;
use super::utterance::{Notice, Priority, Utterance};
use crate::speech::aloud::aloud;

/// Said by a voice that comes back, which also proves that it does.
pub const BACK: &str = "The voice is back.";
/// A service that does not answer for so long is dead.
const OPEN_LIMIT: Duration = Duration::from_secs(6);
/// From the command to the first sound.
const BEGIN_LIMIT: Duration = Duration::from_secs(5);
/// An utterance may take this and …
const END_LIMIT: Duration = Duration::from_secs(4);
/// … this for each of its characters: slow voices take half of it.
const END_LIMIT_PER_CHAR: Duration = Duration::from_millis(250);
/// While it speaks the service is asked so often whether it still lives: one that died tells nobody.
const PING: Duration = Duration::from_secs(1);
/// Waits between attempts to reach the service; the last one is repeated.
const RETRY: [Duration; 5] = [
    Duration::from_millis(300),
    Duration::from_secs(1),
    Duration::from_secs(2),
    Duration::from_secs(3),
    Duration::from_secs(5),
];
/// What could not be spoken for so long is not wanted any more.
const KEEP: Duration = Duration::from_secs(60);
/// How often an utterance is begun before it counts as one that the voice cannot speak.
const TRIES: u32 = 3;

#[derive(Debug, Clone)]
struct Item {
    utterance: Utterance,
    since: Duration,
    /// How often its speaking failed.
    failures: u32,
    /// Whether it was given out as [`Notice::Unspoken`].
    shown: bool,
}

#[derive(Debug, Clone)]
enum State {
    /// Waiting for the connection.
    Opening { until: Duration },
    /// Connected.
    Idle,
    /// `item` is with the backend; without one it is the proof of a voice that came back.
    Speaking { id: u64, item: Option<Item>, until: Duration, ping_at: Duration },
    /// No connection; the next attempt comes at that time.
    Down { retry_at: Duration },
}

/// The queue of a voice.
pub struct Queue<B> {
    backend: B,
    state: State,
    waiting: VecDeque<Item>,
    settings: Settings,
    choice: VoiceChoice,
    /// Whether it was told that the chosen voice is not there.
    missing_told: bool,
    /// Whether somebody waits for the list of voices.
    voices_wanted: bool,
    silent: bool,
    next_id: u64,
    /// Attempts since the voice was lost; 0 while it works.
    attempts: usize,
    /// Whether the loss was told.
    lost: bool,
    /// Calls of [`Queue::say`].
    said: u64,
    /// Whether something was said since the last [`Notice::Quiet`].
    busy: bool,
    notices: Vec<Notice>,
}

impl<B: Backend> Queue<B> {
    /// A queue that begins to connect.
    pub fn new(mut backend: B, now: Duration) -> Self {
        backend.open();
        Self {
            backend,
            state: State::Opening { until: now + OPEN_LIMIT },
            waiting: VecDeque::new(),
            settings: Settings::default(),
            choice: VoiceChoice::default(),
            missing_told: false,
            voices_wanted: false,
            silent: false,
            next_id: 0,
            attempts: 0,
            lost: false,
            said: 0,
            busy: false,
            notices: vec![],
        }
    }

    /// What happened since the last call.
    pub fn notices(&mut self) -> Vec<Notice> {
        std::mem::take(&mut self.notices)
    }

    #[cfg(test)]
    fn backend(&mut self) -> &mut B {
        &mut self.backend
    }

    /// When [`Queue::tick`] must be called at the latest, if nothing else happens.
    pub fn deadline(&self) -> Option<Duration> {
        match self.state {
            State::Opening { until } => Some(until),
            State::Speaking { until, ping_at, .. } => Some(until.min(ping_at)),
            State::Down { retry_at } => Some(retry_at),
            State::Idle => None,
        }
    }

    /// Says something.
    pub fn say(&mut self, utterance: Utterance, now: Duration) {
        self.said += 1;
        self.busy = true;
        // A NUL ends a text in C, and other control characters confuse protocols.
        let clean = |c: char| if c.is_control() { ' ' } else { c };
        let utterance = Utterance { text: utterance.text.chars().map(clean).collect(), ..utterance };
        if utterance.text.trim().is_empty() {
            return self.settle();
        }
        let priority = utterance.priority;
        if priority == Priority::Guidance && self.is_something_more_important_than_guidance_said() {
            self.settle();
            return;
        }
        // Guidance grows stale: whatever comes after it replaces it.
        self.waiting.retain(|item| item.utterance.priority > Priority::Guidance);
        let item = Item { utterance, since: now, failures: 0, shown: false };
        let at = self.waiting.iter().position(|other| other.utterance.priority < priority);
        self.waiting.insert(at.unwrap_or(self.waiting.len()), item);
        if let State::Speaking { item: Some(current), .. } = &self.state
            && current.utterance.priority < priority
        {
            self.interrupt();
        }
        if let State::Down { .. } = self.state {
            self.show_waiting();
        }
        self.next(now);
    }

    /// Falls silent and forgets all that was to be said.
    pub fn silence(&mut self, now: Duration) {
        self.waiting.clear();
        if let State::Speaking { item, .. } = &self.state {
            let proving = item.is_none();
            self.backend.stop();
            self.state = State::Idle;
            if proving {
                // Silence was asked for: a voice that is not back after all is found out by the next utterance.
                self.lost = false;
                self.notices.push(Notice::Back);
            }
        }
        self.next(now);
    }

    /// Changes pace and loudness, from the next sentence on.
    pub fn configure(&mut self, settings: Settings) {
        self.settings = settings;
        self.backend.configure(settings);
    }

    /// Changes the voice, from the next sentence on.
    pub fn choose(&mut self, choice: VoiceChoice) {
        if choice != self.choice {
            self.missing_told = false;
            self.backend.choose(&choice);
            self.choice = choice;
        }
    }

    /// Asks for [`Notice::Voices`]; a voice that is lost tells them when it is back.
    pub fn list_voices(&mut self) {
        self.voices_wanted = true;
        if let State::Idle | State::Speaking { .. } = self.state {
            self.backend.list_voices();
        }
    }

    /// Takes the time of what it is given to say without a sound, or sounds again. What is being said is begun again.
    pub fn set_silent(&mut self, silent: bool, now: Duration) {
        if silent == self.silent {
            return;
        }
        self.silent = silent;
        if let State::Speaking { item, .. } = &self.state {
            match item {
                Some(_) => self.interrupt(),
                None => self.backend.stop(),
            }
        }
        // Nothing is known yet of what speaks from now on.
        (self.lost, self.attempts) = (false, 0);
        self.state = State::Opening { until: now + OPEN_LIMIT };
        self.backend.set_silent(silent);
    }

    /// Takes an event of the backend.
    pub fn event(&mut self, event: Event, now: Duration) {
        match (event, &mut self.state) {
            (Event::Opened, State::Opening { .. }) => {
                self.backend.configure(self.settings);
                if !self.choice.is_system() {
                    self.backend.choose(&self.choice);
                }
                if self.voices_wanted {
                    self.backend.list_voices();
                }
                self.state = State::Idle;
            }
            (Event::Began(began), State::Speaking { id, item, until, .. }) if began == *id => {
                let text = item.as_ref().map_or(BACK.into(), |item| aloud(&item.utterance.text));
                *until = now + END_LIMIT + END_LIMIT_PER_CHAR * text.chars().count().min(10_000) as u32;
                if let Some(item) = item {
                    self.notices.push(Notice::Began(item.utterance.clone()));
                }
            }
            // Somebody else's stop (a screen reader's key) counts as heard: saying it again would defy the user.
            (Event::Ended(ended) | Event::Stopped(ended), State::Speaking { id, .. }) if ended == *id => {
                self.spoken();
            }
            (Event::Failed(reason), _) => self.fail(reason, now),
            (Event::Voices(voices), _) => {
                self.voices_wanted = false;
                self.notices.push(Notice::Voices(voices));
            }
            (Event::NoSuchVoice(sentence), _) if !std::mem::replace(&mut self.missing_told, true) => {
                self.notices.push(Notice::NoSuchVoice(sentence));
            }
            _ => {} // of an utterance that was interrupted
        }
        self.next(now);
    }

    /// Lets time pass: watchdogs and attempts to connect.
    pub fn tick(&mut self, now: Duration) {
        if self.deadline().is_none_or(|deadline| now < deadline) {
            return;
        }
        match &mut self.state {
            State::Idle => {}
            State::Speaking { until, ping_at, .. } if now < *until => {
                *ping_at = now + PING;
                self.backend.ping();
            }
            State::Opening { .. } => self.fail("the speech service does not answer".into(), now),
            State::Speaking { .. } => {
                self.backend.stop();
                self.fail("the speech service does not finish its sentence".into(), now);
            }
            State::Down { .. } => {
                self.waiting.retain(|item| now < item.since + KEEP);
                self.backend.open();
                self.state = State::Opening { until: now + OPEN_LIMIT };
            }
        }
        self.next(now);
    }

    fn is_something_more_important_than_guidance_said(&self) -> bool {
        let speaking = match &self.state {
            State::Speaking { item, .. } => item.as_ref(),
            _ => None,
        };
        speaking.into_iter().chain(&self.waiting).any(|item| item.utterance.priority > Priority::Guidance)
    }

    /// Stops what is being said; it is begun again when its turn comes, unless it is guidance.
    fn interrupt(&mut self) {
        self.backend.stop();
        let State::Speaking { item: Some(item), .. } = std::mem::replace(&mut self.state, State::Idle) else { return };
        if item.utterance.priority > Priority::Guidance {
            self.put_back(item);
        }
    }

    fn put_back(&mut self, item: Item) {
        let at = self.waiting.iter().position(|other| other.utterance.priority <= item.utterance.priority);
        self.waiting.insert(at.unwrap_or(self.waiting.len()), item);
    }

    /// The utterance with the backend was heard to its end.
    fn spoken(&mut self) {
        let State::Speaking { item, .. } = std::mem::replace(&mut self.state, State::Idle) else { return };
        match item {
            Some(item) => self.notices.push(Notice::Ended(item.utterance)),
            None => {
                self.lost = false;
                self.notices.push(Notice::Back);
            }
        }
        self.attempts = 0;
    }

    /// The voice is gone: what was being said waits for it, and is shown.
    fn fail(&mut self, reason: String, now: Duration) {
        if let State::Speaking { item: Some(mut item), .. } = std::mem::replace(&mut self.state, State::Idle) {
            item.failures += 1;
            if item.failures < TRIES {
                self.put_back(item);
            } else if !item.shown {
                self.notices.push(Notice::Unspoken(item.utterance));
            }
        }
        if !self.lost {
            self.lost = true;
            self.notices.push(Notice::Lost(reason));
        }
        let wait = RETRY.get(self.attempts).or(RETRY.last()).copied().unwrap_or_default();
        self.attempts += 1;
        self.state = State::Down { retry_at: now + wait };
        self.show_waiting();
    }

    fn show_waiting(&mut self) {
        for item in &mut self.waiting {
            if !std::mem::replace(&mut item.shown, true) {
                self.notices.push(Notice::Unspoken(item.utterance.clone()));
            }
        }
    }

    /// Gives the backend what comes next, if it is free.
    fn next(&mut self, now: Duration) {
        if let State::Idle = self.state {
            // A voice that was lost proves itself first, so that nothing is lost on one that is still mute.
            let item = if self.lost { None } else { self.waiting.pop_front() };
            if self.lost || item.is_some() {
                self.next_id += 1;
                let id = self.next_id;
                self.backend.speak(id, &item.as_ref().map_or(BACK.into(), |item| aloud(&item.utterance.text)));
                self.state = State::Speaking { id, item, until: now + BEGIN_LIMIT, ping_at: now + PING };
            }
        }
        self.settle();
    }

    /// Tells when nothing is left to say: all was spoken, or shown because there is no voice.
    fn settle(&mut self) {
        let nothing_waits = match &self.state {
            State::Idle => self.waiting.is_empty(),
            State::Opening { .. } if self.attempts == 0 => self.waiting.is_empty(),
            State::Opening { .. } | State::Down { .. } => self.waiting.iter().all(|item| item.shown),
            State::Speaking { item, .. } => item.is_none() && self.waiting.is_empty(),
        };
        if nothing_waits && std::mem::take(&mut self.busy) {
            self.notices.push(Notice::Quiet { said: self.said });
        }
    }
}

#[cfg(test)]
#[path = "queue_tests.rs"]
mod tests;
