//! The command line: what the window does, for terminals and scripts.

mod ask;
#[cfg(feature = "window")]
mod bench;
mod cameras;
mod doctor;
mod listen;
mod microphone;
mod models;
mod predict;
mod read;
mod say;
mod screen;
mod transcribe;
mod voices;
#[cfg(feature = "window")]
mod window;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use sightread_models::device::Backend;

use crate::library::AnsweringModel;
use crate::starter::{Starter, find};

/// Reads text from a picture and answers questions about it, offline.
#[derive(Debug, Parser)]
#[command(name = "sightread", version, about)]
#[cfg_attr(not(feature = "window"), command(arg_required_else_help = true))]
pub struct Cli {
    /// What to do; without a word of it the window opens.
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Opens the window.
    #[cfg(feature = "window")]
    Window(window::WindowArgs),
    /// Reads out the text of pictures.
    Read(read::ReadArgs),
    /// Answers a question about a picture.
    Ask(ask::AskArgs),
    /// Speaks a text.
    Say(say::SayArgs),
    /// Lists the voices of the system's speech service.
    Voices(voices::VoicesArgs),
    /// Reads a picture aloud and answers spoken questions about it.
    Listen(listen::ListenArgs),
    /// Writes down what was said in a recording.
    Transcribe(transcribe::TranscribeArgs),
    /// Shows what the microphone hears.
    Microphone(microphone::MicrophoneArgs),
    /// Lists cameras, or shows what one of them gives.
    Cameras(cameras::CamerasArgs),
    /// Reads every picture of a folder, and answers the questions in its labels.jsonl, for scoring.
    Predict(predict::PredictArgs),
    /// Lists the models, brings others in, or removes them.
    Models(models::ModelsArgs),
    /// Says what this machine offers and whether the model is whole.
    Doctor(doctor::DoctorArgs),
    /// Measures what the window costs on this machine: start, idle, memory, from picture to hint.
    #[cfg(feature = "window")]
    Bench(bench::BenchArgs),
}

/// Where networks run.
#[derive(Debug, Clone, Copy, Default, ValueEnum)]
enum BackendChoice {
    /// A real GPU if there is one, else the CPU.
    #[default]
    Auto,
    /// wgpu, even without a real GPU.
    Wgpu,
    /// The CPU.
    Cpu,
}

/// Options that every command takes.
#[derive(Debug, Clone, Default, Args)]
struct ModelArgs {
    /// Where networks run.
    #[arg(long, value_enum, default_value_t)]
    backend: BackendChoice,
    /// Folder of the model, instead of the one that comes with the program.
    #[arg(long, value_name = "FOLDER")]
    model_dir: Option<PathBuf>,
}

/// Which model answers.
#[derive(Debug, Clone, Default, Args)]
struct AnsweringArgs {
    /// Answer with this model of the library ("sightread models" lists them) instead of the one that comes with the program;
    /// if it sees pictures, reading ends with its description.
    #[arg(long = "model", value_name = "NAME")]
    name: Option<String>,
    /// A model that sees pictures is told the text that was read too, so that it need not spell.
    #[arg(long)]
    with_text: bool,
}

impl AnsweringArgs {
    /// The model that was named.
    fn open(&self, starter: &Starter) -> anyhow::Result<Option<AnsweringModel>> {
        let open = |name: &String| AnsweringModel::open(name, starter.device()).map_err(anyhow::Error::msg);
        self.name.as_ref().map(open).transpose()
    }
}

impl From<BackendChoice> for Backend {
    fn from(choice: BackendChoice) -> Self {
        match choice {
            BackendChoice::Auto => Self::Auto,
            BackendChoice::Wgpu => Self::Wgpu,
            BackendChoice::Cpu => Self::Cpu,
        }
    }
}

impl ModelArgs {
    fn backend(&self) -> Backend {
        self.backend.into()
    }

    fn folder(&self) -> anyhow::Result<PathBuf> {
        Ok(find(self.model_dir.as_deref())?)
    }

    fn open(&self) -> anyhow::Result<Starter> {
        Ok(Starter::open(&self.folder()?, self.backend())?)
    }
}

/// Runs the command.
///
/// # Errors
/// A chain of causes whose first sentence is fit to be spoken.
pub fn run(cli: Cli) -> anyhow::Result<()> {
    match cli.command {
        #[cfg(feature = "window")]
        None => window::run(window::WindowArgs::default()),
        #[cfg(not(feature = "window"))]
        None => anyhow::bail!("this program was built without the window; sightread --help lists its commands"),
        Some(command) => run_command(command),
    }
}

fn run_command(command: Command) -> anyhow::Result<()> {
    match command {
        #[cfg(feature = "window")]
        Command::Window(args) => window::run(args),
        #[cfg(feature = "window")]
        Command::Bench(args) => bench::run(args),
        Command::Read(args) => read::run(args),
        Command::Ask(args) => ask::run(args),
        Command::Say(args) => say::run(args),
        Command::Voices(args) => voices::run(args),
        Command::Listen(args) => listen::run(args),
        Command::Transcribe(args) => transcribe::run(args),
        Command::Microphone(args) => microphone::run(args),
        Command::Cameras(args) => cameras::run(args),
        Command::Predict(args) => predict::run(args),
        Command::Models(args) => models::run(args),
        Command::Doctor(args) => doctor::run(args),
    }
}
