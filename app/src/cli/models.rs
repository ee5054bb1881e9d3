//! `sightread models`: the models on this machine, and bringing in or removing others.

use std::io::IsTerminal;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::Duration;

use anyhow::{Context, bail};
use clap::{Args, Subcommand};
use indicatif::{ProgressBar, ProgressStyle};

use super::BackendChoice;
use crate::library::{self, Import, ImportSource, ImportState, ModelEntry};
use crate::words;

#[derive(Debug, Args)]
pub(super) struct ModelsArgs {
    /// One JSON object per model
    #[arg(long)]
    json: bool,
    #[command(subcommand)]
    what: Option<What>,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Brings a model in, quantized to 4 bit if it is not yet. One that was stopped goes on where it was
    Import(ImportArgs),
    /// Removes a model that was brought in
    Remove {
        /// Its name in the list
        name: String,
    },
}

#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
struct FromArgs {
    /// A Hugging Face folder or a GGUF file
    path: Option<PathBuf>,
    /// A repository of the Hugging Face hub (owner/name), which is downloaded
    #[arg(long, value_name = "NAME")]
    repository: Option<String>,
}

#[derive(Debug, Args)]
struct ImportArgs {
    #[command(flatten)]
    from: FromArgs,
    /// Calibration text, or for Whisper a list of recordings, instead of the text that comes with the program
    #[arg(long, value_name = "FILE")]
    calibration: Option<PathBuf>,
    /// Where networks run
    #[arg(long, value_enum, default_value_t)]
    backend: BackendChoice,
}

pub(super) fn run(args: ModelsArgs) -> anyhow::Result<()> {
    match args.what {
        None => list(args.json),
        Some(What::Import(import)) => bring_in(import),
        Some(What::Remove { name }) => {
            library::remove(&library::folder(), &name)?;
            println!("{name} is removed.");
            Ok(())
        }
    }
}

fn list(json: bool) -> anyhow::Result<()> {
    for model in library::installed() {
        if json { println!("{}", serde_json::to_string(&model)?) } else { println!("{}", describe(&model)) }
    }
    Ok(())
}

/// A model in a paragraph: its name, what it can do, then the rest.
fn describe(model: &ModelEntry) -> String {
    let mut text = model.name.clone();
    match &model.problem {
        Some(problem) => text += &format!(": PROBLEM: {problem}"),
        None => text += &format!(": {}", model.abilities.join(", ")),
    }
    let built_in = model.built_in.then(|| "comes with the program".to_string());
    let languages = (!model.languages.is_empty()).then(|| model.languages.join(", "));
    let licence = model.licence.as_ref().map(|licence| format!("licence {licence}"));
    let facts = [Some(words::size(model.bytes)), languages, model.quantization.clone(), licence, built_in];
    text += &format!("\n  {}", facts.into_iter().flatten().collect::<Vec<_>>().join("; "));
    if !model.folder.as_os_str().is_empty() {
        text += &format!("\n  {}", model.folder.display());
    }
    text
}

fn bring_in(args: ImportArgs) -> anyhow::Result<()> {
    let from = match args.from {
        FromArgs { path: Some(path), .. } => ImportSource::Folder(path),
        FromArgs { repository, .. } => ImportSource::Repository(repository.unwrap_or_default()),
    };
    let stopped = Arc::new(AtomicBool::new(false));
    let asked = stopped.clone();
    ctrlc::set_handler(move || {
        // A second one does not wait for the layer.
        if asked.swap(true, Ordering::Relaxed) {
            std::process::exit(130);
        }
    })
    .context("Ctrl-C cannot be caught")?;
    let (send, states) = channel();
    let told = move |state| drop(send.send(state));
    let import = Import::start_on(args.backend.into(), from, args.calibration, &library::folder(), told)?;
    let mut show = Progress::new();
    loop {
        match states.recv_timeout(Duration::from_millis(100)) {
            Ok(ImportState { ended: Some(ended), .. }) => {
                show.bar.finish_and_clear();
                import.wait();
                return match ended {
                    Ok(sentence) => {
                        println!("{sentence}");
                        Ok(())
                    }
                    Err(reason) => bail!(reason),
                };
            }
            Ok(state) => show.state(&state),
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => bail!("the import ended without a word; please report it"),
        }
        if stopped.load(Ordering::Relaxed) {
            import.stop();
        }
    }
}

/// A bar on a terminal; elsewhere a line for every step and every tenth of it.
struct Progress {
    bar: ProgressBar,
    last: Option<(String, u64)>,
}

impl Progress {
    fn new() -> Self {
        let bar = if std::io::stderr().is_terminal() { ProgressBar::new(1000) } else { ProgressBar::hidden() };
        let style = ProgressStyle::with_template("{msg}\n{wide_bar} {percent} %");
        Self { bar: bar.with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar())), last: None }
    }

    fn state(&mut self, state: &ImportState) {
        let left = state.left.map_or_else(String::new, |left| format!(", {} left", words::about(left)));
        let text = format!("{}: {}{left}", state.name, state.step);
        let share = state.share.unwrap_or(0.0);
        if !self.bar.is_hidden() {
            self.bar.set_message(text);
            self.bar.set_position((share * 1000.0) as u64);
            return;
        }
        let now = (state.step.clone(), (share * 10.0) as u64);
        if self.last.as_ref() != Some(&now) {
            eprintln!("{text}, {:.0} %", share * 100.0);
            self.last = Some(now);
        }
    }
}
