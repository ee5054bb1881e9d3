//! What the voice is given to say, and what it tells of it.

use std::sync::Arc;

use super::choice::VoiceInfo;

/// Who speaks first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Priority {
    /// Aiming: only the newest matters, and only while nothing else is said.
    Guidance,
    /// What was asked for.
    Answer,
    /// Something is wrong; an answer waits for it and goes on afterwards.
    Alert,
}

/// Something to say, a sentence at best: an interrupted one is begun again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Utterance {
    /// The words.
    pub text: String,
    /// Who speaks first.
    pub priority: Priority,
    /// Comes back in the notices: where in a text it stands.
    pub mark: Option<usize>,
}

impl Utterance {
    /// An utterance that stands nowhere in particular.
    pub fn new(priority: Priority, text: impl Into<String>) -> Self {
        Self { text: text.into(), priority, mark: None }
    }
}

/// What happened, for whoever follows or shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Notice {
    /// An utterance is being heard from now on.
    Began(Utterance),
    /// It was spoken to its end.
    Ended(Utterance),
    /// No voice: the words are to be shown instead. They are spoken late if the voice comes back soon.
    Unspoken(Utterance),
    /// The voice was lost; said once.
    Lost(String),
    /// The voice is back.
    Back,
    /// The voices that can be chosen; none if the service cannot tell.
    Voices(Arc<Vec<VoiceInfo>>),
    /// The chosen voice is not there: a sentence that says so and what speaks instead. Once for every choice.
    NoSuchVoice(String),
    /// Nothing is left to say.
    Quiet {
        /// Calls of [`Voice::say`](super::Voice::say) up to then: whoever said more since then is not meant.
        said: u64,
    },
}
