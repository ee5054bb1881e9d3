//! A Whisper configuration with Hugging Face's fields, rebuilt from the shapes of variables.

use std::path::Path;

use serde_json::{Map, Value, json};

use super::variables::{Element, ModelFile, Variable};
use crate::checkpoint::CheckpointError;

/// Width of a head in every published Whisper, for files that do not say how many heads there are.
const HEAD_WIDTH: usize = 64;
/// CTranslate2's code of the activation that Whisper has.
const GELU: i64 = 3;

/// Builds `config.json`. `side` is CTranslate2's own `config.json`, which lists tokens.
pub(super) fn hugging_face_config(
    file: &ModelFile<'_>,
    bytes: &[u8],
    side: Option<&Value>,
    path: &Path,
) -> Result<Value, CheckpointError> {
    let fields = Fields { file, bytes, path };
    let [d_model, num_mel_bins, _] = fields.shape("encoder/conv1/weight")?;
    let [max_source_positions, _] = fields.shape("encoder/position_encodings/encodings")?;
    let [max_target_positions, _] = fields.shape("decoder/position_encodings/encodings")?;
    let [vocab_size, _] = fields.shape("decoder/embeddings/weight")?;
    let embeddings = file.variables.get("decoder/embeddings/weight");
    let head = file.variables.get("decoder/projection/weight");
    let mut config = json!({
        "architectures": ["WhisperForConditionalGeneration"],
        "model_type": "whisper",
        "activation_function": "gelu",
        "d_model": d_model,
        "num_mel_bins": num_mel_bins,
        "max_source_positions": max_source_positions,
        "max_target_positions": max_target_positions,
        "vocab_size": vocab_size,
        "tie_word_embeddings": head.is_none() || head == embeddings,
    });
    let Value::Object(config_fields) = &mut config else { return Ok(config) };
    for side in ["encoder", "decoder"] {
        let [ffn_dim, _] = fields.shape(&format!("{side}/layer_0/ffn/linear_0/weight"))?;
        let heads = fields.number(&format!("{side}/num_heads")).unwrap_or((d_model / HEAD_WIDTH) as i64);
        config_fields.insert(format!("{side}_layers"), fields.layers(side).into());
        config_fields.insert(format!("{side}_attention_heads"), heads.into());
        config_fields.insert(format!("{side}_ffn_dim"), ffn_dim.into());
        if fields.number(&format!("{side}/activation")).is_some_and(|code| code != GELU) {
            let hint = "use one of OpenAI's Whisper models";
            return Err(CheckpointError::unsupported("a Whisper with another activation than GELU", hint));
        }
    }
    if fields.number("decoder/scale_embeddings").is_some_and(|scaled| scaled != 0) {
        config_fields.insert("scale_embedding".into(), true.into());
    }
    if let Some(side) = side {
        insert_tokens(config_fields, side);
    }
    Ok(config)
}

/// Lists of tokens, under the names that Hugging Face has for them.
fn insert_tokens(config: &mut Map<String, Value>, side: &Value) {
    for (field, name) in [("suppress_tokens", "suppress_ids"), ("begin_suppress_tokens", "suppress_ids_begin")] {
        if let Some(ids) = side.get(name).filter(|ids| ids.is_array()) {
            config.insert(field.into(), ids.clone());
        }
    }
}

struct Fields<'a> {
    file: &'a ModelFile<'a>,
    bytes: &'a [u8],
    path: &'a Path,
}

impl Fields<'_> {
    fn shape<const D: usize>(&self, name: &str) -> Result<[usize; D], CheckpointError> {
        let shape = self.file.variables.get(name).and_then(|v| <[usize; D]>::try_from(v.shape.as_slice()).ok());
        shape.ok_or_else(|| CheckpointError::damaged(self.path, format!("it has no proper {name}")))
    }

    /// Blocks whose variables are there, without a gap.
    fn layers(&self, side: &str) -> usize {
        let there = |n: &usize| self.file.variables.contains_key(&*format!("{side}/layer_{n}/ffn/linear_0/weight"));
        (0..self.file.variables.len()).take_while(there).count()
    }

    /// A variable that is one whole number.
    fn number(&self, name: &str) -> Option<i64> {
        let Variable { element, bytes, .. } = self.file.variables.get(name)?;
        let bytes = self.bytes.get(bytes.clone())?;
        match element {
            Element::I8 => Some(i8::from_le_bytes(bytes.try_into().ok()?).into()),
            Element::I16 => Some(i16::from_le_bytes(bytes.try_into().ok()?).into()),
            Element::I32 => Some(i32::from_le_bytes(bytes.try_into().ok()?).into()),
            _ => None,
        }
    }
}
