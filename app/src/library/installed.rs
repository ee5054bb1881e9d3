//! The models on this machine: those that come with the program and those that were brought in.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use rpiq::pipeline::PARTS_ENDING;
use rpiq::pipeline::report::{REPORT_FILE, RunReport};
use sightread_models::checkpoint::{Checkpoint, CheckpointError, MANIFEST_FILE, Manifest};
use sightread_models::device::Device;
use sightread_models::speech::WhisperConfig;
use sightread_models::text::text_blocks;
use sightread_models::vlm::cogvlm::CogVlmConfig;

use super::{Architecture, Card, ModelEntry, folder};
use crate::speech::transcribe;
use crate::starter;

/// Names of the models that come with the program: what reads and answers, and what understands speech.
pub const BUILT_IN: [&str; 2] = ["starter", "speech"];

/// All models, those that come with the program first.
pub fn installed() -> Vec<ModelEntry> {
    installed_in(&folder())
}

/// The models that come with the program, and those in the folder `library`.
pub fn installed_in(library: &Path) -> Vec<ModelEntry> {
    let [starter, speech] = BUILT_IN;
    let mut models = vec![
        built_in(starter, starter::find(None).map_err(|e| e.to_string())),
        built_in(speech, transcribe::find().map_err(|e| e.to_string())),
    ];
    models.extend(folders_in(library).into_iter().map(|(name, folder)| {
        let mut model = inspect(&folder);
        if is_built_in(&name) {
            model.problem = Some("its name is that of a model that comes with the program; rename its folder".into());
        }
        model
    }));
    models
}

/// Whether a model that comes with the program has that name, in whatever case.
pub(super) fn is_built_in(name: &str) -> bool {
    BUILT_IN.iter().any(|known| name.eq_ignore_ascii_case(known))
}

fn built_in(name: &str, found: Result<PathBuf, String>) -> ModelEntry {
    match found {
        Ok(folder) => ModelEntry { name: name.into(), built_in: true, ..inspect(&folder) },
        Err(problem) => {
            ModelEntry { name: name.into(), built_in: true, problem: Some(problem), ..ModelEntry::default() }
        }
    }
}

/// Names and folders of what may be models; what is being made is hidden or has a name of its own.
fn folders_in(library: &Path) -> Vec<(String, PathBuf)> {
    let entries = fs::read_dir(library).into_iter().flatten().flatten();
    let mut folders: Vec<(String, PathBuf)> = entries
        .filter_map(|entry| Some((entry.file_name().into_string().ok()?, entry.path())))
        .filter(|(name, folder)| !name.starts_with('.') && !name.ends_with(PARTS_ENDING) && looks_like_a_model(folder))
        .collect();
    folders.sort();
    folders
}

fn looks_like_a_model(folder: &Path) -> bool {
    let is_weight =
        |file: fs::DirEntry| file.path().extension().is_some_and(|ending| ending == "safetensors" || ending == "gguf");
    starter::is_starter(folder)
        || ["config.json", MANIFEST_FILE].iter().any(|name| folder.join(name).is_file())
        || fs::read_dir(folder).is_ok_and(|files| files.flatten().any(is_weight))
}

/// Looks at the model in `folder`: everything but the numbers in its weights is checked.
pub fn inspect(folder: &Path) -> ModelEntry {
    let name = folder.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
    let (halves, architecture, problem) = match starter::is_starter(folder) {
        true => {
            let halves = vec![folder.join("vision"), folder.join("language")];
            let problem = architecture_of(&folder.join("language")).err().map(|error| in_words(&error));
            (halves, Some(Architecture::Starter), problem)
        }
        false => match architecture_of(folder) {
            Ok(architecture) => (vec![folder.into()], Some(architecture), None),
            Err(error) => (vec![folder.into()], None, Some(in_words(&error))),
        },
    };
    let manifests: Vec<Manifest> = halves.iter().filter_map(|half| Manifest::open(half).ok()).collect();
    let card = Card::read(folder);
    let languages = match &architecture {
        _ if !card.languages.is_empty() => card.languages,
        Some(architecture) => architecture.languages(),
        None => vec![],
    };
    ModelEntry {
        name,
        folder: folder.into(),
        bytes: halves.iter().map(|half| bytes_in(half)).sum(),
        languages,
        abilities: architecture.as_ref().map_or_else(Vec::new, Architecture::abilities),
        licence: licence(&manifests).or(card.licence),
        quantization: halves.iter().find_map(|half| quantization(half)),
        problem: problem.or_else(|| halves.iter().find_map(|half| missing(half))),
        built_in: false,
    }
}

