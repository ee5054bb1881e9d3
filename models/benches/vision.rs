//! Milliseconds of each vision network at typical shapes.
//!
//! `cargo bench --bench vision -- [--weights FOLDER] [--burn]`; `--burn` measures burn's operations instead of our
//! kernels. Columns: network, picture, wall ms, CPU ms (all threads), best of the rounds. `RAYON_NUM_THREADS=1` for one
//! thread. models/benches/vision_beside_onnxruntime.py puts onnxruntime's figures beside these.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use burn::tensor::Device;
use sightread_models::vision::{Detector, LineClassifier, Ops, Recognizer, RgbView};

fn main() {
    let mut weights = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("starter/vision");
    let mut ops = Ops::CpuKernels;
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--weights" => weights = arguments.next().expect("--weights needs a folder").into(),
            "--burn" => ops = Ops::Burn,
            _ => {}
        }
    }
    let device = Device::flex();
    let load = "the weights are in models/starter/vision or where --weights says";

    let detector = Detector::load_with(&weights.join("detector.safetensors"), &device, ops).expect(load);
    for (height, width) in [(480, 640), (736, 992)] {
        let pixels = noise(height * width * 3);
        let picture = RgbView::new(&pixels, width, height).expect("sizes agree");
        report("detector", &format!("1x{height}x{width}"), || drop(detector.probability_map(picture)));
    }

    let recognizer = Recognizer::load_with(&weights.join("recognizer.safetensors"), &device, ops).expect(load);
    for (lines, width) in [(1, 160), (1, 320), (6, 320), (1, 800)] {
        let pixels = noise(48 * width * 3);
        let lines = vec![RgbView::new(&pixels, width, 48).expect("sizes agree"); lines];
        let shape = format!("{}x48x{width}", lines.len());
        report("recognizer", &shape, || drop(recognizer.read(&lines, 0, 3)));
    }

    let path = weights.join("line_classifier.safetensors");
    let classifier = LineClassifier::load_with(&path, &device, ops).expect(load);
    let pixels = noise(48 * 192 * 3);
    let lines = vec![RgbView::new(&pixels, 192, 48).expect("sizes agree"); 6];
    report("line_classifier", "6x48x192", || drop(classifier.upside_down(&lines)));
}

/// Grey noise: the networks' time does not depend on what they see.
fn noise(len: usize) -> Vec<u8> {
    let mut state = 1u32;
    (0..len)
        .map(|_| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 24) as u8
        })
        .collect()
}

fn report(network: &str, shape: &str, mut run: impl FnMut()) {
    run();
    // CPU time counts in ticks of 10 ms: rounds of about half a second each.
    let once = time(&mut run).0;
    let repeats = (0.5 / once.as_secs_f64()).ceil().clamp(1.0, 200.0) as u32;
    let rounds: Vec<_> = (0..5)
        .map(|_| {
            time(|| {
                for _ in 0..repeats {
                    run();
                }
            })
        })
        .collect();
    let best = |pick: fn(&(Duration, Duration)) -> Duration| {
        rounds.iter().map(pick).min().unwrap_or_default().as_secs_f64() * 1e3 / f64::from(repeats)
    };
    println!("{network} {shape} {:.2} {:.2}", best(|r| r.0), best(|r| r.1));
}

/// Wall and CPU time.
fn time(mut run: impl FnMut()) -> (Duration, Duration) {
    let (cpu, start) = (cpu_time(), Instant::now());
    run();
    (start.elapsed(), cpu_time().saturating_sub(cpu))
}

/// User and system time of this process so far; zero where there is no /proc.
fn cpu_time() -> Duration {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let after_name = stat.rsplit(')').next().unwrap_or_default();
    let ticks: u64 = after_name.split_whitespace().skip(11).take(2).filter_map(|t| t.parse::<u64>().ok()).sum();
    Duration::from_millis(ticks * 10)
}
