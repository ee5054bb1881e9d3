//! A CogVLM2 with random weights goes through the whole command: pictures in, a packed folder out that answers.

mod common;

use std::fs;
use std::path::{Path, PathBuf};

use common::{picture, rpiq, text, write_pictures};
use serde_json::Value;
use sightread_models::checkpoint::Checkpoint;
use sightread_models::device::Backend;
use sightread_models::text::LoadOptions;
use sightread_models::text::generate::Flow;
use sightread_models::vision::RgbView;
use sightread_models::vlm::PictureOptions;
use sightread_models::vlm::cogvlm::{PictureProcessor, VisionLanguage};

/// Blocks of the tower and of the language model.
const BLOCKS: usize = 2;
/// Linear layers of an expert, and of a block of the tower.
const EXPERT: usize = 5;
const TOWER: usize = 4;

/// The fixture that parity tests compare with the reference.
fn model() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/fixtures/cogvlm/chat")
}

fn open(folder: &Path) -> VisionLanguage {
    VisionLanguage::load(folder, LoadOptions::default(), &Backend::Cpu.open().expect("opens")).expect("loads")
}

/// What a picture becomes in a prompt.
fn features(model: &VisionLanguage) -> Vec<f32> {
    let (pixels, processor) = (picture(9), PictureProcessor::new(model.model().config()));
    let view = RgbView::new(&pixels, pixels.width() as usize, pixels.height() as usize).expect("a picture");
    let patches = processor.patches(&processor.process(view));
    let seen = model.model().see(patches, &mut |_, _| Flow::Continue).expect("seen");
    seen.into_data().try_into_vec().expect("numbers")
}

fn relative_error(found: &[f32], reference: &[f32]) -> f32 {
    let energy = |values: &mut dyn Iterator<Item = f32>| values.map(|v| v * v).sum::<f32>();
    (energy(&mut found.iter().zip(reference).map(|(a, b)| a - b)) / energy(&mut reference.iter().copied())).sqrt()
}

#[test]
fn a_cogvlm2_is_packed_by_classes_of_layers_and_answers() {
    let folder = tempfile::tempdir().expect("temporary folder");
    let list = write_pictures(folder.path(), 16);
    let reference = features(&open(&model()));
    let source = Checkpoint::open(model()).expect("opens");
    let count = |names: &[String], ending: &str| names.iter().filter(|name| name.ends_with(ending)).count();
    // Each: how it is asked for, packed layers of a block of either stack, layers in 8-bit rows, largest error of features.
    let cases: [(&str, &[&str], usize, usize, f32); 4] = [
        ("int4", &["--vision-sequences", "8"], TOWER + 2 * EXPERT, 0, 0.5),
        ("int8", &["--vision", "int8", "--experts", "f16", "--connector", "int8"], EXPERT, BLOCKS * TOWER + 4, 0.1),
        ("f16", &["--vision", "f16", "--experts", "int8", "--embeddings", "int8"], EXPERT, BLOCKS * EXPERT + 2, 0.02),
        ("rtn", &["--method", "rtn"], TOWER + 2 * EXPERT, 0, 0.7),
    ];
    for (name, more, packed_layers, rows, largest_error) in cases {
        let (out, from) = (folder.path().join(name), model());
        let start = ["quantize", text(&from), text(&out), "--backend", "cpu", "--group-size", "8"];
        let set = ["--calibration", text(&list), "--sequences", "12", "--held-out", "4"];
        let made = rpiq(&[&start[..], if name == "rtn" { &[] } else { &set[..] }, more].concat());
        assert!(made.status.success(), "{name}: {}", String::from_utf8_lossy(&made.stderr));
        let packed = Checkpoint::open(&out).expect("opens");
        let names = packed.tensors.names();
        assert_eq!(count(&names, ".qweight"), BLOCKS * packed_layers, "{name}");
        for kept in [".bias", ".inv_freq"] {
            assert_eq!(count(&names, kept), count(&source.tensors.names(), kept), "{name}: no {kept} is lost");
        }
        let stored =
            |name: &&String| packed.tensors.info(name).is_some_and(|info| info.stored.to_string() == "I8 rows");
        assert_eq!(names.iter().filter(stored).count(), rows, "{name}");

        let model = open(&out);
        let error = relative_error(&features(&model), &reference);
        println!("{name}: features {error:.1e} apart");
        assert!(error < largest_error, "{name}: {error}");
        let pixels = picture(3);
        let view = RgbView::new(&pixels, pixels.width() as usize, pixels.height() as usize).expect("a picture");
        let mut encoded = model.encode(view, &PictureOptions::default()).expect("looked at");
        model.answer(&mut encoded, "What is it?", 4, |_| Flow::Continue).expect("answered");
    }

    let report = fs::read(folder.path().join("int4/quantization_report.json")).expect("there");
    let report: Value = serde_json::from_slice(&report).expect("a report");
    let layers = report["layers"].as_array().expect("layers");
    let of = |part: &str| layers.iter().filter(|l| l["layer"].as_str().is_some_and(|l| l.contains(part))).count();
    assert_eq!(
        (of("model.vision."), of(".vision_"), of(".language_")),
        (BLOCKS * TOWER, BLOCKS * EXPERT, BLOCKS * EXPERT)
    );
    let error = |name: &str| report["summary"][name].as_f64().expect("measured");
    // Layers aim at the full-precision model's outputs: there, not on their own inputs, the loop must have gained on GPTQ.
    let gained = error("total_ratio_to_gptq") < 1.0 && error("held_out_gptq") < error("held_out_rtn");
    assert!(gained, "{}", report["summary"]);

    let (packed, photo) = (folder.path().join("int4"), folder.path().join("0.png"));
    let asked = rpiq(&["ask", text(&packed), text(&photo), "What is it?", "--backend", "cpu"]);
    let said = String::from_utf8_lossy(&asked.stderr);
    assert!(asked.status.success() && said.contains("looked at"), "{said}");
}

#[test]
fn one_with_random_weights_is_written_and_packed_on_its_own_pictures() {
    let folder = tempfile::tempdir().expect("temporary folder");
    let config: Value = serde_json::from_slice(&fs::read(model().join("config.json")).expect("there")).expect("JSON");
    let (given, out, packed) =
        (folder.path().join("given.json"), folder.path().join("random"), folder.path().join("packed"));
    fs::write(&given, config.to_string()).expect("written");
    let made = rpiq(&["random-model", text(&given), text(&out), "--layers", "1", "--shard-mb", "1"]);
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let model = open(&out);
    assert_eq!(
        (model.model().config().num_hidden_layers, model.model().config().vision_config.num_hidden_layers),
        (1, 1)
    );
    let list = out.join("calibration.jsonl");
    let start = ["quantize", text(&out), text(&packed), "--backend", "cpu", "--group-size", "8", "--method", "gptq"];
    let set = ["--calibration", text(&list), "--sequences", "4", "--held-out", "2"];
    let made = rpiq(&[&start[..], &set].concat());
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    assert_eq!(features(&open(&packed)).len(), features(&model).len());
}
