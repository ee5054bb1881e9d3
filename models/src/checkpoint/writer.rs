//! Writes a model as a Hugging Face folder: packed to 4 bit from finished parts, or plain.
//!
//! The folder appears under its name only when it is complete, and one tensor is in memory at a time.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use safetensors::Dtype;
use serde_json::{Map, Value, json};

use super::file::{publish_folder, write_atomic};
use super::manifest::{Manifest, Provenance};
use super::safetensors::{Q8_ROWS, Q8_SCALE, SafetensorsFiles};
use super::tensor_data::{FloatType, Planned, TensorData, dtype_of, write_safetensors};
use super::{Checkpoint, CheckpointError, QuantizationConfig, StoredType};

/// Files beside the weights that go with a model; the README is its model card, with licence and languages.
pub(super) const SIDE_FILES: [&str; 15] = [
    "tokenizer.json",
    "tokenizer_config.json",
    "tokenizer.model",
    "special_tokens_map.json",
    "added_tokens.json",
    "vocab.json",
    "merges.txt",
    "chat_template.jinja",
    "chat_template.json",
    "generation_config.json",
    "preprocessor_config.json",
    "processor_config.json",
    "LICENSE",
    "NOTICE",
    "README.md",
];

/// Bytes that one tensor takes in a header beside its name, generously.
const HEADER_BYTES_PER_TENSOR: u64 = 160;

/// What a written folder should be like.
#[derive(Debug, Clone, Default)]
pub struct FolderOptions {
    /// How plain tensors are stored.
    pub float: FloatType,
    /// Largest size of one safetensors file in bytes, `None` for a single file. A tensor is never split: one that is larger
    /// gets a file of its own.
    pub shard_bytes: Option<u64>,
    /// Modules (`model.embed_tokens`, `lm_head`) whose weight is stored as 8-bit rows. Leave empty for folders that Python
    /// libraries should load.
    pub rows_i8: Vec<String>,
    /// More files to put beside the weights, such as a report: name and contents.
    pub side_files: Vec<(String, Vec<u8>)>,
    /// Where the model comes from; if given, a `manifest.json` is written.
    pub provenance: Option<Provenance>,
}

/// Writes packed models.
#[derive(Debug, Clone)]
pub struct PackedFolderWriter {
    /// Goes into `config.json`.
    pub quantization: QuantizationConfig,
    /// Everything else.
    pub options: FolderOptions,
}

impl PackedFolderWriter {
    /// Joins finished parts to a model folder.
    ///
    /// - `source`: the model that was quantized. Its configuration, tokenizer and side files are taken over, and every tensor
    ///   of it that neither a part nor `extra` replaces (`P.qweight` replaces `P.weight`).
    /// - `parts`: files written by [`write_part`](super::write_part).
    /// - `extra`: further tensors.
    /// - `out`: the folder; a model that is there already is replaced as a whole once the new one is complete, so parts must
    ///   lie elsewhere.
    ///
    /// # Errors
    /// [`CheckpointError`]; then nothing at `out` has changed.
    pub fn assemble(
        &self,
        source: &Checkpoint,
        parts: &[PathBuf],
        extra: &[TensorData],
        out: &Path,
    ) -> Result<(), CheckpointError> {
        if let Some(part) = parts.iter().find(|part| part.starts_with(out)) {
            return Err(CheckpointError::Config(format!("the part {} lies in the folder it is for", part.display())));
        }
        let parts = SafetensorsFiles::open_files(parts)?;
        write_folder(source, Some(&self.quantization), &parts, extra, &self.options, out)
    }
}

impl Checkpoint {
    /// Writes the model as a Hugging Face folder, whatever it was read from.
    ///
    /// # Errors
    /// [`CheckpointError`]; then nothing at `out` has changed.
    pub fn save_hf(&self, out: &Path, options: &FolderOptions) -> Result<(), CheckpointError> {
        write_folder(self, None, &SafetensorsFiles::open_files(&[])?, &[], options, out)
    }
}

fn write_folder(
    source: &Checkpoint,
    quantization: Option<&QuantizationConfig>,
    parts: &SafetensorsFiles,
    extra: &[TensorData],
    options: &FolderOptions,
    out: &Path,
) -> Result<(), CheckpointError> {
    let plan = plan(source, parts, extra, options)?;
    let config = config(source, quantization, options)?;
    publish_folder(out, |folder| {
        write_json(&folder.join("config.json"), &config)?;
        write_side_files(source, folder)?;
        for (name, contents) in &options.side_files {
            write_bytes(&folder.join(name), contents)?;
        }
        write_shards(plan, options.shard_bytes, folder)?;
        if let Some(provenance) = &options.provenance {
            Manifest::describe(folder, provenance)?.save(folder)?;
        }
        Ok(())
    })
}

