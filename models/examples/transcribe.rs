//! Transcribes recordings and says how long every step took.
//!
//! ```text
//! cargo run --release --example transcribe -- MODEL [--beam N] [--no-fallback] [--full | --silence SECONDS] [--int8-head] [--language CODE] FILE...
//! ```
//!
//! MODEL is a folder of Whisper; each FILE holds raw samples: 16 bit, little-endian, mono, 16 kHz. Prints one JSON object a
//! line.

use std::error::Error;
use std::path::PathBuf;
use std::time::Instant;

use serde_json::json;
use sightread_models::device::Backend;
use sightread_models::speech::{AudioContext, SAMPLE_RATE, TranscribeOptions, Transcriber};
use sightread_models::text::LoadOptions;
use sightread_models::text::generate::Flow;

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let folder = PathBuf::from(arguments.next().ok_or("name the folder of a model")?);
    let (mut options, mut load, mut files) = (TranscribeOptions::default(), LoadOptions::default(), Vec::new());
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--beam" => options.beam = arguments.next().ok_or("--beam needs a number")?.parse()?,
            "--language" => options.language = Some(arguments.next().ok_or("--language needs a code")?),
            "--no-fallback" => options.temperatures = vec![0.0],
            "--full" => options.context = AudioContext::Full,
            "--silence" => {
                let silence = arguments.next().ok_or("--silence needs seconds")?.parse()?;
                options.context = AudioContext::Fitted { silence };
            }
            "--int8-head" => load.int8_embedding = true,
            file => files.push(PathBuf::from(file)),
        }
    }
    let started = Instant::now();
    let transcriber = Transcriber::load(&folder, load, &Backend::Auto.open()?)?;
    println!("{}", json!({"loaded_s": started.elapsed().as_secs_f32(), "weight_bytes": transcriber.model().bytes()}));
    for file in files {
        let bytes = std::fs::read(&file)?;
        let samples: Vec<f32> =
            bytes.as_chunks().0.iter().map(|&b| f32::from(i16::from_le_bytes(b)) / 32_768.0).collect();
        let started = Instant::now();
        let mut steps = 0;
        let mut first_step = None;
        let found = transcriber.transcribe_while(&samples, &options, &mut || {
            first_step.get_or_insert(started.elapsed());
            steps += 1;
            Flow::Continue
        })?;
        let total = started.elapsed().as_secs_f32();
        let before = first_step.map_or(total, |time| time.as_secs_f32());
        let words: Vec<_> = found.words().map(|word| json!([word.text, word.confidence])).collect();
        let segment = found.segments.first();
        println!(
            "{}",
            json!({
                "file": file.file_name().and_then(|name| name.to_str()),
                "seconds_of_sound": samples.len() as f32 / SAMPLE_RATE as f32,
                "text": found.text,
                "language": found.language,
                "language_probability": found.language_probability,
                "avg_logprob": found.avg_logprob,
                "no_speech_prob": found.no_speech_prob,
                "temperature": segment.map(|s| s.temperature),
                "words": words,
                "total_s": total,
                "before_first_step_s": before,
                "steps": steps,
                "steps_per_s": steps as f32 / (total - before).max(1e-6),
            })
        );
    }
    Ok(())
}
