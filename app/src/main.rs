//! The command `sightread`.

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    match sightread::cli::run(sightread::cli::Cli::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error:#}");
            ExitCode::FAILURE
        }
    }
}
