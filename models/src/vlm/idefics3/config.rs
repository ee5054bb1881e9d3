//! `config.json` of Idefics3 and SmolVLM.

use serde::Deserialize;
use serde_json::{Map, Value};

use crate::checkpoint::{Checkpoint, CheckpointError};
use crate::text::llama::LlamaConfig;
use crate::vision::SiglipVisionConfig;

/// `config.json` of an Idefics3 or a SmolVLM; fields and defaults as in transformers.
#[derive(Debug, Clone, PartialEq)]
pub struct Idefics3Config {
    /// The token whose places the picture takes.
    pub image_token_id: u32,
    /// So many patches in each direction become one position of the language model.
    pub scale_factor: usize,
    /// The vision tower.
    pub vision_config: SiglipVisionConfig,
    /// The language model.
    pub text_config: LlamaConfig,
}

#[derive(Deserialize)]
struct Fields {
    #[serde(default = "default_image_token_id")]
    image_token_id: u32,
    #[serde(default = "default_scale_factor")]
    scale_factor: usize,
    #[serde(default)]
    tie_word_embeddings: bool,
    #[serde(default)]
    vision_config: SiglipVisionConfig,
    #[serde(default)]
    text_config: Map<String, Value>,
}

fn default_image_token_id() -> u32 {
    128_257
}
fn default_scale_factor() -> usize {
    2
}

/// What transformers' `LlamaConfig` means by fields that are left out, as the files of SmolVLM do leave them out.
const LLAMA_DEFAULTS: [(&str, usize); 5] = [
    ("hidden_size", 4096),
    ("intermediate_size", 11_008),
    ("num_hidden_layers", 32),
    ("num_attention_heads", 32),
    ("vocab_size", 32_000),
];

impl Idefics3Config {
    /// Whether `checkpoint` says that it is an Idefics3 or a SmolVLM.
    pub fn is_idefics3(checkpoint: &Checkpoint) -> bool {
        checkpoint.config.get("model_type").is_some_and(|kind| kind == "idefics3" || kind == "smolvlm")
    }

    /// Reads the fields of a checkpoint's configuration and checks that they fit together.
    ///
    /// # Errors
    /// [`CheckpointError::Config`] says which field is wrong, [`CheckpointError::Unsupported`] for another kind of model or of
    /// language model.
    pub fn from_checkpoint(checkpoint: &Checkpoint) -> Result<Self, CheckpointError> {
        if !Self::is_idefics3(checkpoint) {
            let kind = checkpoint.config.get("model_type").and_then(Value::as_str).unwrap_or("that names none");
            let what = format!("a vision-language model of the kind {kind}");
            return Err(CheckpointError::unsupported(what, "use a SmolVLM or an Idefics3"));
        }
        let wrong = |e: serde_json::Error| CheckpointError::Config(e.to_string());
        let mut fields = Fields::deserialize(&checkpoint.config).map_err(wrong)?;
        match fields.text_config.get("model_type").and_then(Value::as_str) {
            None | Some("llama") => {}
            Some(other) => {
                let hint = "use a SmolVLM or an Idefics3 whose language model is a Llama";
                return Err(CheckpointError::unsupported(format!("a vision-language model on {other}"), hint));
            }
        }
        for (name, value) in LLAMA_DEFAULTS {
            fields.text_config.entry(name).or_insert_with(|| value.into());
        }
        // The whole model decides whether its head is the embedding, not its language part.
        fields.text_config.insert("tie_word_embeddings".into(), fields.tie_word_embeddings.into());
        let in_text = |e| match e {
            CheckpointError::Config(what) => CheckpointError::Config(format!("in text_config, {what}")),
            other => other,
        };
        let config = Self {
            image_token_id: fields.image_token_id,
            scale_factor: fields.scale_factor,
            vision_config: fields.vision_config,
            text_config: LlamaConfig::from_json(&Value::Object(fields.text_config)).map_err(in_text)?,
        };
        config.check()?;
        Ok(config)
    }

    fn check(&self) -> Result<(), CheckpointError> {
        self.vision_config.check()?;
        let (side, scale) = (self.vision_config.patches_per_side(), self.scale_factor);
        if scale == 0 || !side.is_multiple_of(scale) {
            let what = format!("scale_factor is {scale}, which does not divide the {side} patches of a tile's side");
            return Err(CheckpointError::Config(what));
        }
        let (token, vocab_size) = (self.image_token_id, self.text_config.vocab_size);
        if token as usize >= vocab_size {
            let what = format!("image_token_id is {token}, but there are {vocab_size} tokens");
            return Err(CheckpointError::Config(what));
        }
        Ok(())
    }

    /// Positions of the language model that one tile takes.
    pub fn image_seq_len(&self) -> usize {
        self.vision_config.patches() / self.scale_factor.pow(2)
    }
}
