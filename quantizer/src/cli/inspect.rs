//! `rpiq inspect MODEL`

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::Context;
use sightread_models::checkpoint::Checkpoint;
use sightread_models::device::Backend;

use crate::pipeline::calibration::CalibrationSize;
use crate::pipeline::report::{REPORT_FILE, RunReport};
use crate::pipeline::{EmbeddingType, Method, PlanLine, QuantizeOptions, VisionType, VlmOptions, open_network, plan};
use crate::sizes::stored_bytes;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// A model folder or GGUF file
    model: PathBuf,
    /// Compare held-out errors, layer by layer, with those of another quantized folder
    #[arg(long)]
    against: Option<PathBuf>,
    /// Every tensor, one a line
    #[arg(long)]
    tensors: bool,
    /// For a model in full precision, plan with input columns in groups of so many
    #[arg(long, default_value_t = 64)]
    group_size: usize,
    /// Plan with the vision tower stored so
    #[arg(long, value_enum, default_value_t)]
    vision: VisionType,
    /// Plan with the vision experts of a CogVLM2 stored so
    #[arg(long, value_enum, default_value_t)]
    experts: VisionType,
    /// Plan with the layers between vision tower and language model stored so
    #[arg(long, value_enum, default_value_t = EmbeddingType::F16)]
    connector: EmbeddingType,
    /// Plan with embeddings and output head stored so
    #[arg(long, value_enum, default_value_t = EmbeddingType::F16)]
    embeddings: EmbeddingType,
}

pub(super) fn run(args: &Args) -> anyhow::Result<()> {
    let checkpoint = Checkpoint::open(&args.model)?;
    // Of a vision-language model, the language model is described.
    let value = |name: &str| {
        let parts = [Some(&checkpoint.config), checkpoint.config.get("text_config")];
        parts.into_iter().flatten().find_map(|part| part.get(name))
    };
    let field = |name: &str| value(name).map_or("?".to_string(), |v| v.to_string().replace('"', ""));
    println!("{} ({})", args.model.display(), field("model_type"));
    println!(
        "{} blocks, width {}, {} heads, vocabulary {}",
        field("num_hidden_layers"),
        field("hidden_size"),
        field("num_attention_heads"),
        field("vocab_size")
    );
    match checkpoint.quantization_config()? {
        Some(config) => println!(
            "{} bit, group {}, {}, {:?}, embeddings {}",
            config.bits,
            config.group_size,
            if config.sym { "symmetric" } else { "asymmetric" },
            config.checkpoint_format,
            config.embeddings.as_deref().unwrap_or("plain")
        ),
        None => println!("full precision"),
    }
    let mut kinds: BTreeMap<String, (usize, u64)> = BTreeMap::new();
    for name in checkpoint.tensors.names() {
        let Some(info) = checkpoint.tensors.info(&name) else { continue };
        if args.tensors {
            println!("  {name} {} {:?}", info.stored, info.shape);
        }
        let kind = kinds.entry(info.stored.to_string()).or_default();
        kind.0 += 1;
        kind.1 += stored_bytes(&info);
    }
    for (kind, (tensors, bytes)) in kinds {
        println!("{tensors:>5} tensors {kind:<8} {:>9.1} MiB", bytes as f64 / f64::from(1 << 20));
    }
    show_plan(args, &checkpoint)?;
    report(args)
}

/// What is stored how, by class of module; nothing for a model that cannot be quantized here.
fn show_plan(args: &Args, checkpoint: &Checkpoint) -> anyhow::Result<()> {
    let (vision, experts, connector) = (args.vision, args.experts, args.connector);
    let (device, vlm) = (Backend::Cpu.open()?, VlmOptions { vision, experts, connector, ..VlmOptions::default() });
    let nothing = CalibrationSize { sequences: 0, held_out: 0, seq_len: 1, selection: 0 };
    // Round to nearest needs no calibration set, and stores what every other method stores.
    let network = match open_network(checkpoint, None, nothing, Method::Rtn, vlm, &device) {
        Ok(network) => network,
        Err(reason) => {
            println!("no plan: {reason}");
            return Ok(());
        }
    };
    let options = QuantizeOptions { embeddings: args.embeddings, ..QuantizeOptions::new(Method::Rtn, args.group_size) };
    let lines = plan(checkpoint, &*network, &options)?;
    let heading = if checkpoint.quantization_config()?.is_some() { "stored" } else { "would be stored" };
    println!("{:<20} {heading:<24} {:>7} {:>12} {:>9}", "part", "tensors", "parameters", "MiB");
    let row = |part: &str, stored: &str, tensors: usize, parameters: u64, bytes: u64| {
        let (millions, mib) = (parameters as f64 / 1e6, bytes as f64 / f64::from(1 << 20));
        println!("{part:<20} {stored:<24} {tensors:>7} {millions:>10.2} M {mib:>9.1}");
    };
    for line in &lines {
        row(line.class, &line.stored, line.tensors, line.parameters, line.bytes);
    }
    let sum = |value: fn(&PlanLine) -> u64| lines.iter().map(value).sum();
    row("all", "", lines.iter().map(|line| line.tensors).sum(), sum(|line| line.parameters), sum(|line| line.bytes));
    Ok(())
}

/// What the quantizer left beside the weights.
fn report(args: &Args) -> anyhow::Result<()> {
    let Some(report) = read_report(&args.model)? else { return Ok(()) };
    println!(
        "made with {:?} on {} sequences ({} tokens) in {:.0} s",
        report.options.method, report.calibration_sequences, report.calibration_tokens, report.seconds
    );
    if let Some(summary) = report.summary {
        println!(
            "held-out output error {:.3} of plain GPTQ's on the same inputs, at worst {:.3}",
            summary.ratio_to_gptq, summary.worst_ratio_to_gptq
        );
    }
    let Some(other) = &args.against else { return Ok(()) };
    let other_report =
        read_report(other)?.with_context(|| format!("{} has no report to compare with", other.display()))?;
    let comparison = report.compare(&other_report).context("the two reports share no layer with held-out errors")?;
    println!(
        "against {}: held-out error {:.3} in the geometric mean of {} layers, at worst {:.3}, above 1 in {}",
        other.display(),
        comparison.mean_ratio,
        comparison.layers,
        comparison.worst_ratio,
        comparison.worse
    );
    Ok(())
}

fn read_report(model: &Path) -> anyhow::Result<Option<RunReport>> {
    let path = model.join(REPORT_FILE);
    if !path.is_file() {
        return Ok(None);
    }
    let damaged = || format!("{} is damaged", path.display());
    Ok(Some(serde_json::from_slice(&std::fs::read(&path).with_context(damaged)?).with_context(damaged)?))
}
