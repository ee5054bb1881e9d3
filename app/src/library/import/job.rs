//! The steps of an import: download, check, then quantize or copy.

use std::fs;
use std::path::Path;

use rpiq::PipelineError;
use rpiq::pipeline::calibration::CalibrationSize;
use rpiq::pipeline::memory::MemoryPlan;
use rpiq::pipeline::{self, EmbeddingType, Event, Method, QuantizeOptions, VlmOptions, open_network, quantize_model};
use serde_json::Value;
use sightread_models::checkpoint::{Checkpoint, Manifest, Provenance, copy_model};
use sightread_models::device::Backend;

use super::super::architecture::CalibratedOn;
use super::super::installed::{inspect, is_built_in};
use super::super::{Architecture, Card, ImportSource, calibration_text, download};
use super::{ImportError, Pace, Reporter};
use crate::{starter, words};

/// Input columns that share a scale.
const GROUP_SIZE: usize = 64;
/// Calibration sequences, and those that only measure; a short text makes fewer.
const SEQUENCES: usize = 128;
const HELD_OUT: usize = 8;
/// Tokens of a calibration sequence: as many as give a good model in reasonable time, or as a short text makes.
const SEQUENCE_TOKENS: [usize; 2] = [512, 128];

/// An import under way.
pub(super) struct Job<'a> {
    pub(super) from: &'a ImportSource,
    pub(super) calibration: Option<&'a Path>,
    pub(super) library: &'a Path,
    pub(super) backend: Backend,
    pub(super) name: &'a str,
    pub(super) reporter: &'a mut Reporter,
}

