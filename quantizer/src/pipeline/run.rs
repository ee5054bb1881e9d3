//! The walk over the blocks.

use std::path::{Path, PathBuf};
use std::time::Instant;

use burn::tensor::{Device, Tensor, TensorData};
use sightread_models::checkpoint::{Checkpoint, FolderOptions, PackedFolderWriter, Provenance, QuantizationConfig};
use sightread_models::int4::PackedLinear;
use sightread_models::nn::Linear;
use sightread_models::text::{Block, BlockStack};

use super::layer::LayerWork;
use super::memory::{MemoryPlan, peak_memory};
use super::network::Network;
use super::options::{EmbeddingType, QuantizeOptions};
use super::parts::{Fingerprint, Parts, Stored};
use super::report::{LayerReport, REPORT_FILE, RunReport, Summary};
use super::streams::{StageStep, Streams};
use super::{Event, Listener, tell};
use crate::damped::Damped;
use crate::gptq::ColumnOrder;
use crate::grid::Symmetry;
use crate::hessian::{Calibration, Moments};
use crate::matrix::Matrix;
use crate::{PipelineError, QuantizeError};

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
    let blocks_of = |stack: &dyn BlockStack| job.options.blocks_of(stack.num_blocks());
    let layers = |stack: &&dyn BlockStack| blocks_of(*stack) * stack.stages().iter().map(Vec::len).sum::<usize>();
    tell(on_event, Event::Started { layers: stacks.iter().map(layers).sum() })?;

    let (mut reports, mut before, mut part) = (Vec::new(), None, 0);
    for (n, stack) in stacks.into_iter().enumerate() {
        let mut streams = Streams::start(job.network, n, before.take(), job.options, job.spill, on_event)?;
        for block in 0..blocks_of(stack) {
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
                    (stage.resume(parts)?, reports)
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
        let first_name = self.layers.first().map_or_else(String::new, |&(name, ..)| self.name(name));
        let in_stage = |source| PipelineError::Layer { layer: first_name.clone(), source };
        let inputs = self.calibration(streams, on_event, in_stage)?;
        let mut layers = self.layers.iter().map(|layer| self.read(layer)).collect::<Result<Vec<_>, _>>()?;
        let (mut damping, mut raised, mut dead_inputs) = (0.0, 0, 0);
        if let Some(StageInputs { calibration, snapshots }) = inputs {
            dead_inputs = calibration.dead_inputs();
            let Calibration { hessian, shift, .. } = calibration;
            let mut damped = Damped::new(hessian, options.damping).map_err(in_stage)?;
            (damping, raised) = (damped.damping, damped.raised);
            if raised > 0 {
                let notice = format!("{first_name}: damping raised to {damping}, the inputs say little");
                tell(on_event, Event::Notice(notice))?;
            }
            if dead_inputs > 0 {
                let notice =
                    format!("{first_name}: {dead_inputs} inputs were zero on all calibration text; they are rounded");
                tell(on_event, Event::Notice(notice))?;
            }
            // Of a wide stage every square matrix counts: each goes as soon as no step needs it.
            let mut step = |layers: &mut [LayerWork], work: &dyn Fn(&mut LayerWork) -> Result<(), QuantizeError>| {
                layers.iter_mut().try_for_each(|layer| {
                    tell(on_event, Event::Step)?;
                    work(layer).map_err(|source| PipelineError::Layer { layer: layer.name().into(), source })
                })
            };
            step(&mut layers, &|layer| layer.aim(&damped, shift.as_ref(), options))?;
            drop(shift);
            damped.end_targets();
            step(&mut layers, &|layer| layer.compare_with_gptq(&damped, options))?;
            if options.order != ColumnOrder::Natural {
                damped.forget_factors();
            }
            step(&mut layers, &|layer| layer.refine(&damped, &snapshots, options))?;
        }

        let network = self.block.job.network;
        let held_out = network.calibration()..network.calibration() + network.held_out();
        let held_out = match held_out.is_empty() {
            true => None,
            false => Some(self.moments(streams, held_out, true, on_event)?.finish().map_err(in_stage)?),
        };
        let (mut packed, mut reports) = (Packed::new(), Vec::new());
        for layer in layers {
            tell(on_event, Event::Step)?;
            let name = layer.name().to_string();
            let chosen = layer.choose(held_out.as_ref(), options);
            let (layer, report) = chosen.map_err(|source| PipelineError::Layer { layer: name.clone(), source })?;
            let layer = layer.pack(None).map_err(|source| PipelineError::Pack { layer: name.clone(), source })?;
            packed.push((name, layer));
            reports.push(LayerReport { damping, damping_raised: raised, dead_inputs, ..report });
        }
        Ok((packed, reports))
    }

    /// The weights of a layer in full precision.
    fn read(&self, &(layer, in_features, out_features): &(&str, usize, usize)) -> Result<LayerWork, PipelineError> {
        let name = self.name(layer);
        let weight = self.block.job.source.tensor(&format!("{name}.weight"), &[out_features, in_features])?;
        let weight = Matrix::from_rows(out_features, in_features, weight).ok_or(PipelineError::Internal("weights"))?;
        Ok(LayerWork::new(name, weight))
    }

    /// What the method needs to know of the calibration text: `None` for round to nearest.
    fn calibration(
        &self,
        streams: &mut Streams,
        on_event: &mut Listener<'_>,
        in_stage: impl Fn(QuantizeError) -> PipelineError,
    ) -> Result<Option<StageInputs>, PipelineError> {
        let options = self.block.job.options;
        let used = self.block.calibration;
        if !options.needs_hessian() {
            return Ok(None);
        }
        let calibration = self.moments(streams, 0..used, false, on_event)?.finish().map_err(&in_stage)?;
        let mut snapshots = Vec::new();
        for k in (0..options.kept_snapshots()).rev() {
            let end = used.saturating_sub(k * BATCH);
            if end > 0 {
                let batch = self.moments(streams, end.saturating_sub(BATCH)..end, false, on_event)?;
                snapshots.push(batch.finish().map_err(&in_stage)?.hessian);
            }
        }
        Ok(Some(StageInputs { calibration, snapshots }))
    }

    fn moments(
        &self,
        streams: &mut Streams,
        sequences: std::ops::Range<usize>,
        held_out: bool,
        on_event: &mut Listener<'_>,
    ) -> Result<Moments, PipelineError> {
        let in_features = self.layers.first().map_or(0, |&(_, in_features, _)| in_features);
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
    fn resume(&self, parts: &Parts) -> Result<Packed, PipelineError> {
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

/// What the calibration inputs of a stage look like.
struct StageInputs {
    /// All of them.
    calibration: Calibration,
    /// Hessians of the last batches, each for itself, as many as the method keeps.
    snapshots: Vec<Matrix>,
}
