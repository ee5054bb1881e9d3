//! Hugging Face folders: written from GGUF, single and sharded, and their side files.

use std::fs;
use std::path::Path;

use half::{bf16, f16};
use serde_json::{Value, json};
use sightread_models::checkpoint::{Checkpoint, CheckpointError, FloatType, FolderOptions, StoredType};

use crate::{assert_same_tensors, fixture, names, open};

/// A folder made from a GGUF fixture.
fn saved(fixture_name: &str, options: &FolderOptions) -> (tempfile::TempDir, Checkpoint) {
    let folder = tempfile::tempdir().expect("folder");
    let out = folder.path().join("model");
    open(fixture(fixture_name)).save_hf(&out, options).expect("saves");
    (folder, open(out))
}

fn f32_options() -> FolderOptions {
    FolderOptions { float: FloatType::F32, ..FolderOptions::default() }
}

fn write(folder: &Path, name: &str, value: &Value) {
    fs::write(folder.join(name), value.to_string()).expect("writes");
}

#[test]
fn gguf_survives_the_way_through_a_folder() {
    for name in ["llama-smollm.gguf", "llama-llama3.gguf", "qwen2.gguf", "qwen3.gguf"] {
        let source = open(fixture(name));
        let (_folder, copy) = saved(name, &f32_options());
        assert_same_tensors(&source, &copy);
        for (field, value) in source.config.as_object().expect("object") {
            assert_eq!(&copy.config[field], value, "{name} {field}");
        }
        assert_eq!(copy.config["torch_dtype"], "float32");
        assert_eq!(copy.chat_template, source.chat_template);
        assert_eq!(copy.eos_token_ids().expect("ids"), source.eos_token_ids().expect("ids"));
        assert_eq!(copy.special_token("bos_token").expect("token"), source.special_token("bos_token").expect("token"));
        let text = "Take 2 tablets.\n<|im_end|>";
        let ids = |c: &Checkpoint| {
            c.tokenizer.as_ref().expect("tokenizer").encode(text, true).expect("ids").get_ids().to_vec()
        };
        assert_eq!(ids(&copy), ids(&source));
    }
}

#[test]
fn sixteen_bit_floats_are_rounded_to_nearest() {
    let source = open(fixture("llama-gpt2.gguf"));
    let name = "model.norm.weight";
    let exact = source.tensor(name, &[32]).expect("reads");
    type Case = (FloatType, StoredType, fn(f32) -> f32);
    let cases: [Case; 2] = [
        (FloatType::F16, StoredType::F16, |v| f16::from_f32(v).to_f32()),
        (FloatType::BF16, StoredType::BF16, |v| bf16::from_f32(v).to_f32()),
    ];
    for (float, stored, round) in cases {
        let (_folder, copy) = saved("llama-gpt2.gguf", &FolderOptions { float, ..FolderOptions::default() });
        assert_eq!(copy.tensors.info(name).expect("there").stored, stored);
        assert_eq!(copy.tensor(name, &[32]).expect("reads"), exact.iter().map(|&v| round(v)).collect::<Vec<_>>());
    }
}

#[test]
fn shards_stay_below_the_limit_and_hold_everything() {
    let limit = 60_000;
    let options = FolderOptions { shard_bytes: Some(limit), ..f32_options() };
    let (folder, copy) = saved("llama-llama3.gguf", &options);
    assert_same_tensors(&open(fixture("llama-llama3.gguf")), &copy);
    let out = folder.path().join("model");
    let shards: Vec<String> = names(&out).into_iter().filter(|n| n.ends_with(".safetensors")).collect();
    assert!(shards.len() >= 3 && shards.contains(&"model-00001-of-00003.safetensors".into()), "{shards:?}");
    for shard in shards {
        assert!(fs::metadata(out.join(&shard)).expect("there").len() <= limit, "{shard}");
    }
    let index: Value =
        serde_json::from_slice(&fs::read(out.join("model.safetensors.index.json")).expect("index")).expect("JSON");
    let bytes: usize = copy.tensors.names().iter().map(|n| copy.tensors.read_f32(n).expect("reads").len() * 4).sum();
    assert_eq!(index["metadata"]["total_size"], bytes);
}

#[test]
fn a_missing_or_short_shard_is_named() {
    let options = FolderOptions { shard_bytes: Some(60_000), ..f32_options() };
    let (folder, _) = saved("llama-llama3.gguf", &options);
    let out = folder.path().join("model");
    let shard = out.join("model-00002-of-00003.safetensors");
    let bytes = fs::read(&shard).expect("reads");

    fs::write(&shard, &bytes[..bytes.len() - 1]).expect("writes");
    let refused = Checkpoint::open(&out).expect_err("cut short");
    assert!(refused.to_string().contains("model-00002-of-00003.safetensors is damaged"), "{refused}");
    fs::remove_file(&shard).expect("removes");
    let refused = Checkpoint::open(&out).expect_err("missing");
    assert!(matches!(&refused, CheckpointError::Io { action: "read", path, .. } if *path == shard), "{refused}");
}

