//! Finished stages as files, so that a run can be killed at any moment and go on later.
//!
//! `OUT.rpiq-parts/` holds `run.json` (what the run was started with) and per stage a safetensors file with its packed
//! layers and a JSON file with their reports. The JSON is written last: a stage without it never happened.

use std::fs::{self, File, TryLockError};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use half::f16;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use sightread_models::checkpoint::{Checkpoint, TensorData, write_part};
use sightread_models::int4::PackedLinear;

use super::network::Network;
use super::options::QuantizeOptions;
use super::report::LayerReport;
use super::{Event, Listener, tell};
use crate::PipelineError;
use crate::files::{read_json, write_json};

/// What a model folder's name is followed by in the name of the folder of its unfinished parts.
pub const PARTS_ENDING: &str = ".rpiq-parts";

/// What decides every bit of the result.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Fingerprint {
    /// sha256 of the model's configuration and weight files.
    model: String,
    /// sha256 of the sequences.
    calibration: String,
    options: QuantizeOptions,
    /// Rows of a product are shared out by the number of threads, and so are its roundings.
    threads: usize,
    version: String,
}

impl Fingerprint {
    /// Reads all of the model's weights.
    ///
    /// # Errors
    /// [`PipelineError`] if a file cannot be read, or `listener` stops it.
    pub fn new(
        model: &Checkpoint,
        network: &dyn Network,
        options: &QuantizeOptions,
        listener: &mut Listener<'_>,
    ) -> Result<Self, PipelineError> {
        let mut digest = Sha256::new();
        network.digest(&mut digest);
        Ok(Self {
            model: hash_model(model, listener)?,
            calibration: hexadecimal(digest),
            options: options.clone(),
            threads: rayon::current_num_threads(),
            version: env!("CARGO_PKG_VERSION").into(),
        })
    }

    /// The first thing that differs.
    fn difference(&self, other: &Self) -> Option<&'static str> {
        let differences = [
            (self.model != other.model, "model"),
            (self.calibration != other.calibration, "calibration set"),
            (self.options != other.options, "choice of options"),
            (self.threads != other.threads, "number of threads"),
            (self.version != other.version, "version of this program"),
        ];
        differences.into_iter().find(|(differs, _)| *differs).map(|(_, what)| what)
    }
}

fn hash_model(model: &Checkpoint, listener: &mut Listener<'_>) -> Result<String, PipelineError> {
    let mut digest = Sha256::new();
    digest.update(model.config.to_string());
    let mut files = vec![model.path.clone()];
    if model.path.is_dir() {
        let entries = fs::read_dir(&model.path).map_err(|e| PipelineError::io("read", &model.path, e))?;
        let weights =
            |path: &PathBuf| path.extension().is_some_and(|e| e == "safetensors" || e == "gguf" || e == "bin");
        files = entries.filter_map(|e| Some(e.ok()?.path())).filter(weights).collect();
        files.sort();
    }
    let mut buffer = vec![0; 1 << 20];
    for path in files {
        let failed = |e: io::Error| PipelineError::io("read", &path, e);
        let mut file = File::open(&path).map_err(failed)?;
        loop {
            tell(listener, Event::Step)?;
            match file.read(&mut buffer).map_err(failed)? {
                0 => break,
                n => digest.update(&buffer[..n]),
            }
        }
    }
    Ok(hexadecimal(digest))
}

