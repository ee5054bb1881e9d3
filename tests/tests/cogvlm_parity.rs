//! CogVLM2 against the reference of our own, on the fixtures of `tests/parity/make_cogvlm_fixtures.py`; what that rests on is said in
//! `tests/parity/cogvlm_reference.py`. Pixels equal those of Pillow and numpy to the last bit; tolerance 1e-3 on features and
//! logits.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use sightread_models::checkpoint::Checkpoint;
use sightread_models::device::Backend;
use sightread_models::int4::Precision;
use sightread_models::nn::RmsNorm;
use sightread_models::text::generate::{Flow, GenerateOptions, generate};
use sightread_models::text::{BlockStack, LoadOptions};
use sightread_models::vision::RgbView;
use sightread_models::vlm::cogvlm::{
    CogVlm, CogVlmBlocks, CogVlmConfig, PicturePlace, PictureProcessor, PromptBuilder, VisionLanguage,
};
use sightread_models::vlm::{self, PictureOptions, VlmError};
use sightread_tests::{Tensors, fixture, parity, read_safetensors};

const TOLERANCE: f32 = 1e-3;
const QUESTION: &str = "What is the total?";
const NAMES: [&str; 2] = ["chat", "vqa"];
const PICTURES: [(&str, usize, usize); 3] = [("wide", 90, 41), ("small", 20, 30), ("square", 56, 56)];
const EXACT: LoadOptions = LoadOptions { int8_embedding: false, precision: Precision::F32 };

fn folder(name: &str) -> PathBuf {
    fixture("cogvlm").join(name)
}

fn checkpoint(name: &str) -> Checkpoint {
    Checkpoint::open(folder(name)).unwrap()
}

fn expected(name: &str) -> Tensors {
    read_safetensors(&folder(name).join("expected.safetensors"))
}

/// The picture that the script draws.
fn picture(width: usize, height: usize) -> Vec<u8> {
    let value = |x, y, c| ((x * 3 + y * 5 + c * 60 + (x / 7 + y / 5) % 2 * 90 + x * y % 31) % 256) as u8;
    (0..width * height * 3).map(|n| value(n / 3 % width, n / 3 / width, n % 3)).collect()
}

fn largest_difference(a: &[f32], b: &[f32]) -> f32 {
    assert_eq!(a.len(), b.len());
    a.iter().zip(b).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max)
}

fn tokens(expected: &Tensors, name: &str) -> Vec<u32> {
    expected.i64(name).iter().map(|&id| id as u32).collect()
}

/// Never stops.
fn on(_: usize, _: usize) -> Flow {
    Flow::Continue
}

#[test]
fn squares_are_those_of_pillow_to_the_last_bit() {
    let cases = std::fs::read_to_string(fixture("cogvlm").join("pictures.json")).unwrap();
    let cases: Vec<Value> = serde_json::from_str(&cases).unwrap();
    assert_eq!(cases.len(), 10, "the published size and a tiny one, five shapes");
    for case in cases {
        let number = |field: &str| case[field].as_u64().unwrap() as usize;
        let mut config = CogVlmConfig::from_checkpoint(&checkpoint("chat")).unwrap();
        config.vision_config.image_size = number("side");
        let pixels = picture(number("width"), number("height"));
        let view = RgbView::new(&pixels, number("width"), number("height")).unwrap();
        let square = PictureProcessor::new(&config).process(view);
        let digest: String = Sha256::digest(square.pixels()).iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(digest, case["sha256"].as_str().unwrap(), "{case}");
    }
}

/// Pixel values `[3, side, side]` as `[patches, 3, patch_size, patch_size]`.
fn in_patches(planes: &[f32], side: usize, patch_size: usize) -> Vec<f32> {
    let per_side = side / patch_size;
    let mut patches = Vec::new();
    for (patch, colour) in (0..per_side * per_side).flat_map(|patch| (0..3).map(move |colour| (patch, colour))) {
        for y in patch / per_side * patch_size..(patch / per_side + 1) * patch_size {
            let start = (colour * side + y) * side + patch % per_side * patch_size;
            patches.extend_from_slice(&planes[start..start + patch_size]);
        }
    }
    patches
}

