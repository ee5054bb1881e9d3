//! `rpiq eval MODEL…`

use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::time::Instant;

use indicatif::{ProgressBar, ProgressStyle};
use sightread_models::checkpoint::Checkpoint;
use sightread_models::device::Backend;
use sightread_models::text::Llama;

use super::BackendArg;
use crate::eval::perplexity::perplexity;
use crate::eval::sentiment::sentiment;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Models to compare
    #[arg(required = true)]
    models: Vec<PathBuf>,
    /// Text for perplexity
    #[arg(long, required_unless_present = "sentiment")]
    perplexity: Option<PathBuf>,
    /// Windows of the text at most
    #[arg(long)]
    windows: Option<usize>,
    /// Sentences with labels, tab-separated
    #[arg(long)]
    sentiment: Option<PathBuf>,
    /// Sentences at most
    #[arg(long)]
    sentences: Option<usize>,
    /// Where to compute
    #[arg(long, value_enum, default_value_t)]
    backend: BackendArg,
}

pub(super) fn run(args: &Args) -> anyhow::Result<()> {
    let device = Backend::from(args.backend).open()?;
    println!("{:<40} {:>10} {:>10} {:>10} {:>8}", "model", "perplexity", "sentiment", "MiB", "seconds");
    for path in &args.models {
        let start = Instant::now();
        let checkpoint = Checkpoint::open(path)?;
        let model = Llama::load(&checkpoint, &device)?;
        let bar = bar();
        let mut cells = [String::from("-"), String::from("-")];
        if let Some(text) = &args.perplexity {
            let result = perplexity(&model, &checkpoint, text, args.windows, |so_far| {
                bar.set_message(format!("window {}: perplexity {:.4}", so_far.windows, so_far.perplexity));
            })?;
            cells[0] = format!("{:.4}", result.perplexity);
        }
        if let Some(tsv) = &args.sentiment {
            let result = sentiment(&model, &checkpoint, tsv, args.sentences, |so_far| {
                bar.set_message(format!("sentence {}: {:.3}", so_far.sentences, so_far.fraction()));
            })?;
            cells[1] = format!("{:.4}", result.fraction());
        }
        bar.finish_and_clear();
        let [perplexity, sentiment] = cells;
        let (mib, seconds) = (model.bytes() as f64 / f64::from(1 << 20), start.elapsed().as_secs_f64());
        println!("{:<40} {perplexity:>10} {sentiment:>10} {mib:>10.1} {seconds:>8.1}", name(path));
    }
    Ok(())
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
