//! The speech model that ships: it understands a question, hears none in noise, and says what is wrong with its files.

use std::fs;
use std::path::Path;

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use sightread::speech::transcribe::{Expected, Transcriber};
use sightread_models::device::Backend;
use sightread_tests::{fixture, read_safetensors};

const SECOND: usize = 16_000;
/// What is said in the fixture.
const QUESTION: &str = "when does this milk expire";

fn shipped() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../models/speech")
}

#[test]
fn a_spoken_question_is_understood_word_by_word() {
    let fixture = read_safetensors(&fixture("whisper").join("question.safetensors"));
    let samples: Vec<f32> = fixture.i16("samples").iter().map(|&s| f32::from(s) / 32_768.0).collect();
    for expected in [Expected::Questions, Expected::Anything] {
        let transcriber = Transcriber::open_folder(&shipped(), expected, Backend::Cpu).unwrap();
        let text = transcriber.transcribe(&samples).unwrap();
        assert_eq!(text.to_lowercase().trim_end_matches(['.', '?']), QUESTION, "{expected:?}");
    }
}

#[test]
fn noise_is_no_question() {
    let transcriber = Transcriber::open_folder(&shipped(), Expected::Questions, Backend::Cpu).unwrap();
    let mut rng = ChaCha8Rng::seed_from_u64(3);
    let white: Vec<f32> = (0..2 * SECOND).map(|_| rng.random_range(-0.1..0.1)).collect();
    let tone: Vec<f32> = (0..2 * SECOND).map(|n| (n as f32 * 0.17).sin() * 0.3).collect();
    for (what, sound) in [("white noise", white), ("a tone", tone), ("silence", vec![0.0; SECOND]), ("nothing", vec![])]
    {
        assert_eq!(transcriber.transcribe(&sound).unwrap(), "", "{what}");
    }
}

#[test]
fn damaged_files_are_told_in_a_sentence() {
    let folder = tempfile::tempdir().unwrap();
    let open = || {
        Transcriber::open_folder(folder.path(), Expected::Questions, Backend::Cpu).map(|_| ()).unwrap_err().to_string()
    };
    assert!(open().contains("no speech model"), "{}", open());
    for entry in fs::read_dir(shipped()).unwrap() {
        let path = entry.unwrap().path();
        if path.is_file() {
            fs::copy(&path, folder.path().join(path.file_name().unwrap())).unwrap();
        }
    }
    assert!(Transcriber::open_folder(folder.path(), Expected::Questions, Backend::Cpu).is_ok());
    let weights = folder.path().join("model-00001-of-00002.safetensors");
    let bytes = fs::read(&weights).unwrap();
    fs::write(&weights, &bytes[..bytes.len() / 2]).unwrap();
    assert!(open().contains("model-00001-of-00002.safetensors"), "{}", open());
    fs::remove_file(&weights).unwrap();
    assert!(open().contains("model-00001-of-00002.safetensors"), "{}", open());
}
