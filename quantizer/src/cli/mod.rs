//! The command `rpiq`.

mod ask;
mod eval;
mod generate;
mod inspect;
mod load;
mod logits;
mod printed;
mod quantize;
mod random_model;
mod study;

use clap::{Parser, Subcommand, ValueEnum};
use sightread_models::device::Backend;

/// 4-bit weights for language models, made offline.
#[derive(Debug, Parser)]
#[command(name = "rpiq", version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Quantize a model to 4 bit
    Quantize(quantize::Args),
    /// Measure one or several models
    Eval(eval::Args),
    /// Continue a text or answer a question
    Generate(generate::Args),
    /// Answer a question about a picture
    Ask(ask::Args),
    /// Show what a model folder holds
    Inspect(inspect::Args),
    /// Write the logits of a text, for comparing with other programs
    Logits(logits::Args),
    /// Compare settings of the quantizer: rounds, steps, calibration text, orders, memory
    Study(study::Args),
    /// Load a model, read a short text with it, and print the memory that takes as JSON
    #[command(hide = true)]
    Load(load::Args),
    /// Write a model of random weights, to measure what quantizing one of its size takes
    #[command(hide = true)]
    RandomModel(random_model::Args),
}

/// Where to compute.
#[derive(Debug, Clone, Copy, Default, ValueEnum)]
enum BackendArg {
    /// A real GPU if there is one, else the CPU
    #[default]
    Auto,
    /// wgpu, even on a software adapter
    Wgpu,
    /// The CPU
    Cpu,
}

impl From<BackendArg> for Backend {
    fn from(arg: BackendArg) -> Self {
        match arg {
            BackendArg::Auto => Backend::Auto,
            BackendArg::Wgpu => Backend::Wgpu,
            BackendArg::Cpu => Backend::Cpu,
        }
    }
}

/// Runs the command with the arguments of the process.
///
/// # Errors
/// Whatever ended it, as one sentence.
pub fn run() -> anyhow::Result<()> {
    match Cli::parse().command {
        Command::Quantize(args) => quantize::run(args),
        Command::Eval(args) => eval::run(&args),
        Command::Generate(args) => generate::run(&args),
        Command::Ask(args) => ask::run(&args),
        Command::Inspect(args) => inspect::run(&args),
        Command::Logits(args) => logits::run(&args),
        Command::Study(args) => study::run(&args),
        Command::Load(args) => load::run(&args),
        Command::RandomModel(args) => random_model::run(&args),
    }
}
