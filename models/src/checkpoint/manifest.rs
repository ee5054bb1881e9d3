//! `manifest.json`: which files belong to a model, their sha256 and size, where they come from and under which licence.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::{self, Read, Write as _};
use std::path::{Component, Path};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::CheckpointError;
use super::file::{read_json, write_atomic};

/// Name of the manifest in its folder.
pub const MANIFEST_FILE: &str = "manifest.json";
/// The only version there is.
const VERSION: u32 = 1;

/// Where files come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Provenance {
    /// SPDX name of the licence, such as "Apache-2.0".
    pub licence: String,
    /// Address or description of the source.
    pub source: String,
}

/// One file of a manifest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ManifestEntry {
    /// 64 lower-case hexadecimal digits.
    pub sha256: String,
    /// Bytes.
    pub size: u64,
    /// SPDX name of the licence.
    pub licence: String,
    /// Address or description of the source.
    pub source: String,
}

/// The files of a model folder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    version: u32,
    /// By name relative to the folder, with `/` between parts.
    pub files: BTreeMap<String, ManifestEntry>,
}

impl Manifest {
    /// Measures every file directly in the folder, except a manifest that is there already.
    ///
    /// # Errors
    /// [`CheckpointError::Io`] if a file cannot be read.
    pub fn describe(folder: &Path, provenance: &Provenance) -> Result<Self, CheckpointError> {
        let failed = || CheckpointError::io("read", folder);
        let mut files = BTreeMap::new();
        for entry in fs::read_dir(folder).map_err(failed())? {
            let path = entry.map_err(failed())?.path();
            let name = path.file_name().and_then(|n| n.to_str()).filter(|n| !n.starts_with('.') && *n != MANIFEST_FILE);
            if let Some(name) = name.filter(|_| path.is_file()) {
                let (sha256, size) = hash(&path)?;
                let Provenance { licence, source } = provenance.clone();
                files.insert(name.into(), ManifestEntry { sha256, size, licence, source });
            }
        }
        Ok(Self { version: VERSION, files })
    }

    /// Reads the manifest of a folder.
    ///
    /// # Errors
    /// [`CheckpointError`] if it is missing, damaged, of a later version, or names files outside the folder.
    pub fn open(folder: &Path) -> Result<Self, CheckpointError> {
        let path = folder.join(MANIFEST_FILE);
        let manifest: Self = read_json(&path)?;
        if manifest.version != VERSION {
            let what = format!("version {} of a model manifest", manifest.version);
            return Err(CheckpointError::unsupported(what, "install a newer version of this program"));
        }
        let inside = |name: &str| Path::new(name).components().all(|part| matches!(part, Component::Normal(_)));
        match manifest.files.keys().find(|name| name.is_empty() || !inside(name)) {
            Some(name) => {
                Err(CheckpointError::damaged(&path, format!("it names {name:?}, which is no file of its folder")))
            }
            None => Ok(manifest),
        }
    }

    /// Writes the manifest into a folder.
    ///
    /// # Errors
    /// [`CheckpointError`] if it cannot be written.
    pub fn save(&self, folder: &Path) -> Result<(), CheckpointError> {
        let path = folder.join(MANIFEST_FILE);
        let text = serde_json::to_string_pretty(self).map_err(|e| CheckpointError::Config(e.to_string()))?;
        write_atomic(&path, |file| writeln!(file, "{text}").map_err(CheckpointError::io("write", &path)))
    }

    /// Checks that every file is there and is what it was.
    ///
    /// # Errors
    /// [`CheckpointError`] for the first file that is missing or differs; sizes are compared before anything is hashed.
    pub fn verify(&self, folder: &Path) -> Result<(), CheckpointError> {
        for (name, entry) in &self.files {
            let path = folder.join(name);
            let found = fs::metadata(&path).map_err(CheckpointError::io("read", &path))?.len();
            if found != entry.size {
                let reason = format!("it has {found} bytes instead of {}", entry.size);
                return Err(CheckpointError::damaged(&path, reason));
            }
        }
        for (name, entry) in &self.files {
            let path = folder.join(name);
            if hash(&path)?.0 != entry.sha256.to_ascii_lowercase() {
                return Err(CheckpointError::damaged(&path, "its contents have changed"));
            }
        }
        Ok(())
    }
}

/// Checks a model folder against its own `manifest.json`, and returns that.
///
/// # Errors
/// [`CheckpointError`] as in [`Manifest::open`] and [`Manifest::verify`].
pub fn verify(folder: &Path) -> Result<Manifest, CheckpointError> {
    let manifest = Manifest::open(folder)?;
    manifest.verify(folder)?;
    Ok(manifest)
}

/// The same for a folder that need not have a manifest, such as one that somebody made by hand: without one there is
/// nothing to check.
///
/// # Errors
/// [`CheckpointError`] as in [`verify`], but for a missing manifest.
pub fn verify_if_listed(folder: &Path) -> Result<(), CheckpointError> {
    if folder.join(MANIFEST_FILE).exists() { verify(folder).map(drop) } else { Ok(()) }
}

/// sha256 in hexadecimal, and the size in bytes.
fn hash(path: &Path) -> Result<(String, u64), CheckpointError> {
    let failed = || CheckpointError::io("read", path);
    let mut file = File::open(path).map_err(failed())?;
    let mut digest = Sha256::new();
    let mut size = 0;
    let mut buffer = vec![0; 1 << 20];
    loop {
        match file.read(&mut buffer) {
            Ok(0) => break,
            Ok(n) => {
                digest.update(buffer.get(..n).unwrap_or_default());
                size += n as u64;
            }
            Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
            Err(e) => return Err(failed()(e)),
        }
    }
    let mut hexadecimal = String::with_capacity(64);
    for byte in digest.finalize() {
        let _ = write!(hexadecimal, "{byte:02x}");
    }
    Ok((hexadecimal, size))
}
