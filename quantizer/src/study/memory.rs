//! Memory and time at the true widths of a model: what quantizing takes, what the quantized model takes, and what both come to at
//! its full depth. Every run is a process of its own, because only a process's peak is its own.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use burn::tensor::Device;
use serde::{Deserialize, Serialize};
use sightread_models::checkpoint::Checkpoint;
use sightread_models::text::TextModel;

use super::StudyError;
use crate::PipelineError;
use crate::files::{read_json, write_json};
use crate::pipeline::calibration::CalibrationSize;
use crate::pipeline::memory::{MemoryPlan, available_memory, peak_memory, resident_memory};
use crate::pipeline::report::{REPORT_FILE, RunReport};
use crate::pipeline::{Method, Network, QuantizeOptions, VlmOptions, open_network};
use crate::sizes::stored_bytes;

/// Tokens that a loaded model reads before its memory is taken down.
const TOKENS: usize = 64;
/// What a process takes beside weights.
const BESIDE_WEIGHTS: u64 = 512 << 20;

/// What to measure.
#[derive(Clone, Copy)]
pub struct MemoryJob<'a> {
    /// The command `rpiq`.
    pub program: &'a Path,
    /// Calibration text.
    pub calibration: &'a Path,
    /// How much of it.
    pub size: CalibrationSize,
    /// Columns that share a scale.
    pub group_size: usize,
    /// Rounds of the closed loop; they cost time alone.
    pub rounds: usize,
    /// Blocks of the whole model, where the one that is measured has fewer.
    pub depth: Option<usize>,
    /// Rows are kept here, a file each.
    pub folder: &'a Path,
}

/// What is to stay the same for a kept row to be taken.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Measured {
    model: PathBuf,
    calibration: PathBuf,
    /// Sequences, held out, tokens of each.
    size: [usize; 3],
    options: QuantizeOptions,
    depth: Option<usize>,
    row: MemoryRow,
}

/// A model by one method, or as it is. Bytes of files are those of the weights alone.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MemoryRow {
    /// Name of its folder or file.
    pub model: String,
    /// "full precision", "gptq" or "rpiq".
    pub method: String,
    /// Blocks of all stacks.
    pub blocks: usize,
    /// What the memory plan says of quantizing, whatever the depth.
    pub planned_bytes: Option<u64>,
    /// Largest resident memory while quantizing.
    pub peak_bytes: Option<u64>,
    /// Wall time of quantizing, reading and writing included.
    pub seconds: Option<f64>,
    /// The same for a block in the mean.
    pub seconds_per_block: Option<f64>,
    /// Weights as stored; of full precision, in 16 bit.
    pub file_bytes: u64,
    /// Of these, those of one block in the mean.
    pub block_bytes: u64,
    /// Weights as loaded by this program, which computes with floats of 32 bit where they are not packed.
    pub loaded_bytes: Option<u64>,
    /// Resident memory of a process that has loaded them and read a text; `None` if they do not fit in what is free.
    pub resident_bytes: Option<u64>,
    /// Blocks of the whole model, and its weights as stored: computed.
    pub full_depth: Option<(usize, u64)>,
}

/// All rows: what the JSON file holds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MemoryResults {
    /// Model by model: full precision, GPTQ, RPIQ.
    pub rows: Vec<MemoryRow>,
}

/// What a process that has loaded a model tells about itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Loaded {
    /// Weights as loaded.
    pub weight_bytes: u64,
    /// Resident memory after a text was read.
    pub resident_bytes: Option<u64>,
    /// Largest resident memory so far.
    pub peak_bytes: Option<u64>,
}

/// Loads a model and reads a short text with it: to be called in a process of its own.
///
/// # Errors
/// [`StudyError`] if the model cannot be loaded.
pub fn load_and_run(model: &Path, device: &Device) -> Result<Loaded, StudyError> {
    let checkpoint = Checkpoint::open(model)?;
    let model = TextModel::load(&checkpoint, device)?;
    checkpoint.tensors.release_memory();
    let tokens: Vec<u32> =
        (0..TOKENS.min(model.sizes().context)).map(|n| n as u32 % model.sizes().vocab_size as u32).collect();
    let hidden = model.forward(&tokens, &mut model.cache())?;
    let last = hidden.narrow(1, tokens.len().saturating_sub(1), 1);
    model.logit_values(last)?;
    Ok(Loaded { weight_bytes: model.bytes() as u64, resident_bytes: resident_memory(), peak_bytes: peak_memory() })
}

