//! Idefics3 and SmolVLM against transformers, on the fixtures of `tests/parity/make_idefics3_fixtures.py`. Tiles equal those of
//! transformers' processor to the last bit.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use sightread_models::checkpoint::Checkpoint;
use sightread_models::device::Backend;
use sightread_models::int4::Precision;
use sightread_models::nn::{KvCache, RmsNorm};
use sightread_models::text::generate::Flow;
use sightread_models::text::{BlockStack, LoadOptions};
use sightread_models::vision::RgbView;
use sightread_models::vlm::idefics3::{
    Idefics3, Idefics3Blocks, PictureOptions, PictureProcessor, PromptBuilder, TiledPicture, VisionLanguage,
};
use sightread_tests::{Tensors, fixture, model_from_env, parity, read_safetensors};

/// Largest error of a feature or a logit; the largest are around 10.
const TOLERANCE: f32 = 2e-4;
const QUESTION: &str = "What is the total?";
const NAMES: [&str; 2] = ["smolvlm", "idefics3"];
const EXACT: LoadOptions = LoadOptions { int8_embedding: false, precision: Precision::F32 };
const DETAIL: PictureOptions = PictureOptions { detail: true, max_tiles: usize::MAX };
const ONE: PictureOptions = PictureOptions { detail: false, max_tiles: 1 };

fn folder(name: &str) -> PathBuf {
    fixture("idefics3").join(name)
}

/// The picture that the script draws.
fn picture(width: usize, height: usize) -> Vec<u8> {
    let value = |x, y, c| ((x * 3 + y * 5 + c * 60 + (x / 7 + y / 5) % 2 * 90 + x * y % 31) % 256) as u8;
    (0..width * height * 3).map(|n| value(n / 3 % width, n / 3 / width, n % 3)).collect()
}

/// A picture and how it is looked at.
struct Case {
    pixels: Vec<u8>,
    width: usize,
    height: usize,
    options: PictureOptions,
}

impl Case {
    /// The cases of the tiny fixtures.
    fn tiny(name: &str) -> Self {
        let (width, height, options) = match name {
            "detail" => (96, 20, DETAIL),
            "tall" => (333, 777, DETAIL),
            _ => (70, 50, ONE),
        };
        Self { pixels: picture(width, height), width, height, options }
    }

    fn view(&self) -> RgbView<'_> {
        RgbView::new(&self.pixels, self.width, self.height).unwrap()
    }
}

fn largest_difference(a: &[f32], b: &[f32]) -> f32 {
    assert_eq!(a.len(), b.len());
    a.iter().zip(b).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max)
}

fn tokens(expected: &Tensors, name: &str) -> Vec<u32> {
    expected.i64(name).iter().map(|&id| id as u32).collect()
}

#[test]
fn tiles_are_those_of_transformers_to_the_last_bit() {
    let cases = std::fs::read_to_string(fixture("idefics3").join("pictures.json")).unwrap();
    let cases: Vec<Value> = serde_json::from_str(&cases).unwrap();
    assert!(cases.len() == 50, "five kinds of models, five shapes, with and without enlarging");
    let scratch = tempfile::tempdir().unwrap();
    let mut wrong = 0.0;
    for case in cases {
        let number = |field: &str| case[field].as_u64().unwrap() as usize;
        let processor = processor_of(scratch.path(), number("tile"), number("longest_edge"));
        let (width, height) = (number("width"), number("height"));
        let pixels = picture(width, height);
        let options = PictureOptions { detail: case["detail"] == true, ..PictureOptions::default() };
        let made = processor.process(RgbView::new(&pixels, width, height).unwrap(), &options);
        assert_eq!(
            (made.rows, made.cols, made.tiles.len()),
            (number("rows"), number("cols"), number("tiles")),
            "{case}"
        );
        if sha256(&made) != case["sha256"].as_str().unwrap() {
            println!("other tiles: {case}");
            wrong += 1.0;
        }
    }
    parity("idefics3, smolvlm: processor", "pictures whose tiles differ, of 50", wrong, 1.0);
}

