//! How loud the room is when nobody speaks, followed as it changes.
//!
//! Speech dips to the room's level several times in a few seconds, a fan or an engine does not: so the least energy of
//! the last seconds is the room's, and a hum that stays becomes part of it.

use std::collections::VecDeque;

/// Frames whose minimum is kept as one value.
const BLOCK: usize = 10;
/// Blocks that are remembered: 3 s.
const BLOCKS: usize = 15;
/// Until the room is known it counts as this quiet, dB: a speaker who starts at once is heard at once.
const START: f32 = -55.0;
/// No room is taken to be quieter, dB: digital silence would make every rustle speech.
const QUIETEST: f32 = -65.0;
/// The least of many frames lies below their mean.
const BIAS: f32 = 1.5;

/// Follows the energy of the room.
#[derive(Debug, Clone, Default)]
pub(super) struct NoiseFloor {
    minima: VecDeque<f32>,
    current: Option<f32>,
    frames: usize,
}

impl NoiseFloor {
    /// Takes the energy of the next frame, dB.
    pub(super) fn push(&mut self, energy: f32) {
        self.current = Some(self.current.map_or(energy, |least| least.min(energy)));
        self.frames += 1;
        if self.frames == BLOCK {
            self.minima.extend(self.current.take());
            self.frames = 0;
            if self.minima.len() > BLOCKS {
                self.minima.pop_front();
            }
        }
    }

    /// Energy of the room, dB.
    pub(super) fn level(&self) -> f32 {
        let seen = self.minima.iter().copied().chain(self.current).fold(f32::INFINITY, f32::min);
        let known = if self.minima.len() < BLOCKS { seen.min(START) } else { seen };
        (known + BIAS).max(QUIETEST)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(energies: impl IntoIterator<Item = f32>) -> f32 {
        let mut floor = NoiseFloor::default();
        energies.into_iter().for_each(|energy| floor.push(energy));
        floor.level()
    }

    #[test]
    fn it_starts_quiet_and_follows_the_room_up_and_down() {
        assert_eq!(after([]), START + BIAS);
        assert_eq!(after([-30.0; 20]), START + BIAS);
        assert_eq!(after([-30.0; 200]), -30.0 + BIAS);
        assert_eq!(after([[-30.0; 200], [-50.0; 200]].concat()), -50.0 + BIAS);
        assert_eq!(after([-120.0; 200]), QUIETEST);
    }

    #[test]
    fn speech_does_not_lift_it() {
        let speech = (0..300).map(|frame| if frame % 40 < 30 { -20.0 } else { -50.0 });
        assert_eq!(after(speech), -50.0 + BIAS);
    }
}
