//! A SmolVLM with random weights goes through the whole command: pictures in, a packed folder out that answers.

mod common;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Output;

use common::{picture, rpiq, text, write_pictures};
use serde_json::{Value, json};
use sightread_models::checkpoint::Checkpoint;
use sightread_models::device::Backend;
use sightread_models::text::LoadOptions;
use sightread_models::text::generate::Flow;
use sightread_models::vision::RgbView;
use sightread_models::vlm::idefics3::{PictureOptions, VisionLanguage};

/// Blocks of the tower and of the language model.
const BLOCKS: usize = 2;

/// The fixture that parity tests compare with transformers.
fn model() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/fixtures/idefics3/smolvlm")
}

fn quantize(list: &Path, out: &Path, more: &[&str]) -> Output {
    let model = model();
    let start = ["quantize", text(&model), text(out), "--calibration", text(list), "--backend", "cpu"];
    rpiq(&[&start[..], &["--group-size", "8", "--sequences", "24", "--held-out", "4", "--tiles", "2"], more].concat())
}

fn open(folder: &Path) -> VisionLanguage {
    VisionLanguage::load(folder, LoadOptions::default(), &Backend::Cpu.open().expect("opens")).expect("loads")
}

/// What the tower makes of a picture.
fn features(model: &VisionLanguage, folder: &Path) -> Vec<f32> {
    let processor =
        sightread_models::vlm::idefics3::PictureProcessor::from_checkpoint(&Checkpoint::open(folder).expect("opens"));
    let processor = processor.expect("settings");
    let pixels = picture(9);
    let view = RgbView::new(&pixels, pixels.width() as usize, pixels.height() as usize).expect("a picture");
    let made = processor.process(view, &PictureOptions { detail: false, max_tiles: 1 });
    let seen = model.model().see(processor.patches(&made.tiles[0], 8)).expect("seen");
    seen.into_data().try_into_vec().expect("numbers")
}

fn relative_error(found: &[f32], reference: &[f32]) -> f32 {
    let energy = |values: &mut dyn Iterator<Item = f32>| values.map(|v| v * v).sum::<f32>();
    (energy(&mut found.iter().zip(reference).map(|(a, b)| a - b)) / energy(&mut reference.iter().copied())).sqrt()
}

