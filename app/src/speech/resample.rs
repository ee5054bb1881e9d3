//! Any sample rate becomes the 16 kHz that speech recognition hears.

use rubato::audioadapter_buffers::direct::InterleavedSlice;
use rubato::{Fft, FixedSync, Resampler};

/// Samples a second that speech recognition hears.
pub const RATE: u32 = 16_000;
/// Rates that a sound device or file may have; what lies outside is a damaged header.
const RATES: std::ops::RangeInclusive<u32> = 4_000..=384_000;
/// Pieces in which a stream is resampled: 20 ms keeps the delay small.
const PIECES_A_SECOND: u32 = 50;

/// Why a sound could not be brought to 16 kHz.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ResampleError {
    /// No device has such a rate.
    #[error("a sound of {0} samples a second cannot be heard; I take 4,000 to 384,000")]
    Rate(u32),
    /// The resampler refused.
    #[error("the sound could not be converted: {0}")]
    Failed(String),
}

/// Resamples a mono stream to [`RATE`].
pub struct ToSpeechRate {
    /// None where the stream has that rate already.
    resampler: Option<Fft<f32>>,
    waiting: Vec<f32>,
}

impl ToSpeechRate {
    /// For a stream of `rate` samples a second.
    ///
    /// # Errors
    /// [`ResampleError::Rate`].
    pub fn new(rate: u32) -> Result<Self, ResampleError> {
        Ok(Self { resampler: resampler(rate)?, waiting: vec![] })
    }

    /// Takes the next samples and gives those at [`RATE`] that are ready.
    ///
    /// # Errors
    /// [`ResampleError::Failed`].
    pub fn push(&mut self, samples: &[f32]) -> Result<Vec<f32>, ResampleError> {
        let Some(resampler) = &mut self.resampler else { return Ok(samples.to_vec()) };
        self.waiting.extend_from_slice(samples);
        let mut out = vec![];
        loop {
            let wanted = resampler.input_frames_next();
            let Some(piece) = self.waiting.get(..wanted) else { break };
            let piece = InterleavedSlice::new(piece, 1, wanted).map_err(failed)?;
            out.extend(resampler.process(&piece, None).map_err(failed)?.take_data());
            self.waiting.drain(..wanted);
        }
        Ok(out)
    }
}

/// Resamples a whole mono sound to [`RATE`].
///
/// # Errors
/// [`ResampleError`].
pub fn to_speech_rate(samples: Vec<f32>, rate: u32) -> Result<Vec<f32>, ResampleError> {
    let Some(mut resampler) = resampler(rate)? else { return Ok(samples) };
    let sound = InterleavedSlice::new(&samples[..], 1, samples.len()).map_err(failed)?;
    Ok(resampler.process_all(&sound, samples.len(), None).map_err(failed)?.take_data())
}

/// Whether a sound of that rate can be brought to [`RATE`].
///
/// # Errors
/// [`ResampleError::Rate`].
pub fn check_rate(rate: u32) -> Result<(), ResampleError> {
    if RATES.contains(&rate) { Ok(()) } else { Err(ResampleError::Rate(rate)) }
}

fn resampler(rate: u32) -> Result<Option<Fft<f32>>, ResampleError> {
    check_rate(rate)?;
    if rate == RATE {
        return Ok(None);
    }
    let piece = (rate / PIECES_A_SECOND) as usize;
    Fft::new(rate as usize, RATE as usize, piece, 1, FixedSync::Input).map(Some).map_err(failed)
}

fn failed(reason: impl std::fmt::Display) -> ResampleError {
    ResampleError::Failed(reason.to_string())
}

#[cfg(test)]
mod tests {
    use std::f32::consts::TAU;

    use super::*;

    fn tone(rate: u32, hertz: f32, seconds: f32) -> Vec<f32> {
        (0..(rate as f32 * seconds) as usize).map(|n| (TAU * hertz * n as f32 / rate as f32).sin() * 0.5).collect()
    }

    fn rms(samples: &[f32]) -> f32 {
        (samples.iter().map(|s| s * s).sum::<f32>() / samples.len() as f32).sqrt()
    }

    #[test]
    fn a_tone_keeps_its_length_and_loudness_at_every_usual_rate() {
        for rate in [8_000, 11_025, 16_000, 22_050, 44_100, 48_000, 96_000] {
            let sound = to_speech_rate(tone(rate, 440.0, 1.0), rate).unwrap();
            assert!(sound.len().abs_diff(16_000) <= 2, "{rate}: {}", sound.len());
            assert!((rms(&sound[1000..15_000]) - 0.3535).abs() < 0.01, "{rate}");
        }
    }

    #[test]
    fn what_lies_above_speech_does_not_fold_back_into_it() {
        let sound = to_speech_rate(tone(48_000, 11_000.0, 1.0), 48_000).unwrap();
        assert!(rms(&sound) < 0.01, "{}", rms(&sound));
    }

    #[test]
    fn a_stream_in_pieces_gives_what_the_whole_gives() {
        let sound = tone(44_100, 300.0, 2.0);
        let mut stream = ToSpeechRate::new(44_100).unwrap();
        let out: Vec<f32> = sound.chunks(1_000).flat_map(|piece| stream.push(piece).unwrap()).collect();
        assert!(out.len().abs_diff(32_000) < 1_000, "{}", out.len());
        assert!((rms(&out[2_000..30_000]) - 0.3535).abs() < 0.01);
    }

    #[test]
    fn impossible_rates_are_refused_and_nothing_stays_nothing() {
        assert!(matches!(ToSpeechRate::new(0), Err(ResampleError::Rate(0))));
        assert!(to_speech_rate(vec![0.0; 10], u32::MAX).is_err());
        assert!(to_speech_rate(vec![], 48_000).unwrap().is_empty());
        assert!(to_speech_rate(vec![], 16_000).unwrap().is_empty());
    }
}
