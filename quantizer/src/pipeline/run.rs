//! The walk over the blocks.

use std::path::{Path, PathBuf};
use std::time::Instant;

use burn::tensor::{Device, Tensor, TensorData};
use sightread_models::checkpoint::{Checkpoint, FolderOptions, PackedFolderWriter, Provenance, QuantizationConfig};
use sightread_models::int4::PackedLinear;
use sightread_models::nn::Linear;
use sightread_models::text::{Block, BlockStack};

use super::layer::{StageInputs, quantize_layer};
use super::memory::{MemoryPlan, peak_memory};
use super::network::Network;
use super::options::{EmbeddingType, QuantizeOptions};
use super::parts::{Fingerprint, Parts, Stored};
use super::report::{LayerReport, REPORT_FILE, RunReport, Summary};
use super::streams::{StageStep, Streams};
use super::{Event, Listener, tell};
use crate::PipelineError;
use crate::grid::Symmetry;
use crate::hessian::{Calibration, Damped, Moments};
use crate::matrix::Matrix;

/// Sequences that make up one batch where batches count for themselves (the paper's single instance).
const BATCH: usize = 8;

/// A model to quantize.
pub struct Job<'a> {
    /// In full precision.
    pub source: &'a Checkpoint,
    /// Its blocks and the sequences it is calibrated on; there may be none for round to nearest.
    pub network: &'a dyn Network,
    /// Where forward passes run.
    pub device: &'a Device,
    /// What to do.
    pub options: &'a QuantizeOptions,
    /// Folder for activations that should not be in memory.
    pub spill: Option<&'a Path>,
    /// Folder of the packed model; finished parts lie beside it until it is complete.
    pub out: &'a Path,
    /// Largest weight file in bytes; `None` for a single file.
    pub shard_bytes: Option<u64>,
    /// Where the model comes from; if given, a manifest with the sha256 of every file is written.
    pub provenance: Option<Provenance>,
}

/// Quantizes a model. If an earlier run with the same model, sequences and options was interrupted, it goes on where that was,
/// and the result is the same to the bit. `on_event` hears what happens and may stop it: between two sequences, two layers or
/// two files that are read.
///
/// # Errors
/// [`PipelineError`]; finished stages are kept, and nothing at `out` has changed.
pub fn quantize_model(job: &Job<'_>, on_event: &mut Listener<'_>) -> Result<RunReport, PipelineError> {
    let started = Instant::now();
    if job.source.quantization_config()?.is_some() {
        return Err(PipelineError::AlreadyQuantized);
    }
    let plan = MemoryPlan::new(job.network, job.options, job.spill.is_some());
    tell(on_event, Event::Planned(plan))?;
    if !plan.fits() {
        let mib = |bytes: u64| bytes >> 20;
        let hint = if job.spill.is_some() {
            "use fewer or shorter sequences"
        } else {
            "use --spill, or fewer or shorter sequences"
        };
        let (needed_mib, available_mib) = (mib(plan.total), mib(plan.available.unwrap_or(0)));
        return Err(PipelineError::Memory { needed_mib, available_mib, hint });
    }
    let parts = Parts::open(job.out, &Fingerprint::new(job.source, job.network, job.options, on_event)?)?;
    let stacks = job.network.stacks();
    let layers = |stack: &&dyn BlockStack| stack.num_blocks() * stack.stages().iter().map(Vec::len).sum::<usize>();
    tell(on_event, Event::Started { layers: stacks.iter().map(layers).sum() })?;

    let (mut reports, mut before, mut part) = (Vec::new(), None, 0);
    for (n, stack) in stacks.into_iter().enumerate() {
        let mut streams = Streams::start(job.network, n, before.take(), job.options, job.spill, on_event)?;
        for block in 0..stack.num_blocks() {
            // The embedding, or the block before: neither is read again soon.
            job.source.tensors.release_memory();
            let block = BlockJob { job, stack, calibration: job.network.calibration_of(n), block, part };
            reports.extend(block.quantize(&mut streams, &parts, on_event)?);
            part += 1;
        }
        before = Some(streams);
    }
    drop(before);

    let size = job.network.size(0);
    let report = RunReport {
        options: job.options.clone(),
        calibration_sequences: job.network.calibration(),
        calibration_tokens: size.tokens - size.held_out_tokens,
        held_out_sequences: job.network.held_out(),
        summary: Summary::of(&reports),
        layers: reports,
        seconds: started.elapsed().as_secs_f64(),
        peak_memory_bytes: peak_memory(),
    };
    write_folder(job, &parts, &report)?;
    parts.remove()?;
    Ok(report)
}

/// One block of a stack.
#[derive(Clone, Copy)]
struct BlockJob<'a> {
    job: &'a Job<'a>,
    stack: &'a dyn BlockStack,
    /// Sequences that Hessians are made of.
    calibration: usize,
    /// In its stack, and among the blocks of all stacks.
    block: usize,
    part: usize,
}

