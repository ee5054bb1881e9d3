//! `rpiq random-model CONFIG OUT`: a model of random weights, to measure what quantizing one of its size takes.

use std::path::{Path, PathBuf};

use anyhow::Context;
use serde_json::Value;
use sightread_models::checkpoint::FolderOptions;

use crate::random_model::{known_config, known_names, random_model, random_words, with_layers};
use crate::random_pictures::random_pictures;

/// Words of the calibration text beside the weights.
const WORDS: usize = 1 << 17;
/// Pictures beside the weights of a model that sees.
const PICTURES: usize = 16;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// A config.json, or the name of a published model: opt-6.7b, llama-3.1-8b, cogvlm2-19b
    config: String,
    /// Folder to write: weights in 16 bit, a tokenizer of the words w1, w2, …, and calibration.txt, or for CogVLM2
    /// calibration.jsonl with pictures
    out: PathBuf,
    /// Blocks, if not as many as the configuration says, also those of a vision tower
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
    let (config, path) = match known_config(&args.config) {
        Some(config) => (config, args.out.join("config.json")),
        None => (read_config(Path::new(&args.config))?, PathBuf::from(&args.config)),
    };
    let config = match args.layers {
        Some(layers) => with_layers(config, layers),
        None => config,
    };
    let vocab_size = config.get("vocab_size").and_then(Value::as_u64).unwrap_or(0) as usize;
    let side_files = match config.get("vision_config") {
        Some(_) => random_pictures(vocab_size, PICTURES, args.seed)?,
        None => vec![("calibration.txt".into(), random_words(vocab_size, WORDS, args.seed).into_bytes())],
    };
    let options =
        FolderOptions { shard_bytes: Some(args.shard_mb * 1_000_000), side_files, ..FolderOptions::default() };
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
