//! `rpiq quantize MODEL OUT`

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::Context;
use indicatif::{HumanDuration, ProgressBar, ProgressStyle};
use sightread_models::checkpoint::{Checkpoint, Provenance};
use sightread_models::vlm::idefics3::PictureOptions;

use super::BackendArg;
use crate::gptq::ColumnOrder;
use crate::grid::{GridSearch, Symmetry};
use crate::order::SweepOrder;
use crate::pipeline::calibration::CalibrationSize;
use crate::pipeline::report::{LayerReport, RunReport};
use crate::pipeline::{
    EmbeddingType, Event, Job, Method, QuantizeOptions, VisionType, VlmOptions, open_network, quantize_model,
};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Model in full precision: a Hugging Face folder or a GGUF file
    model: PathBuf,
    /// Folder to write
    out: PathBuf,
    /// Calibration text, or a .jsonl file with one {"text": …} a line, each a sequence of its own; for Whisper a .jsonl file with
    /// one {"audio": FILE, "text": …} a line, recordings in 16 bit, mono, 16 kHz; for SmolVLM and CogVLM2 one
    /// {"image": FILE, "text": …} a line, with a "question" if the text answers another one than "What is in the picture?", or a
    /// folder of pictures with its metadata.jsonl
    #[arg(long)]
    calibration: Option<PathBuf>,
    /// Calibration sequences
    #[arg(long, default_value_t = 128)]
    sequences: usize,
    /// Tokens of a sequence
    #[arg(long, default_value_t = 2048)]
    seq_len: usize,
    /// Sequences that only measure
    #[arg(long, default_value_t = 8)]
    held_out: usize,
    /// How weights are chosen
    #[arg(long, value_enum, default_value_t = Method::Rpiq)]
    method: Method,
    /// Input columns that share a scale
    #[arg(long, default_value_t = 64)]
    group_size: usize,
    /// Zero point 8 everywhere
    #[arg(long)]
    symmetric: bool,
    /// Columns with the largest activations first
    #[arg(long)]
    act_order: Option<bool>,
    /// Search grids by Hessian-weighted squared error instead of taking smallest and largest weight
    #[arg(long)]
    grid_search: Option<bool>,
    /// Multiple of the mean of the Hessian's diagonal that is added to it
    #[arg(long)]
    damping: Option<f64>,
    /// How far targets move towards the full-precision model's outputs, 0 to 1
    #[arg(long)]
    cross_layer: Option<f32>,
    /// Rounds of the closed loop, or of the paper's stage 2
    #[arg(long)]
    rounds: Option<usize>,
    /// Passes of the closed loop
    #[arg(long)]
    passes: Option<usize>,
    /// Refit scales and zero points between rounds
    #[arg(long)]
    refit: Option<bool>,
    /// Visit columns, or the paper's blocks, in random order, from this seed
    #[arg(long)]
    random_order: Option<u64>,
    /// Weight of the latest batches in the closed loop's Hessian, 0 to 1
    #[arg(long)]
    snapshot_weight: Option<f32>,
    /// Batches that take turns with that weight, or as the paper's single instance
    #[arg(long)]
    snapshots: Option<usize>,
    /// Keep GPTQ's weights where refining does not help on held-out text
    #[arg(long)]
    accept_rule: Option<bool>,
    /// Step of the paper's stage 2
    #[arg(long)]
    paper_step: Option<f32>,
    /// Storage of embeddings and output head
    #[arg(long, value_enum, default_value_t = EmbeddingType::F16)]
    embeddings: EmbeddingType,
    /// Quantize only so many blocks of each stack, to try something out; the others stay in 16 bit
    #[arg(long)]
    blocks: Option<usize>,
    /// Another choice of calibration sequences for every number; those held out are always the same
    #[arg(long, default_value_t = 0)]
    selection: u64,
    /// How the vision tower of a SmolVLM or CogVLM2 is stored
    #[arg(long, value_enum, default_value_t)]
    vision: VisionType,
    /// How the vision experts in the language model of a CogVLM2 are stored
    #[arg(long, value_enum, default_value_t)]
    experts: VisionType,
    /// How the layers between vision tower and language model are stored
    #[arg(long, value_enum, default_value_t = EmbeddingType::F16)]
    connector: EmbeddingType,
    /// Pictures that the vision tower is calibrated on, of all that the language model is
    #[arg(long, default_value_t = VlmOptions::default().vision_sequences)]
    vision_sequences: usize,
    /// Tiles of a picture at most, beside the one that shows it whole
    #[arg(long, default_value_t = 0)]
    tiles: usize,
    /// Largest weight file in megabytes; without it, one file
    #[arg(long)]
    shard_mb: Option<u64>,
    /// SPDX name of the licence: with --source, a manifest with the sha256 of every file is written
    #[arg(long, requires = "source")]
    licence: Option<String>,
    /// Where the model comes from
    #[arg(long, requires = "licence")]
    source: Option<String>,
    /// Keep activations in this folder instead of in memory
    #[arg(long)]
    spill: Option<PathBuf>,
    /// Where forward passes run
    #[arg(long, value_enum, default_value_t)]
    backend: BackendArg,
}

