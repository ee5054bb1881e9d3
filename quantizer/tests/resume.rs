//! A run that is killed again and again ends with the same bytes as one left alone.

mod common;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::Duration;

use common::write_word_tokenizer;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use safetensors::{Dtype, tensor::TensorView};
use serde_json::{Value, json};

const D: usize = 64;
const INTERMEDIATE: usize = 96;
const BLOCKS: usize = 6;
const VOCAB: usize = 60;

/// A Llama with random weights and a tokenizer of plain words.
fn write_model(folder: &Path) {
    fs::create_dir_all(folder).expect("created");
    let config = json!({
        "model_type": "llama", "architectures": ["LlamaForCausalLM"], "hidden_size": D, "intermediate_size": INTERMEDIATE,
        "num_hidden_layers": BLOCKS, "num_attention_heads": 4, "num_key_value_heads": 2, "vocab_size": VOCAB,
        "max_position_embeddings": 256, "rms_norm_eps": 1e-5, "tie_word_embeddings": true, "hidden_act": "silu",
    });
    fs::write(folder.join("config.json"), config.to_string()).expect("written");
    write_word_tokenizer(folder, VOCAB, &[]);

    let mut rng = ChaCha8Rng::seed_from_u64(7);
    let mut tensors: Vec<(String, Vec<usize>, Vec<u8>)> = Vec::new();
    let mut add = |name: String, shape: &[usize], scale: f32, centre: f32| {
        let value = |_| (centre + scale * rng.random_range(-1.0f32..1.0)).to_le_bytes();
        tensors.push((name, shape.to_vec(), (0..shape.iter().product()).flat_map(value).collect()));
    };
    add("model.embed_tokens.weight".into(), &[VOCAB, D], 1.0, 0.0);
    add("model.norm.weight".into(), &[D], 0.1, 1.0);
    for block in 0..BLOCKS {
        let name = |part: &str| format!("model.layers.{block}.{part}.weight");
        add(name("input_layernorm"), &[D], 0.1, 1.0);
        add(name("post_attention_layernorm"), &[D], 0.1, 1.0);
        for (part, out) in [("q_proj", D), ("k_proj", D / 2), ("v_proj", D / 2), ("o_proj", D)] {
            add(name(&format!("self_attn.{part}")), &[out, D], 0.2, 0.0);
        }
        add(name("mlp.gate_proj"), &[INTERMEDIATE, D], 0.2, 0.0);
        add(name("mlp.up_proj"), &[INTERMEDIATE, D], 0.2, 0.0);
        add(name("mlp.down_proj"), &[D, INTERMEDIATE], 0.2, 0.0);
    }
    let views = tensors
        .iter()
        .map(|(name, shape, bytes)| (name.as_str(), TensorView::new(Dtype::F32, shape.clone(), bytes).expect("fits")));
    safetensors::serialize_to_file(views, None, &folder.join("model.safetensors")).expect("written");
}

struct Bench {
    folder: tempfile::TempDir,
}

impl Bench {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("temporary folder");
        write_model(&folder.path().join("model"));
        let mut rng = ChaCha8Rng::seed_from_u64(8);
        let words: Vec<String> = (0..6000).map(|_| format!("w{}", rng.random_range(1..VOCAB))).collect();
        fs::write(folder.path().join("text.txt"), words.join(" ")).expect("written");
        Self { folder }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn command(&self, out: &str, more: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_rpiq"));
        command.arg("quantize").arg(self.path("model")).arg(self.path(out));
        command.arg("--calibration").arg(self.path("text.txt")).args(["--sequences", "24", "--seq-len", "128"]);
        command.args(["--held-out", "4", "--group-size", "32", "--backend", "cpu"]).args(more);
        command.stdout(Stdio::null()).stderr(Stdio::piped());
        command
    }

    fn run(&self, out: &str, more: &[&str]) -> Output {
        self.command(out, more).output().expect("starts")
    }

    fn weights(&self, out: &str) -> Vec<u8> {
        fs::read(self.path(out).join("model.safetensors")).expect("complete")
    }
}

#[test]
fn killed_at_any_moment_it_goes_on_to_the_same_bits() {
    let bench = Bench::new();
    let whole = bench.run("whole", &[]);
    assert!(whole.status.success(), "{}", String::from_utf8_lossy(&whole.stderr));

    assert!(!bench.path("whole.rpiq-parts").exists(), "nothing is left behind a finished run");

    let parts = bench.path("broken.rpiq-parts");
    let mut rng = ChaCha8Rng::seed_from_u64(9);
    let mut kills = 0;
    let (mut seen, mut wait) = (0, 5u64);
    while !bench.path("broken").exists() {
        let mut child = bench.command("broken", &[]).stderr(Stdio::null()).spawn().expect("starts");
        std::thread::sleep(Duration::from_millis(rng.random_range(1..=wait)));
        if child.try_wait().expect("known").is_none() {
            child.kill().expect("killed");
            kills += 1;
        }
        child.wait().expect("ended");
        let finished = fs::read_dir(&parts).map_or(0, |files| files.count());
        // A machine with no time to spare must still get on: wait longer wherever nothing was finished.
        if finished <= seen {
            wait += wait / 2 + 1;
        }
        seen = finished;
    }
    println!("killed {kills} times");
    assert!(kills >= 2, "it was never interrupted");
    assert!(bench.weights("whole") == bench.weights("broken"));
}

