//! When somebody begins to speak and when they have ended: an energy gate over an adaptive noise floor.
//!
//! Pure: samples in, [`Heard`] out. What is only loud is told from speech by its length, by whether its loudness moves,
//! and by whether it ended: a click is too short, a hum too even, and a fan ends only by becoming part of the room.

use std::collections::VecDeque;

use super::noise_floor::NoiseFloor;
use super::resample::RATE;

/// Samples of a frame: 20 ms.
pub const FRAME: usize = RATE as usize / 50;
/// Frames a second.
const FPS: usize = RATE as usize / FRAME;
/// Speech begins this far above the noise floor, dB …
const BEGIN_ABOVE: f32 = 9.0;
/// … and goes on until it is nearer to the floor than this.
const END_ABOVE: f32 = 6.0;
/// Frames, of the last five, that must be loud for speech to begin.
const BEGIN_FRAMES: u32 = 3;
/// Quiet that ends an utterance.
const END_FRAMES: usize = FPS * 6 / 10;
/// Sound kept from before the beginning: soft consonants come before the first loud vowel.
const BEFORE: usize = RATE as usize * 3 / 10;
/// Quiet kept after the last loud frame.
const AFTER: usize = RATE as usize * 2 / 10;
/// Loud frames of the shortest word.
const SHORTEST: usize = FPS * 16 / 100;
/// The loudness of speech, even if it is clipped, spreads over at least this many dB between its tenth and its ninetieth
/// part in a hundred.
const LIVELY: f32 = 2.0;
/// After speech it is quieter by this many dB.
const DROP: f32 = 6.0;
/// The high pass that takes out hum and handling noise: it halves 180 Hz and leaves the words.
const HIGH_PASS: f32 = 0.93;
/// The longest utterance: what Whisper hears at once.
pub const LONGEST: usize = 30 * RATE as usize;

/// What the detector heard.
#[derive(Debug, Clone, PartialEq)]
pub enum Heard {
    /// Somebody began to speak, as far as one can tell.
    Began,
    /// Somebody spoke: 16 kHz, mono.
    Speech {
        /// From a little before the first word to a little after the last.
        samples: Vec<f32>,
        /// Whether it was cut at the limit.
        cut: bool,
    },
    /// It was no speech after all: too short or too even.
    Noise,
}

/// The state while somebody speaks.
#[derive(Debug, Clone)]
struct Utterance {
    samples: Vec<f32>,
    /// Energy of the loud frames.
    loud: Vec<f32>,
    /// Frames of quiet since the last loud one, and the sum of their energies.
    quiet: usize,
    quiet_energy: f32,
    /// Samples up to the end of the last loud frame.
    end: usize,
}

/// Finds utterances in a stream of 16 kHz samples.
#[derive(Debug, Clone, Default)]
pub struct Endpointer {
    floor: NoiseFloor,
    /// Samples short of a frame.
    rest: Vec<f32>,
    /// State of the high pass: the last sample before and after it.
    previous: (f32, f32),
    /// The last samples, in case speech begins.
    before: VecDeque<f32>,
    /// One bit a frame: whether the last frames were loud.
    history: u32,
    utterance: Option<Utterance>,
}

impl Endpointer {
    /// Takes the next samples, any number of them.
    pub fn push(&mut self, samples: &[f32]) -> Vec<Heard> {
        let mut heard = vec![];
        self.rest.extend_from_slice(samples);
        let whole = self.rest.len() / FRAME * FRAME;
        let rest = self.rest.split_off(whole);
        let frames = std::mem::replace(&mut self.rest, rest);
        for frame in frames.chunks_exact(FRAME) {
            heard.extend(self.frame(frame));
        }
        heard
    }

    #[cfg(test)]
    fn speaking(&self) -> bool {
        self.utterance.is_some()
    }

    /// Forgets the utterance that is under way, if any, and what was heard before it; the room's loudness is kept.
    pub fn forget(&mut self) {
        self.utterance = None;
        self.before.clear();
        self.history = 0;
    }

    fn frame(&mut self, frame: &[f32]) -> Option<Heard> {
        let energy = self.energy(frame);
        self.floor.push(energy);
        match self.utterance.take() {
            Some(utterance) => self.go_on(utterance, frame, energy),
            None => self.wait(frame, energy),
        }
    }

    fn wait(&mut self, frame: &[f32], energy: f32) -> Option<Heard> {
        self.before.extend(frame);
        let surplus = self.before.len().saturating_sub(BEFORE + 5 * FRAME);
        self.before.drain(..surplus);
        let loud = energy > self.floor.level() + BEGIN_ABOVE;
        self.history = (self.history << 1 | u32::from(loud)) & 0b1_1111;
        if self.history.count_ones() < BEGIN_FRAMES {
            return None;
        }
        let samples: Vec<f32> = self.before.drain(..).collect();
        let end = samples.len();
        let loud = vec![energy; BEGIN_FRAMES as usize];
        self.utterance = Some(Utterance { samples, loud, quiet: 0, quiet_energy: 0.0, end });
        self.history = 0;
        Some(Heard::Began)
    }

    fn go_on(&mut self, mut utterance: Utterance, frame: &[f32], energy: f32) -> Option<Heard> {
        utterance.samples.extend_from_slice(frame);
        if energy > self.floor.level() + END_ABOVE {
            utterance.loud.push(energy);
            (utterance.quiet, utterance.quiet_energy) = (0, 0.0);
            utterance.end = utterance.samples.len();
        } else {
            utterance.quiet += 1;
            utterance.quiet_energy += energy;
        }
        let cut = utterance.samples.len() + FRAME > LONGEST;
        if utterance.quiet < END_FRAMES && !cut {
            self.utterance = Some(utterance);
            return None;
        }
        if !utterance.is_speech() {
            return Some(Heard::Noise);
        }
        utterance.samples.truncate(utterance.end + AFTER);
        Some(Heard::Speech { samples: utterance.samples, cut })
    }

    /// Energy of a frame after the high pass, dB of full scale.
    fn energy(&mut self, frame: &[f32]) -> f32 {
        let mut sum = 0.0;
        for &sample in frame {
            // A broken driver may deliver anything; NaN would spoil the noise floor for seconds.
            let sample = if sample.is_finite() { sample.clamp(-1.0, 1.0) } else { 0.0 };
            let high = sample - self.previous.0 + HIGH_PASS * self.previous.1;
            self.previous = (sample, high);
            sum += high * high;
        }
        10.0 * (sum / frame.len().max(1) as f32 + 1e-12).log10()
    }
}

impl Utterance {
    /// Whether it was long enough, as lively as speech, and over.
    fn is_speech(&mut self) -> bool {
        self.loud.sort_by(f32::total_cmp);
        let at = |share: usize| self.loud.get(self.loud.len() * share / 100).copied().unwrap_or_default();
        let over = self.quiet == 0 || at(50) - self.quiet_energy / self.quiet as f32 >= DROP;
        self.loud.len() >= SHORTEST && at(90) - at(10) >= LIVELY && over
    }
}

#[cfg(test)]
#[path = "endpoint_tests.rs"]
mod tests;
