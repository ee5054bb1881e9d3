//! Language models against transformers, on the fixtures of `tests/parity/make_text_fixtures.py`.

use std::path::{Path, PathBuf};

use sightread_models::checkpoint::Checkpoint;
use sightread_models::device::Backend;
use sightread_models::int4::Precision;
use sightread_models::text::generate::{Flow, GenerateOptions, generate};
use sightread_models::text::{LoadOptions, TextModel, chat};
use sightread_tests::{fixture, model_from_env, parity, read_safetensors};

/// Largest error of a logit; the largest logits are around 10.
const TOLERANCE: f32 = 2e-4;
/// Of the ids, those that greedy generation starts from.
const PROMPT: usize = 20;

fn fixtures() -> Vec<PathBuf> {
    let folders = std::fs::read_dir(fixture("text")).unwrap().map(|entry| entry.unwrap().path());
    let mut folders: Vec<_> = folders.filter(|path| path.is_dir()).collect();
    folders.sort();
    assert!(
        folders.len() >= 15,
        "Llama tied, untied, grouped queries, biases, wide heads, three kinds of rope scaling, packed; Qwen2 and Qwen3, two \
         of each; OPT with norms before, behind and without the last"
    );
    folders
}

/// Kind and name of a fixture, for the parity table.
fn label(folder: &Path, checkpoint: &Checkpoint) -> String {
    let kind = checkpoint.config["model_type"].as_str().unwrap();
    format!("{kind}: {}", folder.file_name().unwrap().to_string_lossy())
}

fn expected(folder: &Path) -> (Vec<u32>, Vec<f32>) {
    let tensors = read_safetensors(&folder.join("expected.safetensors"));
    let ids = tensors.i64("ids").iter().map(|&id| id as u32).collect();
    (ids, tensors.f32("logits"))
}

