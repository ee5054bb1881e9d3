//! Whisper against transformers and CTranslate2, on the fixtures of `tests/parity/make_whisper_fixtures.py`. Tolerances:
//! 1e-3 on encoder states and logits, 1e-4 on spectrograms.

use sightread_models::checkpoint::Checkpoint;
use sightread_models::device::Backend;
use sightread_models::nn::{KvCache, LayerNorm};
use sightread_models::speech::{
    AudioContext, DecoderBlocks, EncoderBlocks, Mel, MelFrontEnd, SpeechError, TranscribeOptions, Transcriber, Whisper,
};
use sightread_models::text::BlockStack;
use sightread_models::text::LoadOptions;
use sightread_tests::{Tensors, fixture, model_from_env, parity, read_safetensors};

const TOLERANCE: f32 = 1e-3;
const TOLERANCE_OF_MEL: f32 = 1e-4;
/// What [`differences`] returns.
const MEASURES: [&str; 4] = ["encoder", "logits at once", "logits token by token", "logits in two rows"];
/// Positions of the encoder in the fixtures, and those of the cut context.
const POSITIONS: usize = 48;
const CUT: usize = 20;

fn open(name: &str) -> Checkpoint {
    Checkpoint::open(fixture("whisper").join(name)).unwrap()
}

fn expected(name: &str) -> Tensors {
    read_safetensors(&fixture("whisper").join(name).join("expected.safetensors"))
}

fn ids(expected: &Tensors) -> Vec<u32> {
    expected.i64("ids").iter().map(|&id| id as u32).collect()
}

/// The first frames of the fixture's spectrogram.
fn mel(model: &Whisper, expected: &Tensors, positions: usize) -> Mel {
    let (bins, frames) = (model.config().num_mel_bins, 2 * positions);
    let rows = expected.f32("mel");
    let values = rows.chunks(2 * POSITIONS).flat_map(|row| row[..frames].to_vec()).collect();
    Mel { bins, frames, values }
}

fn largest_difference(a: &[f32], b: &[f32]) -> f32 {
    assert_eq!(a.len(), b.len());
    a.iter().zip(b).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max)
}

/// Differences of encoder states and of logits: at once, token by token, and in two rows.
fn differences(model: &Whisper, expected: &Tensors, positions: usize, suffix: &str) -> [f32; 4] {
    let heard = model.encode(&mel(model, expected, positions)).unwrap();
    let encoded = heard.clone().into_data().try_into_vec::<f32>().unwrap();
    let ids = ids(expected);
    let reference = expected.f32(&format!("logits{suffix}"));
    let empty = model.cache(heard);

    let mut cache = empty.clone();
    let at_once = model.logits(model.forward(&ids, 1, &mut cache).unwrap()).unwrap();
    let mut cache = empty.clone();
    let step = |&id: &u32| model.logits(model.forward(&[id], 1, &mut cache).unwrap()).unwrap();
    let one_by_one: Vec<f32> = ids.iter().flat_map(step).collect();
    // Two rows that begin alike; the second one is thrown away for a copy of the first in between.
    let mut cache = empty;
    model.forward(&ids[..4], 1, &mut cache).unwrap();
    cache.select(&[0, 0]);
    model.forward(&[ids[4], 0], 2, &mut cache).unwrap();
    cache.select(&[0, 0]);
    let rest: Vec<u32> = ids[5..].iter().chain(&ids[5..]).copied().collect();
    let rows = model.logits(model.forward(&rest, 2, &mut cache).unwrap()).unwrap();
    let (first, second) = rows.split_at(rows.len() / 2);
    let after = &reference[5 * model.config().vocab_size..];
    [
        largest_difference(&encoded, &expected.f32(&format!("encoded{suffix}"))),
        largest_difference(&at_once, &reference),
        largest_difference(&one_by_one, &reference),
        largest_difference(first, after).max(largest_difference(second, after)),
    ]
}

#[test]
fn encoder_and_decoder_equal_those_of_transformers() {
    for name in ["even", "uneven"] {
        let model = Whisper::load(&open(name), &Backend::Cpu.open().unwrap()).unwrap();
        for (positions, suffix) in [(POSITIONS, ""), (CUT, "_cut")] {
            let found = differences(&model, &expected(name), positions, suffix);
            for (what, error) in MEASURES.iter().zip(found) {
                parity(&format!("whisper: {name}{suffix}"), what, error, TOLERANCE);
            }
        }
    }
}

