//! The first-run check: camera, microphone, speaker, voice and model, each with a plain sentence and a remedy.

/// What is checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Part {
    /// The camera gives pictures.
    Camera,
    /// The microphone gives sound.
    Microphone,
    /// There is a loudspeaker.
    Speaker,
    /// The speech service speaks.
    Voice,
    /// The reading model and the speech model are whole.
    Model,
}

impl Part {
    /// Its name for people.
    pub fn name(self) -> &'static str {
        match self {
            Self::Camera => "Camera",
            Self::Microphone => "Microphone",
            Self::Speaker => "Loudspeaker",
            Self::Voice => "Voice",
            Self::Model => "Models",
        }
    }
}

/// How a check went.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// Under way.
    Running,
    /// It works: what was found.
    Works(String),
    /// It does not: what is wrong, and what to do.
    Problem {
        /// What is wrong.
        what: String,
        /// What to do.
        remedy: String,
    },
}

/// One check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    /// What is checked.
    pub part: Part,
    /// How it went.
    pub outcome: Outcome,
}