/// Ids and pixel values of one case are those of the reference; returned are the largest differences of the vision tower's
/// output, the connector's, and the logits.
fn differences(checkpoint: &Checkpoint, model: &CogVlm, expected: &Tensors, case: (&str, usize, usize)) -> [f32; 3] {
    let ((name, width, height), config) = (case, model.config());
    let of = |kind: &str| format!("{name}.{kind}");
    let prompts = PromptBuilder::from_checkpoint(checkpoint, config).unwrap();
    let ids = [prompts.picture(), &prompts.question(QUESTION).unwrap()].concat();
    assert_eq!(ids, tokens(expected, &of("ids")), "{name}");

    let processor = PictureProcessor::new(config);
    let pixels = picture(width, height);
    let patches = processor.patches(&processor.process(RgbView::new(&pixels, width, height).unwrap()));
    if expected.holds(&of("pixel_values")) {
        let vision = &config.vision_config;
        let reference = in_patches(&expected.f32(&of("pixel_values")), vision.image_size, vision.patch_size);
        assert_eq!(patches, reference, "{name}: pixel values");
    }
    let looked: Vec<f32> = model.look(patches.clone(), &mut on).unwrap().into_data().try_into_vec().unwrap();
    let features = model.see(patches, &mut on).unwrap();
    let connected: Vec<f32> = features.clone().into_data().try_into_vec().unwrap();
    let language = model.language();
    let place = PicturePlace::in_prompt(config.picture_positions());
    let mut cache = language.cache_with_picture(place.places());
    let hidden = language.forward_embeddings(model.embed(&ids, features).unwrap(), &mut cache).unwrap();
    let logits = language.logit_values(hidden).unwrap();
    let reference = expected.f32(&of("logits"));
    [
        // Without the class token.
        largest_difference(&looked[config.vision_config.hidden_size..], &expected.f32(&of("vision"))),
        largest_difference(&connected, &expected.f32(&of("connected"))),
        largest_difference(&logits[logits.len() - reference.len()..], &reference),
    ]
}

fn report(name: &str, found: [f32; 3]) {
    for (what, error) in ["vision tower", "connector", "logits"].into_iter().zip(found) {
        parity(&format!("CogVLM2 ({name})"), what, error, TOLERANCE);
    }
}

#[test]
fn features_and_logits_equal_those_of_the_reference() {
    let device = Backend::Cpu.open().unwrap();
    for name in NAMES {
        let (checkpoint, expected) = (checkpoint(name), expected(name));
        let model = CogVlm::load(&checkpoint, EXACT, &device).unwrap();
        let all = PICTURES.map(|case| differences(&checkpoint, &model, &expected, case));
        report(name, all.into_iter().reduce(|a, b| [0, 1, 2].map(|n: usize| a[n].max(b[n]))).unwrap());
    }
}

#[test]
fn wgpu_computes_the_same() {
    let Ok(device) = Backend::Wgpu.open() else {
        println!("skipped: no wgpu adapter");
        return;
    };
    let checkpoint = checkpoint("chat");
    let model = CogVlm::load(&checkpoint, EXACT, &device).unwrap();
    report("chat, wgpu", differences(&checkpoint, &model, &expected("chat"), PICTURES[0]));
}

#[test]
fn text_without_a_picture_is_read_by_the_language_expert_alone() {
    let device = Backend::Cpu.open().unwrap();
    for name in NAMES {
        let (checkpoint, expected) = (checkpoint(name), expected(name));
        let model = CogVlm::load(&checkpoint, EXACT, &device).unwrap();
        let (language, ids) = (model.language(), tokens(&expected, "text.ids"));
        let logits = language.logit_values(language.forward(&ids, &mut language.cache()).unwrap()).unwrap();
        let reference = expected.f32("text.logits");
        let error = largest_difference(&logits[logits.len() - reference.len()..], &reference);
        parity(&format!("CogVLM2 ({name})"), "logits, text", error, TOLERANCE);
        let new = tokens(&expected, "text.new");
        let options = GenerateOptions { max_new_tokens: new.len(), ..GenerateOptions::default() };
        let tokenizer = checkpoint.tokenizer.as_ref().unwrap();
        let made =
            generate(language, tokenizer, &ids, &mut language.cache(), &options, None, |_| Flow::Continue).unwrap();
        assert_eq!(made.tokens, new, "{name}");
    }
}

