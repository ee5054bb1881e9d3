//! The models that come with the program.

use std::path::Path;
use std::time::Duration;

use sightread_models::device::Backend;

use super::{Outcome, within};
use crate::speech::transcribe::{Expected, Transcriber};
use crate::starter::{self, Starter};

/// All files are read and compared with their sums; on a slow disk that takes its time.
const LIMIT: Duration = Duration::from_secs(90);

/// Loads what reads, what answers and what understands speech, each as its manifest says; `model_dir` in place of the reading
/// model that comes with the program.
pub fn check(model_dir: Option<&Path>, backend: Backend) -> Outcome {
    let model_dir = model_dir.map(Path::to_path_buf);
    within(LIMIT, move || load(model_dir.as_deref(), backend)).unwrap_or_else(|| {
        Outcome::problem("the models do not load", "close other programs, or start the computer again")
    })
}

fn load(model_dir: Option<&Path>, backend: Backend) -> Outcome {
    let remedy = "fetch the program again";
    let starter = match starter::find(model_dir).and_then(|folder| Starter::open(&folder, backend)) {
        Ok(starter) => starter,
        Err(error) => return Outcome::of_error(&error, remedy),
    };
    if let Err(error) = starter.language() {
        return Outcome::of_error(&format!("questions are not answered: {error}"), remedy);
    }
    match Transcriber::open(Expected::Questions, backend) {
        Ok(_) => Outcome::Works("reading, answering and understanding speech are whole".into()),
        Err(error) => Outcome::of_error(&format!("spoken questions are not understood: {error}"), remedy),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_model_that_is_missing_or_damaged_is_told_with_a_remedy() {
        let folder = tempfile::tempdir().unwrap();
        let problem = |folder: &Path| match check(Some(folder), Backend::Cpu) {
            Outcome::Problem { what, remedy } => (what, remedy),
            other => panic!("{other:?}"),
        };
        let (what, remedy) = problem(folder.path());
        assert_eq!(what, "the reading model is not here");
        assert!(remedy.starts_with("Set SIGHTREAD_MODELS"), "{remedy}");
        std::fs::create_dir(folder.path().join("vision")).unwrap();
        std::fs::write(folder.path().join("vision/detector.safetensors"), "no weights").unwrap();
        let (what, remedy) = problem(folder.path());
        assert!(what.contains("detector.safetensors is damaged") && remedy == "Fetch it again", "{what}; {remedy}");
    }
}
