//! The main job on the sample pictures: what the shipped model reads is what stands there.

use std::path::{Path, PathBuf};

use serde_json::Value;
use sightread::answer::Conversation;
use sightread::picture;
use sightread::reading::{Reading, Warning, read};
use sightread::starter::{Starter, find};
use sightread_models::device::Backend;
use sightread_models::text::TextError;
use sightread_models::text::generate::Flow;
use sightread_models::vlm::StarterLanguage;

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

/// Through wgpu, where there is an adapter: a software one takes half a minute for one picture.
#[test]
fn a_graphics_adapter_reads_what_the_cpu_reads() {
    if let Err(none) = Backend::Wgpu.open() {
        eprintln!("not tested: {none}");
        return;
    }
    let text = |backend| reading("sign.jpg", &starter(backend)).text();
    assert_eq!(text(Backend::Wgpu), text(Backend::Cpu));
}

#[test]
fn the_page_on_its_head_and_the_one_on_its_side_are_told() {
    let starter = starter(Backend::Cpu);
    assert!(reading("upside_down.jpg", &starter).warnings.contains(&Warning::UpsideDown));
    assert!(reading("rotated.jpg", &starter).warnings.contains(&Warning::Sideways));
    assert_eq!(reading("receipt.jpg", &starter).warnings, []);
}

/// The shipped 4-bit language model, on questions it never saw: most answers are right, and all are read or refused.
#[test]
fn questions_about_the_samples_are_answered() {
    let starter = starter(Backend::Cpu);
    let expected = std::fs::read_to_string(samples().join("expected.jsonl")).unwrap();
    let (mut right, mut asked) = (0, 0);
    for row in expected.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()) {
        let document = reading(row["file"].as_str().unwrap(), &starter).document();
        let mut conversation = Conversation::new(document.clone());
        for qa in row["qa"].as_array().unwrap() {
            let question = qa["q"].as_str().unwrap();
            let answer = conversation.ask(question, || starter.language(), |_| Flow::Continue).unwrap();
            let text = answer.text.to_lowercase();
            let accepted = qa["a"].as_array().unwrap().iter().filter_map(Value::as_str);
            let good = accepted.map(str::to_lowercase).any(|a| text.contains(&a));
            println!("{} {question} -> {}", if good { "+" } else { "-" }, answer.spoken());
            right += usize::from(good);
            asked += 1;
            for number in text.split(|c: char| !c.is_ascii_digit()).filter(|n| !n.is_empty()) {
                assert!(document.contains(number), "{question}: {number} was not read");
            }
        }
    }
    println!("{right} of {asked}");
    assert!(3 * right >= 2 * asked, "{right} of {asked}");
}

#[test]
fn a_dose_is_quoted_whole_and_not_composed() {
    let starter = starter(Backend::Cpu);
    let mut conversation = Conversation::new(reading("medicine.jpg", &starter).document());
    let mut ask = |question| conversation.ask(question, || starter.language(), |_| Flow::Continue).unwrap();
    assert!(
        ask("How many tablets may be taken in a day?").text.contains("Do not take more than 8 tablets in 24 hours")
    );
    // A question that no pattern knows: the language model may answer, but not as if it were sure.
    assert!(!ask("Is it all right if I have three of them with my tea?").sure);
    assert!(ask("How much should I take?").text.contains("1 or 2 tablets every 4 to 6 hours"));
}

#[test]
fn exact_questions_are_answered_without_the_language_model() {
    let starter = starter(Backend::Cpu);
    let ask = |file: &str, question: &str| {
        let mut conversation = Conversation::new(reading(file, &starter).document());
        let none = || -> Result<&StarterLanguage, TextError> { panic!("{question} needs no language model") };
        conversation.ask(question, none, |_| Flow::Continue).unwrap()
    };
    let total = ask("receipt.jpg", "How much is the total?");
    assert_eq!((total.text.as_str(), total.sure), ("£20.62", true));
    assert_eq!(ask("receipt.jpg", "What is the phone number?").text, "01632 960 471");
    assert_eq!(ask("medicine.jpg", "When does it expire?").text, "09/2027");
    assert_eq!(ask("no_text.jpg", "What does it say?").text, "I see no text.");
}