/// What the model in a folder is, if it could be loaded.
fn architecture_of(folder: &Path) -> Result<Architecture, CheckpointError> {
    let checkpoint = Checkpoint::open(folder)?;
    let architecture = Architecture::of(&checkpoint.config);
    match &architecture {
        // Its configuration is all that is looked at.
        Architecture::Llama => drop(text_blocks(&checkpoint, &Device::flex())?),
        Architecture::Whisper { .. } => drop(WhisperConfig::from_checkpoint(&checkpoint)?),
        Architecture::CogVlm => drop(CogVlmConfig::from_checkpoint(&checkpoint)?),
        Architecture::Starter => {}
        Architecture::Unknown(kind) => {
            let what = format!("a model of the kind {kind}");
            return Err(CheckpointError::Unsupported {
                what,
                hint: "a later version of this program may know it".into(),
            });
        }
    }
    if checkpoint.quantization_config()?.is_none() {
        return Err(CheckpointError::Unsupported {
            what: "a model in full precision".into(),
            hint: "move its folder elsewhere and import it from there, so that it is quantized".into(),
        });
    }
    Ok(architecture)
}

fn in_words(error: &CheckpointError) -> String {
    match error {
        CheckpointError::Io { path, source, .. } if source.kind() == ErrorKind::NotFound => {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            format!("its file {name} is missing; import the model again")
        }
        other => other.to_string(),
    }
}

/// The first file of the manifest that is missing or has another size. Sums are compared when a model is loaded.
fn missing(folder: &Path) -> Option<String> {
    if !folder.join(MANIFEST_FILE).exists() {
        return None;
    }
    let manifest = match Manifest::open(folder) {
        Ok(manifest) => manifest,
        Err(error) => return Some(error.to_string()),
    };
    manifest.files.iter().find_map(|(name, file)| match fs::metadata(folder.join(name)) {
        Ok(about) if about.len() == file.size => None,
        Ok(_) => Some(format!("its file {name} is damaged; import the model again")),
        Err(_) => Some(format!("its file {name} is missing; import the model again")),
    })
}

/// Bytes of the files in a folder.
fn bytes_in(folder: &Path) -> u64 {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries
        .filter_map(|entry| fs::metadata(entry.path()).ok())
        .filter(fs::Metadata::is_file)
        .map(|about| about.len())
        .sum()
}

/// The licences of all files, each once.
fn licence(manifests: &[Manifest]) -> Option<String> {
    let mut licences: Vec<&str> =
        manifests.iter().flat_map(|manifest| manifest.files.values()).map(|file| file.licence.as_str()).collect();
    licences.sort_unstable();
    licences.dedup();
    (!licences.is_empty()).then(|| licences.join(", "))
}

/// How it was quantized, from the report that `rpiq` leaves.
fn quantization(folder: &Path) -> Option<String> {
    let report = fs::read(folder.join(REPORT_FILE)).ok()?;
    let report: RunReport = serde_json::from_slice(&report).ok()?;
    let method = serde_json::to_value(report.options.method).ok()?;
    let errors = match report.summary {
        Some(summary) => format!(", a layer's error is {:.2} of GPTQ's", summary.total_ratio_to_gptq),
        None => String::new(),
    };
    Some(format!("4 bit by {}{errors}", method.as_str()?.to_uppercase()))
}

#[cfg(test)]
#[path = "installed_tests.rs"]
mod tests;
