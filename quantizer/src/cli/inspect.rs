//! `rpiq inspect MODEL`

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::Context;
use sightread_models::checkpoint::Checkpoint;
use sightread_models::speech::WhisperConfig;
use sightread_models::text::Architecture;
use sightread_models::vlm;

use crate::pipeline::report::{REPORT_FILE, RunReport};
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
}

pub(super) fn run(args: &Args) -> anyhow::Result<()> {
    let checkpoint = Checkpoint::open(&args.model)?;
    let field = |name: &str| checkpoint.config.get(name).map_or("?".to_string(), |v| v.to_string().replace('"', ""));
    println!("{} ({})", args.model.display(), field("model_type"));
    println!(
        "{} blocks, width {}, {} heads, vocabulary {}",
        field("num_hidden_layers"),
        field("hidden_size"),
        field("num_attention_heads"),
        field("vocab_size")
    );
    let is_text = !WhisperConfig::is_whisper(&checkpoint) && vlm::Architecture::of(&checkpoint).is_none();
    if is_text && let Err(reason) = Architecture::of(&checkpoint) {
        println!("{reason}");
    }
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
    report(args)
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
