//! The command `rpiq`.

use std::process::ExitCode;

fn main() -> ExitCode {
    match rpiq::cli::run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("rpiq: {error}");
            ExitCode::FAILURE
        }
    }
}
