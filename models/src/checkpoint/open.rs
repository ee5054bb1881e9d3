//! [`Checkpoint::open`]: finds out what a path is and reads its side files.

use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_json::Value;
use tokenizers::Tokenizer;

use super::file::{read_json, read_json_if_there, read_text};
use super::safetensors::{SafetensorsFiles, list};
use super::{Checkpoint, CheckpointError, ctranslate2, gguf};

/// Opens whatever `path` is.
pub(super) fn open(path: &Path) -> Result<Checkpoint, CheckpointError> {
    if path.is_dir() {
        open_dir(path)
    } else if path.extension().is_some_and(|e| e.eq_ignore_ascii_case("gguf")) {
        gguf::open(path)
    } else if path.exists() {
        let what = format!("{} is neither a folder nor a .gguf file; as a model, it", path.display());
        Err(CheckpointError::unsupported(what, "name the folder that holds the model"))
    } else {
        let not_found = std::io::Error::from(std::io::ErrorKind::NotFound);
        Err(CheckpointError::io("read", path)(not_found))
    }
}

fn open_dir(folder: &Path) -> Result<Checkpoint, CheckpointError> {
    if folder.join(ctranslate2::MODEL_FILE).exists() && list(folder, "safetensors")?.is_empty() {
        ctranslate2::open(folder)
    } else if folder.join("config.json").exists() {
        open_folder(folder)
    } else {
        gguf::open(&only_gguf(folder)?)
    }
}

fn only_gguf(folder: &Path) -> Result<PathBuf, CheckpointError> {
    match list(folder, "gguf")?.as_slice() {
        [file] => Ok(file.clone()),
        [] => Err(CheckpointError::unsupported(
            format!("{} holds neither a config.json nor a .gguf file; as a model, it", folder.display()),
            "name the folder that holds the model",
        )),
        several => Err(CheckpointError::unsupported(
            format!("{} holds {} .gguf files; opening several at once", folder.display(), several.len()),
            "name one of them",
        )),
    }
}

fn open_folder(folder: &Path) -> Result<Checkpoint, CheckpointError> {
    let config: Value = read_json(&folder.join("config.json"))?;
    if !config.is_object() {
        return Err(CheckpointError::damaged(&folder.join("config.json"), "it is no JSON object"));
    }
    Ok(Checkpoint {
        path: folder.into(),
        config,
        tensors: Box::new(SafetensorsFiles::open_folder(folder)?),
        tokenizer: read_tokenizer(&folder.join("tokenizer.json"))?,
        chat_template: read_chat_template(folder)?,
    })
}

/// A `tokenizer.json`, if it is there.
pub(super) fn read_tokenizer(path: &Path) -> Result<Option<Tokenizer>, CheckpointError> {
    if !path.exists() {
        return Ok(None);
    }
    let tokenizer = Tokenizer::from_bytes(read_text(path)?);
    tokenizer.map(Some).map_err(|e| CheckpointError::damaged(path, format!("it is no tokenizer ({e})")))
}

/// The template that is used when none is named: its own file goes before the fields of other files.
fn read_chat_template(folder: &Path) -> Result<Option<String>, CheckpointError> {
    let own = folder.join("chat_template.jinja");
    if own.exists() {
        return read_text(&own).map(Some);
    }
    for file in ["chat_template.json", "tokenizer_config.json"] {
        let fields: Option<Value> = read_json_if_there(&folder.join(file))?;
        let template = fields.as_ref().and_then(|f| f.get("chat_template")).filter(|t| !t.is_null());
        if let Some(template) = template {
            return Templates::deserialize(template).map(Templates::default_one).map_err(|e| {
                CheckpointError::damaged(&folder.join(file), format!("its chat_template is wrong ({e})"))
            });
        }
    }
    Ok(None)
}

/// One template, or several by name.
#[derive(Deserialize)]
#[serde(untagged)]
enum Templates {
    One(String),
    Named(Vec<NamedTemplate>),
}

#[derive(Deserialize)]
struct NamedTemplate {
    name: String,
    template: String,
}

impl Templates {
    fn default_one(self) -> Option<String> {
        match self {
            Self::One(template) => Some(template),
            Self::Named(all) => all.into_iter().find(|t| t.name == "default").map(|t| t.template),
        }
    }
}

/// One id or several.
#[derive(Deserialize)]
#[serde(untagged)]
enum Ids {
    One(u32),
    Several(Vec<u32>),
}

impl Checkpoint {
    /// The tokens that end an answer, from `generation_config.json`, else the configuration, else the tokenizer's
    /// settings. Empty if none of them says.
    ///
    /// # Errors
    /// [`CheckpointError::Damaged`] or [`CheckpointError::Config`] if one of them says something that is no token id.
    pub fn eos_token_ids(&self) -> Result<Vec<u32>, CheckpointError> {
        let generation: Option<Value> = self.side_file("generation_config.json")?;
        for fields in [generation.as_ref(), Some(&self.config), self.config.get("text_config")].into_iter().flatten() {
            if let Some(ids) = fields.get("eos_token_id").filter(|ids| !ids.is_null()) {
                return match Ids::deserialize(ids) {
                    Ok(Ids::One(id)) => Ok(vec![id]),
                    Ok(Ids::Several(ids)) => Ok(ids),
                    Err(_) => Err(CheckpointError::Config(format!("eos_token_id is {ids}, which is no token number"))),
                };
            }
        }
        let token = self.named_token("eos_token")?;
        let id = token.and_then(|token| self.tokenizer.as_ref()?.token_to_id(&token));
        Ok(id.into_iter().collect())
    }

    /// The text of the special token that chat templates know by this name ("bos_token", "eos_token", "pad_token").
    ///
    /// # Errors
    /// [`CheckpointError`] if `tokenizer_config.json` is there but cannot be read.
    pub fn special_token(&self, name: &str) -> Result<Option<String>, CheckpointError> {
        if let Some(token) = self.named_token(name)? {
            return Ok(Some(token));
        }
        let id = self.config.get(format!("{name}_id")).and_then(|id| match id {
            Value::Array(ids) => ids.first().and_then(Value::as_u64),
            id => id.as_u64(),
        });
        let id = id.and_then(|id| u32::try_from(id).ok());
        Ok(id.and_then(|id| self.tokenizer.as_ref()?.id_to_token(id)))
    }

    /// A token of `tokenizer_config.json`: a string, or an object with its `content`.
    fn named_token(&self, name: &str) -> Result<Option<String>, CheckpointError> {
        let settings: Option<Value> = self.side_file("tokenizer_config.json")?;
        let token = settings.as_ref().and_then(|s| s.get(name));
        Ok(token.and_then(|t| t.as_str().or_else(|| t.get("content")?.as_str())).map(String::from))
    }

    /// A JSON file beside the model; GGUF files have none.
    pub(crate) fn side_file(&self, name: &str) -> Result<Option<Value>, CheckpointError> {
        if self.path.is_dir() { read_json_if_there(&self.path.join(name)) } else { Ok(None) }
    }
}