impl BlockJob<'_> {
    fn quantize(
        &self,
        streams: &mut Streams,
        parts: &Parts,
        on_event: &mut Listener<'_>,
    ) -> Result<Vec<LayerReport>, PipelineError> {
        let Job { source, device, .. } = *self.job;
        let full = self.stack.load_block(source, self.block, device)?;
        let mut quantized = self.stack.load_block(source, self.block, device)?;
        streams.full.begin(&*full, device, on_event)?;
        streams.quantized.begin(&*quantized, device, on_event)?;
        let mut all_reports = Vec::new();
        for (stage, layers) in self.stack.stages().iter().enumerate() {
            let stage = Stage { block: *self, stage, layers };
            let (packed, reports) = match parts.reports(self.part, stage.stage)? {
                // Layers that are not packed.
                _ if layers.is_empty() => Default::default(),
                Some(reports) => {
                    for report in &reports {
                        tell(on_event, Event::Resumed { layer: report.layer.clone() })?;
                    }
                    (stage.read(parts)?, reports)
                }
                None => {
                    let (packed, reports) = stage.quantize(streams, on_event)?;
                    parts.save(self.part, stage.stage, &packed, &reports)?;
                    for report in &reports {
                        tell(on_event, Event::LayerDone(Box::new(report.clone())))?;
                    }
                    (packed, reports)
                }
            };
            stage.replace(&mut *quantized, &packed)?;
            let step = StageStep { stack: self.stack, stage: stage.stage, device };
            streams.full.advance(&*full, step, on_event)?;
            streams.quantized.advance(&*quantized, step, on_event)?;
            all_reports.extend(reports);
        }
        Ok(all_reports)
    }
}

/// The linear layers of a block that read the same input.
struct Stage<'a> {
    block: BlockJob<'a>,
    stage: usize,
    /// Name in the block, width of the input, width of the output.
    layers: &'a [(&'static str, usize, usize)],
}

type Packed = Vec<(String, PackedLinear)>;