fn config(
    source: &Checkpoint,
    quantization: Option<&QuantizationConfig>,
    options: &FolderOptions,
) -> Result<Value, CheckpointError> {
    let mut config = source.config.clone();
    let fields = config.as_object_mut().ok_or_else(|| CheckpointError::Config("it is no JSON object".into()))?;
    fields.insert("torch_dtype".into(), options.float.torch_name().into());
    if let Some(dtype) = fields.get_mut("dtype") {
        *dtype = options.float.torch_name().into();
    }
    let mut quantization = match quantization {
        Some(config) => Some(config.clone()),
        None => source.quantization_config()?,
    };
    if let Some(quantization) = &mut quantization {
        quantization.embeddings = (!options.rows_i8.is_empty()).then(|| "i8_rows".into());
        let value = serde_json::to_value(quantization).map_err(|e| CheckpointError::Config(e.to_string()))?;
        fields.insert("quantization_config".into(), value);
    }
    Ok(config)
}

/// Every tensor of the folder, each with how to make its bytes.
fn plan<'a>(
    source: &'a Checkpoint,
    parts: &'a SafetensorsFiles,
    extra: &'a [TensorData],
    options: &FolderOptions,
) -> Result<Vec<Planned<'a>>, CheckpointError> {
    let mut plan = Vec::new();
    for name in parts.stored_names() {
        let (info, bytes) = parts.bytes(name)?;
        let unknown = || CheckpointError::Type { name: name.into(), found: info.stored, wanted: "a tensor of a model" };
        let dtype = dtype_of(info.stored).ok_or_else(unknown)?;
        plan.push(Planned::new(name.into(), dtype, info.shape.clone(), move || Ok(Cow::Borrowed(bytes))));
    }
    plan.extend(extra.iter().map(Planned::from));
    let mut done: BTreeSet<String> = BTreeSet::new();
    for tensor in &plan {
        if !done.insert(tensor.name.clone()) {
            return Err(CheckpointError::Config(format!("tensor {} would be written twice", tensor.name)));
        }
    }
    for name in source.tensors.names() {
        let owner = name.strip_suffix(".weight");
        let replaced = |ending: &str| owner.is_some_and(|owner| done.contains(&format!("{owner}{ending}")));
        if !done.contains(&name) && !replaced(".qweight") && !replaced(Q8_ROWS) {
            plan_source_tensor(source, name, options, &mut plan)?;
        }
    }
    Ok(plan)
}

/// Plans one tensor that is taken over from the source.
fn plan_source_tensor<'a>(
    source: &'a Checkpoint,
    name: String,
    options: &FolderOptions,
    plan: &mut Vec<Planned<'a>>,
) -> Result<(), CheckpointError> {
    let info = source.tensors.info(&name).ok_or_else(|| CheckpointError::MissingTensor { name: name.clone() })?;
    let (shape, from, tensors) = (info.shape, name.clone(), &source.tensors);
    match info.stored {
        // Buffers that old checkpoints carry along (position numbers, masks); no network reads them.
        StoredType::Other(_) => {}
        StoredType::I32 => plan.push(Planned::new(name, Dtype::I32, shape, move || {
            Ok(Cow::Owned(tensors.read_i32(&from)?.into_iter().flat_map(i32::to_le_bytes).collect()))
        })),
        StoredType::I8 => plan.push(Planned::new(name, Dtype::I8, shape, move || {
            Ok(Cow::Owned(tensors.read_i8(&from)?.into_iter().flat_map(i8::to_le_bytes).collect()))
        })),
        _ => {
            let owner = name.strip_suffix(".weight").filter(|owner| options.rows_i8.iter().any(|m| m == owner));
            if let (Some(owner), &[rows, width]) = (owner, shape.as_slice()) {
                plan_rows(source, owner, rows, width, plan);
                return Ok(());
            }
            // The scales of layers that are packed already must not lose a bit.
            let codes = name.strip_suffix(".scales").map(|p| format!("{p}.qweight"));
            let is_scale = codes.is_some_and(|codes| tensors.info(&codes).is_some());
            let float = if is_scale { FloatType::F16 } else { options.float };
            plan.push(Planned::new(name, float.dtype(), shape, move || {
                float.encode(&from, &tensors.read_f32(&from)?).map(Cow::Owned)
            }));
        }
    }
    Ok(())
}

