//! `rpiq study KIND MODEL…`

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::Context;
use burn::tensor::Device;
use sightread_models::checkpoint::Checkpoint;
use sightread_models::device::Backend;

use super::BackendArg;
use super::quantize::stop_on_ctrl_c;
use crate::files::{write_bytes, write_json};
use crate::pipeline::Event;
use crate::pipeline::calibration::CalibrationSize;
use crate::study::{
    Base, Kind, MemoryJob, MemoryResults, MemoryRow, ModelResults, Outcome, PerplexityText, Point, Runner, Setting,
    StudyError, StudyResults, baselines, measure_memory, memory_figure, settings, study_figure,
};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// What to vary
    #[arg(value_enum)]
    study: Kind,
    /// Models in full precision: Hugging Face folders or GGUF files
    #[arg(required = true)]
    models: Vec<PathBuf>,
    /// Folder for STUDY.json and STUDY.svg, and in runs/ the outcome of every run: what is there already is not run again
    #[arg(long)]
    out: PathBuf,
    /// Calibration set as for `rpiq quantize`
    #[arg(long)]
    calibration: PathBuf,
    /// Calibration sequences
    #[arg(long, default_value_t = 32)]
    sequences: usize,
    /// Tokens of a sequence
    #[arg(long, default_value_t = 512)]
    seq_len: usize,
    /// Sequences that layer errors are measured on
    #[arg(long, default_value_t = 8)]
    held_out: usize,
    /// Input columns that share a scale
    #[arg(long, default_value_t = 64)]
    group_size: usize,
    /// Quantize only so many blocks of each stack; the others stay as they are
    #[arg(long)]
    blocks: Option<usize>,
    /// Seeds of the studies that draw
    #[arg(long, default_value_t = 5)]
    seeds: u64,
    /// Measure perplexity on this text, too
    #[arg(long)]
    perplexity: Option<PathBuf>,
    /// Windows of that text at most
    #[arg(long, default_value_t = 8)]
    windows: usize,
    /// Rounds of the closed loop in the study of memory: they take time and no memory
    #[arg(long, default_value_t = 10)]
    rounds: usize,
    /// In the study of memory, blocks of the whole model where MODEL has only some of them
    #[arg(long)]
    depth: Option<usize>,
    /// Where forward passes run
    #[arg(long, value_enum, default_value_t)]
    backend: BackendArg,
}

pub(super) fn run(args: &Args) -> anyhow::Result<()> {
    std::fs::create_dir_all(&args.out).with_context(|| format!("cannot create {}", args.out.display()))?;
    let device = Backend::from(args.backend).open()?;
    let (json, svg) = (args.file("json"), args.file("svg"));
    if args.study == Kind::Memory {
        let results = args.memory(&device)?;
        write_json(&json, &results)?;
        write_bytes(&svg, memory_figure(&results).as_bytes())?;
    } else {
        let stopped = stop_on_ctrl_c()?;
        let models = args.models.iter().map(|model| args.model(model, &device, &stopped));
        let results = StudyResults { study: args.study, models: models.collect::<Result<_, _>>()? };
        write_json(&json, &results)?;
        write_bytes(&svg, study_figure(&results).as_bytes())?;
    }
    println!("{} and {} written", json.display(), svg.display());
    Ok(())
}

impl Args {
    fn file(&self, ending: &str) -> PathBuf {
        self.out.join(format!("{}.{ending}", self.study.name()))
    }

    fn size(&self) -> CalibrationSize {
        CalibrationSize { sequences: self.sequences, held_out: self.held_out, seq_len: self.seq_len, selection: 0 }
    }

