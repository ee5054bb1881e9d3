//! Speech into a WAV file, through the program espeak-ng: the speech service cannot do that.

use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::aloud::aloud;
use super::voice::{Scale, Settings, VoiceChoice};

/// The program that speaks into files.
const PROGRAM: &str = "espeak-ng";
/// Loudness, where 100 is its own; more is distorted.
const AMPLITUDE: Scale = Scale { min: 0.0, normal: 100.0, max: 100.0 };

/// Why nothing was written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ToFileError {
    /// The program is missing.
    #[error("speaking into a file needs the program espeak-ng, which is not installed")]
    NoProgram,
    /// The program failed.
    #[error("espeak-ng could not speak into {}: {reason}", path.display())]
    Failed {
        /// The file.
        path: PathBuf,
        /// What the program or the system said.
        reason: String,
    },
}

/// Speaks `text` into the WAV file `path`.
///
/// # Errors
/// [`ToFileError`]; also for a voice that the program does not have.
pub fn speak_to_file(text: &str, path: &Path, settings: Settings, choice: &VoiceChoice) -> Result<(), ToFileError> {
    run(PROGRAM, text, path, settings, choice)
}

fn run(program: &str, text: &str, path: &Path, settings: Settings, choice: &VoiceChoice) -> Result<(), ToFileError> {
    let failed = |reason: String| ToFileError::Failed { path: path.into(), reason };
    // A name that begins with a dash would be taken for an option.
    let file = if path.is_absolute() { path.to_path_buf() } else { Path::new(".").join(path) };
    let mut command = Command::new(program);
    // It takes names and languages alike.
    if let Some(voice) = [choice.name(), choice.language()].into_iter().find(|voice| !voice.is_empty()) {
        command.arg("-v").arg(voice);
    }
    let mut child = command
        .arg("-s")
        .arg(format!("{:.0}", settings.words_a_minute()))
        .arg("-a")
        .arg(format!("{:.0}", settings.volume_between(AMPLITUDE)))
        .arg("-w")
        .arg(file)
        .arg("--stdin")
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|error| match error.kind() {
            ErrorKind::NotFound => ToFileError::NoProgram,
            _ => failed(error.to_string()),
        })?;
    // A NUL would end the text; a program that ends early says why by itself.
    let fed = child.stdin.take().map(|mut stdin| stdin.write_all(aloud(&text.replace('\0', " ")).as_bytes()));
    let done = child.wait_with_output().map_err(|error| failed(error.to_string()))?;
    let complaint = String::from_utf8_lossy(&done.stderr).trim().to_lowercase();
    // It reports success even where it could not open the file.
    let written = std::fs::metadata(path).is_ok_and(|file| file.len() > 44);
    if done.status.success() && written && !matches!(fed, Some(Err(_))) {
        return Ok(());
    }
    Err(failed(if complaint.is_empty() { "it wrote nothing".into() } else { complaint }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_program_is_told_in_a_sentence() {
        let own = VoiceChoice::default();
        let error = run("no-such-program-at-all", "hello", Path::new("out.wav"), Settings::default(), &own);
        assert!(matches!(error, Err(ToFileError::NoProgram)));
    }

    #[test]
    fn speech_lands_in_the_file_where_the_program_is_installed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("-hello.wav");
        let own = VoiceChoice::default();
        match speak_to_file("hello", &path, Settings::default(), &own) {
            Ok(()) => assert!(super::super::wav::open(&path).unwrap().len() > 4_000),
            Err(error) => assert!(matches!(error, ToFileError::NoProgram), "{error}"),
        }
        if Command::new(PROGRAM).arg("--version").output().is_ok() {
            let nowhere = folder.path().join("no/such/folder.wav");
            let error = speak_to_file("hello", &nowhere, Settings::default(), &own);
            assert!(matches!(error, Err(ToFileError::Failed { .. })));
            let speak = |choice| speak_to_file("hello", &path, Settings::default(), &choice);
            let british = std::fs::read(&path).unwrap();
            speak(VoiceChoice::new("de", "")).unwrap();
            assert_ne!(std::fs::read(&path).unwrap(), british, "another voice sounds otherwise");
            speak(VoiceChoice::new("", "German")).unwrap();
            assert!(matches!(speak(VoiceChoice::new("", "no such voice")), Err(ToFileError::Failed { .. })));
        }
    }
}