#[test]
fn a_vision_language_model_is_packed_and_answers() {
    let folder = tempfile::tempdir().expect("temporary folder");
    let list = write_pictures(folder.path(), 28);
    let reference = features(&open(&model()), &model());
    let source = Checkpoint::open(model()).expect("opens");
    let count = |names: &[String], ending: &str| names.iter().filter(|name| name.ends_with(ending)).count();
    // Each: how it is asked for, packed layers, layers in 8-bit rows, largest error of features.
    let cases: [(&str, &[&str], usize, usize, f32); 3] = [
        ("int4", &["--vision-sequences", "12"], BLOCKS * (6 + 7), 0, 0.5),
        ("int8", &["--vision", "int8", "--connector", "int8"], BLOCKS * 7, BLOCKS * 6 + 1, 0.1),
        ("f16", &["--vision", "f16", "--embeddings", "int8"], BLOCKS * 7, 2, 0.01),
    ];
    for (name, more, packed_layers, rows, largest_error) in cases {
        let out = folder.path().join(name);
        let made = quantize(&list, &out, more);
        assert!(made.status.success(), "{name}: {}", String::from_utf8_lossy(&made.stderr));
        let packed = Checkpoint::open(&out).expect("opens");
        let names = packed.tensors.names();
        assert_eq!(count(&names, ".qweight"), packed_layers, "{name}");
        assert_eq!(count(&names, ".bias"), count(&source.tensors.names(), ".bias"), "{name}: no bias is lost");
        let stored =
            |name: &&String| packed.tensors.info(name).is_some_and(|info| info.stored.to_string() == "I8 rows");
        assert_eq!(names.iter().filter(stored).count(), rows, "{name}");

        let model = open(&out);
        let error = relative_error(&features(&model, &out), &reference);
        println!("{name}: features {error:.1e} apart");
        assert!(error < largest_error, "{name}: {error}");
        let pixels = picture(3);
        let view = RgbView::new(&pixels, pixels.width() as usize, pixels.height() as usize).expect("a picture");
        let mut encoded = model.encode(view, &PictureOptions::default()).expect("looked at");
        assert!(encoded.tiles > 1);
        model.answer(&mut encoded, "What is it?", 4, |_| Flow::Continue).expect("answered");
    }

    let report = fs::read(folder.path().join("int4/quantization_report.json")).expect("there");
    let report: Value = serde_json::from_slice(&report).expect("a report");
    let layers = report["layers"].as_array().expect("layers");
    let of = |part: &str| layers.iter().filter(|l| l["layer"].as_str().is_some_and(|l| l.starts_with(part))).count();
    assert_eq!((of("model.vision_model"), of("model.text_model")), (BLOCKS * 6, BLOCKS * 7));
    let error = |name: &str| report["summary"][name].as_f64().expect("measured");
    // By default layers aim at the full-precision model's outputs: there the loop must have gained on GPTQ.
    assert!(error("total_ratio_to_gptq") < 1.0 && error("held_out") < error("held_out_rtn"), "{}", report["summary"]);

    // What was planned beforehand is what lies there: parts, how they are stored, bytes.
    let parts = |shown: &str| -> Vec<String> {
        let lines = shown.lines().skip_while(|line| !line.starts_with("part ")).skip(1);
        lines.take_while(|line| !line.starts_with("made with")).map(String::from).collect()
    };
    let source_folder = model();
    let plan = |more: &[&str]| {
        let start = ["inspect", text(&source_folder), "--group-size", "8"];
        let shown = rpiq(&[&start[..], more].concat());
        parts(&String::from_utf8_lossy(&shown.stdout))
    };
    let stored = |name: &str| {
        let shown = rpiq(&["inspect", text(&folder.path().join(name))]);
        parts(&String::from_utf8_lossy(&shown.stdout))
    };
    let planned = plan(&[]);
    for part in ["language model", "vision tower", "connector", "embeddings and head", "all"] {
        assert!(planned.iter().any(|line| line.starts_with(part)), "{part}: {planned:#?}");
    }
    assert!(planned.iter().any(|line| line.starts_with("vision tower         4 bit, groups of 8")), "{planned:#?}");
    assert_eq!(planned, stored("int4"));
    assert_eq!(plan(&["--vision", "int8", "--connector", "int8"]), stored("int8"));
    assert_eq!(plan(&["--vision", "f16", "--embeddings", "int8"]), stored("f16"));

    let asked = rpiq(&[
        "ask",
        text(&folder.path().join("int4")),
        text(&folder.path().join("0.png")),
        "What is it?",
        "--backend",
        "cpu",
    ]);
    let said = String::from_utf8_lossy(&asked.stderr);
    assert!(asked.status.success() && said.contains("looked at"), "{said}");
}

#[test]
fn a_folder_of_pictures_with_its_metadata_is_a_calibration_set() {
    let folder = tempfile::tempdir().expect("temporary folder");
    let pictures = folder.path().join("pictures");
    fs::create_dir(&pictures).expect("created");
    let list = write_pictures(&pictures, 12);
    let listed = quantize(&list, &folder.path().join("listed"), &[]);
    let renamed = fs::read_to_string(&list).expect("there").replace("\"image\"", "\"file_name\"");
    fs::write(pictures.join("metadata.jsonl"), renamed).expect("written");
    fs::remove_file(&list).expect("removed");
    let found = quantize(&pictures, &folder.path().join("found"), &[]);
    assert!(listed.status.success() && found.status.success(), "{}", String::from_utf8_lossy(&found.stderr));
    let weights = |name: &str| fs::read(folder.path().join(name).join("model.safetensors")).expect("there");
    assert!(weights("listed") == weights("found"));
    fs::remove_file(pictures.join("metadata.jsonl")).expect("removed");
    let refused = quantize(&pictures, &folder.path().join("none"), &[]);
    assert!(String::from_utf8_lossy(&refused.stderr).contains("metadata.jsonl"));
}

/// The fixture with something wrong about it.
fn spoilt(spoil: impl Fn(&Path)) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("temporary folder");
    for entry in fs::read_dir(model()).expect("there") {
        let path = entry.expect("there").path();
        fs::copy(&path, folder.path().join(path.file_name().expect("a name"))).expect("copied");
    }
    spoil(folder.path());
    folder
}

