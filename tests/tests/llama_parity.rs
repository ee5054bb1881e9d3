//! Llama against transformers, on the fixtures of `tests/parity/make_llama_fixtures.py`. Tolerance: 1e-3 on logits.

use std::path::{Path, PathBuf};

use sightread_models::checkpoint::Checkpoint;
use sightread_models::device::Backend;
use sightread_models::int4::Precision;
use sightread_models::text::generate::{Flow, GenerateOptions, generate};
use sightread_models::text::llama::LoadOptions;
use sightread_models::text::{Llama, chat};
use sightread_tests::{fixture, model_from_env, read_safetensors};

const TOLERANCE: f32 = 1e-3;

fn fixtures() -> Vec<PathBuf> {
    let folders = std::fs::read_dir(fixture("llama")).unwrap().map(|entry| entry.unwrap().path());
    let mut folders: Vec<_> = folders.filter(|path| path.is_dir()).collect();
    folders.sort();
    assert!(
        folders.len() >= 8,
        "tied, untied, grouped queries, biases, wide heads, three kinds of rope scaling, packed"
    );
    folders
}

fn expected(folder: &Path) -> (Vec<u32>, Vec<f32>) {
    let tensors = read_safetensors(&folder.join("expected.safetensors"));
    let ids = tensors.i64("ids").iter().map(|&id| id as u32).collect();
    (ids, tensors.f32("logits"))
}

fn logits(model: &Llama, chunks: &[&[u32]]) -> Vec<f32> {
    let mut cache = model.cache();
    let of = |chunk: &&[u32]| {
        let hidden = model.forward(chunk, &mut cache).unwrap();
        model.logits(hidden).into_data().try_into_vec::<f32>().unwrap()
    };
    chunks.iter().flat_map(of).collect()
}

fn largest_difference(a: &[f32], b: &[f32]) -> f32 {
    assert_eq!(a.len(), b.len());
    a.iter().zip(b).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max)
}

#[test]
fn logits_equal_those_of_transformers_at_once_and_through_the_cache() {
    let device = Backend::Cpu.open().unwrap();
    for folder in fixtures() {
        let name = folder.file_name().unwrap().to_string_lossy().into_owned();
        let exact = LoadOptions { precision: Precision::F32, ..LoadOptions::default() };
        let model = Llama::load_with(&Checkpoint::open(&folder).unwrap(), exact, &device).unwrap();
        let (ids, reference) = expected(&folder);
        let at_once = largest_difference(&logits(&model, &[&ids]), &reference);
        let single: Vec<&[u32]> = ids.chunks(1).collect();
        let one_by_one = largest_difference(&logits(&model, &single), &reference);
        let (head, tail) = ids.split_at(23);
        let in_two = largest_difference(&logits(&model, &[head, tail]), &reference);
        println!("{name}: at once {at_once:.1e}, token by token {one_by_one:.1e}, in two parts {in_two:.1e}");
        assert!(at_once.max(one_by_one).max(in_two) < TOLERANCE, "{name}");
    }
}

/// Relative error of all logits, root mean square: the tiny model is 14 products with inputs of 8 bit.
const TOLERANCE_OF_8_BIT_INPUTS: f32 = 0.05;

#[test]
fn packed_layers_with_rounded_inputs_stay_close() {
    let device = Backend::Cpu.open().unwrap();
    let folder = fixture("llama").join("packed");
    let model = Llama::load(&Checkpoint::open(&folder).unwrap(), &device).unwrap();
    let (ids, reference) = expected(&folder);
    let energy = |values: &mut dyn Iterator<Item = f32>| values.map(|v| v * v).sum::<f32>();
    let found = logits(&model, &[&ids]);
    let error = energy(&mut found.iter().zip(&reference).map(|(a, b)| a - b));
    let relative = (error / energy(&mut reference.iter().copied())).sqrt();
    println!("8-bit inputs: relative error {relative:.1e}");
    assert!(relative > 0.0 && relative < TOLERANCE_OF_8_BIT_INPUTS, "{relative}");
}