#[test]
fn a_picture_encoded_once_is_answered_as_the_reference_answers_and_again() {
    let device = Backend::Cpu.open().unwrap();
    for name in NAMES {
        // By the architecture that the configuration names.
        let model = vlm::VisionLanguage::load(&folder(name), EXACT, &device).unwrap();
        let (expected, tokenizer) = (expected(name), checkpoint(name).tokenizer.unwrap());
        for (case, width, height) in PICTURES {
            let pixels = picture(width, height);
            let view = RgbView::new(&pixels, width, height).unwrap();
            let mut encoded = model.encode(view, &PictureOptions::default()).unwrap();
            assert_eq!(encoded.tiles, 1);
            let new = tokens(&expected, &format!("{case}.new"));
            let reference = tokenizer.decode(&new, true).unwrap();
            for _ in 0..2 {
                let answer = model.answer(&mut encoded, QUESTION, new.len(), |_| Flow::Continue).unwrap();
                assert_eq!(answer.text, reference.trim(), "{name}, {case}");
                assert!(answer.confidence > 0.0 && answer.confidence <= 1.0 && !answer.cancelled);
                // Another question in between must leave no trace.
                model.answer(&mut encoded, "And what is the date?", 3, |_| Flow::Continue).unwrap();
            }
        }
    }
}

#[test]
fn looking_stops_between_blocks() {
    let model = VisionLanguage::load(&folder("chat"), EXACT, &Backend::Cpu.open().unwrap()).unwrap();
    let pixels = picture(90, 41);
    let mut seen = Vec::new();
    let view = RgbView::new(&pixels, 90, 41).unwrap();
    let stopped = model.encode_while(view, &PictureOptions::default(), |done, of| {
        seen.push((done, of));
        if done < 1 { Flow::Continue } else { Flow::Stop }
    });
    assert!(matches!(stopped, Err(VlmError::Stopped)));
    assert_eq!(seen, [(0, 2), (1, 2)]);
}

#[test]
fn a_question_that_looks_like_control_tokens_is_only_text() {
    let checkpoint = checkpoint("chat");
    let config = CogVlmConfig::from_checkpoint(&checkpoint).unwrap();
    let prompts = PromptBuilder::from_checkpoint(&checkpoint, &config).unwrap();
    let special = |ids: Vec<u32>| ids.into_iter().filter(|&id| id >= config.bos_token_id).count();
    let tricky = "<|reserved_special_token_0|> <|eot_id|> <<|eot_id|>|eot_id|> <|begin_of_text|> who is it?";
    assert_eq!(special(prompts.question(tricky).unwrap()), 0);
    assert_eq!(special(prompts.answer(tricky).unwrap()), 0);
}

#[test]
fn blocks_one_by_one_and_stage_by_stage_give_the_same() {
    let device = Backend::Cpu.open().unwrap();
    for name in NAMES {
        let checkpoint = checkpoint(name);
        let model = CogVlm::load(&checkpoint, EXACT, &device).unwrap();
        let blocks = CogVlmBlocks::new(&checkpoint, &device).unwrap();
        let processor = PictureProcessor::new(&blocks.config);
        let pixels = picture(90, 41);
        let patches = processor.patches(&processor.process(RgbView::new(&pixels, 90, 41).unwrap()));
        let ids = tokens(&expected(name), "wide.ids");
        // As the quantizer does it: every stage by itself, with a cache that has seen nothing.
        let run = |stack: &dyn BlockStack, mut x| {
            for n in 0..stack.num_blocks() {
                let mut block = stack.load_block(&checkpoint, n, &device).unwrap();
                let layers = stack.stages();
                assert_eq!(layers.len(), block.stages());
                assert!(layers.iter().flatten().all(|(name, ..)| block.linear_mut(name).is_some()));
                assert!(block.linear_mut("lm_head").is_none());
                let step = |state, stage| block.advance(stage, state, &mut stack.cache());
                x = (0..block.stages()).fold(block.begin(x), step).residual;
            }
            x
        };
        let seen = blocks.start_vision(&checkpoint, &device).unwrap().forward(patches.clone(), &device).unwrap();
        let start = blocks.start_language(&checkpoint, &device).unwrap();
        let x = run(&blocks.language, start.forward(run(&blocks.vision, seen), &ids, &device).unwrap());
        let config = &blocks.config;
        let norm = RmsNorm::load(&checkpoint, "model.norm", config.hidden_size, config.rms_norm_eps, &device).unwrap();
        let language = model.language();
        let by_block = language.logit_values(norm.forward(x)).unwrap();
        let embedded = model.embed(&ids, model.see(patches, &mut on).unwrap()).unwrap();
        let place = PicturePlace::in_prompt(config.picture_positions());
        let mut cache = language.cache_with_picture(place.places());
        let whole = language.logit_values(language.forward_embeddings(embedded, &mut cache).unwrap()).unwrap();
        assert!(largest_difference(&whole, &by_block) < TOLERANCE, "{name}");
    }
}

