//! What the queue needs of a voice: commands that never block, and events that come back.

use std::sync::Arc;

use super::choice::{VoiceChoice, VoiceInfo};

/// How the voice speaks, whichever it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Settings {
    /// −100 slowest, 0 the voice's own pace, 100 fastest.
    rate: i8,
    /// 100 as loud as the voice can be.
    volume: u8,
}

/// Quieter than this nobody would hear "louder".
const QUIETEST: u8 = 20;
/// Words a minute: espeak-ng's slowest, its own pace, its fastest.
const WORDS_A_MINUTE: Scale = Scale { min: 80.0, normal: 175.0, max: 450.0 };

impl Default for Settings {
    fn default() -> Self {
        Self { rate: 0, volume: 100 }
    }
}

impl Settings {
    /// Settings within their limits; what lies outside is brought to the nearest.
    pub fn new(rate: i32, volume: i32) -> Self {
        // Both are clamped to what the narrow types hold.
        Self { rate: rate.clamp(-100, 100) as i8, volume: volume.clamp(i32::from(QUIETEST), 100) as u8 }
    }

    /// −100 slowest, 0 the voice's own pace, 100 fastest.
    pub fn rate(self) -> i32 {
        self.rate.into()
    }

    /// 20 quietest, 100 as loud as the voice can be.
    pub fn volume(self) -> i32 {
        self.volume.into()
    }

    /// The rate on a backend's own scale.
    pub fn rate_between(self, scale: Scale) -> f32 {
        let share = f32::from(self.rate) / 100.0;
        let end = if share < 0.0 { scale.min } else { scale.max };
        scale.held(scale.normal + (end - scale.normal) * share.abs())
    }

    /// The rate in words a minute.
    pub fn words_a_minute(self) -> f32 {
        self.rate_between(WORDS_A_MINUTE)
    }

    /// The volume on a backend's own scale.
    pub fn volume_between(self, scale: Scale) -> f32 {
        scale.held(scale.min + (scale.max - scale.min) * f32::from(self.volume) / 100.0)
    }
}

/// The range of a backend's rate or volume; every backend has its own.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Scale {
    /// The least it takes.
    pub min: f32,
    /// What it begins with.
    pub normal: f32,
    /// The most it takes.
    pub max: f32,
}

impl Scale {
    /// Rounding must not lead out of the range: backends refuse that.
    fn held(self, value: f32) -> f32 {
        value.max(self.min).min(self.max)
    }
}

/// A voice. No method blocks; how it went comes back as an [`Event`].
pub trait Backend {
    /// Connects to the speech service, anew if it was connected. Events of the old connection come no more.
    fn open(&mut self);
    /// Begins to speak; nothing else is being spoken. `id` comes back in the events.
    fn speak(&mut self, id: u64, text: &str);
    /// Falls silent at once.
    fn stop(&mut self);
    /// Finds out whether the service still lives; only if it does not, an event comes.
    fn ping(&mut self);
    /// Holds from the next [`Backend::speak`] on.
    fn configure(&mut self, settings: Settings);
    /// Speaks with this voice from the next [`Backend::speak`] on; a new connection has the system's own.
    fn choose(&mut self, choice: &VoiceChoice);
    /// Asks which voices there are: one [`Event::Voices`] comes, unless the service fails.
    fn list_voices(&mut self);
    /// From now on takes the time of what it speaks without a sound, or sounds again. [`Event::Opened`] comes when it can.
    fn set_silent(&mut self, silent: bool);
}

/// What a voice reports.
// Without sound there is only a voice that fails.
#[cfg_attr(not(feature = "sound"), allow(dead_code))]
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// It is connected.
    Opened,
    /// The sound of an utterance began.
    Began(u64),
    /// An utterance came to its end.
    Ended(u64),
    /// An utterance was cut short, by [`Backend::stop`] or by somebody else.
    Stopped(u64),
    /// The service is not there, or refused; the reason.
    Failed(String),
    /// The voices that there are; none if the service cannot tell.
    Voices(Arc<Vec<VoiceInfo>>),
    /// The chosen voice is not there: a sentence that says so and what speaks instead.
    NoSuchVoice(String),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_reach_every_end_of_every_scale() {
        let scales = [(-100.0, 0.0, 100.0), (0.5, 1.0, 6.0), (0.1, 0.5, 2.0), (0.0, 1.0, 1.0)];
        for (min, normal, max) in scales {
            let scale = Scale { min, normal, max };
            let rate = |rate| Settings::new(rate, 100).rate_between(scale);
            assert_eq!([rate(-100), rate(0), rate(100)], [min, normal, max]);
            assert!((min..=normal).contains(&rate(-30)) && (normal..=max).contains(&rate(30)));
            let volume = |volume| Settings::new(0, volume).volume_between(scale);
            assert_eq!(volume(100), max);
            assert!(volume(0) > min, "never silent");
        }
        assert_eq!(Settings::new(9999, -9999), Settings { rate: 100, volume: QUIETEST });
    }
}