fn configure(folder: &Path, change: impl Fn(&mut Value)) {
    let path = folder.join("config.json");
    let mut config: Value = serde_json::from_slice(&fs::read(&path).expect("there")).expect("JSON");
    change(&mut config);
    fs::write(&path, config.to_string()).expect("written");
}

/// What both `quantize` and `ask` say before they begin.
fn refusals(folder: &Path) -> [String; 2] {
    let scratch = tempfile::tempdir().expect("temporary folder");
    let (out, photo) = (scratch.path().join("out"), scratch.path().join("photo.png"));
    picture(1).save(&photo).expect("written");
    let quantizing = rpiq(&["quantize", text(folder), text(&out), "--method", "rtn", "--backend", "cpu"]);
    let asking = rpiq(&["ask", text(folder), text(&photo), "What is it?", "--backend", "cpu"]);
    assert!(!out.exists(), "it had begun");
    [quantizing, asking].map(|run| {
        assert!(!run.status.success());
        let said = String::from_utf8_lossy(&run.stderr).into_owned();
        assert!(said.trim_end().lines().count() == 1 && !said.contains("panicked"), "{said}");
        said
    })
}

#[test]
fn what_is_wrong_with_a_folder_is_told_in_a_sentence_before_work_begins() {
    let missing_shard = spoilt(|folder| {
        let index = json!({"weight_map": {"lm_head.weight": "model-00002-of-00002.safetensors"}});
        fs::write(folder.join("model.safetensors.index.json"), index.to_string()).expect("written");
        fs::remove_file(folder.join("model.safetensors")).expect("removed");
    });
    for said in refusals(missing_shard.path()) {
        assert!(said.contains("cannot read") && said.contains("model-00002-of-00002.safetensors"), "{said}");
    }
    let wrong_tokenizer = spoilt(|folder| {
        let other = Path::new(env!("CARGO_MANIFEST_DIR")).join("../models/starter/language/tokenizer.json");
        fs::copy(other, folder.join("tokenizer.json")).expect("copied");
    });
    for said in refusals(wrong_tokenizer.path()) {
        assert!(said.contains("no token") && said.contains("belongs to another model"), "{said}");
    }
    let unknown = spoilt(|folder| configure(folder, |config| config["model_type"] = "paligemma".into()));
    for said in refusals(unknown.path()) {
        assert!(said.contains("paligemma is not supported; use a"), "{said}");
    }
    // Each: the field, another value, and the first tensor that gives it away.
    let lies: [(&str, &str, u64, &str); 5] = [
        ("vision_config", "intermediate_size", 48, "model.vision_model.encoder.layers.0.mlp.fc1."),
        ("vision_config", "num_hidden_layers", 3, "model.vision_model.encoder.layers.2."),
        ("vision_config", "patch_size", 16, "model.vision_model.embeddings.patch_embedding.weight"),
        ("text_config", "intermediate_size", 64, "model.text_model.layers.0.mlp."),
        ("text_config", "num_hidden_layers", 3, "model.text_model.layers.2."),
    ];
    for (part, field, value, tensor) in lies {
        let folder = spoilt(|folder| configure(folder, |config| config[part][field] = value.into()));
        for said in refusals(folder.path()) {
            assert!(said.contains(tensor), "{part}.{field}: {said}");
        }
    }
}

#[test]
fn pictures_that_cannot_be_read_are_named() {
    let folder = tempfile::tempdir().expect("temporary folder");
    let list = write_pictures(folder.path(), 6);
    fs::write(folder.path().join("4.png"), b"no picture").expect("written");
    let refused = quantize(&list, &folder.path().join("out"), &[]);
    let said = String::from_utf8_lossy(&refused.stderr);
    assert!(!refused.status.success() && said.contains("4.png"), "{said}");
    fs::write(&list, r#"{"picture": "0.png"}"#).expect("written");
    let refused = quantize(&list, &folder.path().join("out"), &[]);
    let said = String::from_utf8_lossy(&refused.stderr);
    assert!(!refused.status.success() && said.contains("line 1"), "{said}");
    assert!(!folder.path().join("out").exists());
}
