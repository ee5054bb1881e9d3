//! What the tests of the command share.

// Every test takes what it needs of it.
#![allow(dead_code)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use image::{Rgb, RgbImage};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde_json::{Map, Value, json};

/// Writes a `tokenizer.json` of plain words: `[UNK]`, `w1`, `w2`, … and then `special`, `size` in all.
pub fn write_word_tokenizer(folder: &Path, size: usize, special: &[&str]) {
    let first = size - special.len();
    let word = |i: usize| if i == 0 { "[UNK]".into() } else { format!("w{i}") };
    let words = (0..first).map(|i| (word(i), i.into()));
    let special = special.iter().enumerate().map(|(i, name)| (name.to_string(), (first + i).into()));
    let vocab: Map<String, Value> = words.chain(special).collect();
    let tokenizer = json!({
        "version": "1.0", "truncation": null, "padding": null, "added_tokens": [], "normalizer": null,
        "pre_tokenizer": {"type": "WhitespaceSplit"}, "post_processor": null, "decoder": null,
        "model": {"type": "WordLevel", "vocab": vocab, "unk_token": "[UNK]"},
    });
    fs::write(folder.join("tokenizer.json"), tokenizer.to_string()).expect("written");
}

/// Tokens of the models that [`write_text_model`] writes.
pub const VOCAB: usize = 96;

/// Writes `model`, a fixture that parity tests compare with transformers with a tokenizer of plain words, and `text.txt`.
pub fn write_text_model(folder: &Path, fixture: &str) {
    let model = folder.join("model");
    fs::create_dir(&model).expect("created");
    let fixture = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/fixtures/text").join(fixture);
    for file in ["config.json", "model.safetensors"] {
        fs::copy(fixture.join(file), model.join(file)).expect("copied");
    }
    write_word_tokenizer(&model, VOCAB, &[]);
    let mut rng = ChaCha8Rng::seed_from_u64(8);
    let words: Vec<String> = (0..4000).map(|_| format!("w{}", rng.random_range(1..VOCAB))).collect();
    fs::write(folder.join("text.txt"), words.join(" ")).expect("written");
}

/// Runs the command to its end.
pub fn rpiq(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_rpiq")).args(arguments).output().expect("starts")
}

/// A path as an argument.
pub fn text(path: &Path) -> &str {
    path.to_str().expect("text")
}

/// Slopes and stripes, each picture others.
pub fn picture(n: u32) -> RgbImage {
    let value = |x: u32, y: u32, c: u32| ((x * (3 + n) + y * (7 + c) + x / (4 + n) % 2 * 120) % 256) as u8;
    RgbImage::from_fn(70 + n, 50 + 2 * n, |x, y| Rgb([0, 1, 2].map(|c| value(x, y, c))))
}

/// Writes `count` pictures and their list.
pub fn write_pictures(folder: &Path, count: u32) -> PathBuf {
    let lines: Vec<String> = (0..count)
        .map(|n| {
            let name = format!("{n}.png");
            picture(n).save(folder.join(&name)).expect("written");
            json!({"image": name, "question": format!("What is {n}?"), "text": format!("The total is {}.", n * 37)})
                .to_string()
        })
        .collect();
    let path = folder.join("list.jsonl");
    fs::write(&path, lines.join("\n")).expect("written");
    path
}
