//! The log-mel spectrogram that Whisper listens to.
//!
//! Reference: `WhisperFeatureExtractor` of transformers, which is OpenAI's `whisper/audio.py`: a window of 30 s, silence
//! behind a shorter sound, a short-time Fourier transform centred on its frames, and mel bands as librosa computes them
//! (Slaney's scale and norm).

use std::f64::consts::TAU;

use rayon::prelude::*;

use super::config::HOP;
use super::fourier::{FREQUENCIES, Fourier, WINDOW};

/// Samples per second that Whisper was trained on.
pub const SAMPLE_RATE: usize = 16_000;
/// Powers below this are silence.
const FLOOR: f64 = 1e-10;
/// What is this much weaker than the loudest, in powers of ten, is silence too.
const RANGE: f32 = 8.0;

/// A log-mel spectrogram.
#[derive(Debug, Clone, PartialEq)]
pub struct Mel {
    /// Frequency bands.
    pub bins: usize,
    /// Frames of 10 ms.
    pub frames: usize,
    /// `[bins, frames]`, row-major; the loudest is at most 2 above the faintest.
    pub values: Vec<f32>,
}

/// Computes log-mel spectrograms.
#[derive(Debug)]
pub struct MelFrontEnd {
    bands: Vec<Band>,
    hann: Vec<f64>,
    fourier: Fourier,
}

/// The triangle of one band: weights of the frequencies from `first` on.
#[derive(Debug)]
struct Band {
    first: usize,
    weights: Vec<f64>,
}

impl MelFrontEnd {
    /// A front end with so many bands: 80, or 128 for large-v3.
    pub fn new(bins: usize) -> Self {
        let hann = |i: usize| 0.5 - 0.5 * (TAU * i as f64 / WINDOW as f64).cos();
        Self { bands: slaney_bands(bins), hann: (0..WINDOW).map(hann).collect(), fourier: Fourier::new() }
    }

    /// The first `frames` frames of a window of `window` samples that begins with `samples` (mono, 16 kHz, -1 to 1) and is
    /// silent after them; samples beyond the window are left out.
    ///
    /// If the frames left out hold only silence, those computed are the same as in the whole window.
    pub fn compute(&self, samples: &[f32], frames: usize, window: usize) -> Mel {
        let samples = samples.get(..window).unwrap_or(samples);
        let (bins, frames) = (self.bands.len(), frames.min(window / HOP));
        let columns: Vec<Vec<f32>> = (0..frames).into_par_iter().map(|n| self.frame(samples, n, window)).collect();
        let loudest = columns.iter().flatten().copied().fold(FLOOR.log10() as f32, f32::max);
        let normed = |value: f32| (value.max(loudest - RANGE) + 4.0) / 4.0;
        let values = (0..bins).flat_map(|bin| columns.iter().map(move |column| normed(column[bin]))).collect();
        Mel { bins, frames, values }
    }

    /// Logarithms of the powers of all bands in frame `n`.
    fn frame(&self, samples: &[f32], n: usize, window: usize) -> Vec<f32> {
        let first = (n * HOP) as isize - (WINDOW / 2) as isize;
        let sample = |i: usize| f64::from(sample_at(samples, first + i as isize, window));
        let powers = self.fourier.powers(&std::array::from_fn(|i| self.hann[i] * sample(i)));
        let band = |band: &Band| {
            let weighted = powers.iter().skip(band.first).zip(&band.weights).map(|(power, weight)| power * weight);
            weighted.sum::<f64>().max(FLOOR).log10() as f32
        };
        self.bands.iter().map(band).collect()
    }
}

/// The window's sample at `i`: mirrored at both ends of the window, silent behind the sound.
fn sample_at(samples: &[f32], i: isize, window: usize) -> f32 {
    let mirrored = i.unsigned_abs();
    let within = if mirrored < window { mirrored } else { (2 * window).saturating_sub(mirrored + 2) };
    samples.get(within).copied().unwrap_or(0.0)
}

/// Triangles that overlap by half, equally wide on Slaney's scale from 0 to 8 kHz, each with the area 2.
fn slaney_bands(bins: usize) -> Vec<Band> {
    let nyquist = SAMPLE_RATE as f64 / 2.0;
    let corner = |i: usize| hertz(i as f64 * mel(nyquist) / (bins + 1) as f64);
    let frequency = |i: usize| i as f64 * nyquist / (FREQUENCIES - 1) as f64;
    let band = |n: usize| {
        let (left, centre, right) = (corner(n), corner(n + 1), corner(n + 2));
        let weight = |i: usize| {
            let (up, down) = ((frequency(i) - left) / (centre - left), (right - frequency(i)) / (right - centre));
            up.min(down).max(0.0) * 2.0 / (right - left)
        };
        let weights: Vec<f64> = (0..FREQUENCIES).map(weight).collect();
        let first = weights.iter().position(|w| *w > 0.0).unwrap_or(0);
        let end = weights.iter().rposition(|w| *w > 0.0).map_or(first, |last| last + 1);
        Band { first, weights: weights[first..end].to_vec() }
    };
    (0..bins).map(band).collect()
}

/// Where Slaney's scale changes from linear to logarithmic, in Hz, and its slopes there.
const BREAK: f64 = 1000.0;
const HERTZ_PER_MEL: f64 = 200.0 / 3.0;
/// 27 steps of the logarithmic part are a factor of 6.4.
const STEPS: f64 = 27.0;
const FACTOR: f64 = 6.4;

fn mel(hertz: f64) -> f64 {
    if hertz < BREAK {
        hertz / HERTZ_PER_MEL
    } else {
        BREAK / HERTZ_PER_MEL + (hertz / BREAK).ln() * STEPS / FACTOR.ln()
    }
}

fn hertz(mel: f64) -> f64 {
    let linear = BREAK / HERTZ_PER_MEL;
    if mel < linear { mel * HERTZ_PER_MEL } else { BREAK * ((mel - linear) * FACTOR.ln() / STEPS).exp() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_scale_is_its_own_inverse_and_bands_cover_all_frequencies() {
        for frequency in [0.0, 440.0, 1000.0, 7999.0] {
            assert!((hertz(mel(frequency)) - frequency).abs() < 1e-9);
        }
        let bands = slaney_bands(80);
        assert!(bands.iter().all(|band| !band.weights.is_empty()));
        assert!(bands.last().is_some_and(|last| last.first + last.weights.len() == FREQUENCIES - 1));
    }

    #[test]
    fn frames_of_a_cut_window_are_those_of_the_whole_one() {
        let sound: Vec<f32> = (0..5000).map(|i| (i as f32 * 0.3).sin() * (i as f32 * 0.011).cos()).collect();
        let front_end = MelFrontEnd::new(80);
        let whole = front_end.compute(&sound, 300, 48_000);
        let cut = front_end.compute(&sound, 60, 48_000);
        for (whole, cut) in whole.values.chunks(300).zip(cut.values.chunks(60)) {
            assert_eq!(&whole[..60], cut);
        }
        assert!(whole.values.chunks(300).all(|row| row[299] == row[100]), "silence after the sound");
    }

    #[test]
    fn no_sound_at_all_is_even() {
        let mel = MelFrontEnd::new(80).compute(&[], 100, 16_000);
        assert_eq!((mel.bins, mel.frames), (80, 100));
        assert!(mel.values.iter().all(|v| *v == -1.5));
    }
}