#[test]
fn an_index_that_lies_is_refused() {
    let (folder, _) = saved("qwen2.gguf", &f32_options());
    let out = folder.path().join("model");
    fs::rename(out.join("model.safetensors"), out.join("weights.safetensors")).expect("renames");
    fs::copy(out.join("weights.safetensors"), folder.path().join("outside.safetensors")).expect("copies");
    let with_index = |map: Value| {
        write(&out, "model.safetensors.index.json", &json!({"weight_map": map}));
        Checkpoint::open(&out)
    };
    let norm = "model.norm.weight";
    assert_eq!(with_index(json!({norm: "weights.safetensors"})).expect("fine").tensors.names(), [norm]);
    let absolute = folder.path().join("outside.safetensors");
    let absolute = absolute.to_str().expect("UTF-8");
    for outside in ["../outside.safetensors", absolute, "", ".", "sub/weights.safetensors"] {
        let refused = with_index(json!({norm: outside})).expect_err("outside");
        assert!(refused.to_string().contains("no file of its folder"), "{refused}");
    }
    let refused = with_index(json!({"no.such.tensor": "weights.safetensors"})).expect_err("not there");
    assert!(refused.to_string().contains("no.such.tensor is not in it"), "{refused}");
}

#[test]
fn end_of_text_is_found_wherever_it_is_said() {
    let (folder, _) = saved("llama-smollm.gguf", &f32_options());
    let out = folder.path().join("model");
    let ids = || open(&out).eos_token_ids();
    write(&out, "generation_config.json", &json!({"eos_token_id": [2, 0]}));
    assert_eq!(ids().expect("list"), [2, 0]);
    write(&out, "generation_config.json", &json!({}));
    assert_eq!(ids().expect("from config.json"), [2]);
    let mut config = open(&out).config;
    config["eos_token_id"] = json!(-1);
    write(&out, "config.json", &config);
    assert!(matches!(ids(), Err(CheckpointError::Config(_))));
    config.as_object_mut().expect("object").remove("eos_token_id");
    write(&out, "config.json", &config);
    write(&out, "tokenizer_config.json", &json!({"eos_token": {"content": "<|endoftext|>"}}));
    assert_eq!(ids().expect("from the tokenizer"), [0]);
    fs::write(out.join("generation_config.json"), "{").expect("writes");
    assert!(matches!(ids(), Err(CheckpointError::Damaged { .. })));
}

#[test]
fn chat_templates_in_all_their_places() {
    let (folder, _) = saved("llama-smollm.gguf", &f32_options());
    let out = folder.path().join("model");
    let template = || open(&out).chat_template;
    let named = json!({"chat_template": [{"name": "tool_use", "template": "t"}, {"name": "default", "template": "d"}]});
    write(&out, "tokenizer_config.json", &named);
    assert_eq!(template().as_deref(), Some("d"));
    write(&out, "chat_template.json", &json!({"chat_template": "processor"}));
    assert_eq!(template().as_deref(), Some("processor"));
    fs::write(out.join("chat_template.jinja"), "own file").expect("writes");
    assert_eq!(template().as_deref(), Some("own file"));
}

#[test]
fn shape_type_and_finiteness_are_checked() {
    let (folder, copy) = saved("llama-smollm.gguf", &f32_options());
    let name = "model.norm.weight";
    assert!(matches!(copy.tensor(name, &[31]), Err(CheckpointError::Shape { .. })));
    assert!(matches!(copy.tensor(name, &[32, 1]), Err(CheckpointError::Shape { .. })));
    assert!(matches!(copy.tensor("nothing", &[1]), Err(CheckpointError::MissingTensor { .. })));
    assert!(matches!(copy.tensors.read_i32(name), Err(CheckpointError::Type { found: StoredType::F32, .. })));
    drop(copy);
    for not_finite in [f32::NAN, f32::INFINITY] {
        let path = folder.path().join("model/model.safetensors");
        let mut bytes = fs::read(&path).expect("reads");
        let end = bytes.len();
        bytes[end - 4..].copy_from_slice(&not_finite.to_le_bytes());
        fs::write(&path, bytes).expect("writes");
        let damaged = open(folder.path().join("model"));
        let refused = damaged
            .tensors
            .names()
            .into_iter()
            .find_map(|n| damaged.tensor(&n, &damaged.tensors.info(&n).expect("info").shape).err());
        assert!(matches!(refused, Some(CheckpointError::NotFinite { .. })), "{refused:?}");
    }
}

#[test]
fn what_is_no_model_is_named_as_such() {
    let folder = tempfile::tempdir().expect("folder");
    let says = |path: &Path| Checkpoint::open(path).expect_err("no model").to_string();
    assert!(says(&folder.path().join("absent")).starts_with("cannot read"));
    assert!(says(folder.path()).contains("neither a config.json nor a .gguf file"));
    fs::write(folder.path().join("notes.txt"), "hello").expect("writes");
    assert!(says(&folder.path().join("notes.txt")).contains("name the folder"));
    fs::write(folder.path().join("a.gguf"), "").expect("writes");
    assert!(says(folder.path()).contains("is damaged"));
    fs::write(folder.path().join("b.gguf"), "").expect("writes");
    assert!(says(folder.path()).contains("holds 2 .gguf files"));
    fs::write(folder.path().join("config.json"), "[]").expect("writes");
    assert!(says(folder.path()).contains("no JSON object"));
    fs::write(folder.path().join("config.json"), "{}").expect("writes");
    assert!(says(folder.path()).contains("no .safetensors file"));
}
