//! GGUF metadata as a Hugging Face configuration, and tensor names as Hugging Face names.

use std::f64::consts::TAU;
use std::path::Path;

use serde_json::{Map, Value, json};

use super::metadata::GgufFile;
use crate::checkpoint::CheckpointError;

/// What LLaMA 3.1 and 3.2 use beside their factor; GGUF keeps only the result.
const LLAMA3_LOW_FREQ_FACTOR: f64 = 1.0;
const LLAMA3_HIGH_FREQ_FACTOR: f64 = 4.0;
const LLAMA3_ORIGINAL_CONTEXT: f64 = 8192.0;
/// How far a stored rotary factor may be from the computed one, relative (stored in `f32`, computed by several programs).
const ROPE_FACTOR_TOLERANCE: f64 = 1e-3;

/// Builds `config.json` from the metadata.
pub(super) fn hugging_face_config(file: &GgufFile<'_>, bytes: &[u8], path: &Path) -> Result<Value, CheckpointError> {
    let arch = file.text("general.architecture").ok_or_else(|| missing(path, "general.architecture"))?;
    let class = match arch {
        "llama" => "LlamaForCausalLM",
        "qwen2" => "Qwen2ForCausalLM",
        "qwen3" => "Qwen3ForCausalLM",
        other => {
            let hint = "use a model of the Llama or Qwen family, or the Hugging Face folder of this one";
            return Err(CheckpointError::unsupported(format!("the GGUF architecture {other}"), hint));
        }
    };
    let fields = Fields { file, arch, path };
    if fields.optional("expert_count")?.is_some_and(|n| n > 0) {
        let hint = "use a model without experts";
        return Err(CheckpointError::unsupported("a mixture of experts in GGUF", hint));
    }
    let hidden_size = fields.required("embedding_length")?;
    let heads = fields.required("attention.head_count")?;
    let head_dim = match fields.optional("attention.key_length")? {
        Some(head_dim) => head_dim,
        None if hidden_size % heads == 0 => hidden_size / heads,
        None => {
            return Err(CheckpointError::damaged(path, format!("a width of {hidden_size} has no {heads} equal heads")));
        }
    };
    let has = |name: &str| file.tensors.iter().any(|(n, _)| n == name);
    let embeddings = file.tensors.iter().find(|(n, _)| n == "token_embd.weight");
    let vocab_size = embeddings.and_then(|(_, t)| t.shape.first()).ok_or_else(|| missing(path, "token_embd.weight"))?;

    let mut config = json!({
        "architectures": [class],
        "model_type": arch,
        "hidden_act": "silu",
        "hidden_size": hidden_size,
        "intermediate_size": fields.required("feed_forward_length")?,
        "num_hidden_layers": fields.required("block_count")?,
        "num_attention_heads": heads,
        "num_key_value_heads": fields.optional("attention.head_count_kv")?.unwrap_or(heads),
        "head_dim": head_dim,
        "max_position_embeddings": fields.required("context_length")?,
        "rms_norm_eps": fields.float("attention.layer_norm_rms_epsilon").unwrap_or(1e-5),
        "rope_theta": fields.float("rope.freq_base").unwrap_or(10_000.0),
        "tie_word_embeddings": !has("output.weight"),
        "vocab_size": vocab_size,
    });
    if let Value::Object(config) = &mut config {
        if arch == "llama" {
            config.insert("attention_bias".into(), has("blk.0.attn_q.bias").into());
            config.insert("mlp_bias".into(), has("blk.0.ffn_gate.bias").into());
        }
        if let Some(scaling) = rope_scaling(&fields, bytes)? {
            config.insert("rope_scaling".into(), scaling);
        }
        insert_token_ids(config, file);
    }
    Ok(config)
}

/// Special token ids; "end of turn" ends an answer as much as "end of text".
fn insert_token_ids(config: &mut Map<String, Value>, file: &GgufFile<'_>) {
    let id = |name: &str| file.unsigned(&format!("tokenizer.ggml.{name}_token_id"));
    for (field, name) in [("bos_token_id", "bos"), ("pad_token_id", "padding")] {
        if let Some(id) = id(name) {
            config.insert(field.into(), id.into());
        }
    }
    let mut ends: Vec<u64> = ["eos", "eot"].into_iter().filter_map(id).collect();
    ends.dedup();
    match ends.as_slice() {
        [] => {}
        &[one] => drop(config.insert("eos_token_id".into(), one.into())),
        _ => drop(config.insert("eos_token_id".into(), ends.into())),
    }
}

/// The `rope_scaling` field: what the metadata says, or LLaMA 3's if the factors it stored are those.
fn rope_scaling(fields: &Fields<'_>, bytes: &[u8]) -> Result<Option<Value>, CheckpointError> {
    if let Some((_, factors)) = fields.file.tensors.iter().find(|(name, _)| name == "rope_freqs.weight") {
        let factors = factors.format.dequantize(bytes.get(factors.bytes.clone()).unwrap_or_default());
        return llama3_scaling(&factors, fields.float("rope.freq_base").unwrap_or(10_000.0)).map(Some);
    }
    let kind = fields.file.text(&fields.key("rope.scaling.type")).unwrap_or("none");
    match kind {
        "none" => Ok(None),
        "linear" | "yarn" => {
            let mut scaling = json!({"rope_type": kind, "factor": fields.float("rope.scaling.factor").unwrap_or(1.0)});
            if let Some(original) = fields.optional("rope.scaling.original_context_length")? {
                scaling["original_max_position_embeddings"] = original.into();
            }
            Ok(Some(scaling))
        }
        other => {
            let hint = "use the Hugging Face folder of this model";
            Err(CheckpointError::unsupported(format!("the rotary scaling {other} in GGUF"), hint))
        }
    }
}