impl Stage<'_> {
    fn name(&self, layer: &str) -> String {
        format!("{}.{layer}", self.block.stack.block_prefix(self.block.block))
    }

    fn quantize(
        &self,
        streams: &mut Streams,
        on_event: &mut Listener<'_>,
    ) -> Result<(Packed, Vec<LayerReport>), PipelineError> {
        let options = self.block.job.options;
        let in_features = self.layers.first().map_or(0, |&(_, in_features, _)| in_features);
        let in_layer = |layer: &str| {
            let layer = self.name(layer);
            move |source| PipelineError::Layer { layer: layer.clone(), source }
        };
        let first_name = self.layers.first().map_or("", |&(name, ..)| name);
        let moments = |range, energy| self.moments(streams, range, in_features, energy, on_event);
        let StageMoments { calibration, held_out, snapshots } = self.all_moments(moments, in_layer(first_name))?;
        let damped = match &calibration {
            Some(calibration) => {
                Some(Damped::new(&calibration.hessian, options.damping).map_err(in_layer(first_name))?)
            }
            None => None,
        };
        if let Some(damped) = damped.as_ref().filter(|d| d.raised > 0) {
            let layer = self.name(first_name);
            let notice = format!("{layer}: damping raised to {}, the inputs say little", damped.damping);
            tell(on_event, Event::Notice(notice))?;
        }
        let dead = calibration.as_ref().map_or(0, Calibration::dead_inputs);
        if dead > 0 {
            let layer = self.name(first_name);
            let notice = format!("{layer}: {dead} inputs were zero on all calibration text; they are rounded");
            tell(on_event, Event::Notice(notice))?;
        }
        let inputs = StageInputs {
            calibration: calibration.as_ref().zip(damped.as_ref()),
            held_out: held_out.as_ref(),
            snapshots: &snapshots,
        };
        let (mut packed, mut reports) = (Packed::new(), Vec::new());
        for &(layer, in_features, out_features) in self.layers {
            tell(on_event, Event::Step)?;
            let name = self.name(layer);
            let weight = self.block.job.source.tensor(&format!("{name}.weight"), &[out_features, in_features])?;
            let weight =
                Matrix::from_rows(out_features, in_features, weight).ok_or(PipelineError::Internal("weights"))?;
            let (quantized, report) = quantize_layer(&name, &weight, &inputs, options).map_err(in_layer(layer))?;
            let layer = quantized.pack(None).map_err(|source| PipelineError::Pack { layer: name.clone(), source })?;
            packed.push((name, layer));
            reports.push(report);
        }
        Ok((packed, reports))
    }

    /// Moments of calibration text, held-out text, and the last batches.
    fn all_moments(
        &self,
        mut moments: impl FnMut(std::ops::Range<usize>, bool) -> Result<Moments, PipelineError>,
        in_layer: impl Fn(crate::QuantizeError) -> PipelineError,
    ) -> Result<StageMoments, PipelineError> {
        let Job { options, network, .. } = *self.block.job;
        let (count, used) = (network.calibration(), self.block.calibration);
        let calibration = match options.needs_hessian() {
            true => Some(moments(0..used, false)?.finish().map_err(&in_layer)?),
            false => None,
        };
        let held_out = match network.held_out() {
            0 => None,
            len => Some(moments(count..count + len, true)?.finish().map_err(&in_layer)?),
        };
        let mut snapshots = Vec::new();
        for k in (0..options.kept_snapshots()).rev() {
            let end = used.saturating_sub(k * BATCH);
            if end > 0 {
                let batch = moments(end.saturating_sub(BATCH)..end, false)?;
                snapshots.push(batch.finish().map_err(&in_layer)?.hessian);
            }
        }
        Ok(StageMoments { calibration, held_out, snapshots })
    }

    fn moments(
        &self,
        streams: &mut Streams,
        sequences: std::ops::Range<usize>,
        in_features: usize,
        held_out: bool,
        on_event: &mut Listener<'_>,
    ) -> Result<Moments, PipelineError> {
        let with_shift = held_out || self.block.job.options.needs_full_precision_stream();
        debug_assert!(!held_out || sequences.start >= streams.calibration);
        let mut moments = Moments::new(in_features, with_shift, held_out);
        for n in sequences {
            tell(on_event, Event::Step)?;
            let x = self.read_by_layers(streams.quantized.input.get(n)?);
            let x_fp = if with_shift { streams.full.input_of(n)? } else { None };
            moments.add(&x, x_fp.map(|x| self.read_by_layers(x)).as_ref());
        }
        Ok(moments)
    }

    /// The rows of a sequence's input that the layers read.
    fn read_by_layers(&self, x: Matrix) -> Matrix {
        let runs = self.block.stack.rows(self.stage, x.rows());
        if runs[0] == (0..x.rows()) { x } else { x.select_rows(&runs) }
    }

    /// The layers of a stage that an earlier run finished.
    fn read(&self, parts: &Parts) -> Result<Packed, PipelineError> {
        let layers = self.layers.iter().map(|&(layer, in_features, out_features)| {
            let name = self.name(layer);
            let group_size = self.block.job.options.grid.group_size.min(in_features);
            let stored = Stored { name: &name, in_features, out_features, group_size };
            let packed = parts.layer(self.block.part, self.stage, &stored)?;
            Ok((name, packed))
        });
        layers.collect()
    }

    /// Puts the packed weights, as floats, into the block; a bias stays.
    fn replace(&self, block: &mut dyn Block, packed: &Packed) -> Result<(), PipelineError> {
        for (&(layer, ..), (_, packed)) in self.layers.iter().zip(packed) {
            let linear =
                block.linear_mut(layer).ok_or(PipelineError::Internal("a linear layer has no place in its block"))?;
            let Linear::Float { weight, .. } = linear else { return Err(PipelineError::AlreadyQuantized) };
            let shape = [packed.out_features, packed.in_features];
            *weight = Tensor::from_data(TensorData::new(packed.dequantize(), shape), self.block.job.device);
        }
        Ok(())
    }
}

fn write_folder(job: &Job<'_>, parts: &Parts, report: &RunReport) -> Result<(), PipelineError> {
    let options = job.options;
    let symmetric = options.grid.symmetry == Symmetry::Symmetric;
    let mut quantization = QuantizationConfig::gptq_v2(Some(options.grid.group_size), false, symmetric);
    quantization.meta.insert("quantizer".into(), format!("rpiq:{}", env!("CARGO_PKG_VERSION")).into());
    let value = |v: Result<serde_json::Value, serde_json::Error>| v.map_err(|_| PipelineError::Internal("report"));
    quantization.meta.insert("method".into(), value(serde_json::to_value(options.method))?);
    quantization.meta.insert("damp_percent".into(), options.damping.into());
    let text = serde_json::to_vec_pretty(report).map_err(|_| PipelineError::Internal("report"))?;
    let mut rows_i8 = match options.embeddings {
        EmbeddingType::F16 => Vec::new(),
        EmbeddingType::Int8 => job.network.embeddings(),
    };
    rows_i8.extend(job.network.rows_i8());
    let options = FolderOptions {
        rows_i8,
        side_files: vec![(REPORT_FILE.into(), text)],
        shard_bytes: job.shard_bytes,
        provenance: job.provenance.clone(),
        ..Default::default()
    };
    let files: Vec<PathBuf> = parts.files()?;
    Ok(PackedFolderWriter { quantization, options }.assemble(job.source, &files, &[], job.out)?)
}

/// What the inputs of a stage look like.
struct StageMoments {
    /// Over the calibration text, if the method needs it.
    calibration: Option<Calibration>,
    /// Over the held-out text, if there is any.
    held_out: Option<Calibration>,
    /// Hessians of the last batches, as many as the method keeps.
    snapshots: Vec<Matrix>,
}
