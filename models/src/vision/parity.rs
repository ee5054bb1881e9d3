//! The networks against onnxruntime on rendered pictures (tests/parity/make_vision_fixtures.py), and our CPU kernels
//! against burn's operations.

use std::path::PathBuf;

use burn::tensor::Device;
use safetensors::SafeTensors;

use super::image::{batch, read_back};
use super::*;

/// Greatest difference to onnxruntime in probabilities and logits; both round in another order.
const TOLERANCE: f32 = 1e-3;

fn weights(name: &str) -> PathBuf {
    let folder = std::env::var_os("SIGHTREAD_VISION_WEIGHTS").map(PathBuf::from);
    folder.unwrap_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("starter/vision")).join(name)
}

struct Fixtures(Vec<u8>);

impl Fixtures {
    fn open() -> Self {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/parity/fixtures/vision.safetensors");
        Self(std::fs::read(path).unwrap())
    }

    fn floats(&self, name: &str) -> Vec<f32> {
        let tensors = SafeTensors::deserialize(&self.0).unwrap();
        let data = tensors.tensor(name).unwrap().data().to_vec();
        data.as_chunks().0.iter().map(|b| f32::from_le_bytes(*b)).collect()
    }

    /// Height, width and bytes of every picture of a tensor `[(n,) h, w, 3]`.
    fn pictures(&self, name: &str) -> Vec<(usize, usize, Vec<u8>)> {
        let tensors = SafeTensors::deserialize(&self.0).unwrap();
        let view = tensors.tensor(name).unwrap();
        let [h, w, _] = *view.shape().last_chunk().unwrap();
        view.data().chunks_exact(h * w * 3).map(|p| (h, w, p.to_vec())).collect()
    }
}

fn views(pictures: &[(usize, usize, Vec<u8>)]) -> Vec<RgbView<'_>> {
    pictures.iter().map(|(h, w, pixels)| RgbView::new(pixels, *w, *h).unwrap()).collect()
}

/// Prints a row of the parity table too (tests/parity/table.sh).
fn assert_close(network: &str, ops: Ops, what: &str, found: &[f32], expected: &[f32]) {
    assert_eq!(found.len(), expected.len());
    let worst = found.iter().zip(expected).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
    let kernels = if ops == Ops::Burn { "burn" } else { "our kernels" };
    println!("\nparity\tPP-OCR: {network}, {kernels}\t{what}\t{worst:.1e}\t{TOLERANCE:.0e}");
    assert!(worst <= TOLERANCE, "greatest difference {worst}");
}

#[test]
fn detector_equals_onnxruntime() {
    let fixtures = Fixtures::open();
    let picture = fixtures.pictures("detector.picture");
    for ops in [Ops::Burn, Ops::CpuKernels] {
        let detector = Detector::load_with(&weights("detector.safetensors"), &Device::flex(), ops).unwrap();
        let map = detector.probability_map(views(&picture)[0]).unwrap();
        assert_eq!((map.height, map.width), (picture[0].0, picture[0].1));
        assert_close("detector", ops, "probabilities", &map.values, &fixtures.floats("detector.map"));
    }
}

#[test]
fn recognizer_equals_onnxruntime() {
    let fixtures = Fixtures::open();
    for ops in [Ops::Burn, Ops::CpuKernels] {
        let recognizer = Recognizer::load_with(&weights("recognizer.safetensors"), &Device::flex(), ops).unwrap();
        for (i, text) in ["Dose 500 mg", "EXP 09"].iter().enumerate() {
            let line = fixtures.pictures(&format!("recognizer.line{i}"));
            let (height, width) = (line[0].0, line[0].1);
            let logits = recognizer.logits(batch(&views(&line), height, width, &Device::flex()));
            let (logits, expected) = (read_back(logits).unwrap(), fixtures.floats(&format!("recognizer.logits{i}")));
            assert_close("recognizer", ops, &format!("logits of {text:?}"), &logits, &expected);
            let read = recognizer.read(&views(&line), 0, 3).unwrap();
            assert_eq!(read[0].text(), *text);
            assert!(read[0].confidence > 0.8, "confidence {}", read[0].confidence);
        }
    }
}

#[test]
fn lines_of_many_widths_come_back_in_order() {
    let fixtures = Fixtures::open();
    let pictures: Vec<_> =
        [1, 0, 1, 0, 0].iter().flat_map(|i| fixtures.pictures(&format!("recognizer.line{i}"))).collect();
    for ops in [Ops::Burn, Ops::CpuKernels] {
        let recognizer = Recognizer::load_with(&weights("recognizer.safetensors"), &Device::flex(), ops).unwrap();
        let texts: Vec<_> = recognizer.read(&views(&pictures), 0, 0).unwrap().iter().map(LineRead::text).collect();
        let (a, b) = ("Dose 500 mg", "EXP 09");
        assert_eq!(texts, [b, a, b, a, a]);
    }
}

#[test]
fn line_classifier_equals_onnxruntime() {
    let fixtures = Fixtures::open();
    let lines = fixtures.pictures("line_classifier.lines");
    for ops in [Ops::Burn, Ops::CpuKernels] {
        let path = weights("line_classifier.safetensors");
        let classifier = LineClassifier::load_with(&path, &Device::flex(), ops).unwrap();
        let logits = classifier.logits(batch(&views(&lines), 48, 192, &Device::flex()));
        let (logits, expected) = (read_back(logits).unwrap(), fixtures.floats("line_classifier.logits"));
        assert_close("line classifier", ops, "logits", &logits, &expected);
        let upside_down = classifier.upside_down(&views(&lines)).unwrap();
        assert!(upside_down[0] < 0.1 && upside_down[1] > 0.9, "{upside_down:?}");
    }
}

#[test]
fn wrong_input_is_an_error() {
    let device = Device::flex();
    let detector = Detector::load(&weights("detector.safetensors"), &device).unwrap();
    let pixels = vec![0; 33 * 64 * 3];
    assert!(matches!(detector.probability_map(RgbView::new(&pixels, 64, 33).unwrap()), Err(VisionError::Picture(_))));
    assert!(matches!(RgbView::new(&pixels, 64, 32), Err(VisionError::Picture(_))));
    assert!(RgbView::new(&[], 0, 48).is_err());
    let recognizer = Recognizer::load(&weights("recognizer.safetensors"), &device).unwrap();
    assert!(recognizer.read(&[RgbView::new(&pixels, 64, 33).unwrap()], 0, 0).is_err());
    assert!(recognizer.read(&[], 0, 0).unwrap().is_empty());
    // A file of another network, and no file.
    let error = Recognizer::load(&weights("detector.safetensors"), &device).err().unwrap().to_string();
    assert!(error.contains("recognizer"), "{error}");
    assert!(Detector::load(&weights("nothing.safetensors"), &device).is_err());
}