/// Recognises LLaMA 3's scaling in the divisors that llama.cpp stored for each of the `head_dim / 2` frequencies.
fn llama3_scaling(factors: &[f32], rope_theta: f64) -> Result<Value, CheckpointError> {
    let factor = f64::from(factors.iter().copied().fold(1.0, f32::max));
    let (low, high, context) = (LLAMA3_LOW_FREQ_FACTOR, LLAMA3_HIGH_FREQ_FACTOR, LLAMA3_ORIGINAL_CONTEXT);
    let divisor = |i: usize| {
        let wavelength = TAU * rope_theta.powf(i as f64 / factors.len() as f64);
        if wavelength < context / high {
            1.0
        } else if wavelength > context / low {
            factor
        } else {
            let smooth = (context / wavelength - low) / (high - low);
            1.0 / ((1.0 - smooth) / factor + smooth)
        }
    };
    let near = |(i, &found): (usize, &f32)| (f64::from(found) / divisor(i) - 1.0).abs() < ROPE_FACTOR_TOLERANCE;
    if !factors.iter().enumerate().all(near) {
        let hint = "use the Hugging Face folder of this model";
        return Err(CheckpointError::unsupported("the rotary frequency table of this GGUF file", hint));
    }
    Ok(json!({
        "rope_type": "llama3",
        "factor": factor,
        "low_freq_factor": low,
        "high_freq_factor": high,
        "original_max_position_embeddings": context as u64,
    }))
}

/// Metadata of the architecture, such as `llama.block_count`.
struct Fields<'a> {
    file: &'a GgufFile<'a>,
    arch: &'a str,
    path: &'a Path,
}

impl Fields<'_> {
    fn key(&self, name: &str) -> String {
        format!("{}.{name}", self.arch)
    }

    fn float(&self, name: &str) -> Option<f64> {
        self.file.float(&self.key(name))
    }

    /// A size: absent, or a positive number that a real network could have.
    fn optional(&self, name: &str) -> Result<Option<u64>, CheckpointError> {
        let key = self.key(name);
        if !self.file.has(&key) {
            return Ok(None);
        }
        match self.file.unsigned(&key) {
            Some(n) if n <= u64::from(u32::MAX) => Ok(Some(n)),
            Some(n) => Err(CheckpointError::damaged(self.path, format!("{key} cannot be {n}"))),
            None => Err(CheckpointError::unsupported(format!("a {key} that is not one number"), "use another model")),
        }
    }

    fn required(&self, name: &str) -> Result<u64, CheckpointError> {
        self.optional(name)?.filter(|&n| n > 0).ok_or_else(|| missing(self.path, &self.key(name)))
    }
}

fn missing(path: &Path, key: &str) -> CheckpointError {
    CheckpointError::damaged(path, format!("it does not say {key}"))
}

/// Translates tensor names.
pub(super) struct Names {
    /// Heads of query and key if the architecture has them in llama.cpp's row order.
    permuted: Option<(usize, usize)>,
}

impl Names {
    /// For the architecture of `config`. Only the Llama family has its query and key rows reordered by llama.cpp's converter.
    pub(super) fn of(config: &Value) -> Self {
        let heads = |field: &str| config.get(field).and_then(Value::as_u64).and_then(|n| usize::try_from(n).ok());
        let is_llama = config.get("model_type").is_some_and(|t| t == "llama");
        Self { permuted: heads("num_attention_heads").zip(heads("num_key_value_heads")).filter(|_| is_llama) }
    }

    /// The Hugging Face name, with the number of heads whose rows are permuted; `None` for tensors that the configuration
    /// holds instead. Names that are not known stay as they are.
    pub(super) fn translate(&self, ggml: &str) -> Option<(String, Option<usize>)> {
        let outer = match ggml {
            "token_embd.weight" => "model.embed_tokens.weight",
            "output_norm.weight" => "model.norm.weight",
            "output.weight" => "lm_head.weight",
            "rope_freqs.weight" => return None,
            _ => return Some(self.translate_block(ggml).unwrap_or_else(|| (ggml.into(), None))),
        };
        Some((outer.into(), None))
    }

    /// `blk.3.attn_q.weight` and the like.
    fn translate_block(&self, ggml: &str) -> Option<(String, Option<usize>)> {
        let mut parts = ggml.strip_prefix("blk.")?.split('.');
        let (layer, module, kind) = (parts.next()?, parts.next()?, parts.next()?);
        if parts.next().is_some() || !matches!(kind, "weight" | "bias") {
            return None;
        }
        let module_name = match module {
            "attn_norm" => "input_layernorm",
            "ffn_norm" => "post_attention_layernorm",
            "attn_q" => "self_attn.q_proj",
            "attn_k" => "self_attn.k_proj",
            "attn_v" => "self_attn.v_proj",
            "attn_output" => "self_attn.o_proj",
            "attn_q_norm" => "self_attn.q_norm",
            "attn_k_norm" => "self_attn.k_norm",
            "ffn_gate" => "mlp.gate_proj",
            "ffn_up" => "mlp.up_proj",
            "ffn_down" => "mlp.down_proj",
            _ => return None,
        };
        let heads = match module {
            "attn_q" => self.permuted.map(|(query, _)| query),
            "attn_k" => self.permuted.map(|(_, key)| key),
            _ => None,
        };
        Some((format!("model.layers.{layer}.{module_name}.{kind}"), heads))
    }
}
