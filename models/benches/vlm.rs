//! Seconds that a vision-language model takes to look at a tile, to read a prompt and to make an answer.
//!
//! `cargo bench --workspace --bench vlm -- FOLDER [--tokens N] [--exact] [--int8-embedding] [--wgpu]
//! [--rounds N] [--against OTHER]`. FOLDER is a SmolVLM or Idefics3, packed or not; `tests/parity/make_idefics3_fixtures.py --full` writes one
//! of the size of SmolVLM-256M with random weights, `rpiq quantize FOLDER OUT --method rtn` packs it. Times are the best of N
//! rounds, three unless said, behind one that does not count. With `--against`, also how far what is seen in a tile is from what OTHER, the same
//! model in full precision, sees. `tests/peers/vlm.py` measures llama.cpp beside it.

use std::path::PathBuf;
use std::time::Instant;

use burn::tensor::Tensor;
use sightread_models::checkpoint::Checkpoint;
use sightread_models::cpu::Isa;
use sightread_models::device::Backend;
use sightread_models::int4::Precision;
use sightread_models::text::LoadOptions;
use sightread_models::text::generate::{Flow, GenerateOptions, generate};
use sightread_models::vision::RgbView;
use sightread_models::vlm::idefics3::{PictureOptions, PictureProcessor, VisionLanguage};

fn main() {
    let (mut folder, mut other, mut tokens, mut load) = (None, None, 64, LoadOptions::default());
    let (mut backend, mut rounds) = (Backend::Cpu, 3);
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--bench" => {}
            "--tokens" | "--rounds" => {
                let number = arguments.next().and_then(|n| n.parse().ok()).expect("a number follows");
                *if argument == "--tokens" { &mut tokens } else { &mut rounds } = number;
            }
            "--exact" => load.precision = Precision::F32,
            "--against" => other = arguments.next().map(PathBuf::from),
            "--wgpu" => backend = Backend::Wgpu,
            "--int8-embedding" => load.int8_embedding = true,
            name => folder = Some(PathBuf::from(name)),
        }
    }
    // Run by `cargo test --all-targets` too, where there is no model.
    let Some(folder) = folder else { return };
    let device = backend.open().expect("the device is there");
    let finish = || device.sync().expect("the device works");
    let model = VisionLanguage::load(&folder, load, &device).expect("a vision-language model");
    let [vision, connector, language] = model.model().bytes().map(|bytes| bytes as f64 / f64::from(1 << 20));
    println!("instruction set: {}", Isa::chosen().name());
    println!("MiB: vision tower {vision:.1}, connector {connector:.1}, language model {language:.1}");

    let checkpoint = Checkpoint::open(&folder).expect("opened before");
    let processor = PictureProcessor::from_checkpoint(&checkpoint).expect("read before");
    let (width, height) = (4000, 3000);
    let pixels: Vec<u8> = (0..width * height * 3).map(|n| (n * 31 % 251) as u8).collect();
    let photo = RgbView::new(&pixels, width, height).expect("sizes agree");
    let whole = PictureOptions { detail: false, max_tiles: 1 };
    let detail = PictureOptions { detail: true, max_tiles: usize::MAX };
    let one = processor.process(photo, &whole);
    report("cutting a 12-megapixel photo, one tile", best(rounds, || drop(processor.process(photo, &whole))), 1.0, "");
    report("cutting a 12-megapixel photo, --detail", best(rounds, || drop(processor.process(photo, &detail))), 1.0, "");
    let tile = processor.patches(&one.tiles[0], model.model().config().vision_config.patch_size);
    let look = || model.model().see(tile.clone()).expect("seen").into_data();
    report("looking at a tile", best(rounds, || drop(look())), 1.0, "");
    let encoded = model.encode(photo, &whole).expect("looked at");
    if let Some(other) = other {
        let exact = LoadOptions { precision: Precision::F32, ..load };
        let other = VisionLanguage::load(&other, exact, &device).expect("a vision-language model");
        let values = |seen: Tensor<3>| seen.into_data().try_into_vec::<f32>().expect("numbers");
        let [found, expected] = [&model, &other].map(|model| values(model.model().see(tile.clone()).expect("seen")));
        println!("what is seen in a tile is {:.4} away, relative root mean square", distance(&found, &expected));
    }
    let encode = || {
        drop(model.encode(photo, &whole));
        finish();
    };
    report("one tile and its prompt", best(rounds, encode), 1.0, "");

    let network = model.model().language();
    let tokenizer = checkpoint.tokenizer.as_ref().expect("read before");
    for prompt in [16, 80, 878] {
        let ids = vec![100; prompt];
        let read = || network.next_logits(network.forward(&ids, &mut network.cache()).expect("fits")).expect("numbers");
        report(&format!("prompt of {prompt} tokens"), best(rounds, || drop(read())), prompt as f64, "tokens");
    }
    let options = GenerateOptions { max_new_tokens: tokens, ..GenerateOptions::default() };
    let decode = (0..=rounds).map(|_| {
        let mut cache = network.cache();
        network.forward(&vec![100; encoded.positions()], &mut cache).expect("fits");
        finish();
        let made = generate(network, tokenizer, &[100], &mut cache, &options, None, |_| Flow::Continue);
        let made = made.expect("generated");
        made.decode.as_secs_f64() / made.passes.max(1) as f64
    });
    report("answer, one token", decode.fold(f64::INFINITY, f64::min), 1.0, "tokens");
}

/// Root mean square of the difference, relative to what is expected.
fn distance(found: &[f32], expected: &[f32]) -> f32 {
    let energy = |values: &mut dyn Iterator<Item = f32>| values.map(|v| v * v).sum::<f32>();
    let error = energy(&mut found.iter().zip(expected).map(|(a, b)| a - b));
    (error / energy(&mut expected.iter().copied())).sqrt()
}

/// Seconds of the fastest round; before the first one a GPU's kernels are compiled and tuned.
fn best(rounds: usize, mut run: impl FnMut()) -> f64 {
    run();
    let seconds = (0..rounds).map(|_| {
        let start = Instant::now();
        run();
        start.elapsed().as_secs_f64()
    });
    seconds.fold(f64::INFINITY, f64::min)
}

fn report(what: &str, seconds: f64, count: f64, unit: &str) {
    let rate = if unit.is_empty() { String::new() } else { format!(", {:.1} {unit}/s", count / seconds) };
    println!("{what:<42} {:>9.1} ms{rate}", 1e3 * seconds);
}