    /// All runs of one model.
    fn model(&self, model: &Path, device: &Device, stopped: &AtomicBool) -> anyhow::Result<ModelResults> {
        let source = Checkpoint::open(model)?;
        let name = name(model);
        let folder = self.out.join("runs").join(&name);
        let perplexity =
            self.perplexity.as_ref().map(|path| PerplexityText { path: path.clone(), windows: self.windows });
        let runner = Runner {
            source: &source,
            device,
            calibration: &self.calibration,
            size: self.size(),
            perplexity: perplexity.as_ref(),
            folder: &folder,
        };
        let base = Base { group_size: self.group_size, blocks: self.blocks, seeds: self.seeds };
        let full_precision = runner.full_precision()?;
        println!("{name}{}", full_precision.map_or_else(String::new, |p| format!(": perplexity {p:.3}")));
        let run = |setting: &Setting| -> Result<Outcome, StudyError> {
            eprintln!("{name}: {} …", setting.name);
            runner.run(setting, &mut |event| {
                if let Event::Notice(text) = event {
                    eprintln!("{text}");
                }
                if stopped.load(Ordering::Relaxed) { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
            })
        };
        let [rtn, gptq, rpiq] = baselines(&base);
        let baselines = [run(&rtn)?, run(&gptq)?, run(&rpiq)?];
        println!(
            "{:<24} {:<24} {:>6} {:>9} {:>9} {:>8} {:>10} {:>8}",
            "", "", "rounds", "Γ packed", "Γ off", "error", "perplexity", "s"
        );
        for outcome in &baselines {
            println!("{}", row(&Point::new(outcome, &baselines[1])));
        }
        let mut outcomes = Vec::new();
        for setting in settings(self.study, &base) {
            let outcome = run(&setting)?;
            println!("{}", row(&Point::new(&outcome, &baselines[1])));
            outcomes.push(outcome);
        }
        let results = ModelResults::new(name, full_precision, &baselines, &outcomes);
        for spread in &results.spreads {
            println!(
                "{}: {} runs, error {:.4} of GPTQ's in the mean, deviation {:.4}, {:.4} to {:.4}",
                spread.series, spread.runs, spread.mean, spread.deviation, spread.smallest, spread.largest
            );
        }
        Ok(results)
    }

    fn memory(&self, device: &Device) -> anyhow::Result<MemoryResults> {
        let program = std::env::current_exe().context("this program does not find itself")?;
        let runs = self.out.join("runs");
        let job = MemoryJob {
            program: &program,
            calibration: &self.calibration,
            size: self.size(),
            group_size: self.group_size,
            rounds: self.rounds,
            depth: self.depth,
            folder: &runs,
        };
        println!(
            "{:<28} {:>6} {:<14} {:>9} {:>9} {:>8} {:>9} {:>9} {:>9}  whole model, MiB",
            "", "blocks", "", "plan MiB", "peak MiB", "s/block", "files", "loaded", "resident"
        );
        let results = measure_memory(&job, &self.models, device, |row| println!("{}", memory_row(row)))?;
        for (depth, method) in self.depth.into_iter().flat_map(|depth| ["gptq", "rpiq"].map(|method| (depth, method))) {
            if let Some(seconds) = results.seconds_at(method, depth) {
                println!("{method}: {depth} blocks would take {:.1} hours here", seconds / 3600.0);
            }
        }
        Ok(results)
    }
}

/// The last part of a path.
fn name(path: &Path) -> String {
    path.file_name().map_or_else(|| "model".into(), |name| name.to_string_lossy().into_owned())
}

fn row(point: &Point) -> String {
    let cell = |value: Option<f64>, digits: usize| value.map_or("-".into(), |value| format!("{value:.digits$}"));
    format!(
        "{:<24} {:<24} {:>6.1} {:>9} {:>9} {:>8} {:>10} {:>8.1}",
        point.series,
        point.label,
        point.rounds,
        cell(point.gamma_packed.last().copied(), 4),
        cell(point.gamma_off_grid.last().copied(), 4),
        cell(point.against_gptq.map(|c| c.mean_ratio), 4),
        cell(point.perplexity, 3),
        point.seconds
    )
}

fn memory_row(row: &MemoryRow) -> String {
    let mib = |bytes: Option<u64>| bytes.map_or("-".into(), |bytes| (bytes >> 20).to_string());
    let seconds = row.seconds_per_block.map_or("-".into(), |seconds| format!("{seconds:.1}"));
    let whole = row.full_depth.map_or_else(String::new, |(depth, bytes)| format!("{depth} blocks: {}", bytes >> 20));
    format!(
        "{:<28} {:>6} {:<14} {:>9} {:>9} {:>8} {:>9} {:>9} {:>9}  {whole}",
        row.model,
        row.blocks,
        row.method,
        mib(row.planned_bytes),
        mib(row.peak_bytes),
        seconds,
        mib(Some(row.file_bytes)),
        mib(row.loaded_bytes),
        mib(row.resident_bytes)
    )
}
