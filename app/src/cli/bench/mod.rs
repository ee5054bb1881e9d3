//! `sightread bench`: what the window costs on this machine, measured from outside on pictures that it makes itself.

mod scene;
mod watch;

use std::path::Path;
use std::time::Duration;

use anyhow::Context;
use clap::Args;
use serde_json::json;

use crate::picture;
use crate::settings::{Settings, Store};
use crate::shipped::sample;
use watch::Window;

#[derive(Debug, Args)]
pub(super) struct BenchArgs {
    /// Seconds that each part is watched for.
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u64).range(5..=3600))]
    seconds: u64,
    /// One JSON object instead of a table.
    #[arg(long)]
    json: bool,
}

/// Seconds that a window needs to settle: the voice has greeted, the networks are loaded.
const SETTLE: Duration = Duration::from_secs(12);

/// One figure: what it is, its unit, what it may be at most, and what it is.
struct Measured(&'static str, &'static str, Option<f32>, f32);

pub(super) fn run(args: BenchArgs) -> anyhow::Result<()> {
    let folder = tempfile::tempdir().context("there is no room for the benchmark's pictures")?;
    let figures = measure(folder.path(), Duration::from_secs(args.seconds))?;
    if args.json {
        let object: serde_json::Map<String, serde_json::Value> = figures
            .iter()
            .map(|Measured(what, unit, ..)| format!("{what}, {unit}"))
            .zip(figures.iter().map(|m| json!(m.3)))
            .collect();
        println!("{}", serde_json::Value::from(object));
        return Ok(());
    }
    for Measured(what, unit, most, value) in figures {
        let verdict = match most {
            Some(most) if value <= most => format!("  (at most {most} {unit})"),
            Some(most) => format!("  TOO MUCH (at most {most} {unit})"),
            None => String::new(),
        };
        println!("{what}: {value:.2} {unit}{verdict}");
    }
    Ok(())
}

fn measure(folder: &Path, watched: Duration) -> anyhow::Result<Vec<Measured>> {
    let (mut store, ..) = Store::open_in(folder);
    store.save(&Settings { set_up: true, ..Settings::default() })?;
    let (table, card) = (folder.join("table.mjpeg"), folder.join("card.mjpeg"));
    scene::write_table(&table)?;
    let receipt = sample("receipt.jpg").context("the sample pictures are not here")?;
    scene::write_card(&card, &picture::open(&receipt)?)?;

    let mut window = Window::start(&format!("file:{}", table.display()), folder)?;
    let ready = window.ready()?;
    std::thread::sleep(SETTLE);
    let idle = window.share_of_a_core(watched)?;
    let first_word = window.figures()?.first_word;
    drop(window);

    let mut window = Window::start(&format!("file:{}", card.display()), folder)?;
    window.ready()?;
    std::thread::sleep(SETTLE);
    let before = window.figures()?;
    let aiming = window.share_of_a_core(watched)?;
    let after = window.figures()?;
    let memory = window.memory()?;
    let mut latencies = after.hint_latency;
    latencies.sort_by(f32::total_cmp);

    let mut figures = vec![Measured("start to ready", "s", Some(2.5), ready)];
    figures.extend(first_word.map(|seconds| Measured("start of the session to the first word", "s", None, seconds)));
    figures.push(Measured("idle with preview", "% of a core", Some(40.0), 100.0 * idle));
    figures.push(Measured("while aiming", "% of a core", None, 100.0 * aiming));
    figures.push(Measured("looks", "a second", None, (after.looks - before.looks) as f32 / watched.as_secs_f32()));
    figures.push(Measured("hints", "in all", None, latencies.len() as f32));
    if let (Some(&worst), Some(&median)) = (latencies.last(), latencies.get(latencies.len() / 2)) {
        figures.push(Measured("picture to hint, median", "ms", Some(300.0), 1000.0 * median));
        figures.push(Measured("picture to hint, worst", "ms", Some(300.0), 1000.0 * worst));
    }
    figures.push(Measured("memory with all models loaded", "MiB", Some(600.0), memory as f32 / 1048576.0));
    Ok(figures)
}
