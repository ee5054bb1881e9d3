//! The walk over the blocks.

use std::path::{Path, PathBuf};
use std::time::Instant;

use burn::tensor::{Device, Tensor, TensorData as BurnData};
use sightread_models::checkpoint::{Checkpoint, FolderOptions, PackedFolderWriter, Provenance, QuantizationConfig};
use sightread_models::int4::PackedLinear;
use sightread_models::nn::{KvCache, Linear};
use sightread_models::text::{Block, BlockModel, BlockState};

use super::Event;
use super::activations::{Activations, Keep};
use super::calibration::CalibrationSet;
use super::layer::{StageInputs, quantize_layer};
use super::memory::{MemoryPlan, RunSize, peak_memory};
use super::options::{EmbeddingType, QuantizeOptions};
use super::parts::{Fingerprint, Parts, Stored};
use super::report::{LayerReport, REPORT_FILE, RunReport, Summary};
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
    /// Its blocks.
    pub model: &'a dyn BlockModel,
    /// Where forward passes run.
    pub device: &'a Device,
    /// Text for calibration; may be empty for round to nearest.
    pub calibration: &'a CalibrationSet,
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

/// Quantizes a model. If an earlier run with the same model, text and options was interrupted, it goes on where that was,
/// and the result is the same to the bit.
///
/// # Errors
/// [`PipelineError`]; finished stages are kept, and nothing at `out` has changed.
pub fn quantize_model(job: &Job<'_>, on_event: &mut dyn FnMut(Event)) -> Result<RunReport, PipelineError> {
    let started = Instant::now();
    if job.source.quantization_config()?.is_some() {
        return Err(PipelineError::AlreadyQuantized);
    }
    let plan = MemoryPlan::new(job.model, job.options, job.size());
    on_event(Event::Planned(plan));
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
    let parts = Parts::open(job.out, &Fingerprint::new(job.source, job.calibration, job.options)?)?;
    let stages = job.model.stages();
    let per_block: usize = stages.iter().map(Vec::len).sum();
    on_event(Event::Started { layers: per_block * job.model.num_blocks() });

    let mut reports = Vec::new();
    let mut streams = Streams::start(job)?;
    for block in 0..job.model.num_blocks() {
        // The embedding, or the block before: neither is read again soon.
        job.source.tensors.release_memory();
        reports.extend(quantize_block(job, block, &mut streams, &parts, on_event)?);
    }
    drop(streams);

    let report = RunReport {
        options: job.options.clone(),
        calibration_sequences: job.calibration.sequences.len(),
        calibration_tokens: job.calibration.tokens(),
        held_out_sequences: job.calibration.held_out.len(),
        summary: Summary::of(&reports),
        layers: reports,
        seconds: started.elapsed().as_secs_f64(),
        peak_memory_bytes: peak_memory(),
    };
    write_folder(job, &parts, &report)?;
    parts.remove()?;
    Ok(report)
}

impl Job<'_> {
    /// The text that moments are made of: none for round to nearest.
    fn calibration_sequences(&self) -> &[Vec<u32>] {
        if self.options.needs_hessian() { &self.calibration.sequences } else { &[] }
    }

    fn size(&self) -> RunSize {
        let field = |name: &str| self.source.config.get(name).and_then(serde_json::Value::as_u64).unwrap_or(0);
        let tokens = |sequences: &[Vec<u32>]| sequences.iter().map(|s| s.len() as u64).sum::<u64>();
        let held_out_tokens = tokens(&self.calibration.held_out);
        RunSize {
            tokens: tokens(self.calibration_sequences()) + held_out_tokens,
            held_out_tokens,
            longest: self.calibration.longest() as u64,
            hidden: field("hidden_size"),
            heads: field("num_attention_heads"),
            embedding: 4 * field("hidden_size") * field("vocab_size"),
            spill: self.spill.is_some(),
        }
    }
}

/// The activations of all sequences, calibration first, in the model quantized so far and in the one in full precision.
struct Streams {
    quantized: Stream,
    /// Of all sequences, or of the held-out ones only.
    full: Stream,
    calibration: usize,
}

/// Residuals and inputs of sequences `first..first + len`.
struct Stream {
    residual: Activations,
    input: Activations,
    first: usize,
    len: usize,
}