fn hexadecimal(digest: Sha256) -> String {
    digest.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The folder of a run's parts, locked while it is in use.
#[derive(Debug)]
pub(super) struct Parts {
    folder: PathBuf,
    /// Released by the system however this process ends.
    _lock: File,
}

impl Parts {
    /// Opens or creates the folder beside `out`.
    ///
    /// # Errors
    /// [`PipelineError::OtherRun`] if it holds parts of a run that was started with something else.
    pub(super) fn open(out: &Path, fingerprint: &Fingerprint) -> Result<Self, PipelineError> {
        let mut name = out.as_os_str().to_owned();
        name.push(PARTS_ENDING);
        let folder = PathBuf::from(name);
        fs::create_dir_all(&folder).map_err(|e| PipelineError::io("create", &folder, e))?;
        let lock_path = folder.join("lock");
        let lock = File::create(&lock_path).map_err(|e| PipelineError::io("create", &lock_path, e))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(PipelineError::Busy(folder)),
            Err(TryLockError::Error(e)) => return Err(PipelineError::io("lock", &lock_path, e)),
        }
        let run = folder.join("run.json");
        match read_json::<Fingerprint>(&run)? {
            Some(other) => {
                if let Some(what) = fingerprint.difference(&other) {
                    return Err(PipelineError::OtherRun { folder, what });
                }
            }
            None => write_json(&run, fingerprint)?,
        }
        Ok(Self { folder, _lock: lock })
    }

    fn weights_path(&self, block: usize, stage: usize) -> PathBuf {
        self.folder.join(format!("block-{block:05}-stage-{stage}.safetensors"))
    }

    fn report_path(&self, block: usize, stage: usize) -> PathBuf {
        self.folder.join(format!("block-{block:05}-stage-{stage}.json"))
    }

    /// Keeps a finished stage.
    pub(super) fn save(
        &self,
        block: usize,
        stage: usize,
        layers: &[(String, PackedLinear)],
        reports: &[LayerReport],
    ) -> Result<(), PipelineError> {
        let mut tensors = Vec::new();
        for (name, packed) in layers {
            tensors.extend(TensorData::packed(name, packed)?);
        }
        write_part(&self.weights_path(block, stage), &tensors)?;
        write_json(&self.report_path(block, stage), &reports)
    }

    /// Reports of a stage that was finished before.
    pub(super) fn reports(&self, block: usize, stage: usize) -> Result<Option<Vec<LayerReport>>, PipelineError> {
        let reports = read_json(&self.report_path(block, stage))?;
        Ok(reports.filter(|_| self.weights_path(block, stage).is_file()))
    }

    /// A packed layer of a stage that was finished before.
    pub(super) fn layer(&self, block: usize, stage: usize, layer: &Stored<'_>) -> Result<PackedLinear, PipelineError> {
        let path = self.weights_path(block, stage);
        let bytes = fs::read(&path).map_err(|e| PipelineError::io("read", &path, e))?;
        let damaged = |reason: String| {
            let source = io::Error::new(io::ErrorKind::InvalidData, reason + "; delete this folder and start again");
            PipelineError::Io { action: "read", path: path.clone(), source }
        };
        let tensors = safetensors::SafeTensors::deserialize(&bytes).map_err(|e| damaged(e.to_string()))?;
        let array = |name: &str| {
            let tensor = tensors.tensor(&format!("{}.{name}", layer.name)).map_err(|e| damaged(e.to_string()))?;
            Ok::<_, PipelineError>(tensor.data().to_vec())
        };
        let words = |bytes: Vec<u8>| bytes.as_chunks::<4>().0.iter().map(|&b| i32::from_le_bytes(b)).collect();
        let packed = PackedLinear {
            in_features: layer.in_features,
            out_features: layer.out_features,
            group_size: layer.group_size,
            qweight: words(array("qweight")?),
            qzeros: words(array("qzeros")?),
            scales: array("scales")?.as_chunks::<2>().0.iter().map(|&b| f16::from_le_bytes(b)).collect(),
            g_idx: words(array("g_idx")?),
            bias: None,
        };
        packed.validate().map_err(|e| damaged(e.to_string()))?;
        Ok(packed)
    }

    /// All files with weights.
    pub(super) fn files(&self) -> Result<Vec<PathBuf>, PipelineError> {
        let entries = fs::read_dir(&self.folder).map_err(|e| PipelineError::io("read", &self.folder, e))?;
        let mut files: Vec<PathBuf> = entries.filter_map(|e| Some(e.ok()?.path())).collect();
        files.retain(|path| path.extension().is_some_and(|e| e == "safetensors"));
        files.sort();
        Ok(files)
    }

    /// Deletes the parts of a run that is complete.
    pub(super) fn remove(self) -> Result<(), PipelineError> {
        fs::remove_dir_all(&self.folder).map_err(|e| PipelineError::io("remove", &self.folder, e))
    }
}

/// What a stored layer must look like.
pub(super) struct Stored<'a> {
    pub(super) name: &'a str,
    pub(super) in_features: usize,
    pub(super) out_features: usize,
    pub(super) group_size: usize,
}