impl Job<'_> {
    /// Does all steps, and says in a sentence what there is now.
    pub(super) fn run(mut self) -> Result<String, ImportError> {
        self.check_name()?;
        let from = match self.from {
            ImportSource::Folder(path) => path.clone(),
            ImportSource::Repository(repository) => download::fetch(repository, self.library, self.reporter)?,
        };
        let out = self.library.join(self.name);
        let remark = self.bring_in(&from, &out)?;
        let model = inspect(&out);
        if let Some(problem) = model.problem {
            // Never seen by anybody before; it must not be in the list.
            let _ = fs::remove_dir_all(&out);
            return Err(ImportError::Unusable(problem));
        }
        if let ImportSource::Repository(_) = self.from {
            // Full precision has served; if it cannot be removed, it only takes room.
            let _ = fs::remove_dir_all(&from);
        }
        let (abilities, size) = (model.abilities.join(" and "), words::size(model.bytes));
        Ok(format!("{} is here. It {abilities}, and takes {size}.{remark}", self.name))
    }

    /// Refuses a name that is taken, whatever its case: some systems make no difference.
    fn check_name(&self) -> Result<(), ImportError> {
        if self.name.is_empty() {
            return Err(ImportError::NoName);
        }
        let failed = |source| ImportError::Library { path: self.library.into(), source };
        fs::create_dir_all(self.library).map_err(failed)?;
        let lower = self.name.to_lowercase();
        let mut there = fs::read_dir(self.library).map_err(failed)?.flatten();
        if is_built_in(self.name) || there.any(|entry| entry.file_name().to_string_lossy().to_lowercase() == lower) {
            return Err(ImportError::Taken(self.name.into()));
        }
        Ok(())
    }

    /// Makes the 4-bit model at `out`; returns what else there is to say about it.
    fn bring_in(&mut self, from: &Path, out: &Path) -> Result<&'static str, ImportError> {
        self.go_on("Checking")?;
        if !from.exists() {
            return Err(ImportError::NotThere(from.into()));
        }
        if starter::is_starter(from) {
            return self.copy(from, out);
        }
        let source = Checkpoint::open(from)?;
        let architecture = Architecture::of(&source.config);
        let Some(calibrated_on) = architecture.calibrated_on() else {
            return Err(match architecture {
                Architecture::Unknown(kind) => ImportError::Unknown(kind),
                known => ImportError::Internal(format!("{known:?} is not quantized")),
            });
        };
        match source.quantization_config()? {
            // Its folder may have another name than the path that was given, such as that of a file in it.
            Some(_) => self.copy(&source.path, out),
            None => self.quantize(&source, calibrated_on, out),
        }
    }

    fn copy(&mut self, from: &Path, out: &Path) -> Result<&'static str, ImportError> {
        let mut pace = Pace::default();
        copy_model(from, out, |done, total| {
            let left = pace.left(done as f64, total as f64);
            self.reporter.tell("Copying", Some(done as f32 / total.max(1) as f32), left)
        })?;
        Ok("")
    }

    fn quantize(
        &mut self,
        source: &Checkpoint,
        calibrated_on: CalibratedOn,
        out: &Path,
    ) -> Result<&'static str, ImportError> {
        let device = self.backend.open()?;
        let (calibration, method, remark) = match (self.calibration, calibrated_on) {
            (Some(path), _) => (Some(path.to_path_buf()), Method::Rpiq, ""),
            (None, CalibratedOn::Text) => {
                (Some(calibration_text().ok_or(ImportError::NoCalibration)?), Method::Rpiq, "")
            }
            (None, CalibratedOn::Recordings) => (
                None,
                Method::Rtn,
                " Its weights were only rounded; import it with a list of recordings, and it will understand better.",
            ),
            (None, CalibratedOn::Pictures) => (
                None,
                Method::Rtn,
                " Its weights were only rounded; import it with a list of pictures, and it will see better.",
            ),
        };
        let options = QuantizeOptions { embeddings: EmbeddingType::Int8, ..QuantizeOptions::new(method, GROUP_SIZE) };
        let open = |seq_len| {
            let size = CalibrationSize { sequences: SEQUENCES, held_out: HELD_OUT, seq_len, selection: 0 };
            open_network(source, calibration.as_deref(), size, method, VlmOptions::default(), &device)
        };
        let positions = source.config.get("max_position_embeddings").and_then(Value::as_u64).unwrap_or(u64::MAX);
        let [usual, short] = SEQUENCE_TOKENS.map(|tokens| tokens.min(usize::try_from(positions).unwrap_or(tokens)));
        let network = match open(usual) {
            Err(PipelineError::Calibration { .. }) => open(short)?,
            network => network?,
        };
        let fits = MemoryPlan::new(&*network, &options, false).fits();
        let job = pipeline::Job {
            source,
            network: &*network,
            device: &device,
            options: &options,
            spill: (!fits).then_some(self.library),
            out,
            shard_bytes: None,
            provenance: Some(provenance(source)),
        };
        self.go_on("Quantizing")?;
        let made = match self.quantize_job(&job) {
            // An import of that name with another model or text: nobody can finish it any more.
            Err(PipelineError::OtherRun { folder, .. }) => {
                fs::remove_dir_all(&folder).map_err(|source| ImportError::Library { path: folder, source })?;
                self.quantize_job(&job)
            }
            made => made,
        };
        made?;
        Ok(remark)
    }

    fn quantize_job(&mut self, job: &pipeline::Job<'_>) -> Result<(), PipelineError> {
        let (mut layers, mut done, mut pace) = (0, 0, Pace::default());
        let mut step = "Quantizing";
        quantize_model(job, &mut |event| {
            match event {
                Event::Started { layers: all } => {
                    layers = all;
                    pace.start_at(0.0);
                }
                Event::Resumed { .. } => {
                    done += 1;
                    pace.start_at(done as f64);
                }
                Event::LayerDone(_) => done += 1,
                Event::Planned(_) | Event::Notice(_) | Event::Step => {}
            }
            if layers > 0 && done == layers {
                step = "Writing";
            }
            let share = (layers > 0).then(|| done as f32 / layers as f32);
            self.reporter.tell(step, share, pace.left(done as f64, layers as f64))
        })?;
        Ok(())
    }

    fn go_on(&mut self, step: &'static str) -> Result<(), ImportError> {
        if self.reporter.tell(step, None, None).is_break() { Err(ImportError::Stopped) } else { Ok(()) }
    }
}

/// Licence and source of a model: as its manifest says, else its card, else where it was.
fn provenance(source: &Checkpoint) -> Provenance {
    let folder = if source.path.is_dir() { Some(source.path.as_path()) } else { source.path.parent() };
    let folder = folder.unwrap_or(Path::new("."));
    let name = source.path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let listed = Manifest::open(folder).ok();
    let entry = listed.as_ref().and_then(|manifest| {
        let weights = |file: &String| file.ends_with(".safetensors") || file.ends_with(".gguf");
        manifest.files.iter().find(|(file, _)| weights(file)).map(|(_, entry)| entry)
    });
    match entry {
        Some(entry) => Provenance { licence: entry.licence.clone(), source: entry.source.clone() },
        None => Provenance {
            licence: Card::read(folder).licence.unwrap_or_else(|| "unknown".into()),
            source: format!("{name}, imported from a folder"),
        },
    }
}