#[test]
fn a_ctranslate2_folder_is_the_same_model() {
    let (plain, converted) = (open("even"), open("ct2_float16"));
    assert_eq!(converted.tensors.names(), plain.tensors.names());
    for name in plain.tensors.names() {
        let shape = plain.tensors.info(&name).unwrap().shape;
        assert_eq!(converted.tensor(&name, &shape).unwrap(), plain.tensor(&name, &shape).unwrap(), "{name}");
    }
    let model = Whisper::load(&converted, &Backend::Cpu.open().unwrap()).unwrap();
    assert_eq!(model.config(), Whisper::load(&plain, &Backend::Cpu.open().unwrap()).unwrap().config());
    assert!(differences(&model, &expected("even"), POSITIONS, "").iter().all(|d| *d < TOLERANCE));
}

#[test]
fn rows_of_8_bit_come_close() {
    let (plain, rounded) = (open("even"), open("ct2_int8"));
    let name = "model.decoder.layers.1.encoder_attn.v_proj.weight";
    let (a, b) = (plain.tensor(name, &[32, 32]).unwrap(), rounded.tensor(name, &[32, 32]).unwrap());
    let largest = a.iter().fold(0.0, |largest: f32, v| largest.max(v.abs()));
    assert!(a != b && largest_difference(&a, &b) < largest / 250.0);
    Whisper::load(&rounded, &Backend::Cpu.open().unwrap()).unwrap();
}

#[test]
fn wgpu_computes_the_same() {
    let Ok(device) = Backend::Wgpu.open() else {
        println!("skipped: no wgpu adapter");
        return;
    };
    let model = Whisper::load(&open("even"), &device).unwrap();
    let found = differences(&model, &expected("even"), CUT, "_cut");
    for (what, error) in MEASURES.iter().zip(found) {
        parity("whisper: even_cut", &format!("{what}, wgpu"), error, TOLERANCE);
    }
}

#[test]
fn blocks_one_by_one_and_stage_by_stage_give_the_same() {
    let (checkpoint, expected, device) = (open("uneven"), expected("uneven"), Backend::Cpu.open().unwrap());
    let model = Whisper::load(&checkpoint, &device).unwrap();
    let run = |stack: &dyn BlockStack, mut x| {
        for n in 0..stack.num_blocks() {
            let mut block = stack.load_block(&checkpoint, n, &device).unwrap();
            let layers = stack.stages();
            assert_eq!(layers.len(), block.stages());
            assert!(layers.iter().flatten().all(|(name, ..)| block.linear_mut(name).is_some()));
            assert!(block.linear_mut("lm_head").is_none());
            x = block.forward(x, &mut KvCache::default());
        }
        x
    };
    let encoder = EncoderBlocks::new(&checkpoint).unwrap();
    let start = encoder.start(&checkpoint, &device).unwrap();
    let heard = run(&encoder, start.forward(&mel(&model, &expected, CUT), &device).unwrap());
    let norm = |name: &str| LayerNorm::load(&checkpoint, name, model.config().d_model, 1e-5, &device).unwrap();
    let values = norm("model.encoder.layer_norm").forward(heard.clone()).into_data().try_into_vec::<f32>().unwrap();
    assert!(largest_difference(&values, &expected.f32("encoded_cut")) < TOLERANCE);

    let decoder = DecoderBlocks::new(&checkpoint, CUT).unwrap();
    let tokens = ids(&expected);
    let start = decoder.start(&checkpoint, &device).unwrap().forward(heard, &tokens, &device).unwrap();
    let text = run(&decoder, start).narrow(1, CUT, tokens.len());
    let text = norm("model.decoder.layer_norm").forward(text);
    assert!(largest_difference(&model.logits(text).unwrap(), &expected.f32("logits_cut")) < TOLERANCE);
}

