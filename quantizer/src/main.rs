//! The command `rpiq`.

use std::process::ExitCode;

fn main() -> ExitCode {
    // `rpiq inspect MODEL | head` ends quietly.
    sigpipe::reset();
    match rpiq::cli::run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("rpiq: {error}");
            ExitCode::FAILURE
        }
    }
}
