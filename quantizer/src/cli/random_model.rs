//! `rpiq random-model CONFIG OUT`: a model of random weights, to measure what quantizing one of its size takes.

use std::path::{Path, PathBuf};

use anyhow::Context;
use serde_json::Value;
use sightread_models::checkpoint::FolderOptions;

use crate::random_model::{known_config, known_names, random_model, random_words};

/// Words of the calibration text beside the weights.
const WORDS: usize = 1 << 17;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// A config.json, or the name of a published model: opt-6.7b, llama-3.1-8b
    config: String,
    /// Folder to write: weights in 16 bit, a tokenizer of the words w1, w2, …, and calibration.txt
    out: PathBuf,
    /// Blocks, if not as many as the configuration says
    #[arg(long)]
    layers: Option<usize>,
    /// Largest weight file in megabytes
    #[arg(long, default_value_t = 2000)]
    shard_mb: u64,
    /// The same seed makes the same weights
    #[arg(long, default_value_t = 0)]
    seed: u64,
}

pub(super) fn run(args: &Args) -> anyhow::Result<()> {
    let (mut config, path) = match known_config(&args.config) {
        Some(config) => (config, args.out.join("config.json")),
        None => (read_config(Path::new(&args.config))?, PathBuf::from(&args.config)),
    };
    if let Some(layers) = args.layers {
        config["num_hidden_layers"] = layers.into();
    }
    let vocab_size = config.get("vocab_size").and_then(Value::as_u64).unwrap_or(0) as usize;
    let text = random_words(vocab_size, WORDS, args.seed);
    let options = FolderOptions {
        shard_bytes: Some(args.shard_mb * 1_000_000),
        side_files: vec![("calibration.txt".into(), text.into_bytes())],
        ..FolderOptions::default()
    };
    Ok(random_model(config, args.seed, path)?.save_hf(&args.out, &options)?)
}

fn read_config(path: &Path) -> anyhow::Result<Value> {
    let names: Vec<&str> = known_names().collect();
    let text = std::fs::read(path)
        .with_context(|| format!("{} is no config.json and none of {}", path.display(), names.join(", ")))?;
    let config: Value = serde_json::from_slice(&text).with_context(|| format!("{} is no JSON", path.display()))?;
    anyhow::ensure!(config.is_object(), "{} is no configuration", path.display());
    Ok(config)
}
