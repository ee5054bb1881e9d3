//! Language models other than Llama go through the whole command: text in, a packed folder out that loads, measures and writes;
//! and what cannot be one gets a sentence.

mod common;

use std::fs;
use std::path::PathBuf;

use common::{VOCAB, rpiq, text, write_text_model, write_word_tokenizer};
use safetensors::SafeTensors;
use safetensors::tensor::TensorView;
use serde_json::Value;
use sightread_models::checkpoint::Checkpoint;
use sightread_models::device::Backend;
use sightread_models::int4::Precision;
use sightread_models::text::{LoadOptions, TextModel};

/// A fixture that parity tests compare with transformers, a tokenizer of plain words, and text.
struct Bench {
    folder: tempfile::TempDir,
}

impl Bench {
    fn new(fixture: &str) -> Self {
        let folder = tempfile::tempdir().expect("temporary folder");
        write_text_model(folder.path(), fixture);
        Self { folder }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// What a run prints, if it goes well, or its error.
    fn run(&self, arguments: &[&str]) -> Result<String, String> {
        let output = rpiq(&[arguments, &["--backend", "cpu"]].concat());
        let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
        if output.status.success() { Ok(text(&output.stdout)) } else { Err(text(&output.stderr)) }
    }

    fn quantize(&self) -> Result<String, String> {
        let (model, out, calibration) = (self.path("model"), self.path("packed"), self.path("text.txt"));
        let start = ["quantize", text(&model), text(&out), "--calibration", text(&calibration)];
        self.run(
            &[&start[..], &["--group-size", "32", "--sequences", "24", "--held-out", "4", "--seq-len", "64"]].concat(),
        )
    }

    fn eval(&self, models: &[&str]) -> Result<String, String> {
        let models: Vec<PathBuf> = models.iter().map(|model| self.path(model)).collect();
        let models: Vec<&str> = models.iter().map(|path| text(path)).collect();
        let measured = self.path("text.txt");
        self.run(&[&["eval"], &models[..], &["--perplexity", text(&measured), "--windows", "3"]].concat())
    }

    /// Changes a field of the model's configuration.
    fn configure(&self, field: &str, value: Value) {
        let path = self.path("model/config.json");
        let mut config: Value = serde_json::from_slice(&fs::read(&path).expect("there")).expect("JSON");
        config[field] = value;
        fs::write(&path, config.to_string()).expect("written");
    }

    /// Writes the weights again, with other names, those without a name left out.
    fn rename(&self, name: impl Fn(&str) -> Option<String>) {
        let path = self.path("model/model.safetensors");
        let bytes = fs::read(&path).expect("there");
        let tensors = SafeTensors::deserialize(&bytes).expect("safetensors").tensors();
        let views: Vec<(String, TensorView<'_>)> =
            tensors.into_iter().filter_map(|(old, view)| Some((name(&old)?, view))).collect();
        safetensors::serialize_to_file(views, None, &path).expect("written");
    }
}

fn values(checkpoint: &Checkpoint, name: &str) -> Vec<f32> {
    checkpoint.tensors.read_f32(name).expect("reads")
}

/// Root mean square of the difference of two models' logits, relative to the first's.
fn distance(full: &Checkpoint, packed: &Checkpoint) -> f32 {
    let device = Backend::Cpu.open().expect("opens");
    let options = LoadOptions { precision: Precision::F32, ..LoadOptions::default() };
    let [full, packed] = [full, packed].map(|checkpoint| {
        let model = TextModel::load_with(checkpoint, options, &device).expect("loads");
        let tokens: Vec<u32> = (0..64).map(|i| (i * 29 + 7) % VOCAB as u32).collect();
        model.logit_values(model.forward(&tokens, &mut model.cache()).expect("reads")).expect("computes")
    });
    let energy = |values: &mut dyn Iterator<Item = f32>| values.map(|v| v * v).sum::<f32>();
    (energy(&mut full.iter().zip(&packed).map(|(a, b)| a - b)) / energy(&mut full.iter().copied())).sqrt()
}

/// Quantizes a fixture of two blocks and checks what came out.
fn packed_whole(fixture: &str, layers_of_a_block: usize) -> Bench {
    let bench = Bench::new(fixture);
    bench.quantize().expect("quantizes");
    let source = Checkpoint::open(bench.path("model")).expect("opens");
    let packed = Checkpoint::open(bench.path("packed")).expect("opens");
    let names = packed.tensors.names();
    assert_eq!(names.iter().filter(|name| name.ends_with(".qweight")).count(), 2 * layers_of_a_block);
    for name in source.tensors.names() {
        // Every tensor is there, packed or, but for the 16 bits it is stored in, as it was: above all the biases.
        if names.contains(&name) {
            let (before, after) = (values(&source, &name), values(&packed, &name));
            let near = |(a, b): (&f32, &f32)| (a - b).abs() <= a.abs() / 1024.0 + 1e-7;
            assert!(before.len() == after.len() && before.iter().zip(&after).all(near), "{name}");
        } else {
            let layer = name.strip_suffix(".weight").expect("only weights are packed");
            assert!(names.contains(&format!("{layer}.qweight")), "{name} is gone");
        }
    }
    let distance = distance(&source, &packed);
    println!("{fixture}: logits of the packed model are {distance:.3} away");
    // Of so narrow a model 4 bits leave little; the logits of an unrelated one would be 1.4 away.
    assert!(distance > 0.0 && distance < 0.5, "{fixture}: {distance}");

    let report = fs::read(bench.path("packed/quantization_report.json")).expect("there");
    let report: Value = serde_json::from_slice(&report).expect("a report");
    let error = |name: &str| report["summary"][name].as_f64().expect("measured");
    // By default layers aim at the full-precision model's outputs: there the loop must have gained on GPTQ.
    assert!(error("total_ratio_to_gptq") < 1.0, "{}", report["summary"]);

    let table = bench.eval(&["model", "packed"]).expect("measures");
    let perplexities: Vec<f64> = table
        .lines()
        .skip(1)
        .map(|row| row.split_whitespace().nth(1).and_then(|cell| cell.parse().ok()).expect(row))
        .collect();
    assert!(perplexities.len() == 2 && perplexities.iter().all(|&p| p > 1.0), "{table}");
    assert!((perplexities[1] / perplexities[0]).ln().abs() < 0.3, "{table}");
    let written = bench.run(&["generate", text(&bench.path("packed")), "w3 w5 w7", "--max-new-tokens", "6"]);
    assert!(written.expect("generates").split_whitespace().count() > 0);
    bench
}

#[test]
fn opt_keeps_its_biases() {
    let bench = packed_whole("opt", 6);
    let shown = rpiq(&["inspect", text(&bench.path("packed"))]);
    let shown = String::from_utf8_lossy(&shown.stdout).into_owned();
    assert!(shown.contains("(opt)") && shown.contains("2 blocks, width 32, 4 heads, vocabulary 96"), "{shown}");
}

#[test]
fn opt_with_norms_behind_and_a_narrow_embedding() {
    packed_whole("opt_350m", 6);
}

#[test]
fn qwen3_keeps_the_norms_of_its_heads() {
    packed_whole("qwen3", 7);
}

#[test]
fn qwen2_keeps_its_biases() {
    packed_whole("qwen2", 7);
}

#[test]
fn an_opt_as_first_published_is_the_same_model() {
    let (new, first) = (Bench::new("opt"), Bench::new("opt"));
    first.rename(|name| name.strip_prefix("model.").map(String::from));
    let [new, first] = [new, first].map(|bench| {
        bench.quantize().expect("quantizes");
        Checkpoint::open(bench.path("packed")).expect("opens")
    });
    assert!(first.tensors.info("decoder.layers.1.fc2.qweight").is_some());
    assert_eq!(distance(&new, &first), 0.0);
}

#[test]
fn sequences_are_no_longer_than_the_model_reads() {
    let bench = Bench::new("opt");
    let (model, out, calibration) = (bench.path("model"), bench.path("packed"), bench.path("text.txt"));
    bench.run(&["quantize", text(&model), text(&out), "--calibration", text(&calibration)]).expect("quantizes");
    let report = fs::read(out.join("quantization_report.json")).expect("there");
    let report: Value = serde_json::from_slice(&report).expect("a report");
    let sequences = report["calibration_sequences"].as_u64().expect("a number");
    assert_eq!(report["calibration_tokens"].as_u64(), Some(128 * sequences));
}

/// What both `quantize` and `eval` say.
fn refusal(bench: &Bench) -> String {
    let (quantizing, measuring) =
        (bench.quantize().expect_err("refused"), bench.eval(&["model"]).expect_err("refused"));
    assert_eq!(quantizing, measuring);
    assert!(!bench.path("packed").exists() && !bench.path("packed.rpiq-parts").exists(), "it had begun");
    assert!(quantizing.trim_end().lines().count() == 1 && !quantizing.contains("panicked"), "{quantizing}");
    quantizing
}

#[test]
fn an_unknown_architecture_is_told_with_those_that_are_known() {
    let bench = Bench::new("qwen3");
    bench.configure("model_type", "mamba".into());
    let said = refusal(&bench);
    assert!(["mamba", "llama", "qwen2", "qwen3", "opt"].iter().all(|kind| said.contains(kind)), "{said}");
    let shown = rpiq(&["inspect", text(&bench.path("model"))]);
    assert!(shown.status.success() && String::from_utf8_lossy(&shown.stdout).contains("mamba is not supported"));
}

#[test]
fn a_configuration_that_lies_about_shapes_is_told_with_the_tensor() {
    let refused = |fixture: &str, field: &str, value: Value, expected: &[&str]| {
        let bench = Bench::new(fixture);
        bench.configure(field, value);
        let said = refusal(&bench);
        assert!(expected.iter().all(|part| said.contains(part)), "{field}: {said}");
    };
    refused("opt", "ffn_dim", 96.into(), &["fc1.weight", "[64, 32]", "[96, 32]"]);
    refused("opt", "max_position_embeddings", 512.into(), &["embed_positions.weight", "[130, 32]", "[514, 32]"]);
    refused("opt_350m", "word_embed_proj_dim", 32.into(), &["embed_tokens.weight", "[96, 16]", "[96, 32]"]);
    refused("opt", "num_attention_heads", 5.into(), &["5 equal heads"]);
    refused("opt", "activation_function", "tanh".into(), &["configuration is wrong", "tanh"]);
    refused("qwen3", "head_dim", 32.into(), &["q_proj.weight", "[64, 32]", "[128, 32]"]);
    refused("qwen2", "vocab_size", 100.into(), &["embed_tokens.weight", "[96, 32]", "[100, 32]"]);
    refused("qwen2", "num_hidden_layers", 3.into(), &["model.layers.2.", "incomplete"]);
}

#[test]
fn a_missing_tensor_is_told_by_name_before_work_begins() {
    for (fixture, missing) in [
        ("opt", "model.decoder.layers.1.fc2.bias"),
        ("opt", "model.decoder.final_layer_norm.weight"),
        ("opt_350m", "model.decoder.project_out.weight"),
        ("qwen2", "model.layers.1.self_attn.k_proj.bias"),
        ("qwen3", "model.layers.1.self_attn.q_norm.weight"),
        ("qwen3", "model.layers.1.mlp.down_proj.weight"),
    ] {
        let bench = Bench::new(fixture);
        bench.rename(|name| (name != missing).then(|| name.to_string()));
        let said = refusal(&bench);
        assert!(said.contains(&format!("no tensor named {missing};")), "{said}");
    }
}

#[test]
fn a_missing_shard_is_told_by_name_before_work_begins() {
    let bench = Bench::new("qwen3");
    let weight_map = serde_json::json!({"weight_map": {"model.norm.weight": "model-00002-of-00003.safetensors"}});
    fs::write(bench.path("model/model.safetensors.index.json"), weight_map.to_string()).expect("written");
    fs::remove_file(bench.path("model/model.safetensors")).expect("removed");
    let said = refusal(&bench);
    assert!(said.contains("cannot read") && said.contains("model-00002-of-00003.safetensors"), "{said}");
}

#[test]
fn the_tokenizer_of_another_model_is_told_before_work_begins() {
    let bench = Bench::new("opt");
    let words: Vec<String> = (0..4000).map(|i| format!("w{}", i % 190 + 1)).collect();
    fs::write(bench.path("text.txt"), words.join(" ")).expect("written");
    write_word_tokenizer(&bench.path("model"), 2 * VOCAB, &[]);
    for said in [bench.quantize().expect_err("refused"), bench.eval(&["model"]).expect_err("refused")] {
        assert!(said.contains("vocabulary of 96; the tokenizer belongs to another model"), "{said}");
        assert!(said.trim_end().lines().count() == 1, "{said}");
    }
    assert!(!bench.path("packed").exists());
}