#[test]
fn a_truncated_cache_answers_as_if_the_rest_was_never_read() {
    let device = Backend::Cpu.open().unwrap();
    let folder = fixture("llama").join("untied_gqa");
    let model = Llama::load(&Checkpoint::open(&folder).unwrap(), &device).unwrap();
    let (ids, reference) = expected(&folder);
    let mut cache = model.cache();
    model.forward(&ids[..40], &mut cache).unwrap();
    model.forward(&[5; 20], &mut cache).unwrap();
    cache.truncate(40);
    let hidden = model.forward(&ids[40..], &mut cache).unwrap();
    let rest = model.logits(hidden).into_data().try_into_vec::<f32>().unwrap();
    let skipped = 40 * model.config().vocab_size;
    assert!(largest_difference(&rest, &reference[skipped..]) < TOLERANCE);
}

#[test]
fn wgpu_computes_the_same_logits() {
    let Ok(device) = Backend::Wgpu.open() else {
        println!("skipped: no wgpu adapter");
        return;
    };
    let folder = fixture("llama").join("rope_llama3");
    let model = Llama::load(&Checkpoint::open(&folder).unwrap(), &device).unwrap();
    let (ids, reference) = expected(&folder);
    assert!(largest_difference(&logits(&model, &[&ids]), &reference) < TOLERANCE);
}

#[test]
fn what_a_model_cannot_read_is_refused_in_a_sentence() {
    let device = Backend::Cpu.open().unwrap();
    let model = Llama::load(&Checkpoint::open(fixture("llama").join("tied")).unwrap(), &device).unwrap();
    let refusal = |ids: &[u32]| model.forward(ids, &mut model.cache()).unwrap_err().to_string();
    assert!(refusal(&[]).contains("empty"));
    assert!(refusal(&[96]).contains("token 96"));
    assert!(refusal(&[1; 129]).contains("at most 128"));
}

/// Needs the real model: `SIGHTREAD_SMOLLM2=FOLDER`, or fetched by `models/recipes/fetch_smollm2.sh`.
#[test]
fn smollm2_generates_the_text_that_transformers_generates() {
    let Some(path) = model_from_env("SIGHTREAD_SMOLLM2", "smollm2-135m-instruct") else {
        println!("skipped: SmolLM2 is not here; fetch it with models/recipes/fetch_smollm2.sh");
        return;
    };
    let checkpoint = Checkpoint::open(path).unwrap();
    let model = Llama::load(&checkpoint, &Backend::Cpu.open().unwrap()).unwrap();
    let tokenizer = checkpoint.tokenizer.as_ref().unwrap();
    let cases = std::fs::read_to_string(fixture("llama").join("smollm2_greedy.json")).unwrap();
    let cases: Vec<serde_json::Value> = serde_json::from_str(&cases).unwrap();
    for case in cases {
        let ids = |field: &str| -> Vec<u32> { serde_json::from_value(case[field].clone()).unwrap() };
        let template = checkpoint.chat_template.as_ref().unwrap();
        let message = chat::Message::user(case["prompt"].as_str().unwrap());
        let prompt = chat::render(template, &[message], "<|im_start|>", "<|im_end|>").unwrap();
        assert_eq!(prompt, case["chat"].as_str().unwrap());
        assert_eq!(tokenizer.encode(prompt, false).unwrap().get_ids(), ids("ids"));

        let options = GenerateOptions { max_new_tokens: 40, eos_token_ids: vec![2], ..GenerateOptions::default() };
        let mut text = String::new();
        let out = generate(&model, tokenizer, &ids("ids"), &mut model.cache(), &options, None, |piece| {
            text.push_str(piece);
            Flow::Continue
        });
        let mut reference = ids("new");
        reference.retain(|&token| token != 2);
        assert_eq!(out.unwrap().tokens, reference, "{}", case["prompt"]);
        assert_eq!(text, case["text"].as_str().unwrap());
    }
}