pub(super) fn run(args: Args) -> anyhow::Result<()> {
    let source = Checkpoint::open(&args.model)?;
    let device = sightread_models::device::Backend::from(args.backend).open()?;
    let options = args.options();
    let size = CalibrationSize {
        sequences: args.sequences,
        held_out: args.held_out,
        seq_len: args.seq_len,
        selection: args.selection,
    };
    let network = open_network(&source, args.calibration.as_deref(), size, args.method, args.vlm(), &device)?;
    if args.method != Method::Rtn && network.calibration() < args.sequences {
        eprintln!("the calibration set makes {} sequences, not {}", network.calibration(), args.sequences);
    }
    let job = Job {
        source: &source,
        network: &*network,
        device: &device,
        options: &options,
        spill: args.spill.as_deref(),
        out: &args.out,
        shard_bytes: args.shard_mb.map(|mb| mb * 1_000_000),
        provenance: args
            .licence
            .clone()
            .zip(args.source.clone())
            .map(|(licence, source)| Provenance { licence, source }),
    };
    let bar = ProgressBar::no_length().with_style(
        ProgressStyle::with_template("{wide_bar} {pos}/{len} layers, {elapsed} gone, {eta} left\n{msg}")
            .unwrap_or_else(|_| ProgressStyle::default_bar()),
    );
    let stopped = stop_on_ctrl_c()?;
    let report = quantize_model(&job, &mut |event| {
        show(&bar, &event);
        if stopped.load(Ordering::Relaxed) { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    });
    bar.finish_and_clear();
    summarize(&args.out, &report?);
    Ok(())
}

/// Becomes true with Ctrl-C; a second one ends the process at once.
pub(super) fn stop_on_ctrl_c() -> anyhow::Result<Arc<AtomicBool>> {
    let stopped = Arc::new(AtomicBool::new(false));
    let flag = stopped.clone();
    ctrlc::set_handler(move || {
        if flag.swap(true, Ordering::Relaxed) {
            std::process::exit(130);
        }
    })
    .context("Ctrl-C cannot be caught")?;
    Ok(stopped)
}

impl Args {
    fn options(&self) -> QuantizeOptions {
        let mut options = QuantizeOptions::new(self.method, self.group_size);
        let switch = |value: Option<bool>, slot: &mut bool| *slot = value.unwrap_or(*slot);
        if self.symmetric {
            options.grid.symmetry = Symmetry::Symmetric;
            options.rpiq.move_zeros = false;
        }
        if let Some(act_order) = self.act_order {
            options.order = if act_order { ColumnOrder::ActOrder } else { ColumnOrder::Natural };
        }
        if let Some(search) = self.grid_search {
            options.grid.search = if search { GridSearch::WeightedMse } else { GridSearch::MinMax };
        }
        if let Some(seed) = self.random_order {
            options.rpiq.order = SweepOrder::Random(seed);
            options.paper.order = SweepOrder::Random(seed);
        }
        switch(self.refit, &mut options.rpiq.refit);
        switch(self.refit.filter(|_| !self.symmetric), &mut options.rpiq.move_zeros);
        switch(self.accept_rule, &mut options.accept_rule);
        options.damping = self.damping.unwrap_or(options.damping);
        options.cross_layer = self.cross_layer.unwrap_or(options.cross_layer);
        options.rpiq.rounds = self.rounds.unwrap_or(options.rpiq.rounds);
        options.rpiq.passes = self.passes.unwrap_or(options.rpiq.passes);
        options.snapshot_weight = self.snapshot_weight.unwrap_or(options.snapshot_weight);
        options.snapshots = self.snapshots.unwrap_or(options.snapshots);
        options.paper.rounds = self.rounds.unwrap_or(options.paper.rounds);
        options.paper.instances = self.snapshots.unwrap_or(options.paper.instances);
        options.paper.step = self.paper_step.unwrap_or(options.paper.step);
        options.embeddings = self.embeddings;
        options.blocks = self.blocks;
        options
    }

    fn vlm(&self) -> VlmOptions {
        VlmOptions {
            vision: self.vision,
            connector: self.connector,
            experts: self.experts,
            vision_sequences: self.vision_sequences,
            pictures: PictureOptions { detail: false, max_tiles: self.tiles },
        }
    }
}

fn show(bar: &ProgressBar, event: &Event) {
    match event {
        Event::Planned(plan) => say(bar, &plan.to_string()),
        Event::Notice(text) => say(bar, text),
        Event::Started { layers } => bar.set_length(*layers as u64),
        Event::Resumed { layer } => {
            bar.inc(1);
            bar.reset_eta();
            bar.set_message(format!("{layer}: from an earlier run"));
        }
        Event::LayerDone(report) => {
            bar.inc(1);
            say(bar, &line(report));
        }
        Event::Step => {}
    }
}

/// A line above the bar, or by itself where there is no terminal to draw a bar on.
fn say(bar: &ProgressBar, text: &str) {
    if bar.is_hidden() { eprintln!("{text}") } else { bar.println(text) }
}

/// One line about a layer: Γ, held-out errors, damping.
fn line(report: &LayerReport) -> String {
    let mut line = report.layer.clone();
    if let (Some(plain), Some(own)) = (report.gamma_gptq, report.gamma) {
        line += &format!("  Γ {plain:.4e} → {own:.4e}");
    }
    if let Some(own) = report.held_out {
        line += &format!("  held out {:.3e}/{:.3e}", own.own, own.total);
    }
    if let (Some(gptq), Some(own)) = (report.held_out_gptq, report.held_out) {
        line += &format!(" = {:.3}/{:.3} of GPTQ's", own.own / gptq.own, own.total / gptq.total);
    }
    line + &format!("  damping {}  {} {}r {:.1} s", report.damping, report.kept, report.rounds, report.seconds)
}

fn summarize(out: &Path, report: &RunReport) {
    println!("{} written in {}", out.display(), HumanDuration(std::time::Duration::from_secs_f64(report.seconds)));
    if let Some(s) = report.summary {
        println!(
            "held-out output error, geometric mean: RTN {:.3e}, GPTQ {:.3e}, kept {:.3e}: {:.3} of GPTQ's, at worst {:.3}; against the full-precision model {:.3} of GPTQ's, at worst {:.3}",
            s.held_out_rtn,
            s.held_out_gptq,
            s.held_out,
            s.ratio_to_gptq,
            s.worst_ratio_to_gptq,
            s.total_ratio_to_gptq,
            s.worst_total_ratio_to_gptq
        );
    }
    if let Some(peak) = report.peak_memory_bytes {
        println!("peak memory {} MiB, {:.1} s", peak >> 20, report.seconds);
    }
}