impl Streams {
    fn start(job: &Job<'_>) -> Result<Self, PipelineError> {
        let sequences: Vec<&Vec<u32>> = job.calibration_sequences().iter().chain(&job.calibration.held_out).collect();
        let calibration = job.calibration_sequences().len();
        let first = if job.options.needs_full_precision_stream() { 0 } else { calibration };
        let stream = |first: usize| -> Result<Stream, PipelineError> {
            let len = sequences.len() - first;
            let residual = Activations::new(len, Keep::Single, job.spill)?;
            let input = Activations::new(len, Keep::Half, job.spill)?;
            Ok(Stream { residual, input, first, len })
        };
        let mut streams = Self { quantized: stream(0)?, full: stream(first)?, calibration };
        if sequences.is_empty() {
            return Ok(streams);
        }
        // All at once: the embedding is read a single time.
        let tokens: Vec<u32> = sequences.iter().flat_map(|s| s.iter().copied()).collect();
        let embedded = to_matrix(job.model.embed(job.source, &tokens, job.device)?)?;
        let width = embedded.cols();
        let mut at = 0;
        for (n, sequence) in sequences.iter().enumerate() {
            let rows = embedded.data()[at * width..(at + sequence.len()) * width].to_vec();
            at += sequence.len();
            let x = Matrix::from_rows(sequence.len(), width, rows).ok_or(PipelineError::Internal("embedding"))?;
            if n >= first {
                streams.full.residual.put(n - first, x.clone())?;
            }
            streams.quantized.residual.put(n, x)?;
        }
        Ok(streams)
    }
}

impl Stream {
    fn begin(&mut self, block: &dyn Block, device: &Device) -> Result<(), PipelineError> {
        for n in 0..self.len {
            let state = block.begin(to_tensor(self.residual.take(n)?, device));
            self.keep(n, state)?;
        }
        Ok(())
    }

    fn advance(&mut self, block: &dyn Block, stage: usize, device: &Device) -> Result<(), PipelineError> {
        for n in 0..self.len {
            let residual = to_tensor(self.residual.take(n)?, device);
            let input = to_tensor(self.input.take(n)?, device);
            let state = block.advance(stage, BlockState { residual, input }, &mut KvCache::default());
            self.keep(n, state)?;
        }
        Ok(())
    }

    fn keep(&mut self, n: usize, state: BlockState) -> Result<(), PipelineError> {
        self.residual.put(n, to_matrix(state.residual)?)?;
        self.input.put(n, to_matrix(state.input)?)
    }

    /// The input of sequence `n` of all, if this stream has it.
    fn input_of(&mut self, n: usize) -> Result<Option<Matrix>, PipelineError> {
        if n < self.first { Ok(None) } else { self.input.get(n - self.first).map(Some) }
    }
}

fn quantize_block(
    job: &Job<'_>,
    block: usize,
    streams: &mut Streams,
    parts: &Parts,
    on_event: &mut dyn FnMut(Event),
) -> Result<Vec<LayerReport>, PipelineError> {
    let full = job.model.load_block(job.source, block, job.device)?;
    let mut quantized = job.model.load_block(job.source, block, job.device)?;
    streams.full.begin(&*full, job.device)?;
    streams.quantized.begin(&*quantized, job.device)?;
    let mut all_reports = Vec::new();
    for (stage, layers) in job.model.stages().iter().enumerate() {
        let stage = Stage { job, block, stage, layers };
        let finished = parts.reports(block, stage.stage)?;
        let (packed, reports) = match finished {
            Some(reports) => {
                reports.iter().for_each(|r| on_event(Event::Resumed { layer: r.layer.clone() }));
                (stage.read(parts)?, reports)
            }
            None => {
                let (packed, reports) = stage.quantize(streams, on_event)?;
                parts.save(block, stage.stage, &packed, &reports)?;
                reports.iter().for_each(|r| on_event(Event::LayerDone(Box::new(r.clone()))));
                (packed, reports)
            }
        };
        stage.replace(&mut *quantized, &packed)?;
        streams.full.advance(&*full, stage.stage, job.device)?;
        streams.quantized.advance(&*quantized, stage.stage, job.device)?;
        all_reports.extend(reports);
    }
    Ok(all_reports)
}

/// The linear layers of a block that read the same input.
struct Stage<'a> {
    job: &'a Job<'a>,
    block: usize,
    stage: usize,
    /// Name in the block, width of the input, width of the output.
    layers: &'a [(&'static str, usize, usize)],
}

type Packed = Vec<(String, PackedLinear)>;