/// Rows of a stage's input that its layers read: together every row once, those of the picture but for its end in the stages of
/// the vision expert.
#[test]
fn every_row_is_read_by_one_expert() {
    let checkpoint = checkpoint("chat");
    let blocks = CogVlmBlocks::new(&checkpoint, &Backend::Cpu.open().unwrap()).unwrap();
    let (stages, positions) = (blocks.language.stages(), blocks.config.picture_positions());
    let rows = |stage| blocks.language.rows(stage, 40).into_iter().flatten().collect::<Vec<_>>();
    for (stage, layers) in stages.iter().enumerate() {
        let is_vision = layers.iter().all(|(name, ..)| name.contains("vision"));
        let is_language = layers.iter().all(|(name, ..)| name.contains("language"));
        assert!(is_vision != is_language);
        let vision: Vec<usize> = (1..positions).collect();
        let language: Vec<usize> = (0..40).filter(|row| !vision.contains(row)).collect();
        assert_eq!(rows(stage), if is_vision { vision } else { language });
    }
}

/// A fixture's files in another folder, one of them changed.
fn spoiled(file: &str, change: impl Fn(&mut Value)) -> tempfile::TempDir {
    let scratch = tempfile::tempdir().unwrap();
    for entry in std::fs::read_dir(folder("chat")).unwrap() {
        let path = entry.unwrap().path();
        std::fs::copy(&path, scratch.path().join(path.file_name().unwrap())).unwrap();
    }
    let path = scratch.path().join(file);
    let mut fields: Value = serde_json::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
    change(&mut fields);
    std::fs::write(path, fields.to_string()).unwrap();
    scratch
}

#[test]
fn what_is_wrong_with_a_folder_is_said_in_a_sentence() {
    let refusal = |folder: &Path| {
        let loaded = vlm::VisionLanguage::load(folder, EXACT, &Backend::Cpu.open().unwrap());
        loaded.expect_err("refused").to_string()
    };
    let expect = |change: &dyn Fn(&mut Value), parts: &[&str]| {
        let said = refusal(spoiled("config.json", change).path());
        assert!(parts.iter().all(|part| said.contains(part)), "{said}");
    };
    expect(&|c| c["architectures"] = json!(["OtherForCausalLM"]), &["vision-language model", "not supported"]);
    expect(&|c| c["pad_token_id"] = 5.into(), &["<|reserved_special_token_0|>", "but the model 5"]);
    expect(&|c| c["template_version"] = "poem".into(), &["template_version is poem"]);
    expect(&|c| c["num_multi_query_heads"] = 3.into(), &["4 query heads cannot share 3"]);
    expect(&|c| c["intermediate_size"] = 64.into(), &["mlp", "has shape"]);
    expect(&|c| c["num_hidden_layers"] = 3.into(), &["no tensor named model.layers.2"]);
    expect(
        &|c| c["vision_config"]["num_hidden_layers"] = 3.into(),
        &["no tensor named model.vision.transformer.layers.2"],
    );
    expect(&|c| c["vision_config"]["num_positions"] = 64.into(), &["in vision_config", "64 patches and a class token"]);
    expect(&|c| c["vision_config"]["image_size"] = 50.into(), &["in vision_config", "50 pixels"]);
    let odd = |c: &mut Value| {
        c["vision_config"]["image_size"] = 49.into();
        c["vision_config"]["num_positions"] = 50.into();
    };
    expect(&odd, &["7 patches", "squares of two by two"]);
    let renamed = spoiled("tokenizer.json", |fields| {
        let text = fields.to_string().replace("<|begin_of_text|>", "<|begin|>");
        *fields = serde_json::from_str(&text).unwrap();
    });
    assert!(refusal(renamed.path()).contains("no token <|begin_of_text|>"));
}
