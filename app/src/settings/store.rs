//! The file that keeps the settings.

use std::fs::{self, File};
use std::io::{self, ErrorKind, Read};
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_json::{Map, Value};

use super::Settings;
use super::migrate::{VERSION, migrate};
use crate::words::sentence;
use crate::{files, places};

const FILE: &str = "settings.json";
/// No settings file comes near this.
const LARGEST: u64 = 1 << 20;

/// Why settings were not kept, in a sentence fit to be spoken. They hold until the program ends all the same.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SettingsError {
    /// The user has no home.
    #[error(
        "the settings hold until the program ends: there is no folder to keep them in; set {} to one",
        places::CONFIG_VARIABLE
    )]
    NoFolder,
    /// The file could not be written.
    #[error("the settings hold until the program ends, but {} could not be written: {}", path.display(), files::reason(source))]
    Write {
        /// The settings file.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
}

/// Where settings are kept.
#[derive(Debug)]
pub struct Store {
    folder: Option<PathBuf>,
    /// Fields of the file that this version does not know; they are kept.
    others: Map<String, Value>,
    /// The version of a file that a later version of this program wrote: it is set aside before it is replaced.
    newer: Option<u64>,
}

impl Store {
    /// Opens the settings of the user. What could not be used is told in sentences fit to be spoken; the settings can be
    /// used in any case.
    pub fn open() -> (Self, Settings, Vec<String>) {
        match places::config() {
            Some(folder) => Self::open_in(&folder),
            None => {
                let store = Self { folder: None, others: Map::new(), newer: None };
                (store, Settings::default(), vec![sentence(&SettingsError::NoFolder)])
            }
        }
    }

    /// Opens the settings in `folder`; there need not be any yet.
    pub fn open_in(folder: &Path) -> (Self, Settings, Vec<String>) {
        let mut store = Self { folder: Some(folder.into()), others: Map::new(), newer: None };
        let path = folder.join(FILE);
        let found = match read(&path) {
            Ok(None) => return (store, Settings::default(), vec![]),
            Ok(Some(text)) => understand(&text),
            Err(error) => Err(files::reason(&error)),
        };
        match found {
            Ok(found) => {
                let messages = found.messages();
                store.others = found.others;
                store.newer = (found.version > VERSION.into()).then_some(found.version);
                (store, found.settings, messages)
            }
            Err(reason) => (store, Settings::default(), vec![set_aside(&path, &reason)]),
        }
    }

    /// Keeps `settings`, in range.
    ///
    /// # Errors
    /// [`SettingsError`]; the file is then as it was.
    pub fn save(&mut self, settings: &Settings) -> Result<(), SettingsError> {
        let path = self.folder.as_ref().ok_or(SettingsError::NoFolder)?.join(FILE);
        self.write(&path, settings).map_err(|source| SettingsError::Write { path, source })
    }

    fn write(&mut self, path: &Path, settings: &Settings) -> io::Result<()> {
        let Value::Object(mut fields) = serde_json::to_value(settings.clone().in_range())? else {
            return Err(ErrorKind::InvalidData.into());
        };
        if let Some(version) = self.newer {
            match fs::read(path) {
                Ok(contents) => drop(files::add(&path.with_file_name(aside_name(version)), &contents)?),
                Err(error) if error.kind() == ErrorKind::NotFound => {}
                Err(error) => return Err(error),
            }
            self.newer = None;
        }
        for (name, value) in &self.others {
            fields.entry(name.as_str()).or_insert_with(|| value.clone());
        }
        files::replace(path, (serde_json::to_string_pretty(&fields)? + "\n").as_bytes())
    }
}

/// The text of a file, `None` if there is none.
fn read(path: &Path) -> io::Result<Option<String>> {
    let about = match fs::metadata(path) {
        Ok(about) => about,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    // A pipe would never end.
    if !about.is_file() || about.len() > LARGEST {
        return Err(io::Error::new(ErrorKind::InvalidData, "it is no settings file"));
    }
    let mut text = String::new();
    File::open(path)?.take(LARGEST).read_to_string(&mut text)?;
    Ok(Some(text))
}

/// What a settings file says.
#[derive(Debug)]
struct Found {
    settings: Settings,
    version: u64,
    /// Names of fields whose values were not understood.
    refused: Vec<String>,
    /// Fields that this version does not know.
    others: Map<String, Value>,
}

/// Reads field by field: what one of them says wrongly does not cost the others.
fn understand(text: &str) -> Result<Found, String> {
    let fields: Value =
        serde_json::from_str(text.trim_start_matches('\u{feff}')).map_err(|_| "its text is damaged".to_string())?;
    let Value::Object(mut fields) = fields else { return Err("it holds no settings".into()) };
    let version = migrate(&mut fields);
    let defaults = serde_json::to_value(Settings::default()).map_err(|e| e.to_string())?;
    let Value::Object(mut good) = defaults else { return Err("it holds no settings".into()) };
    let (mut refused, mut others) = (Vec::new(), Map::new());
    for (name, value) in fields {
        if !good.contains_key(&name) {
            others.insert(name, value);
            continue;
        }
        let value = in_range(&name, value);
        let before = good.insert(name.clone(), value);
        if Settings::deserialize(&good).is_err() {
            good.insert(name.clone(), before.unwrap_or_default());
            refused.push(name);
        }
    }
    let settings = Settings::deserialize(&good).map_err(|e| e.to_string())?.in_range();
    Ok(Found { settings, version, refused, others })
}

/// Numbers are brought into range before they are read, so that no number is too large for its field.
fn in_range(name: &str, value: Value) -> Value {
    let number = |(low, high): (i32, i32), value: f64| value.clamp(low.into(), high.into());
    match (name, value.as_f64()) {
        ("rate", Some(value)) => (number(Settings::RATES, value).round() as i32).into(),
        ("volume", Some(value)) => (number(Settings::VOLUMES, value).round() as i32).into(),
        _ => value,
    }
}

impl Found {
    fn messages(&self) -> Vec<String> {
        let mut messages = Vec::new();
        if self.version > VERSION.into() {
            messages.push(format!(
                "The settings were written by a later version of this program. What this version understands is used. When you \
                 change something, the file of the later version is kept as {}.",
                aside_name(self.version)
            ));
        }
        let names = self.refused.iter().map(|name| name.replace('_', " ")).collect::<Vec<_>>().join(", ");
        match self.refused.len() {
            0 => {}
            1 => messages.push(format!("The setting {names} was not understood and is as it comes with the program.")),
            _ => messages
                .push(format!("The settings {names} were not understood and are as they come with the program.")),
        }
        messages
    }
}

/// The name that the file of a later version is kept under.
fn aside_name(version: u64) -> String {
    format!("settings.version-{version}.json")
}

/// Renames a file that cannot be used, and says so.
fn set_aside(path: &Path, reason: &str) -> String {
    let names = (1..10_000).map(|number| path.with_file_name(format!("settings.damaged-{number}.json")));
    let free = names.into_iter().find(|name| fs::symlink_metadata(name).is_err());
    let moved = free.filter(|free| fs::rename(path, free).is_ok());
    let name = moved.as_deref().and_then(Path::file_name).map(|name| name.to_string_lossy().into_owned());
    let done = match name {
        Some(name) => format!("It was set aside as {name}."),
        None => "It could not be set aside, so that nothing you change may be kept.".into(),
    };
    format!("The settings file cannot be used: {reason}. {done} All settings are as they come with the program.")
}

#[cfg(test)]
#[path = "store_tests.rs"]
mod tests;