/// Measures a model as it is, and by GPTQ and RPIQ. `on_row` hears of every row as it ends.
///
/// # Errors
/// [`StudyError`]; rows that have ended are kept.
pub fn measure_memory(
    job: &MemoryJob<'_>,
    models: &[PathBuf],
    device: &Device,
    mut on_row: impl FnMut(&MemoryRow),
) -> Result<MemoryResults, StudyError> {
    fs::create_dir_all(job.folder).map_err(|e| PipelineError::io("create", job.folder, e))?;
    let mut rows = Vec::new();
    for model in models {
        for method in [None, Some(Method::Gptq), Some(Method::Rpiq)] {
            let row = job.row(model, method, device)?;
            on_row(&row);
            rows.push(row);
        }
    }
    Ok(MemoryResults { rows })
}

impl MemoryJob<'_> {
    /// A row that is kept, or measured now. `method`: `None` for full precision.
    fn row(&self, model: &Path, method: Option<Method>, device: &Device) -> Result<MemoryRow, StudyError> {
        let name = model.file_name().map_or_else(|| "model".into(), |name| name.to_string_lossy().into_owned());
        let method_name = match method {
            None => "full precision",
            Some(Method::Gptq) => "gptq",
            Some(_) => "rpiq",
        };
        let mut options = QuantizeOptions::new(method.unwrap_or(Method::Rtn), self.group_size);
        options.rpiq.rounds = self.rounds;
        let kept = self.folder.join(format!("memory-{name}-{}.json", method_name.replace(' ', "-")));
        let size = [self.size.sequences, self.size.held_out, self.size.seq_len];
        if let Some(found) = read_json::<Measured>(&kept)?
            && (found.model.as_path(), found.calibration.as_path()) == (model, self.calibration)
            && (found.size, &found.options, found.depth) == (size, &options, self.depth)
        {
            return Ok(found.row);
        }
        let source = Checkpoint::open(model)?;
        let (calibration, vlm) = (Some(self.calibration), VlmOptions::default());
        let network = open_network(&source, calibration, self.size, options.method, vlm, device)?;
        let row = MemoryRow { model: name.clone(), method: method_name.into(), ..MemoryRow::empty(&*network) };
        let row = match method {
            None => self.full_precision(row, model, &source, &*network)?,
            Some(method) => {
                let planned = MemoryPlan::new(&*network, &options, false).total;
                let out = self.folder.join(format!("memory-{name}-{method_name}"));
                let row = MemoryRow { planned_bytes: Some(planned), ..row };
                let row = self.quantized(row, model, method, &out, &*network);
                if out.exists() {
                    fs::remove_dir_all(&out).map_err(|e| PipelineError::io("remove", &out, e))?;
                }
                row?
            }
        };
        let row = MemoryRow { full_depth: self.depth.map(|depth| (depth, row.bytes_at(depth))), ..row };
        let (model, calibration, depth) = (model.into(), self.calibration.into(), self.depth);
        write_json(&kept, &Measured { model, calibration, size, options, depth, row: row.clone() })?;
        Ok(row)
    }

    /// Weights in 16 bit as they would be stored, and as this program holds them if they fit.
    fn full_precision(
        &self,
        row: MemoryRow,
        model: &Path,
        source: &Checkpoint,
        network: &dyn Network,
    ) -> Result<MemoryRow, StudyError> {
        let elements =
            |name: &str| source.tensors.info(name).map_or(0, |info| info.shape.iter().product::<usize>() as u64);
        let row = row.with_files(source, network, |name| 2 * elements(name));
        // 16 bit become 32 when they are loaded.
        let needed = 2 * row.file_bytes + BESIDE_WEIGHTS;
        if available_memory().is_some_and(|available| available < needed) {
            return Ok(row);
        }
        self.running(row, model)
    }

    fn quantized(
        &self,
        row: MemoryRow,
        model: &Path,
        method: Method,
        out: &Path,
        network: &dyn Network,
    ) -> Result<MemoryRow, StudyError> {
        let method = if method == Method::Gptq { "gptq" } else { "rpiq" };
        let numbers = [self.size.sequences, self.size.seq_len, self.size.held_out, self.group_size, self.rounds];
        let names = ["--sequences", "--seq-len", "--held-out", "--group-size", "--rounds"];
        let mut arguments: Vec<&OsStr> = vec!["quantize".as_ref(), model.as_ref(), out.as_ref()];
        arguments.extend(["--method", method, "--backend", "cpu", "--calibration"].map(OsStr::new));
        arguments.push(self.calibration.as_ref());
        let numbers = numbers.map(|number| number.to_string());
        for (name, number) in names.iter().zip(&numbers) {
            arguments.extend([OsStr::new(name), OsStr::new(number)]);
        }
        self.start(&arguments)?;
        let missing = || StudyError::Failed(format!("{} has no report", out.display()));
        let report: RunReport = read_json(&out.join(REPORT_FILE))?.ok_or_else(missing)?;
        let packed = Checkpoint::open(out)?;
        let row = MemoryRow {
            peak_bytes: report.peak_memory_bytes,
            seconds: Some(report.seconds),
            seconds_per_block: Some(report.seconds / row.blocks.max(1) as f64),
            ..row
        };
        let row = row.with_files(&packed, network, |name| packed.tensors.info(name).map_or(0, |i| stored_bytes(&i)));
        self.running(row, out)
    }

    /// Memory of a process that runs the model; nothing for models that are not run as text.
    fn running(&self, row: MemoryRow, model: &Path) -> Result<MemoryRow, StudyError> {
        if sightread_models::text::Architecture::of(&Checkpoint::open(model)?).is_err() {
            return Ok(row);
        }
        let printed = self.start(&["load".as_ref(), model.as_ref(), "--backend".as_ref(), "cpu".as_ref()])?;
        let loaded: Loaded = serde_json::from_slice(&printed).map_err(|e| StudyError::Failed(e.to_string()))?;
        Ok(MemoryRow { loaded_bytes: Some(loaded.weight_bytes), resident_bytes: loaded.resident_bytes, ..row })
    }

    /// What the command prints, if it goes well.
    fn start(&self, arguments: &[&OsStr]) -> Result<Vec<u8>, StudyError> {
        let failed = |source| StudyError::Start { program: self.program.into(), source };
        let output = Command::new(self.program).args(arguments).output().map_err(failed)?;
        if output.status.success() {
            return Ok(output.stdout);
        }
        let said = String::from_utf8_lossy(&output.stderr);
        let last = said.lines().last().map(str::to_string);
        // A process that was killed, for memory above all, says nothing.
        Err(StudyError::Failed(last.unwrap_or_else(|| output.status.to_string())))
    }
}

