//! GGUF against gguf-py (block formats), transformers (names, row order) and Hugging Face tokenizers.

use serde_json::{Value, json};
use sightread_models::checkpoint::{Checkpoint, CheckpointError, StoredType};

use crate::{expected, fixture, open};

const MODELS: [&str; 5] = ["llama-smollm", "llama-llama3", "llama-gpt2", "qwen2", "qwen3"];

#[test]
fn block_formats_become_what_gguf_py_makes_of_them() {
    let file = open(fixture("blocks.gguf"));
    let expected = expected("blocks.safetensors");
    assert_eq!(expected.len(), 12);
    for (name, (shape, values)) in expected {
        let found = file.tensor(&name, &shape).expect("reads");
        let far = found.iter().zip(&values).position(|(a, b)| a.to_bits() != b.to_bits());
        assert_eq!(far, None, "{name}");
    }
    assert_eq!(file.tensors.info("test.Q4_K").expect("there").stored, StoredType::Block("Q4_K"));
}

#[test]
fn models_have_the_names_and_weights_from_before_conversion() {
    for model in MODELS {
        let file = open(fixture(&format!("{model}.gguf")));
        let expected = expected(&format!("{model}.safetensors"));
        assert_eq!(file.tensors.names(), expected.keys().cloned().collect::<Vec<_>>(), "{model}");
        for (name, (shape, values)) in expected {
            assert!(file.tensor(&name, &shape).expect("reads") == values, "{model} {name}");
        }
    }
}

#[test]
fn the_configuration_is_rebuilt() {
    let config = open(fixture("llama-llama3.gguf")).config;
    let rope = json!({
        "rope_type": "llama3", "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
        "original_max_position_embeddings": 8192,
    });
    for (field, value) in [
        ("model_type", json!("llama")),
        ("hidden_size", json!(32)),
        ("intermediate_size", json!(64)),
        ("num_hidden_layers", json!(1)),
        ("num_attention_heads", json!(4)),
        ("num_key_value_heads", json!(2)),
        ("head_dim", json!(8)),
        ("max_position_embeddings", json!(128)),
        ("rms_norm_eps", json!(1e-5)),
        ("rope_theta", json!(50000.0)),
        ("rope_scaling", rope),
        ("vocab_size", json!(360)),
        ("tie_word_embeddings", json!(false)),
        ("eos_token_id", json!(2)),
        ("bos_token_id", json!(1)),
    ] {
        assert_eq!(config[field], value, "{field}");
    }
    let tied = open(fixture("qwen2.gguf")).config;
    assert_eq!((&tied["tie_word_embeddings"], &tied["model_type"]), (&json!(true), &json!("qwen2")));
    assert_eq!(tied.get("rope_scaling"), None);
}

#[test]
fn tokenizers_give_the_ids_of_the_original() {
    let cases = std::fs::read_to_string(fixture("tokenizers.json")).expect("fixture");
    let cases: Value = serde_json::from_str(&cases).expect("JSON");
    for model in MODELS {
        let file = open(fixture(&format!("{model}.gguf")));
        let tokenizer = file.tokenizer.as_ref().expect("has one");
        let texts = cases[model].as_array().expect("cases");
        assert!(texts.len() >= 8);
        for case in texts {
            let text = case["text"].as_str().expect("text");
            let ids = tokenizer.encode(text, true).expect("encodes").get_ids().to_vec();
            assert_eq!(json!(ids), case["ids"], "{model}: {text:?}");
        }
    }
}

#[test]
fn special_tokens_and_template_come_along() {
    let file = open(fixture("llama-smollm.gguf"));
    assert_eq!(file.eos_token_ids().expect("ids"), [2]);
    assert_eq!(file.special_token("bos_token").expect("token").as_deref(), Some("<|im_start|>"));
    assert!(file.chat_template.expect("template").contains("<|im_start|>{{ m.role }}"));
    let tokenizer = file.tokenizer.expect("tokenizer");
    assert_eq!(tokenizer.decode(&[1, 2], true).expect("decodes"), "");
}

#[test]
fn a_tokenizer_beside_the_file_goes_first() {
    let folder = tempfile::tempdir().expect("folder");
    std::fs::copy(fixture("blocks.gguf"), folder.path().join("model.gguf")).expect("copies");
    assert!(open(folder.path()).tokenizer.is_none());
    let other = open(fixture("qwen2.gguf")).tokenizer.expect("tokenizer").to_string(false).expect("JSON");
    std::fs::write(folder.path().join("tokenizer.json"), other).expect("writes");
    assert!(open(folder.path()).tokenizer.is_some());
}

#[test]
fn versions() {
    let folder = tempfile::tempdir().expect("folder");
    let path = folder.path().join("model.gguf");
    let bytes = std::fs::read(fixture("blocks.gguf")).expect("fixture");
    let with_version = |version: [u8; 4]| {
        let mut bytes = bytes.clone();
        bytes[4..8].copy_from_slice(&version);
        std::fs::write(&path, bytes).expect("writes");
        Checkpoint::open(&path)
    };
    assert!(with_version([2, 0, 0, 0]).is_ok());
    for (version, says) in [([1, 0, 0, 0], "version 1"), ([4, 0, 0, 0], "version 4"), ([0, 0, 0, 3], "big-endian")] {
        let refused = with_version(version).expect_err("refused");
        assert!(matches!(refused, CheckpointError::Damaged { .. }) && refused.to_string().contains(says), "{refused}");
    }
}
