//! The command line: what the window does, for terminals and scripts.

mod ask;
mod doctor;
mod listen;
mod microphone;
mod predict;
mod read;
mod say;
mod screen;
mod sound_check;
mod transcribe;
mod voices;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use sightread_models::device::Backend;

use crate::starter::{Starter, find};

/// Reads text from a picture and answers questions about it, offline.
#[derive(Debug, Parser)]
#[command(name = "sightread", version, about)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
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
    /// Reads every picture of a folder, and answers the questions in its labels.jsonl, for scoring.
    Predict(predict::PredictArgs),
    /// Says what this machine offers and whether the model is whole.
    Doctor(doctor::DoctorArgs),
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
#[derive(Debug, Clone, Args)]
struct ModelArgs {
    /// Where networks run.
    #[arg(long, value_enum, default_value_t)]
    backend: BackendChoice,
    /// Folder of the model, instead of the one that comes with the program.
    #[arg(long, value_name = "FOLDER")]
    model_dir: Option<PathBuf>,
}

impl ModelArgs {
    fn backend(&self) -> Backend {
        match self.backend {
            BackendChoice::Auto => Backend::Auto,
            BackendChoice::Wgpu => Backend::Wgpu,
            BackendChoice::Cpu => Backend::Cpu,
        }
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
        Command::Read(args) => read::run(args),
        Command::Ask(args) => ask::run(args),
        Command::Say(args) => say::run(args),
        Command::Voices(args) => voices::run(args),
        Command::Listen(args) => listen::run(args),
        Command::Transcribe(args) => transcribe::run(args),
        Command::Microphone(args) => microphone::run(args),
        Command::Predict(args) => predict::run(args),
        Command::Doctor(args) => doctor::run(args),
    }
}