impl MemoryRow {
    fn empty(network: &dyn Network) -> Self {
        Self {
            model: String::new(),
            method: String::new(),
            blocks: network.stacks().iter().map(|stack| stack.num_blocks()).sum(),
            planned_bytes: None,
            peak_bytes: None,
            seconds: None,
            seconds_per_block: None,
            file_bytes: 0,
            block_bytes: 0,
            loaded_bytes: None,
            resident_bytes: None,
            full_depth: None,
        }
    }

    fn with_files(self, checkpoint: &Checkpoint, network: &dyn Network, bytes: impl Fn(&str) -> u64) -> Self {
        let stacks = network.stacks();
        let of_stack = |stack: &&dyn sightread_models::text::BlockStack| -> Vec<String> {
            (0..stack.num_blocks()).map(|block| stack.block_prefix(block)).collect()
        };
        let prefixes: BTreeSet<String> = stacks.iter().flat_map(of_stack).collect();
        let in_block = |name: &str| {
            let mut ends = name.match_indices('.').map(|(at, _)| &name[..at]);
            ends.any(|prefix| prefixes.contains(prefix))
        };
        let names = checkpoint.tensors.names();
        let blocks: u64 = names.iter().filter(|name| in_block(name)).map(|name| bytes(name)).sum();
        let file_bytes = names.iter().map(|name| bytes(name)).sum();
        Self { file_bytes, block_bytes: blocks / self.blocks.max(1) as u64, ..self }
    }

    /// Weights as stored of a model with so many blocks like these.
    pub fn bytes_at(&self, depth: usize) -> u64 {
        (self.file_bytes + self.block_bytes * depth as u64).saturating_sub(self.block_bytes * self.blocks as u64)
    }
}

impl MemoryResults {
    /// Seconds that quantizing `depth` blocks takes by `method`: along the line through the shallowest and the deepest model
    /// measured, or where there is one, in proportion.
    pub fn seconds_at(&self, method: &str, depth: usize) -> Option<f64> {
        let rows = self.rows.iter().filter(|row| row.method == method);
        let mut measured: Vec<(f64, f64)> = rows.filter_map(|row| Some((row.blocks as f64, row.seconds?))).collect();
        measured.sort_by(|a, b| a.0.total_cmp(&b.0));
        let (&(few, short), &(many, long)) = (measured.first()?, measured.last()?);
        let slope = if many > few { (long - short) / (many - few) } else { long / many };
        Some(long + slope * (depth as f64 - many))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn depth_is_extrapolated_by_blocks() {
        let row = |blocks, seconds| MemoryRow {
            model: "m".into(),
            method: "rpiq".into(),
            blocks,
            planned_bytes: None,
            peak_bytes: None,
            seconds: Some(seconds),
            seconds_per_block: None,
            file_bytes: 100 + 10 * blocks as u64,
            block_bytes: 10,
            loaded_bytes: None,
            resident_bytes: None,
            full_depth: None,
        };
        let results = MemoryResults { rows: vec![row(2, 25.0), row(4, 45.0)] };
        assert_eq!(results.seconds_at("rpiq", 32), Some(325.0));
        assert_eq!(results.seconds_at("gptq", 32), None);
        assert_eq!(row(2, 1.0).bytes_at(32), 420);
        assert_eq!(row(4, 1.0).bytes_at(32), 420);
    }
}
