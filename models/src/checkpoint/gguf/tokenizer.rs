//! Rebuilds a tokenizer from `tokenizer.ggml.*`: byte-level BPE, with the pre-tokenizer that the file names.

use std::path::Path;

use serde_json::{Map, Value, json};
use tokenizers::Tokenizer;

use super::metadata::GgufFile;
use crate::checkpoint::CheckpointError;

/// How LLaMA 3 splits text before BPE.
const LLAMA3_PATTERN: &str = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+";
/// How Qwen 2 and 3 do: like LLaMA 3, with every digit by itself.
const QWEN2_PATTERN: &str =
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+";

/// ggml's token types.
const CONTROL: i32 = 3;
const USER_DEFINED: i32 = 4;

/// The tokenizer inside the file, or `None` if it has none.
pub(super) fn rebuild(file: &GgufFile<'_>, path: &Path) -> Result<Option<Tokenizer>, CheckpointError> {
    let damaged = |reason: String| CheckpointError::damaged(path, reason);
    let Some(model) = file.text("tokenizer.ggml.model") else { return Ok(None) };
    let beside = "put the tokenizer.json of the model beside the file";
    if model != "gpt2" {
        return Err(CheckpointError::unsupported(format!("the tokenizer kind {model} in GGUF"), beside));
    }
    let splitting = match file.text("tokenizer.ggml.pre").unwrap_or("default") {
        "default" | "gpt-2" => Splitting::Gpt2,
        "smollm" => Splitting::Gpt2SingleDigits,
        "llama-bpe" | "llama3" | "llama-v3" => Splitting::Llama3,
        "qwen2" => Splitting::Qwen2,
        other => return Err(CheckpointError::unsupported(format!("the pre-tokenizer {other} in GGUF"), beside)),
    };
    let tokens = file.texts("tokenizer.ggml.tokens").map_err(damaged)?.unwrap_or_default();
    let merges = file.texts("tokenizer.ggml.merges").map_err(damaged)?.unwrap_or_default();
    let types = file.integers("tokenizer.ggml.token_type").map_err(damaged)?.unwrap_or_default();

    let vocab: Map<String, Value> = tokens.iter().enumerate().map(|(id, &t)| (t.into(), id.into())).collect();
    if tokens.is_empty() || vocab.len() != tokens.len() {
        return Err(damaged("its list of tokens is empty or holds a token twice".into()));
    }
    let added = tokens.iter().zip(types).enumerate().filter(|(_, (_, kind))| matches!(*kind, CONTROL | USER_DEFINED));
    let added: Vec<Value> = added.map(|(id, (token, kind))| added_token(id, token, kind == CONTROL)).collect();
    let begin = file.unsigned("tokenizer.ggml.bos_token_id").filter(|_| {
        // llama.cpp's converter leaves this out where the pre-tokenizer implies it.
        file.bool("tokenizer.ggml.add_bos_token").unwrap_or(splitting == Splitting::Llama3)
    });
    let begin = begin.and_then(|id| usize::try_from(id).ok()).and_then(|id| Some((id, *tokens.get(id)?)));

    let json = json!({
        "version": "1.0",
        "added_tokens": added,
        "normalizer": (splitting == Splitting::Qwen2).then(|| json!({"type": "NFC"})),
        "pre_tokenizer": splitting.pre_tokenizer(),
        "post_processor": begin.map(|(id, token)| begin_of_text(id, token)),
        "decoder": byte_level(true),
        "model": {
            "type": "BPE",
            "vocab": vocab,
            "merges": merges,
            // LLaMA 3 takes a whole word that is in the vocabulary even where its merges would not reach it.
            "ignore_merges": splitting == Splitting::Llama3,
        },
    });
    let tokenizer = Tokenizer::from_bytes(json.to_string());
    tokenizer.map(Some).map_err(|e| damaged(format!("its tokenizer does not fit together ({e})")))
}

/// How text is split into words before BPE.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Splitting {
    Gpt2,
    Gpt2SingleDigits,
    Llama3,
    Qwen2,
}

impl Splitting {
    fn pre_tokenizer(self) -> Value {
        let in_order = |first: Value, second: Value| json!({"type": "Sequence", "pretokenizers": [first, second]});
        let split = |pattern: &str| json!({"type": "Split", "pattern": {"Regex": pattern}, "behavior": "Isolated", "invert": false});
        match self {
            Self::Gpt2 => byte_level(true),
            Self::Gpt2SingleDigits => in_order(json!({"type": "Digits", "individual_digits": true}), byte_level(true)),
            Self::Llama3 => in_order(split(LLAMA3_PATTERN), byte_level(false)),
            Self::Qwen2 => in_order(split(QWEN2_PATTERN), byte_level(false)),
        }
    }
}

/// Bytes as printable characters; `use_regex` splits words as GPT-2 does.
fn byte_level(use_regex: bool) -> Value {
    json!({"type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true, "use_regex": use_regex})
}

fn added_token(id: usize, content: &str, special: bool) -> Value {
    json!({
        "id": id, "content": content, "special": special,
        "single_word": false, "lstrip": false, "rstrip": false, "normalized": false,
    })
}

/// Puts the token before every text.
fn begin_of_text(id: usize, token: &str) -> Value {
    let special = json!({"SpecialToken": {"id": token, "type_id": 0}});
    let sequence = |id: &str, type_id: u32| json!({"Sequence": {"id": id, "type_id": type_id}});
    json!({
        "type": "TemplateProcessing",
        "single": [special, sequence("A", 0)],
        "pair": [special, sequence("A", 0), {"SpecialToken": {"id": token, "type_id": 1}}, sequence("B", 1)],
        "special_tokens": {token: {"id": token, "ids": [id], "tokens": [token]}},
    })
}
