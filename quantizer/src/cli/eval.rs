//! `rpiq eval MODEL…`

use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::time::Instant;

use burn::tensor::Device;
use indicatif::{ProgressBar, ProgressStyle};
use sightread_models::checkpoint::Checkpoint;
use sightread_models::device::Backend;
use sightread_models::speech::{Transcriber, WhisperConfig};
use sightread_models::text::{LoadOptions, TextModel};

use super::BackendArg;
use crate::eval::perplexity::perplexity;
use crate::eval::sentiment::sentiment;
use crate::eval::speech::word_errors;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Models to compare
    #[arg(required = true)]
    models: Vec<PathBuf>,
    /// Text for perplexity
    #[arg(long, required_unless_present_any = ["sentiment", "speech"])]
    perplexity: Option<PathBuf>,
    /// Windows of the text at most
    #[arg(long)]
    windows: Option<usize>,
    /// Sentences with labels, tab-separated
    #[arg(long)]
    sentiment: Option<PathBuf>,
    /// Recordings for word error rate: a .jsonl file with one {"audio": FILE, "text": …} a line
    #[arg(long)]
    speech: Option<PathBuf>,
    /// Sentences or recordings at most
    #[arg(long)]
    sentences: Option<usize>,
    /// Where to compute
    #[arg(long, value_enum, default_value_t)]
    backend: BackendArg,
}

pub(super) fn run(args: &Args) -> anyhow::Result<()> {
    let device = Backend::from(args.backend).open()?;
    println!("{:<40} {:>10} {:>10} {:>10} {:>10} {:>8}", "model", "perplexity", "sentiment", "WER %", "MiB", "seconds");
    for path in &args.models {
        let start = Instant::now();
        let checkpoint = Checkpoint::open(path)?;
        let measured = if WhisperConfig::is_whisper(&checkpoint) {
            args.speech(checkpoint, &device)
        } else {
            args.text(&checkpoint, &device)
        };
        let Measured { perplexity, sentiment, word_errors, bytes } = measured?;
        let cell = |value: Option<f64>, digits: usize| value.map_or("-".into(), |value| format!("{value:.digits$}"));
        println!(
            "{:<40} {:>10} {:>10} {:>10} {:>10.1} {:>8.1}",
            name(path),
            cell(perplexity, 4),
            cell(sentiment, 4),
            cell(word_errors.map(|rate| 100.0 * rate), 2),
            bytes as f64 / f64::from(1 << 20),
            start.elapsed().as_secs_f64()
        );
    }
    Ok(())
}

/// A row of the table.
#[derive(Default)]
struct Measured {
    perplexity: Option<f64>,
    sentiment: Option<f64>,
    word_errors: Option<f64>,
    /// Of the weights in memory.
    bytes: usize,
}

impl Args {
    fn text(&self, checkpoint: &Checkpoint, device: &Device) -> anyhow::Result<Measured> {
        let model = TextModel::load(checkpoint, device)?;
        let bar = bar();
        let mut measured = Measured { bytes: model.bytes(), ..Measured::default() };
        if let Some(text) = &self.perplexity {
            let result = perplexity(&model, checkpoint, text, self.windows, |so_far| {
                bar.set_message(format!("window {}: perplexity {:.4}", so_far.windows, so_far.perplexity));
            })?;
            measured.perplexity = Some(result.perplexity);
        }
        if let Some(tsv) = &self.sentiment {
            let result = sentiment(&model, checkpoint, tsv, self.sentences, |so_far| {
                bar.set_message(format!("sentence {}: {:.3}", so_far.sentences, so_far.fraction()));
            })?;
            measured.sentiment = Some(result.fraction());
        }
        bar.finish_and_clear();
        Ok(measured)
    }

    fn speech(&self, checkpoint: Checkpoint, device: &Device) -> anyhow::Result<Measured> {
        let transcriber = Transcriber::from_checkpoint(checkpoint, LoadOptions::default(), device)?;
        let bar = bar();
        let mut measured = Measured { bytes: transcriber.model().bytes(), ..Measured::default() };
        if let Some(list) = &self.speech {
            let result = word_errors(&transcriber, list, self.sentences, |so_far| {
                let (right, rate) = (so_far.right, 100.0 * so_far.rate());
                bar.set_message(format!("recording {}: {right} without error, WER {rate:.1} %", so_far.recordings));
            })?;
            measured.word_errors = Some(result.rate());
        }
        bar.finish_and_clear();
        Ok(measured)
    }
}

fn bar() -> ProgressBar {
    if !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    ProgressBar::new_spinner().with_style(
        ProgressStyle::with_template("{elapsed} {msg}").unwrap_or_else(|_| ProgressStyle::default_spinner()),
    )
}

/// The last part of a path.
fn name(path: &Path) -> String {
    path.file_name().map_or_else(|| path.display().to_string(), |name| name.to_string_lossy().into_owned())
}
