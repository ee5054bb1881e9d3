//! What is made of the microphone's samples: utterances, hands-free or while a key is held, and the level meter.
//!
//! Pure: samples and wishes in, [`Event`]s out.

use super::endpoint::{Endpointer, Heard, LONGEST};
use super::resample::RATE;

/// When the ear listens.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Mode {
    /// It does not: the voice is speaking, or the user wishes to be alone.
    #[default]
    Off,
    /// It finds utterances by itself.
    HandsFree,
    /// It takes everything until the mode changes: a key is held.
    Hold,
}

/// What the ear reports.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// Samples flow: whoever speaks from now on is heard. Also when a lost microphone is back.
    Ready,
    /// The microphone is gone or cannot be opened; the reason. Told once, until it is back.
    Lost(String),
    /// How loud it is, ten times a second.
    Level(Level),
    /// Somebody began to speak.
    Began,
    /// Somebody spoke: 16 kHz, mono.
    Speech {
        /// The utterance.
        samples: Vec<f32>,
        /// Whether it was cut at 30 s.
        cut: bool,
    },
    /// What began was no speech, or the key was held too shortly.
    Nothing,
}

/// How loud it is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Level {
    /// Mean loudness, dB of full scale; −120 is nothing at all.
    pub loudness: f32,
    /// Whether the microphone is overdriven.
    pub clipped: bool,
}

impl Level {
    /// Whether an eye would tell no difference: what is quieter than a quiet room is nothing.
    pub(crate) fn is_like(self, other: Self) -> bool {
        const QUIET: f32 = -60.0;
        const STEP: f32 = 3.0;
        let difference = self.loudness.max(QUIET) - other.loudness.max(QUIET);
        self.clipped == other.clipped && difference.abs() < STEP
    }
}

/// Samples of a level: 0.1 s.
const METER: usize = RATE as usize / 10;
/// A sample from here on is clipped …
const FULL: f32 = 0.985;
/// … and so is the sound if this share of its samples is: one in a hundred.
const CLIPPED_SHARE: usize = 100;
/// A key held for less was touched by mistake.
const SHORTEST_HOLD: usize = RATE as usize / 5;

/// Listens to samples.
#[derive(Debug, Default)]
pub struct Ear {
    mode: Mode,
    endpointer: Endpointer,
    held: Vec<f32>,
    meter: Meter,
}

impl Ear {
    /// Changes when to listen. What was heard up to now is given out if a key was let go, else forgotten.
    pub fn set_mode(&mut self, mode: Mode) -> Option<Event> {
        if mode == self.mode {
            return None;
        }
        let held = std::mem::take(&mut self.held);
        let released = std::mem::replace(&mut self.mode, mode) == Mode::Hold;
        self.endpointer.forget();
        if !released {
            return None;
        }
        if held.len() < SHORTEST_HOLD {
            return Some(Event::Nothing);
        }
        Some(Event::Speech { cut: held.len() >= LONGEST, samples: held })
    }

    /// Takes the next 16 kHz samples.
    pub fn push(&mut self, samples: &[f32]) -> Vec<Event> {
        let mut events: Vec<Event> = self.meter.push(samples).into_iter().map(Event::Level).collect();
        match self.mode {
            Mode::Off => {}
            Mode::HandsFree => events.extend(self.endpointer.push(samples).into_iter().map(event)),
            Mode::Hold => {
                let room = LONGEST.saturating_sub(self.held.len()).min(samples.len());
                self.held.extend_from_slice(&samples[..room]);
            }
        }
        events
    }

    /// The microphone was lost: an utterance with a hole in it is none.
    pub fn interrupt(&mut self) {
        self.endpointer = Endpointer::default();
        self.held.clear();
    }
}

fn event(heard: Heard) -> Event {
    match heard {
        Heard::Began => Event::Began,
        Heard::Speech { samples, cut } => Event::Speech { samples, cut },
        Heard::Noise => Event::Nothing,
    }
}

/// Measures loudness in steps of [`METER`] samples.
#[derive(Debug, Default)]
struct Meter {
    count: usize,
    energy: f32,
    full: usize,
}

impl Meter {
    fn push(&mut self, samples: &[f32]) -> Vec<Level> {
        let mut levels = vec![];
        for &sample in samples {
            let size = if sample.is_finite() { sample.abs() } else { 0.0 };
            self.count += 1;
            self.energy += size * size;
            self.full += usize::from(size >= FULL);
            if self.count == METER {
                let loudness = 10.0 * (self.energy / METER as f32).max(1e-12).log10();
                levels.push(Level { loudness, clipped: self.full * CLIPPED_SHARE >= METER });
                *self = Self::default();
            }
        }
        levels
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn levels(events: &[Event]) -> Vec<Level> {
        events.iter().filter_map(|e| if let Event::Level(level) = e { Some(*level) } else { None }).collect()
    }

    #[test]
    fn the_meter_tells_loudness_and_clipping() {
        let mut ear = Ear::default();
        assert_eq!(levels(&ear.push(&vec![0.0; METER]))[0].loudness, -120.0);
        let half = levels(&ear.push(&vec![0.5; METER]))[0];
        assert!((half.loudness + 6.02).abs() < 0.01 && !half.clipped);
        assert!(levels(&ear.push(&vec![1.0; METER]))[0].clipped);
        assert_eq!(levels(&ear.push(&vec![f32::NAN; 3 * METER + 5])).len(), 3);
    }

    #[test]
    fn a_held_key_gives_all_that_was_said_when_it_is_let_go() {
        let mut ear = Ear::default();
        assert_eq!(ear.set_mode(Mode::Hold), None);
        ear.push(&vec![0.1; 8_000]);
        ear.push(&vec![0.2; 8_000]);
        let Some(Event::Speech { samples, cut: false }) = ear.set_mode(Mode::Off) else { panic!("no speech") };
        assert_eq!((samples.len(), samples[0], samples[15_999]), (16_000, 0.1, 0.2));
        ear.set_mode(Mode::Hold);
        ear.push(&[0.1; 100]);
        assert_eq!(ear.set_mode(Mode::HandsFree), Some(Event::Nothing));
    }

    #[test]
    fn a_key_held_for_ever_stops_at_the_limit() {
        let mut ear = Ear::default();
        ear.set_mode(Mode::Hold);
        (0..40).for_each(|_| drop(ear.push(&vec![0.1; RATE as usize])));
        let Some(Event::Speech { samples, cut: true }) = ear.set_mode(Mode::Off) else { panic!("not cut") };
        assert_eq!(samples.len(), LONGEST);
    }

    #[test]
    fn nothing_is_heard_while_it_is_off() {
        let mut ear = Ear::default();
        let loud: Vec<f32> = (0..64_000).map(|n| (n as f32 * 0.3).sin() * ((n / 4_000) % 2) as f32).collect();
        assert!(ear.push(&loud).iter().all(|event| matches!(event, Event::Level(_))));
    }
}
