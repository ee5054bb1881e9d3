//! `quantization_config`: what a packed folder says about its 4-bit layers.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{Checkpoint, CheckpointError};
use crate::int4::BITS;

/// How zero points are stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum CheckpointFormat {
    /// GPTQ v1: each word of zero points holds them less one. What a folder that says nothing means.
    #[default]
    #[serde(rename = "gptq")]
    Gptq,
    /// GPTQ v2: zero points as they are. What this project writes.
    #[serde(rename = "gptq_v2")]
    GptqV2,
}

/// The `quantization_config` of `config.json`, with the field names of GPTQModel and transformers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct QuantizationConfig {
    /// Always "gptq".
    pub quant_method: String,
    /// Bits of a code; 4.
    pub bits: u32,
    /// Input columns that share a scale; -1 for one scale per output channel.
    pub group_size: i64,
    /// Activation order: columns were quantized by falling importance and `g_idx` is needed.
    #[serde(default)]
    pub desc_act: bool,
    /// Zero points are all 8.
    #[serde(default = "yes")]
    pub sym: bool,
    /// How zero points are stored.
    #[serde(default)]
    pub checkpoint_format: CheckpointFormat,
    /// Whether the output head is packed too.
    #[serde(default)]
    pub lm_head: bool,
    /// Storage of embeddings and output head if not plain: "i8_rows" (see [`super::TensorSource::read_i8`]), which Python
    /// libraries do not read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub embeddings: Option<String>,
    /// Free notes: which program, which method, damping, measured errors.
    #[serde(default, skip_serializing_if = "Map::is_empty", deserialize_with = "map_or_null")]
    pub meta: Map<String, Value>,
}

fn yes() -> bool {
    true
}

fn map_or_null<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Map<String, Value>, D::Error> {
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

impl QuantizationConfig {
    /// A GPTQ v2 configuration at 4 bit; `group_size` `None` for one scale per output channel.
    pub fn gptq_v2(group_size: Option<usize>, desc_act: bool, sym: bool) -> Self {
        Self {
            quant_method: "gptq".into(),
            bits: BITS,
            group_size: group_size.map_or(-1, |g| i64::try_from(g).unwrap_or(i64::MAX)),
            desc_act,
            sym,
            checkpoint_format: CheckpointFormat::GptqV2,
            lm_head: false,
            embeddings: None,
            meta: Map::new(),
        }
    }

    /// The group size of a layer of this input width: -1 and anything wider than the layer mean one group.
    pub fn group_size_for(&self, in_features: usize) -> usize {
        usize::try_from(self.group_size).unwrap_or(in_features).min(in_features)
    }

    fn check(&self) -> Result<(), CheckpointError> {
        if self.bits != BITS {
            let what = format!("{}-bit quantization", self.bits);
            return Err(CheckpointError::unsupported(what, "use a model with 4 bits or one in full precision"));
        }
        if self.group_size == 0 || self.group_size < -1 {
            return Err(CheckpointError::Config(format!("group_size cannot be {}", self.group_size)));
        }
        Ok(())
    }
}

impl Checkpoint {
    /// How the model is quantized, or `None` for one in full precision.
    ///
    /// # Errors
    /// [`CheckpointError::Unsupported`] for other methods than GPTQ and other widths than 4 bit,
    /// [`CheckpointError::Config`] for fields that are missing or out of range.
    pub fn quantization_config(&self) -> Result<Option<QuantizationConfig>, CheckpointError> {
        let Some(fields) = self.config.get("quantization_config").filter(|v| !v.is_null()) else { return Ok(None) };
        let method = fields.get("quant_method").and_then(Value::as_str).unwrap_or("without a quant_method");
        if method != "gptq" {
            let what = format!("the quantization method {method}");
            return Err(CheckpointError::unsupported(
                what,
                "use the model in full precision and quantize it with rpiq",
            ));
        }
        let wrong = |e: serde_json::Error| CheckpointError::Config(format!("in quantization_config, {e}"));
        let config = QuantizationConfig::deserialize(fields).map_err(wrong)?;
        config.check()?;
        Ok(Some(config))
    }
}