#[test]
fn spectrograms_equal_those_of_transformers() {
    let fixture = read_safetensors(&fixture("whisper").join("mel.safetensors"));
    let samples: Vec<f32> = fixture.i16("samples").iter().map(|&s| f32::from(s) / 32_768.0).collect();
    for (name, bins, frames, window) in [("window_30s", 80, 130, 480_000), ("window_1s", 128, 100, 16_000)] {
        let mel = MelFrontEnd::new(bins).compute(&samples, frames, window);
        let difference = largest_difference(&mel.values, &fixture.f32(name));
        parity("whisper: spectrogram", name, difference, TOLERANCE_OF_MEL);
    }
}

#[test]
fn what_a_model_cannot_hear_is_refused_in_a_sentence() {
    let model = Whisper::load(&open("even"), &Backend::Cpu.open().unwrap()).unwrap();
    let mel = |bins: usize, frames: usize| Mel { bins, frames, values: vec![0.0; bins * frames] };
    let refusal = |error: SpeechError| error.to_string();
    assert!(refusal(model.encode(&mel(128, 96)).unwrap_err()).contains("128 bands"));
    for frames in [0, 95, 98] {
        assert!(refusal(model.encode(&mel(80, frames)).unwrap_err()).contains("frames"));
    }
    let mut cache = model.cache(model.encode(&mel(80, 2)).unwrap());
    let mut read = |tokens: &[u32], rows| refusal(model.forward(tokens, rows, &mut cache).unwrap_err());
    assert!(read(&[], 1).contains("0 tokens"));
    assert!(read(&[1, 2, 3], 2).contains("2 rows"));
    assert!(read(&[96], 1).contains("token 96"));
    assert!(read(&[1; 25], 1).contains("24 tokens"));
    let error = Transcriber::from_checkpoint(open("even"), LoadOptions::default(), &Backend::Cpu.open().unwrap());
    assert!(matches!(error, Err(SpeechError::NoTokenizer)));
}

/// Needs the real models: `SIGHTREAD_WHISPER_BASE=FOLDER` and `SIGHTREAD_WHISPER_TINY_EN=FOLDER`, or fetched by
/// `models/recipes/fetch_whisper.py`.
#[test]
fn real_models_understand_what_ctranslate2_understands() {
    let sound = read_safetensors(&fixture("whisper").join("question.safetensors"));
    let samples: Vec<f32> = sound.i16("samples").iter().map(|&s| f32::from(s) / 32_768.0).collect();
    let cases = std::fs::read_to_string(fixture("whisper").join("question.json")).unwrap();
    let cases: Vec<serde_json::Value> = serde_json::from_str(&cases).unwrap();
    for (name, variable) in [("base", "SIGHTREAD_WHISPER_BASE"), ("tiny.en", "SIGHTREAD_WHISPER_TINY_EN")] {
        let Some(folder) = model_from_env(variable, &format!("whisper-{name}")) else {
            println!("skipped: whisper-{name} is not here; fetch it with models/recipes/fetch_whisper.py");
            continue;
        };
        let device = Backend::Cpu.open().unwrap();
        let transcriber = Transcriber::load(&folder, LoadOptions::default(), &device).unwrap();
        for case in cases.iter().filter(|case| case["model"] == name) {
            let beam = case["beam"].as_u64().unwrap() as usize;
            let number = |field: &str| case[field].as_f64().unwrap() as f32;
            let options = TranscribeOptions { beam, context: AudioContext::Full, ..TranscribeOptions::default() };
            let found = transcriber.transcribe(&samples, &options).unwrap();
            println!("{name}, beam {beam}: {:?} {}", found.text, found.avg_logprob);
            assert_eq!(found.text, case["text"].as_str().unwrap());
            assert_eq!(found.language, case["language"].as_str().unwrap());
            let tokens: Vec<u32> = serde_json::from_value(case["tokens"].clone()).unwrap();
            assert_eq!(found.segments[0].tokens, tokens);
            assert!((found.language_probability - number("language_probability")).abs() < 0.02);
            assert!((found.avg_logprob - number("avg_logprob")).abs() < 0.01, "{}", found.avg_logprob);
            assert!((found.no_speech_prob - number("no_speech_prob")).abs() < 0.01, "{}", found.no_speech_prob);
            assert!(found.words().all(|word| (0.0..=1.0).contains(&word.confidence)));

            let fitted = TranscribeOptions { beam, ..TranscribeOptions::default() };
            let fitted = transcriber.transcribe(&samples, &fitted).unwrap();
            assert_eq!(fitted.text, found.text, "with a fitted context");
        }
    }
}
