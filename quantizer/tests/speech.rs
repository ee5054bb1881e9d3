//! A Whisper with random weights goes through the whole command: recordings in, a packed folder out that listens.

mod common;

use std::f32::consts::TAU;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Output;

use common::{rpiq, text, write_word_tokenizer};
use serde_json::{Value, json};
use sightread_models::checkpoint::Checkpoint;
use sightread_models::device::Backend;
use sightread_models::speech::{SpeechError, TranscribeOptions, Transcriber};
use sightread_models::text::LoadOptions;

const VOCAB: usize = 96;
/// 0.8 s; the model's window is 0.96 s.
const SAMPLES: usize = 12_800;

/// The fixture that parity tests compare with transformers, and a tokenizer of plain words.
fn write_model(folder: &Path) {
    fs::create_dir_all(folder).expect("created");
    let fixture = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/fixtures/whisper/even");
    for file in ["config.json", "model.safetensors"] {
        fs::copy(fixture.join(file), folder.join(file)).expect("copied");
    }
    let special = ["<|endoftext|>", "<|startoftranscript|>", "<|translate|>", "<|transcribe|>", "<|notimestamps|>"];
    write_word_tokenizer(folder, VOCAB, &special);
}

/// Tones of falling pitch, each with another text.
fn write_recordings(folder: &Path, count: usize, rate: u32) -> PathBuf {
    let list: Vec<String> = (0..count)
        .map(|n| {
            let spec = hound::WavSpec {
                channels: 1,
                sample_rate: rate,
                bits_per_sample: 16,
                sample_format: hound::SampleFormat::Int,
            };
            let audio = format!("{n}.wav");
            let mut wav = hound::WavWriter::create(folder.join(&audio), spec).expect("created");
            for i in 0..SAMPLES {
                let time = i as f32 / 16_000.0;
                let pitch = 200.0 + 60.0 * n as f32 - 90.0 * time;
                wav.write_sample((8_000.0 * (TAU * pitch * time).sin()) as i16).expect("written");
            }
            wav.finalize().expect("complete");
            json!({"audio": audio, "text": format!("w{} w{} w{}", n + 1, 2 * n + 3, 40 + n)}).to_string()
        })
        .collect();
    let path = folder.join("list.jsonl");
    fs::write(&path, list.join("\n")).expect("written");
    path
}

fn quantize(folder: &Path, list: &Path, out: &str, more: &[&str]) -> Output {
    let (model, out) = (folder.join("model"), folder.join(out));
    let start = ["quantize", text(&model), text(&out), "--calibration", text(list), "--backend", "cpu"];
    rpiq(&[&start[..], &["--group-size", "32", "--sequences", "24", "--held-out", "4"], more].concat())
}

#[test]
fn whisper_is_packed_whole_and_listens() {
    let folder = tempfile::tempdir().expect("temporary folder");
    write_model(&folder.path().join("model"));
    let list = write_recordings(folder.path(), 28, 16_000);
    let made = quantize(folder.path(), &list, "packed", &["--embeddings", "int8"]);
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));

    let packed = Checkpoint::open(folder.path().join("packed")).expect("opens");
    let source = Checkpoint::open(folder.path().join("model")).expect("opens");
    let names = packed.tensors.names();
    // Encoder: q, k, v, out, fc1, fc2; decoder: four more of attention to the encoder.
    assert_eq!(names.iter().filter(|name| name.ends_with(".qweight")).count(), 2 * 6 + 2 * 10);
    let biases = |names: &[String]| names.iter().filter(|name| name.ends_with(".bias")).count();
    assert_eq!(biases(&names), biases(&source.tensors.names()), "no bias is lost");

    let report = fs::read(folder.path().join("packed/quantization_report.json")).expect("there");
    let report: Value = serde_json::from_slice(&report).expect("a report");
    let error = |name: &str| report["summary"][name].as_f64().expect("measured");
    // Only one of 32 layers of 32 inputs may be worse off; in the mean the loop must have gained.
    assert!(error("held_out") < error("held_out_gptq") && error("held_out_gptq") < 1.0, "{}", report["summary"]);

    let device = Backend::Cpu.open().expect("opens");
    let transcriber = Transcriber::from_checkpoint(packed, LoadOptions::default(), &device).expect("loads");
    let options = TranscribeOptions { beam: 1, temperatures: vec![0.0], max_tokens: 8, ..TranscribeOptions::default() };
    let heard: Result<_, SpeechError> = transcriber.transcribe(&vec![0.1; SAMPLES], &options);
    assert!(heard.is_ok(), "{heard:?}");

    let measured = rpiq(&[
        "eval",
        text(&folder.path().join("packed")),
        "--speech",
        text(&list),
        "--sentences",
        "4",
        "--backend",
        "cpu",
    ]);
    assert!(measured.status.success(), "{}", String::from_utf8_lossy(&measured.stderr));
}

#[test]
fn recordings_of_another_rate_are_refused_in_a_sentence() {
    let folder = tempfile::tempdir().expect("temporary folder");
    write_model(&folder.path().join("model"));
    let list = write_recordings(folder.path(), 6, 44_100);
    let refused = quantize(folder.path(), &list, "packed", &[]);
    let said = String::from_utf8_lossy(&refused.stderr);
    assert!(!refused.status.success() && said.contains("0.wav") && said.contains("16 kHz"), "{said}");
    assert!(!folder.path().join("packed").exists());
}