fn logits(model: &TextModel, chunks: &[&[u32]]) -> Vec<f32> {
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

/// The most probable token each time.
fn greedy(model: &TextModel, prompt: &[u32], count: usize) -> Vec<u32> {
    let mut cache = model.cache();
    let mut tokens = prompt.to_vec();
    for _ in 0..count {
        let next = model.next_logits(model.forward(&tokens[cache.len()..], &mut cache).unwrap()).unwrap();
        let best = (0..next.len()).max_by(|&a, &b| next[a].total_cmp(&next[b])).unwrap();
        tokens.push(best as u32);
    }
    tokens.split_off(prompt.len())
}

#[test]
fn logits_equal_those_of_transformers_at_once_and_through_the_cache() {
    let device = Backend::Cpu.open().unwrap();
    for folder in fixtures() {
        let exact = LoadOptions { precision: Precision::F32, ..LoadOptions::default() };
        let checkpoint = Checkpoint::open(&folder).unwrap();
        let label = label(&folder, &checkpoint);
        let model = TextModel::load_with(&checkpoint, exact, &device).unwrap();
        let (ids, reference) = expected(&folder);
        let error = |chunks: &[&[u32]]| largest_difference(&logits(&model, chunks), &reference);
        parity(&label, "logits at once", error(&[&ids]), TOLERANCE);
        parity(&label, "logits token by token", error(&ids.chunks(1).collect::<Vec<_>>()), TOLERANCE);
        let (head, tail) = ids.split_at(23);
        parity(&label, "logits in two parts", error(&[head, tail]), TOLERANCE);

        let tokens: Vec<u32> =
            read_safetensors(&folder.join("expected.safetensors")).i64("greedy").iter().map(|&id| id as u32).collect();
        let found = greedy(&model, &ids[..PROMPT], tokens.len());
        let wrong = found.iter().zip(&tokens).filter(|(a, b)| a != b).count();
        parity(&label, "greedy tokens that differ, of 40", wrong as f32, 1.0);
    }
}

/// Relative error of all logits, root mean square: the tiny model is 14 products with inputs of 8 bit.
const TOLERANCE_OF_8_BIT_INPUTS: f32 = 0.05;

#[test]
fn packed_layers_with_rounded_inputs_stay_close() {
    let device = Backend::Cpu.open().unwrap();
    let folder = fixture("text").join("packed");
    let model = TextModel::load(&Checkpoint::open(&folder).unwrap(), &device).unwrap();
    let (ids, reference) = expected(&folder);
    let energy = |values: &mut dyn Iterator<Item = f32>| values.map(|v| v * v).sum::<f32>();
    let found = logits(&model, &[&ids]);
    let error = energy(&mut found.iter().zip(&reference).map(|(a, b)| a - b));
    let relative = (error / energy(&mut reference.iter().copied())).sqrt();
    assert!(relative > 0.0, "nothing was rounded");
    parity("llama: packed", "8-bit inputs, relative error", relative, TOLERANCE_OF_8_BIT_INPUTS);
}

#[test]
fn a_truncated_cache_answers_as_if_the_rest_was_never_read() {
    let device = Backend::Cpu.open().unwrap();
    let folder = fixture("text").join("untied_gqa");
    let model = TextModel::load(&Checkpoint::open(&folder).unwrap(), &device).unwrap();
    let (ids, reference) = expected(&folder);
    let mut cache = model.cache();
    model.forward(&ids[..40], &mut cache).unwrap();
    model.forward(&[5; 20], &mut cache).unwrap();
    cache.truncate(40);
    let hidden = model.forward(&ids[40..], &mut cache).unwrap();
    let rest = model.logits(hidden).into_data().try_into_vec::<f32>().unwrap();
    let skipped = 40 * model.sizes().vocab_size;
    assert!(largest_difference(&rest, &reference[skipped..]) < TOLERANCE);
}

#[test]
fn wgpu_computes_the_same_logits() {
    let Ok(device) = Backend::Wgpu.open() else {
        println!("skipped: no wgpu adapter");
        return;
    };
    for name in ["rope_llama3", "qwen3", "opt_350m"] {
        let folder = fixture("text").join(name);
        let checkpoint = Checkpoint::open(&folder).unwrap();
        let model = TextModel::load(&checkpoint, &device).unwrap();
        let (ids, reference) = expected(&folder);
        let error = largest_difference(&logits(&model, &[&ids]), &reference);
        parity(&label(&folder, &checkpoint), "logits at once, wgpu", error, TOLERANCE);
    }
}

#[test]
fn what_a_model_cannot_read_is_refused_in_a_sentence() {
    let device = Backend::Cpu.open().unwrap();
    for name in ["tied", "opt"] {
        let model = TextModel::load(&Checkpoint::open(fixture("text").join(name)).unwrap(), &device).unwrap();
        let refusal = |ids: &[u32]| model.forward(ids, &mut model.cache()).unwrap_err().to_string();
        assert!(refusal(&[]).contains("empty"));
        assert!(refusal(&[96]).contains("token 96"));
        assert!(refusal(&[1; 129]).contains("at most 128"));
    }
}

/// Needs the real model: `SIGHTREAD_SMOLLM2=FOLDER`, or fetched by `models/recipes/fetch_smollm2.sh`.
#[test]
fn smollm2_generates_the_text_that_transformers_generates() {
    let Some(path) = model_from_env("SIGHTREAD_SMOLLM2", "smollm2-135m-instruct") else {
        println!("skipped: SmolLM2 is not here; fetch it with models/recipes/fetch_smollm2.sh");
        return;
    };
    let checkpoint = Checkpoint::open(path).unwrap();
    let model = TextModel::load(&checkpoint, &Backend::Cpu.open().unwrap()).unwrap();
    let tokenizer = checkpoint.tokenizer.as_ref().unwrap();
    let cases = std::fs::read_to_string(fixture("text").join("smollm2_greedy.json")).unwrap();
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
