//! The main job on the sample pictures: what the shipped model reads is what stands there.

use std::path::{Path, PathBuf};

use serde_json::Value;
use sightread::answer::Conversation;
use sightread::picture;
use sightread::reading::{Reading, Warning, read};
use sightread::starter::{Starter, find};
use sightread_models::device::Backend;

fn samples() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../assets/samples")
}

fn starter(backend: Backend) -> Starter {
    Starter::open(&find(None).unwrap(), backend).unwrap()
}

fn reading(name: &str, starter: &Starter) -> Reading {
    read(&picture::open(&samples().join(name)).unwrap(), &starter.text_models()).unwrap()
}

fn words(text: &str) -> Vec<&str> {
    text.split_whitespace().collect()
}

#[test]
fn every_sample_is_read_word_by_word_in_order() {
    let starter = starter(Backend::Cpu);
    let expected = std::fs::read_to_string(samples().join("expected.jsonl")).unwrap();
    let rows: Vec<Value> = expected.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert!(rows.len() >= 10);
    for row in rows {
        let file = row["file"].as_str().unwrap();
        let text = reading(file, &starter).text();
        assert_eq!(words(&text), words(row["transcript"].as_str().unwrap()), "{file}");
    }
}

#[test]
fn the_page_on_its_head_and_the_one_on_its_side_are_told() {
    let starter = starter(Backend::Cpu);
    assert!(reading("upside_down.jpg", &starter).warnings.contains(&Warning::UpsideDown));
    assert!(reading("rotated.jpg", &starter).warnings.contains(&Warning::Sideways));
    assert_eq!(reading("receipt.jpg", &starter).warnings, []);
}

#[test]
fn exact_questions_are_answered_without_the_language_model() {
    let starter = starter(Backend::Cpu);
    let ask = |file: &str, question: &str| {
        let mut conversation = Conversation::new(reading(file, &starter).document());
        let none = || panic!("{question} needs no language model");
        conversation.ask(question, none, |_| sightread_models::text::generate::Flow::Continue).unwrap()
    };
    let total = ask("receipt.jpg", "How much is the total?");
    assert_eq!((total.text.as_str(), total.sure), ("£20.62", true));
    assert_eq!(ask("receipt.jpg", "What is the phone number?").text, "01632 960 471");
    assert_eq!(ask("medicine.jpg", "When does it expire?").text, "09/2027");
    assert_eq!(ask("no_text.jpg", "What does it say?").text, "I see no text.");
}
