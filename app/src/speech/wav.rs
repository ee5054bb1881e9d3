//! WAV files in: whatever rate, sample format and number of channels, as 16 kHz mono.

use std::fs::File;
use std::io::{BufReader, Read};
use std::path::{Path, PathBuf};

use hound::{SampleFormat, WavReader, WavSpec};

use super::resample::{RATE, ResampleError, check_rate, to_speech_rate};

/// Longer sounds are no question and would fill memory.
const LONGEST_SECONDS: u64 = 600;

/// Why a sound file could not be read, each in a sentence fit to be spoken.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WavError {
    /// The operating system refused the file.
    #[error("cannot open the sound {}: {reason}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// The system's reason.
        reason: std::io::Error,
    },
    /// No WAV file, or one that breaks off or contradicts itself.
    #[error("this file is no sound that I can hear ({0}); I take WAV files")]
    Damaged(String),
    /// Nothing in it.
    #[error("the sound is empty; record it again")]
    Empty,
    /// More than memory should hold.
    #[error("the sound is longer than ten minutes; use a shorter one")]
    TooLong,
    /// A rate that cannot be converted.
    #[error(transparent)]
    Rate(#[from] ResampleError),
}

/// Reads a WAV file as 16 kHz mono.
///
/// # Errors
/// [`WavError`].
pub fn open(path: &Path) -> Result<Vec<f32>, WavError> {
    let file = File::open(path).map_err(|reason| WavError::Io { path: path.into(), reason })?;
    read(BufReader::new(file))
}

/// Reads the bytes of a WAV file as 16 kHz mono.
///
/// # Errors
/// [`WavError`].
pub fn read(bytes: impl Read) -> Result<Vec<f32>, WavError> {
    let mut reader = WavReader::new(bytes).map_err(damaged)?;
    let spec = reader.spec();
    // Before anything is read: a made-up rate must not make room for a made-up length.
    check_rate(spec.sample_rate)?;
    if u64::from(reader.duration()) > LONGEST_SECONDS * u64::from(spec.sample_rate) {
        return Err(WavError::TooLong);
    }
    let samples = samples(&mut reader, spec)?;
    let channels = usize::from(spec.channels.max(1));
    let mono: Vec<f32> = samples.chunks_exact(channels).map(mean).collect();
    if mono.is_empty() {
        return Err(WavError::Empty);
    }
    Ok(to_speech_rate(mono, spec.sample_rate)?)
}

/// All samples between −1 and 1, channels side by side.
fn samples(reader: &mut WavReader<impl Read>, spec: WavSpec) -> Result<Vec<f32>, WavError> {
    let samples: Result<Vec<f32>, hound::Error> = match spec.sample_format {
        SampleFormat::Float => reader.samples::<f32>().map(|s| s.map(finite)).collect(),
        SampleFormat::Int => {
            let full = 2_f32.powi(i32::from(spec.bits_per_sample).clamp(1, 32) - 1);
            reader.samples::<i32>().map(|s| s.map(|s| s as f32 / full)).collect()
        }
    };
    samples.map_err(damaged)
}

/// Writes 16 kHz mono samples as a 16-bit WAV file.
///
/// # Errors
/// [`WavError::Io`] if the file cannot be written.
pub fn save(path: &Path, samples: &[f32]) -> Result<(), WavError> {
    let spec = WavSpec { channels: 1, sample_rate: RATE, bits_per_sample: 16, sample_format: SampleFormat::Int };
    let write = || {
        let mut writer = hound::WavWriter::create(path, spec)?;
        for &sample in samples {
            writer.write_sample((finite(sample).clamp(-1.0, 1.0) * f32::from(i16::MAX)) as i16)?;
        }
        writer.finalize()
    };
    write().map_err(|error| match error {
        hound::Error::IoError(reason) => WavError::Io { path: path.into(), reason },
        other => damaged(other),
    })
}

fn finite(sample: f32) -> f32 {
    if sample.is_finite() { sample } else { 0.0 }
}

fn mean(frame: &[f32]) -> f32 {
    frame.iter().sum::<f32>() / frame.len().max(1) as f32
}

fn damaged(error: hound::Error) -> WavError {
    WavError::Damaged(error.to_string().to_lowercase().trim_end_matches('.').to_string())
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;

    fn file(spec: WavSpec, write: impl Fn(&mut hound::WavWriter<&mut Cursor<Vec<u8>>>)) -> Vec<u8> {
        let mut bytes = Cursor::new(vec![]);
        let mut writer = hound::WavWriter::new(&mut bytes, spec).unwrap();
        write(&mut writer);
        writer.finalize().unwrap();
        bytes.into_inner()
    }

    #[test]
    fn every_sample_format_gives_the_same_sound() {
        let spec = |sample_format, bits_per_sample| WavSpec {
            channels: 2,
            sample_rate: 16_000,
            bits_per_sample,
            sample_format,
        };
        // Left 0.5, right 0: 0.25 in the middle.
        for bits in [8, 16, 24, 32] {
            let half = 1_i32 << (bits - 2);
            let bytes = file(spec(SampleFormat::Int, bits), |writer| {
                (0..200).for_each(|n| writer.write_sample(if n % 2 == 0 { half } else { 0 }).unwrap());
            });
            assert_eq!(read(&bytes[..]).unwrap(), vec![0.25; 100], "{bits} bits");
        }
        let bytes = file(spec(SampleFormat::Float, 32), |writer| {
            (0..200).for_each(|n| writer.write_sample(if n % 2 == 0 { 0.5_f32 } else { 0.0 }).unwrap());
        });
        assert_eq!(read(&bytes[..]).unwrap(), vec![0.25; 100]);
    }

    #[test]
    fn broken_files_are_refused_in_a_sentence() {
        let spec = WavSpec { channels: 1, sample_rate: 16_000, bits_per_sample: 16, sample_format: SampleFormat::Int };
        let good = file(spec, |writer| (0..100).for_each(|_| writer.write_sample(1_i16).unwrap()));
        assert!(matches!(read(&b""[..]), Err(WavError::Damaged(_))));
        assert!(matches!(read(&b"GIF89a..."[..]), Err(WavError::Damaged(_))));
        assert!(matches!(read(&file(spec, |_| ())[..]), Err(WavError::Empty)));
        for cut in 0..good.len() {
            let _ = read(&good[..cut]);
        }
        for at in 0..44 {
            let mut spoilt = good.clone();
            spoilt[at] ^= 0xff;
            let _ = read(&spoilt[..]);
        }
        assert!(matches!(open(Path::new("/no/such/file.wav")), Err(WavError::Io { .. })));
    }

    #[test]
    fn what_is_saved_is_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.wav");
        save(&path, &[0.5, -0.5, f32::NAN, 2.0]).unwrap();
        let read = open(&path).unwrap();
        assert!(read.iter().zip([0.5, -0.5, 0.0, 1.0]).all(|(a, b)| (a - b).abs() < 1e-3), "{read:?}");
    }
}
