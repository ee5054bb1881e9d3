//! What quantizing makes of a model, or has made of it: which parts are stored how, and what that takes.

use std::collections::{BTreeMap, BTreeSet};

use sightread_models::checkpoint::{Checkpoint, CheckpointError, StoredType, TensorInfo};

use super::{EmbeddingType, Network, QuantizeOptions};

/// The arrays of a packed layer.
const PACKED_ARRAYS: [&str; 4] = ["qweight", "qzeros", "scales", "g_idx"];
/// Codes of 4 bit in a word of `qweight`.
const CODES_PER_WORD: u64 = 8;

/// A class of modules that are stored alike.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlanLine {
    /// The part of the model ([`Network::class`]), or what embeddings and output head are called.
    pub class: &'static str,
    /// How they are stored.
    pub stored: String,
    /// Tensors of the model in full precision.
    pub tensors: usize,
    /// Their elements.
    pub parameters: u64,
    /// What they take on the disk.
    pub bytes: u64,
}

/// All tensors of the model that `network` was opened for, by class: as they are stored if `source` is quantized, else as a
/// run with `options` would store them.
///
/// # Errors
/// [`CheckpointError`] if the model's `quantization_config` is wrong.
pub fn plan(
    source: &Checkpoint,
    network: &dyn Network,
    options: &QuantizeOptions,
) -> Result<Vec<PlanLine>, CheckpointError> {
    let names = source.tensors.names();
    let packed: BTreeSet<&str> = names.iter().filter_map(|name| name.strip_suffix(".qweight")).collect();
    let stored_group_size = source.quantization_config()?.and_then(|config| usize::try_from(config.group_size).ok());
    let is_quantized = !packed.is_empty();
    let embeddings: BTreeSet<String> = network.embeddings().into_iter().collect();
    let (to_pack, to_round) = match is_quantized {
        true => (BTreeSet::new(), BTreeSet::new()),
        false => (layers_in_blocks(network), rounded(network, options)),
    };
    let mut lines: BTreeMap<(&'static str, String), (usize, u64, u64)> = BTreeMap::new();
    for name in &names {
        let Some(info) = source.tensors.info(name) else { continue };
        let (module, array) = name.rsplit_once('.').unwrap_or((name, ""));
        let class = if embeddings.contains(module) { "embeddings and head" } else { network.class(name) };
        let elements = info.shape.iter().product::<usize>() as u64;
        let is_weight = array == "weight";
        let (stored, tensors, parameters, bytes) = if packed.contains(module) && PACKED_ARRAYS.contains(&array) {
            let is_codes = array == "qweight";
            let parameters = if is_codes { elements * CODES_PER_WORD } else { 0 };
            (packed_in(stored_group_size), usize::from(is_codes), parameters, elements * bytes_of(&info))
        } else if is_weight && to_pack.contains(module) {
            let group_size = options.grid.group_size;
            (packed_in(Some(group_size)), 1, elements, packed_bytes(&info, group_size as u64))
        } else if is_weight && (to_round.contains(module) || info.stored == StoredType::RowsI8) {
            let rows = info.shape.first().map_or(0, |&rows| rows as u64);
            ("8 bit, a scale each row".into(), 1, elements, elements + rows * size_of::<f32>() as u64)
        } else if is_quantized {
            (info.stored.to_string(), 1, elements, elements * bytes_of(&info))
        } else {
            ("F16".into(), 1, elements, elements * 2)
        };
        let line = lines.entry((class, stored)).or_default();
        *line = (line.0 + tensors, line.1 + parameters, line.2 + bytes);
    }
    let line = |((class, stored), (tensors, parameters, bytes))| PlanLine { class, stored, tensors, parameters, bytes };
    Ok(lines.into_iter().map(line).collect())
}

/// The linear layers that are packed.
fn layers_in_blocks(network: &dyn Network) -> BTreeSet<String> {
    let mut layers = BTreeSet::new();
    for stack in network.stacks() {
        for block in 0..stack.num_blocks() {
            let prefix = stack.block_prefix(block);
            layers.extend(stack.stages().into_iter().flatten().map(|(layer, ..)| format!("{prefix}.{layer}")));
        }
    }
    layers
}

/// Modules whose rows are rounded to 8 bit.
fn rounded(network: &dyn Network, options: &QuantizeOptions) -> BTreeSet<String> {
    let mut modules: BTreeSet<String> = network.rows_i8().into_iter().collect();
    if options.embeddings == EmbeddingType::Int8 {
        modules.extend(network.embeddings());
    }
    modules
}

fn packed_in(group_size: Option<usize>) -> String {
    match group_size {
        Some(group_size) => format!("4 bit, groups of {group_size}"),
        None => "4 bit, one group".into(),
    }
}

/// Bytes of codes, zero points, scales and group indices of a layer `[out, in]`.
fn packed_bytes(info: &TensorInfo, group_size: u64) -> u64 {
    let [rows, cols] = *info.shape else { return 0 };
    let (rows, cols) = (rows as u64, cols as u64);
    let groups = cols.div_ceil(group_size.clamp(1, cols.max(1)));
    let (codes, zeros, scales) = (rows * cols / 2, groups * rows / 2, groups * rows * 2);
    codes + zeros + scales + cols * size_of::<i32>() as u64
}

fn bytes_of(info: &TensorInfo) -> u64 {
    match info.stored {
        StoredType::F32 | StoredType::I32 => 4,
        StoredType::F16 | StoredType::BF16 => 2,
        _ => 1,
    }
}
