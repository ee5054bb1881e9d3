//! A connection to the system's speech service, on the thread that owns it. Every call may block for as long as the
//! service pleases; what the service tells by itself comes as [`News`] through a function that only posts letters.

use super::backend::Settings;
use super::choice::{VoiceChoice, VoiceInfo};

/// What became of an utterance.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum News {
    Began,
    Ended,
    Stopped,
}

/// What the service calls an utterance.
pub(super) type Key = String;

/// A connection. Errors are reasons fit to be spoken, and mean that it is broken.
pub(super) trait Engine: Sized {
    /// Connects; `news` may be called from any thread.
    fn connect(news: impl Fn(News, Key) + Clone + Send + 'static) -> Result<Self, String>;
    /// Begins to speak. `None`: the service will not tell when it begins and ends.
    fn speak(&mut self, text: &str) -> Result<Option<Key>, String>;
    /// Falls silent.
    fn stop(&mut self) -> Result<(), String>;
    /// Sets pace and loudness.
    fn configure(&mut self, settings: Settings) -> Result<(), String>;
    /// Sets the voice; the system's own where the service does not have the chosen one.
    fn choose(&mut self, choice: &VoiceChoice) -> Result<(), String>;
    /// Gives the voices that there are, now or later and from another thread, so that nobody waits for a long list. None
    /// if the service cannot tell.
    fn list(&mut self, give: impl FnOnce(Vec<VoiceInfo>) + Send + 'static);
}
