//! Recordings with what is said in them: a JSON-lines file of `{"audio": FILE, "text": …}`, the files beside it.

use std::path::Path;

use serde::Deserialize;
use sightread_models::speech::SAMPLE_RATE;

/// A recording and its words.
#[derive(Debug, Clone, PartialEq)]
pub struct Recording {
    /// Mono, 16 kHz, -1 to 1.
    pub samples: Vec<f32>,
    /// What is said.
    pub text: String,
    /// Code of its language (`"en"`).
    pub language: String,
}

#[derive(Deserialize)]
struct Entry {
    audio: String,
    text: String,
    #[serde(default = "english")]
    language: String,
}

fn english() -> String {
    "en".into()
}

/// Reads all recordings of a list.
///
/// # Errors
/// A sentence that says which line or recording is wrong, and how.
pub fn read(list: &Path) -> Result<Vec<Recording>, String> {
    let text = std::fs::read_to_string(list).map_err(|e| e.to_string())?;
    let folder = list.parent().unwrap_or(Path::new("."));
    let lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    let recordings = lines.map(|(number, line)| {
        let entry: Entry = serde_json::from_str(line).map_err(|e| format!("line {}: {e}", number + 1))?;
        let samples = read_wav(&folder.join(&entry.audio)).map_err(|reason| format!("{}: {reason}", entry.audio))?;
        Ok(Recording { samples, text: entry.text, language: entry.language })
    });
    recordings.collect()
}

fn read_wav(path: &Path) -> Result<Vec<f32>, String> {
    let wav = hound::WavReader::open(path).map_err(|e| e.to_string())?;
    let spec = wav.spec();
    let fits = spec.channels == 1 && spec.sample_rate as usize == SAMPLE_RATE && spec.bits_per_sample == 16;
    if !fits || spec.sample_format != hound::SampleFormat::Int {
        return Err("it is not 16 bit, mono, 16 kHz; convert it first".into());
    }
    let samples = wav.into_samples::<i16>().map(|s| s.map(|s| f32::from(s) / 32_768.0));
    samples.collect::<Result<_, _>>().map_err(|e| e.to_string())
}