#[cfg(unix)]
#[test]
fn ctrl_c_stops_soon_and_keeps_what_is_done() {
    let bench = Bench::new();
    assert!(bench.run("whole", &[]).status.success());
    let mut child = bench.command("stopped", &[]).spawn().expect("starts");
    let first = bench.path("stopped.rpiq-parts").join("block-00000-stage-0.json");
    while !first.exists() {
        std::thread::sleep(Duration::from_millis(1));
        if child.try_wait().expect("known").is_some() {
            return; // Too quick to be stopped on this machine.
        }
    }
    let asked = std::time::Instant::now();
    assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().expect("there").success());
    let ended = child.wait_with_output().expect("ends");
    let message = String::from_utf8_lossy(&ended.stderr);
    assert!(!ended.status.success() && message.contains("stopped; the finished layers are kept"), "{message}");
    assert!(asked.elapsed() < Duration::from_secs(10), "{:?}", asked.elapsed());
    assert!(!bench.path("stopped").exists() && first.exists());
    assert!(bench.run("stopped", &[]).status.success());
    assert!(bench.weights("whole") == bench.weights("stopped"));
}

#[test]
fn activations_on_disk_change_nothing() {
    let bench = Bench::new();
    let spill = bench.path("spill");
    fs::create_dir(&spill).expect("created");
    assert!(bench.run("memory", &[]).status.success());
    assert!(bench.run("disk", &["--spill", spill.to_str().expect("text")]).status.success());
    assert!(bench.weights("memory") == bench.weights("disk"));
    assert_eq!(fs::read_dir(&spill).expect("readable").count(), 0);
}

#[test]
fn parts_of_another_run_are_refused() {
    let bench = Bench::new();
    let mut child = bench.command("out", &[]).stderr(Stdio::null()).spawn().expect("starts");
    let parts = bench.path("out.rpiq-parts");
    while !parts.join("block-00000-stage-1.json").exists() {
        std::thread::sleep(Duration::from_millis(2));
        assert!(child.try_wait().expect("known").is_none_or(|status| status.success()));
        if bench.path("out").exists() {
            return; // Too quick to be interrupted on this machine.
        }
    }
    child.kill().expect("killed");
    child.wait().expect("ended");
    let other = bench.run("out", &["--method", "gptq"]);
    let message = String::from_utf8_lossy(&other.stderr);
    assert!(!other.status.success() && message.contains("another choice of options"), "{message}");
    assert!(!bench.path("out").exists());
}

#[test]
fn what_cannot_be_used_gets_a_sentence() {
    let bench = Bench::new();
    let fails = |command: &mut Command, expected: &str| {
        let output = command.output().expect("starts");
        let message = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!output.status.success() && message.contains(expected), "{message}");
        assert!(!message.contains("panicked"), "{message}");
    };
    let rpiq = |args: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_rpiq"));
        command.current_dir(bench.folder.path()).args(args);
        command
    };
    fails(&mut rpiq(&["quantize", "model", "out", "--backend", "cpu"]), "--calibration");
    fails(&mut rpiq(&["quantize", "model", "out", "--calibration", "none.txt"]), "none.txt cannot be used");
    fails(&mut rpiq(&["quantize", "absent", "out", "--calibration", "text.txt"]), "absent");
    let from_text = ["quantize", "model", "out", "--calibration", "text.txt", "--backend", "cpu"];
    fs::write(bench.path("short.txt"), "w1 w2 w3").expect("written");
    fails(&mut rpiq(&["quantize", "model", "out", "--calibration", "short.txt"]), "too short");
    fails(rpiq(&from_text).args(["--seq-len", "64", "--group-size", "0"]), "group size");
    fails(&mut rpiq(&["eval", "model", "--perplexity", "text.txt.missing"]), "missing");
    assert!(bench.run("packed", &["--method", "rtn"]).status.success());
    let mut again = rpiq(&["quantize", "packed", "out", "--calibration", "text.txt", "--seq-len", "64"]);
    fails(&mut again, "quantized already");

    // Weights that are no numbers.
    let file = bench.path("model").join("model.safetensors");
    let mut bytes = fs::read(&file).expect("there");
    let end = bytes.len();
    bytes[end - 4..].copy_from_slice(&f32::NAN.to_le_bytes());
    fs::write(&file, bytes).expect("written");
    fails(&mut bench.command("never", &[]), "not finite");
    assert!(!bench.path("out").exists());
}

#[test]
fn every_method_writes_a_model_that_can_be_measured() {
    let bench = Bench::new();
    for (name, more) in [
        ("a", &["--method", "rtn"][..]),
        ("b", &["--method", "gptq"]),
        ("c", &["--method", "rpiq-paper"]),
        ("d", &["--method", "rpiq", "--snapshot-weight", "0.2", "--snapshots", "2", "--random-order", "3"]),
        ("e", &["--method", "rpiq", "--symmetric", "--embeddings", "int8", "--cross-layer", "0"]),
    ] {
        let output = bench.run(name, more);
        assert!(output.status.success(), "{name}: {}", String::from_utf8_lossy(&output.stderr));
        let report = fs::read(bench.path(name).join("quantization_report.json")).expect("left beside the weights");
        let report: Value = serde_json::from_slice(&report).expect("JSON");
        let layers = report["layers"].as_array().expect("layers");
        assert_eq!(layers.len(), 7 * BLOCKS);
        let held_out = |layer: &Value, field: &str| layer[field]["own"].as_f64();
        assert!(layers.iter().all(|l| held_out(l, "held_out").is_some_and(|e| e > 0.0 && e < 0.1)), "{name}");
        let mut eval = Command::new(env!("CARGO_BIN_EXE_rpiq"));
        eval.arg("eval").arg(bench.path(name)).arg("--perplexity").arg(bench.path("text.txt"));
        let eval = eval.args(["--backend", "cpu", "--windows", "3"]).output().expect("starts");
        assert!(eval.status.success(), "{name}: {}", String::from_utf8_lossy(&eval.stderr));
    }
}
