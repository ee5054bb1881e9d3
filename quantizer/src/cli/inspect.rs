//! `rpiq inspect MODEL`

use std::collections::BTreeMap;
use std::path::PathBuf;

use sightread_models::checkpoint::{Checkpoint, StoredType};

use crate::pipeline::report::{REPORT_FILE, RunReport};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// A model folder or GGUF file
    model: PathBuf,
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
    let mut kinds: BTreeMap<String, (usize, f64)> = BTreeMap::new();
    for name in checkpoint.tensors.names() {
        let Some(info) = checkpoint.tensors.info(&name) else { continue };
        if args.tensors {
            println!("  {name} {} {:?}", info.stored, info.shape);
        }
        let elements = info.shape.iter().product::<usize>() as f64;
        let kind = kinds.entry(info.stored.to_string()).or_default();
        kind.0 += 1;
        kind.1 += elements * bytes_per_element(info.stored);
    }
    for (kind, (tensors, bytes)) in kinds {
        println!("{tensors:>5} tensors {kind:<8} {:>9.1} MiB", bytes / f64::from(1 << 20));
    }
    report(args)
}

/// Bytes of an element as stored; block formats say nothing about theirs here and count as one.
fn bytes_per_element(stored: StoredType) -> f64 {
    match stored {
        StoredType::F32 | StoredType::I32 => 4.0,
        StoredType::F16 | StoredType::BF16 => 2.0,
        _ => 1.0,
    }
}

/// What the quantizer left beside the weights.
fn report(args: &Args) -> anyhow::Result<()> {
    let path = args.model.join(REPORT_FILE);
    if !path.is_file() {
        return Ok(());
    }
    let report: RunReport = serde_json::from_slice(&std::fs::read(&path)?)?;
    let summary = report.summary;
    println!(
        "made with {:?} on {} sequences ({} tokens) in {:.0} s; held-out output error {:.3} of plain GPTQ's, at worst {:.3}",
        report.options.method,
        report.calibration_sequences,
        report.calibration_tokens,
        report.seconds,
        summary.ratio_to_gptq,
        summary.worst_ratio_to_gptq
    );
    Ok(())
}