/// Plans `owner.weight` as 8-bit rows: codes and scales are two tensors, made from the weight one after the other.
fn plan_rows<'a>(source: &'a Checkpoint, owner: &str, rows: usize, width: usize, plan: &mut Vec<Planned<'a>>) {
    let convert = {
        let owner = owner.to_string();
        move || TensorData::rows_i8(&owner, rows, width, &source.tensors.read_f32(&format!("{owner}.weight"))?)
    };
    let codes = {
        let convert = convert.clone();
        move || convert().map(|[codes, _]| Cow::Owned(codes.bytes))
    };
    let scales = move || convert().map(|[_, scales]| Cow::Owned(scales.bytes));
    plan.push(Planned::new(format!("{owner}{Q8_ROWS}"), Dtype::I8, vec![rows, width], codes));
    plan.push(Planned::new(format!("{owner}{Q8_SCALE}"), Dtype::F32, vec![rows], scales));
}

/// Writes the tensors to one file, or to several with an index.
fn write_shards(plan: Vec<Planned<'_>>, limit: Option<u64>, folder: &Path) -> Result<(), CheckpointError> {
    let mut shards: Vec<Vec<Planned<'_>>> = vec![Vec::new()];
    let (mut filled, mut total) = (0u64, 0u64);
    for tensor in plan {
        let bytes = tensor.len() as u64;
        let cost = bytes + HEADER_BYTES_PER_TENSOR + tensor.name.len() as u64;
        let full = limit.is_some_and(|limit| filled > 0 && filled + cost > limit);
        if full {
            shards.push(Vec::new());
            filled = 0;
        }
        filled += cost;
        total += bytes;
        if let Some(shard) = shards.last_mut() {
            shard.push(tensor);
        }
    }
    let count = shards.len();
    if count == 1 {
        let all = shards.into_iter().flatten().collect();
        return write_safetensors(&folder.join("model.safetensors"), all);
    }
    let mut weight_map = BTreeMap::new();
    for (number, shard) in shards.into_iter().enumerate() {
        let file = format!("model-{:05}-of-{count:05}.safetensors", number + 1);
        weight_map.extend(shard.iter().map(|tensor| (tensor.name.clone(), file.clone())));
        write_safetensors(&folder.join(file), shard)?;
    }
    let index = json!({"metadata": {"total_size": total}, "weight_map": weight_map});
    write_json(&folder.join("model.safetensors.index.json"), &index)
}

/// Takes over the files beside the weights, or writes what a GGUF file holds instead of them.
fn write_side_files(source: &Checkpoint, folder: &Path) -> Result<(), CheckpointError> {
    let from = if source.path.is_dir() { Some(source.path.as_path()) } else { source.path.parent() };
    let from = from.unwrap_or(Path::new("."));
    for name in SIDE_FILES {
        let file = from.join(name);
        if file.is_file() {
            let contents = fs::read(&file).map_err(CheckpointError::io("read", &file))?;
            write_bytes(&folder.join(name), &contents)?;
        }
    }
    let missing = |name: &str| !folder.join(name).exists();
    if let Some(tokenizer) = source.tokenizer.as_ref().filter(|_| missing("tokenizer.json")) {
        let json = tokenizer.to_string(false).map_err(|e| CheckpointError::Config(format!("the tokenizer, {e}")))?;
        write_bytes(&folder.join("tokenizer.json"), json.as_bytes())?;
    }
    if missing("tokenizer_config.json") {
        write_json(&folder.join("tokenizer_config.json"), &tokenizer_config(source)?)?;
    }
    if missing("generation_config.json") {
        let ids = ["bos_token_id", "eos_token_id", "pad_token_id"];
        let ids = ids.into_iter().filter_map(|field| Some((field.to_string(), source.config.get(field)?.clone())));
        write_json(&folder.join("generation_config.json"), &Value::Object(ids.collect()))?;
    }
    Ok(())
}

fn tokenizer_config(source: &Checkpoint) -> Result<Value, CheckpointError> {
    let mut fields = Map::new();
    fields.insert("tokenizer_class".into(), "PreTrainedTokenizerFast".into());
    fields.insert("clean_up_tokenization_spaces".into(), false.into());
    for name in ["bos_token", "eos_token", "pad_token"] {
        if let Some(token) = source.special_token(name)? {
            fields.insert(name.into(), token.into());
        }
    }
    if let Some(length) = source.config.get("max_position_embeddings") {
        fields.insert("model_max_length".into(), length.clone());
    }
    if let Some(template) = &source.chat_template {
        fields.insert("chat_template".into(), template.as_str().into());
    }
    Ok(Value::Object(fields))
}

fn write_bytes(path: &Path, contents: &[u8]) -> Result<(), CheckpointError> {
    write_atomic(path, |file| file.write_all(contents).map_err(CheckpointError::io("write", path)))
}

fn write_json(path: &Path, value: &Value) -> Result<(), CheckpointError> {
    let text = serde_json::to_string_pretty(value).map_err(|e| CheckpointError::Config(e.to_string()))?;
    write_bytes(path, (text + "\n").as_bytes())
}