impl Stage<'_> {
    fn name(&self, layer: &str) -> String {
        format!("{}.{layer}", self.job.model.block_prefix(self.block))
    }

    fn quantize(
        &self,
        streams: &mut Streams,
        on_event: &mut dyn FnMut(Event),
    ) -> Result<(Packed, Vec<LayerReport>), PipelineError> {
        let options = self.job.options;
        let in_features = self.layers.first().map_or(0, |&(_, in_features, _)| in_features);
        let in_layer = |layer: &str| {
            let layer = self.name(layer);
            move |source| PipelineError::Layer { layer: layer.clone(), source }
        };
        let first_name = self.layers.first().map_or("", |&(name, ..)| name);
        let moments = |range, energy| self.moments(streams, range, in_features, energy);
        let StageMoments { calibration, held_out, snapshots } = self.all_moments(moments, in_layer(first_name))?;
        let damped = match &calibration {
            Some(calibration) => {
                Some(Damped::new(&calibration.hessian, options.damping).map_err(in_layer(first_name))?)
            }
            None => None,
        };
        if let Some(damped) = damped.as_ref().filter(|d| d.raised > 0) {
            let layer = self.name(first_name);
            on_event(Event::Notice(format!("{layer}: damping raised to {}, the inputs say little", damped.damping)));
        }
        let dead = calibration.as_ref().map_or(0, Calibration::dead_inputs);
        if dead > 0 {
            let layer = self.name(first_name);
            on_event(Event::Notice(format!(
                "{layer}: {dead} inputs were zero on all calibration text; they are rounded"
            )));
        }
        let inputs = StageInputs {
            calibration: calibration.as_ref().zip(damped.as_ref()),
            held_out: held_out.as_ref(),
            snapshots: &snapshots,
        };
        let (mut packed, mut reports) = (Packed::new(), Vec::new());
        for &(layer, in_features, out_features) in self.layers {
            let name = self.name(layer);
            let weight = self.job.source.tensor(&format!("{name}.weight"), &[out_features, in_features])?;
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
        let options = self.job.options;
        let count = self.job.calibration_sequences().len();
        let calibration = match options.needs_hessian() {
            true => Some(moments(0..count, false)?.finish().map_err(&in_layer)?),
            false => None,
        };
        let held_out = match self.job.calibration.held_out.len() {
            0 => None,
            len => Some(moments(count..count + len, true)?.finish().map_err(&in_layer)?),
        };
        let mut snapshots = Vec::new();
        for k in (0..options.kept_snapshots()).rev() {
            let end = count.saturating_sub(k * BATCH);
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
    ) -> Result<Moments, PipelineError> {
        let with_shift = held_out || self.job.options.needs_full_precision_stream();
        debug_assert!(!held_out || sequences.start >= streams.calibration);
        let mut moments = Moments::new(in_features, with_shift, held_out);
        for n in sequences {
            let x = streams.quantized.input.get(n)?;
            let x_fp = if with_shift { streams.full.input_of(n)? } else { None };
            moments.add(&x, x_fp.as_ref());
        }
        Ok(moments)
    }

    /// The layers of a stage that an earlier run finished.
    fn read(&self, parts: &Parts) -> Result<Packed, PipelineError> {
        let layers = self.layers.iter().map(|&(layer, in_features, out_features)| {
            let name = self.name(layer);
            let group_size = self.job.options.grid.group_size.min(in_features);
            let stored = Stored { name: &name, in_features, out_features, group_size };
            let packed = parts.layer(self.block, self.stage, &stored)?;
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
            *weight = Tensor::from_data(BurnData::new(packed.dequantize(), shape), self.job.device);
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
    let tied = job.source.config.get("tie_word_embeddings").and_then(serde_json::Value::as_bool).unwrap_or(false);
    let heads: &[&str] = if tied { &["model.embed_tokens"] } else { &["model.embed_tokens", "lm_head"] };
    let rows_i8 = match options.embeddings {
        EmbeddingType::F16 => Vec::new(),
        EmbeddingType::Int8 => heads.iter().map(|&h| h.to_string()).collect(),
    };
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

/// `[1, t, width]` on the device.
fn to_tensor(matrix: Matrix, device: &Device) -> Tensor<3> {
    let shape = [1, matrix.rows(), matrix.cols()];
    Tensor::from_data(BurnData::new(matrix.into_data(), shape), device)
}

/// `[1, t, width]` from the device.
fn to_matrix(tensor: Tensor<3>) -> Result<Matrix, PipelineError> {
    let [b, t, width] = tensor.dims();
    let data = tensor.try_into_data().map_err(|e| PipelineError::Device(format!("{e:?}")))?;
    let values = data.try_into_vec::<f32>().map_err(|e| PipelineError::Device(format!("{e:?}")))?;
    Matrix::from_rows(b * t, width, values).ok_or(PipelineError::Internal("the shape of an activation"))
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
