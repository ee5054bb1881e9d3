//! A SmolVLM with random weights goes through the whole command: pictures in, a packed folder out that answers.

mod common;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Output;

use common::{picture, rpiq, text, write_pictures};
use serde_json::Value;
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
    assert!(error("ratio_to_gptq") < 1.0 && error("held_out") < error("held_out_rtn"), "{}", report["summary"]);

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