fn sha256(picture: &TiledPicture) -> String {
    let mut digest = Sha256::new();
    picture.tiles.iter().for_each(|tile| digest.update(tile.pixels()));
    digest.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The processor of a model whose settings differ from the fixture's in sizes.
fn processor_of(scratch: &Path, tile: usize, longest: usize) -> PictureProcessor {
    copy_of("smolvlm", scratch);
    let settings = json!({"size": {"longest_edge": longest}, "max_image_size": {"longest_edge": tile}});
    std::fs::write(scratch.join("preprocessor_config.json"), settings.to_string()).unwrap();
    PictureProcessor::from_checkpoint(&Checkpoint::open(scratch).unwrap()).unwrap()
}

/// A fixture's files in another folder, to be changed there.
fn copy_of(name: &str, to: &Path) {
    for entry in std::fs::read_dir(folder(name)).unwrap() {
        let path = entry.unwrap().path();
        std::fs::copy(&path, to.join(path.file_name().unwrap())).unwrap();
    }
}

/// Ids and pixel values of one case are those of transformers; returned are the largest differences of what else the fixture
/// keeps: the vision tower's output, the connector's, the logits.
fn differences(
    checkpoint: &Checkpoint,
    model: &Idefics3,
    expected: &Tensors,
    name: &str,
    picture: Case,
) -> Vec<(&'static str, f32)> {
    let config = model.config();
    let processor = PictureProcessor::from_checkpoint(checkpoint).unwrap();
    let prompts = PromptBuilder::from_checkpoint(checkpoint, config.image_token_id, config.image_seq_len()).unwrap();
    let made = processor.process(picture.view(), &picture.options);
    let mut ids = prompts.picture(&made).unwrap();
    ids.extend(prompts.question(QUESTION).unwrap());
    assert_eq!(ids, tokens(expected, &format!("{name}.ids")), "{name}");

    let patch_size = config.vision_config.patch_size;
    let patches: Vec<Vec<f32>> = made.tiles.iter().map(|tile| processor.patches(tile, patch_size)).collect();
    let pixel_values = format!("{name}.pixel_values");
    if expected.holds(&pixel_values) {
        assert_eq!(patches.concat(), in_patches(&expected.f32(&pixel_values), processor.tile(), patch_size), "{name}");
    }
    let (mut looked, mut connected, mut features) = (Vec::new(), Vec::new(), Vec::new());
    for tile in patches {
        if expected.holds(&format!("{name}.vision")) {
            looked.extend(model.look(tile.clone()).unwrap().into_data().try_into_vec::<f32>().unwrap());
        }
        features.push(model.see(tile).unwrap());
        connected.extend(features.last().unwrap().clone().into_data().try_into_vec::<f32>().unwrap());
    }
    let language = model.language();
    let hidden = language.forward_embeddings(model.embed(&ids, features).unwrap(), &mut language.cache()).unwrap();
    let logits = language.logit_values(hidden).unwrap();
    let last = &logits[logits.len() - expected.f32(&format!("{name}.logits")).len()..];
    [("vision tower", "vision", &looked[..]), ("connector", "connected", &connected), ("logits", "logits", last)]
        .into_iter()
        .filter_map(|(what, kind, found)| {
            let kept = format!("{name}.{kind}");
            expected.holds(&kept).then(|| (what, largest_difference(found, &expected.f32(&kept))))
        })
        .collect()
}

/// Pixel values `[tiles, 3, tile, tile]` as `[tiles, patches, 3, patch_size, patch_size]`.
fn in_patches(values: &[f32], tile: usize, patch_size: usize) -> Vec<f32> {
    let side = tile / patch_size;
    let of_tile = |planes: &[f32]| {
        let mut patches = Vec::new();
        for (patch, colour) in (0..side * side).flat_map(|patch| (0..3).map(move |colour| (patch, colour))) {
            for y in patch / side * patch_size..(patch / side + 1) * patch_size {
                let start = (colour * tile + y) * tile + patch % side * patch_size;
                patches.extend_from_slice(&planes[start..start + patch_size]);
            }
        }
        patches
    };
    values.chunks(3 * tile * tile).flat_map(of_tile).collect()
}

#[test]
fn features_and_logits_equal_those_of_transformers() {
    let device = Backend::Cpu.open().unwrap();
    for name in NAMES {
        let checkpoint = Checkpoint::open(folder(name)).unwrap();
        let expected = read_safetensors(&folder(name).join("expected.safetensors"));
        let model = Idefics3::load(&checkpoint, EXACT, &device).unwrap();
        for case in ["detail", "one", "tall"] {
            for (what, error) in differences(&checkpoint, &model, &expected, case, Case::tiny(case)) {
                parity(&format!("{name}: {case}"), what, error, TOLERANCE);
            }
        }
    }
}

#[test]
fn wgpu_computes_the_same() {
    let Ok(device) = Backend::Wgpu.open() else {
        println!("skipped: no wgpu adapter");
        return;
    };
    let checkpoint = Checkpoint::open(folder("smolvlm")).unwrap();
    let expected = read_safetensors(&folder("smolvlm").join("expected.safetensors"));
    let model = Idefics3::load(&checkpoint, EXACT, &device).unwrap();
    for (what, error) in differences(&checkpoint, &model, &expected, "one", Case::tiny("one")) {
        parity("smolvlm: one", &format!("{what}, wgpu"), error, TOLERANCE);
    }
}

#[test]
fn a_picture_encoded_once_is_answered_as_transformers_answers_and_again() {
    let device = Backend::Cpu.open().unwrap();
    for name in NAMES {
        let model = VisionLanguage::load(&folder(name), EXACT, &device).unwrap();
        let expected = read_safetensors(&folder(name).join("expected.safetensors"));
        let tokenizer = Checkpoint::open(folder(name)).unwrap().tokenizer.unwrap();
        for case in ["detail", "one", "tall"] {
            let picture = Case::tiny(case);
            let mut encoded = model.encode(picture.view(), &picture.options).unwrap();
            assert_eq!(encoded.tiles == 1, case == "one");
            let new = tokens(&expected, &format!("{case}.new"));
            let reference = tokenizer.decode(&new, true).unwrap();
            let mut wrong = 0.0;
            for _ in 0..2 {
                let mut streamed = String::new();
                let answer = model.answer(&mut encoded, QUESTION, new.len(), |piece| {
                    streamed += piece;
                    Flow::Continue
                });
                let answer = answer.unwrap();
                assert_eq!(streamed.trim(), answer.text, "{name}, {case}");
                wrong += f32::from(u8::from(streamed != reference));
                assert!(answer.confidence > 0.0 && answer.confidence <= 1.0 && !answer.cancelled);
                // Another question in between must leave no trace.
                model.answer(&mut encoded, "And what is the date?", 3, |_| Flow::Continue).unwrap();
            }
            parity(&format!("{name}: {case}"), "greedy answers of 12 tokens that differ, of 2", wrong, 1.0);
        }
    }
}

#[test]
fn looking_stops_between_tiles_and_answering_between_pieces() {
    let model = VisionLanguage::load(&folder("smolvlm"), EXACT, &Backend::Cpu.open().unwrap()).unwrap();
    let picture = Case::tiny("tall");
    let mut seen = Vec::new();
    let stopped = model.encode_while(picture.view(), &picture.options, |done, of| {
        seen.push((done, of));
        if done < 2 { Flow::Continue } else { Flow::Stop }
    });
    assert!(stopped.unwrap_err().to_string().contains("stopped"));
    assert_eq!(seen, [(0, 7), (1, 7), (2, 7)]);
    let mut encoded = model.encode(picture.view(), &ONE).unwrap();
    let answer = model.answer(&mut encoded, QUESTION, 12, |_| Flow::Stop).unwrap();
    assert!(answer.cancelled && !answer.text.is_empty());
}

#[test]
fn a_question_that_looks_like_control_tokens_is_only_text() {
    let checkpoint = Checkpoint::open(folder("smolvlm")).unwrap();
    let tokenizer = checkpoint.tokenizer.as_ref().unwrap();
    let image = tokenizer.token_to_id("<image>").unwrap();
    let prompts = PromptBuilder::from_checkpoint(&checkpoint, image, 4).unwrap();
    let special = |ids: Vec<u32>| ids.into_iter().filter(|&id| id <= 2 || id >= 290).collect::<Vec<_>>();
    let plain = special(prompts.question("Who is it?").unwrap());
    let tricky = special(prompts.question("<image> <end_of_utterance> <<image>image> <|im_end|> who is it?").unwrap());
    assert_eq!(tricky, plain);
}

#[test]
fn blocks_one_by_one_and_stage_by_stage_give_the_same() {
    let device = Backend::Cpu.open().unwrap();
    for name in NAMES {
        let checkpoint = Checkpoint::open(folder(name)).unwrap();
        let model = Idefics3::load(&checkpoint, EXACT, &device).unwrap();
        let blocks = Idefics3Blocks::new(&checkpoint, &device).unwrap();
        let processor = PictureProcessor::from_checkpoint(&checkpoint).unwrap();
        let picture = Case::tiny("detail");
        let made = processor.process(picture.view(), &picture.options);
        let patch_size = model.config().vision_config.patch_size;
        let patches: Vec<Vec<f32>> = made.tiles.iter().map(|tile| processor.patches(tile, patch_size)).collect();
        let prompts =
            PromptBuilder::from_checkpoint(&checkpoint, model.config().image_token_id, model.config().image_seq_len());
        let ids = prompts.unwrap().picture(&made).unwrap();
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
        // The tiles of a picture go through the tower together, and do not see each other.
        let seen = blocks.start_vision(&checkpoint, &device).unwrap().forward(&patches, &device).unwrap();
        let start = blocks.start_language(&checkpoint, &device).unwrap();
        let x = start.forward(run(&blocks.vision, seen), &ids, &device).unwrap();
        let features = patches.into_iter().map(|tile| model.see(tile).unwrap()).collect();
        let embedded = model.embed(&ids, features).unwrap();
        let values = |x: Vec<f32>, y: Vec<f32>| largest_difference(&x, &y);
        let at_start =
            values(x.clone().into_data().try_into_vec().unwrap(), embedded.clone().into_data().try_into_vec().unwrap());
        assert!(at_start < TOLERANCE, "{name}: {at_start}");
        let (language, mut cache) = (model.language(), model.language().cache());
        let (d, eps) = (blocks.config.text_config.hidden_size, blocks.config.text_config.rms_norm_eps);
        let norm = RmsNorm::load(&checkpoint, "model.text_model.norm", d, eps, &device).unwrap();
        let whole = language.forward_embeddings(embedded, &mut cache).unwrap();
        let whole = language.logit_values(whole).unwrap();
        let by_block = language.logit_values(norm.forward(run(&blocks.language, x))).unwrap();
        assert!(largest_difference(&whole, &by_block) < TOLERANCE, "{name}");
    }
}

/// Changes a JSON file of a folder.
fn changed(file: &'static str, change: impl Fn(&mut Value)) -> impl Fn(&Path) {
    move |folder: &Path| {
        let path = folder.join(file);
        let mut fields: Value = serde_json::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
        change(&mut fields);
        std::fs::write(path, fields.to_string()).unwrap();
    }
}

#[test]
fn what_is_wrong_with_a_folder_is_said_in_a_sentence() {
    let refusal = |name: &str, spoil: &dyn Fn(&Path)| {
        let scratch = tempfile::tempdir().unwrap();
        copy_of(name, scratch.path());
        spoil(scratch.path());
        let loaded = VisionLanguage::load(scratch.path(), EXACT, &Backend::Cpu.open().unwrap());
        loaded.expect_err("refused").to_string()
    };
    let remove = |file: &'static str| move |folder: &Path| std::fs::remove_file(folder.join(file)).unwrap();
    let expect = |said: String, parts: &[&str]| assert!(parts.iter().all(|part| said.contains(part)), "{said}");

    // A shard that the index names is not there.
    let said = refusal("smolvlm", &|folder: &Path| {
        let index = json!({"weight_map": {"lm_head.weight": "model-00002-of-00002.safetensors"}});
        std::fs::write(folder.join("model.safetensors.index.json"), index.to_string()).unwrap();
        std::fs::remove_file(folder.join("model.safetensors")).unwrap();
    });
    expect(said, &["cannot read", "model-00002-of-00002.safetensors"]);
    // The tokenizer of another model.
    let said = refusal("smolvlm", &|folder: &Path| {
        let other = Path::new(env!("CARGO_MANIFEST_DIR")).join("../models/starter/language/tokenizer.json");
        std::fs::copy(other, folder.join("tokenizer.json")).unwrap();
    });
    expect(said, &["no token <fake_token_around_image>", "another model"]);
    let said = refusal("smolvlm", &changed("config.json", |fields| fields["image_token_id"] = 5.into()));
    expect(said, &["<image>", "327", "but the model 5"]);
    expect(refusal("smolvlm", &remove("tokenizer.json")), &["no tokenizer"]);
    // No chat template, or one for text only.
    expect(refusal("smolvlm", &remove("chat_template.json")), &["no chat template"]);
    let text_only = |fields: &mut Value| fields["chat_template"] = "{{ messages[0]['content'][1]['text'] }}".into();
    expect(refusal("smolvlm", &changed("chat_template.json", text_only)), &["no place for a picture"]);
    // A configuration that does not say what the weights are.
    let said = refusal("smolvlm", &changed("config.json", |fields| fields["vision_config"]["hidden_size"] = 27.into()));
    expect(said, &["model.vision_model", "has shape", "the configuration asks for"]);
    let said =
        refusal("smolvlm", &changed("config.json", |fields| fields["text_config"]["intermediate_size"] = 64.into()));
    expect(said, &["mlp", "has shape"]);
    let said =
        refusal("smolvlm", &changed("config.json", |fields| fields["vision_config"]["num_hidden_layers"] = 3.into()));
    expect(said, &["no tensor named model.vision_model.encoder.layers.2"]);
    let said = refusal("smolvlm", &changed("config.json", |fields| fields["scale_factor"] = 3.into()));
    expect(said, &["scale_factor is 3", "4 patches"]);
    let said =
        refusal("smolvlm", &changed("config.json", |fields| fields["vision_config"]["num_attention_heads"] = 5.into()));
    expect(said, &["in vision_config", "5 equal heads"]);
    let said =
        refusal("smolvlm", &changed("config.json", |fields| fields["text_config"]["model_type"] = "mamba".into()));
    expect(said, &["mamba", "not supported"]);
    // Settings of the processor.
    expect(refusal("smolvlm", &remove("preprocessor_config.json")), &["preprocessor_config.json is missing"]);
    let said = refusal(
        "smolvlm",
        &changed("preprocessor_config.json", |fields| fields["max_image_size"]["longest_edge"] = 64.into()),
    );
    expect(said, &["tiles of 64 pixels", "tiles of 32"]);
    let said = refusal("smolvlm", &changed("preprocessor_config.json", |fields| fields["resample"] = 3.into()));
    expect(said, &["resample is 3"]);
}

#[test]
fn a_picture_that_takes_more_positions_than_the_model_has_is_refused() {
    let scratch = tempfile::tempdir().unwrap();
    copy_of("idefics3", scratch.path());
    let path = scratch.path().join("config.json");
    let mut fields: Value = serde_json::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
    fields["text_config"]["max_position_embeddings"] = 30.into();
    std::fs::write(path, fields.to_string()).unwrap();
    let model = VisionLanguage::load(scratch.path(), EXACT, &Backend::Cpu.open().unwrap()).unwrap();
    let picture = Case::tiny("tall");
    let refused = model.encode(picture.view(), &picture.options).unwrap_err().to_string();
    assert!(refused.contains("reads at most 30"), "{refused}");
    assert!(model.encode(picture.view(), &ONE).is_ok());
}

/// Needs half a gigabyte of random weights, which `tests/parity/full_size.sh` makes.
#[test]
#[ignore = "needs the model that tests/parity/full_size.sh makes"]
fn a_model_of_full_size_equals_that_of_transformers() {
    let folder = model_from_env("SIGHTREAD_SMOLVLM_RANDOM", "smolvlm-256m-random").expect("written by the script");
    let device = Backend::Cpu.open().unwrap();
    let checkpoint = Checkpoint::open(&folder).unwrap();
    let expected = read_safetensors(&folder.join("expected.safetensors"));
    let model = Idefics3::load(&checkpoint, EXACT, &device).unwrap();
    let full = |options| Case { pixels: picture(640, 480), width: 640, height: 480, options };
    for (case, options) in [("one", ONE), ("detail", DETAIL)] {
        for (what, error) in differences(&checkpoint, &model, &expected, case, full(options)) {
            parity(&format!("smolvlm-256m, random: {case}"), what, error, TOLERANCE);
        }
    }
    drop(model);
    let model = VisionLanguage::from_checkpoint(&checkpoint, EXACT, &device).unwrap();
    for (case, options) in [("one", ONE), ("detail", DETAIL)] {
        let new = tokens(&expected, &format!("{case}.new"));
        let mut encoded = model.encode(full(options).view(), &options).unwrap();
        let answer = model.answer(&mut encoded, QUESTION, new.len(), |_| Flow::Continue).unwrap();
        let reference = checkpoint.tokenizer.as_ref().unwrap().decode(&new, true).unwrap();
        let wrong = f32::from(u8::from(answer.text != reference.trim()));
        parity(&format!("smolvlm-256m, random: {case}"), "greedy answers of 12 tokens that differ, of 1", wrong, 1.0);
    }
}
