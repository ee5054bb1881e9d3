//! Downloads a model from the Hugging Face hub by name, when a caregiver asks for it.
//!
//! Only what this program reads is fetched, into a folder that is complete or not there. A download that broke off or was
//! stopped goes on with the files it still lacks; what is there already needs no network.

use std::fs::{self, File};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use hf_hub::progress::{DownloadEvent, Progress, ProgressEvent, ProgressHandler};
use hf_hub::repository::{ModelInfo, RepoTreeEntry, RepoTypeModel};
use hf_hub::{HFClient, HFClientSync, HFError, HFRepository, HFRepositorySync};
use serde_json::Value;
use tokio::runtime::{Builder, Runtime};

use super::file::{replace_folder, restore_folder};
use super::writer::SIDE_FILES;
use super::{CheckpointError, MANIFEST_FILE, Manifest, Provenance};

/// Attempts of one request before the network counts as unreachable.
const ATTEMPTS: usize = 3;
/// How often progress is told while a file arrives, or does not.
const TICK: Duration = Duration::from_millis(200);
const INDEX: &str = "model.safetensors.index.json";

/// What to download and where to.
#[derive(Debug, Clone, Default)]
pub struct DownloadOptions {
    /// Folder that holds downloaded models, one folder each.
    pub cache: PathBuf,
    /// Branch, tag or commit; the main branch if not given.
    pub revision: Option<String>,
    /// For repositories with several `.gguf` files: which one.
    pub gguf: Option<String>,
    /// Address of the hub; if not given, `HF_ENDPOINT`, else <https://huggingface.co>.
    pub endpoint: Option<String>,
}

/// How far a download has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DownloadProgress {
    /// Bytes that are here.
    pub done: u64,
    /// Bytes of all files.
    pub total: u64,
}

/// Downloads a repository (`owner/name`) and returns its folder, which [`super::Checkpoint::open`] reads.
///
/// `progress` is called several times a second while files arrive, and stops the download with a `Break`. A `manifest.json`
/// with sums, licence and commit is left in the folder; files that the hub gives a sum for are checked against it.
///
/// # Errors
/// [`CheckpointError::Download`] for everything that has to do with the network or the repository,
/// [`CheckpointError::Cancelled`] if it was stopped, otherwise as for any file that cannot be written.
pub fn download(
    repository: &str,
    options: &DownloadOptions,
    mut progress: impl FnMut(DownloadProgress) -> ControlFlow<()>,
) -> Result<PathBuf, CheckpointError> {
    let failed = |reason: &str| CheckpointError::Download { repository: repository.into(), reason: reason.into() };
    let (owner, name) = repository_name(repository)
        .ok_or_else(|| failed("a model on the hub is named like HuggingFaceTB/SmolLM2-135M-Instruct"))?;
    let folder = options.cache.join(format!("{owner}--{name}"));
    let partial = options.cache.join(format!(".{owner}--{name}.partial"));
    restore_folder(&folder)?;
    if is_complete(&folder) {
        return Ok(folder);
    }

    let fetch = Fetch::connect(repository, owner, name, options)?;
    let info = fetch.info()?;
    let commit = info.sha.clone().ok_or_else(|| failed("the hub did not say which version it has; try again later"))?;
    let files = wanted_files(fetch.list(&commit)?, options.gguf.as_deref()).map_err(|reason| failed(&reason))?;

    fs::create_dir_all(&partial).map_err(CheckpointError::io("create", &partial))?;
    let total = files.iter().map(|file| file.size).sum();
    let mut done = 0;
    for file in &files {
        let path = partial.join(&file.name);
        if !fs::metadata(&path).is_ok_and(|m| m.is_file() && m.len() == file.size) {
            fetch.file(&commit, file, &partial, |arrived| {
                progress(DownloadProgress { done: done + arrived.min(file.size), total })
            })?;
        }
        done += file.size;
        if progress(DownloadProgress { done, total }).is_break() {
            return Err(CheckpointError::Cancelled);
        }
    }

    let provenance = Provenance { licence: licence(&info), source: fetch.source(&commit) };
    let mut manifest = Manifest::describe(&partial, &provenance)?;
    manifest.files.retain(|name, _| files.iter().any(|file| file.name == *name));
    for file in &files {
        let entry = manifest.files.get(&file.name);
        let same_size = entry.is_some_and(|e| e.size == file.size);
        let same_sum = file.sha256.as_ref().is_none_or(|sum| entry.is_some_and(|e| e.sha256.eq_ignore_ascii_case(sum)));
        if !same_size || !same_sum {
            let _ = fs::remove_file(partial.join(&file.name));
            return Err(failed(&format!("{} arrived damaged; start the download again", file.name)));
        }
    }
    manifest.save(&partial)?;
    replace_folder(&partial, &folder)?;
    Ok(folder)
}

/// Whether an earlier download is all there; contents are checked when the caller wants to, by [`super::verify`].
fn is_complete(folder: &Path) -> bool {
    let same_size = |name: &str, size: u64| fs::metadata(folder.join(name)).is_ok_and(|m| m.len() == size);
    folder.join(MANIFEST_FILE).is_file()
        && Manifest::open(folder).is_ok_and(|m| m.files.iter().all(|(name, file)| same_size(name, file.size)))
}

/// `owner` and `name` if they are fit to be parts of a path.
fn repository_name(repository: &str) -> Option<(&str, &str)> {
    let (owner, name) = repository.split_once('/')?;
    let fits = |part: &str| {
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
        !part.is_empty() && part.len() <= 96 && !part.starts_with('.') && part.chars().all(plain)
    };
    (fits(owner) && fits(name)).then_some((owner, name))
}

/// A file of the repository.
struct RemoteFile {
    name: String,
    size: u64,
    /// For files in large-file storage.
    sha256: Option<String>,
}

/// The files that make a model, or why there is none.
fn wanted_files(entries: Vec<RepoTreeEntry>, gguf: Option<&str>) -> Result<Vec<RemoteFile>, String> {
    let mut files: Vec<RemoteFile> = Vec::new();
    for entry in entries {
        // Names come from the network: only plain ones may become files.
        if let RepoTreeEntry::File { path: name, size, lfs, .. } = entry
            && !name.is_empty()
            && !name.starts_with('.')
            && !name.contains(['/', '\\', ':'])
        {
            files.push(RemoteFile { name, size, sha256: lfs.and_then(|lfs| lfs.sha256) });
        }
    }
    let has = |name: &str| files.iter().any(|file| file.name == name);
    let ggufs: Vec<&str> = files.iter().map(|f| f.name.as_str()).filter(|n| n.ends_with(".gguf")).collect();
    let is_weight: Box<dyn Fn(&str) -> bool> = match (gguf, ggufs.as_slice()) {
        (Some(name), _) if has(name) => Box::new(move |n| n == name),
        (Some(name), _) => return Err(format!("it has no file named {name}")),
        _ if has("config.json") && has("model.safetensors") => Box::new(|n| n == "model.safetensors"),
        _ if has("config.json") && has(INDEX) => {
            Box::new(|n| n == INDEX || (n.starts_with("model-") && n.ends_with(".safetensors")))
        }
        _ if has("config.json") && files.iter().any(|f| f.name.ends_with(".safetensors")) => {
            Box::new(|n| n.ends_with(".safetensors"))
        }
        (None, [_]) => Box::new(|n| n.ends_with(".gguf")),
        (None, []) => {
            return Err("it holds no weights that this program reads; look for safetensors or gguf files".into());
        }
        (None, several) => return Err(format!("it holds several models; name one of {}", several.join(", "))),
    };
    let is_side_file = |name: &str| name == "config.json" || SIDE_FILES.contains(&name);
    let wanted: Vec<bool> = files.iter().map(|f| is_weight(&f.name) || is_side_file(&f.name)).collect();
    drop(is_weight);
    Ok(files.into_iter().zip(wanted).filter_map(|(file, wanted)| wanted.then_some(file)).collect())
}

fn licence(info: &ModelInfo) -> String {
    let of_card = info.card_data.as_ref().and_then(|card| card.get("license")).and_then(Value::as_str);
    let of_tags = || info.tags.iter().flatten().find_map(|tag| tag.strip_prefix("license:"));
    of_card.or_else(of_tags).unwrap_or("unknown").into()
}

/// A repository on the hub.
struct Fetch<'a> {
    repository: &'a str,
    endpoint: String,
    revision: Option<String>,
    /// For short questions.
    hub: HFRepositorySync<RepoTypeModel>,
    /// For files, which take long enough to be stopped on the way.
    files: HFRepository<RepoTypeModel>,
    runtime: Runtime,
}

impl<'a> Fetch<'a> {
    fn connect(
        repository: &'a str,
        owner: &str,
        name: &str,
        options: &DownloadOptions,
    ) -> Result<Self, CheckpointError> {
        let mut client = HFClient::builder().retry_max_attempts(ATTEMPTS).cache_enabled(false);
        if let Some(endpoint) = &options.endpoint {
            client = client.endpoint(endpoint);
        }
        let client = client.build().map_err(|e| explain(repository, e))?;
        let runtime = Builder::new_current_thread().enable_all().build();
        Ok(Self {
            repository,
            endpoint: client.endpoint().to_string(),
            revision: options.revision.clone(),
            files: client.model(owner, name),
            hub: HFClientSync::from_inner(client).map_err(|e| explain(repository, e))?.model(owner, name),
            runtime: runtime.map_err(CheckpointError::io("start to download", &options.cache))?,
        })
    }

    fn info(&self) -> Result<ModelInfo, CheckpointError> {
        let info = self.hub.info().maybe_revision(self.revision.clone()).send();
        info.map_err(|e| explain(self.repository, e))
    }

    fn list(&self, commit: &str) -> Result<Vec<RepoTreeEntry>, CheckpointError> {
        self.hub.list_tree().revision(commit).send().map_err(|e| explain(self.repository, e))
    }

    /// Fetches a file; `progress` gets the bytes that have arrived.
    fn file(
        &self,
        commit: &str,
        file: &RemoteFile,
        into: &Path,
        mut progress: impl FnMut(u64) -> ControlFlow<()>,
    ) -> Result<(), CheckpointError> {
        let arrived = Arc::new(Arrived::default());
        let download = self.files.download_file().filename(file.name.as_str()).local_dir(into).revision(commit);
        let path = self.runtime.block_on(async {
            let mut download = pin!(download.progress(Progress::from(arrived.clone())).send());
            loop {
                match tokio::time::timeout(TICK, download.as_mut()).await {
                    Ok(path) => break path.map_err(|e| explain(self.repository, e)),
                    Err(_) if progress(arrived.0.load(Ordering::Relaxed)).is_break() => {
                        break Err(CheckpointError::Cancelled);
                    }
                    Err(_) => {}
                }
            }
        })?;
        File::open(&path).and_then(|f| f.sync_all()).map_err(CheckpointError::io("write", &path))
    }

    fn source(&self, commit: &str) -> String {
        format!("{}/{}/tree/{commit}", self.endpoint, self.repository)
    }
}

/// Bytes of a file that are here for certain; only grows, though hf-hub ends a file of unknown size by saying 0.
#[derive(Default)]
struct Arrived(AtomicU64);

impl ProgressHandler for Arrived {
    fn on_progress(&self, event: &ProgressEvent) {
        let bytes = match event {
            ProgressEvent::Download(DownloadEvent::Progress { files }) => files.last().map(|file| file.bytes_completed),
            ProgressEvent::Download(DownloadEvent::AggregateProgress { bytes_completed, .. }) => Some(*bytes_completed),
            _ => None,
        };
        if let Some(bytes) = bytes {
            self.0.fetch_max(bytes, Ordering::Relaxed);
        }
    }
}

/// What went wrong, in a sentence that says what to do.
fn explain(repository: &str, error: HFError) -> CheckpointError {
    let reason = match error {
        HFError::Io(e) => return CheckpointError::io("write", Path::new(repository))(e),
        HFError::RepoNotFound { .. } | HFError::AuthRequired { .. } => {
            "there is no such public model; check its name, or sign in if it is private".to_string()
        }
        HFError::RevisionNotFound { revision, .. } => format!("it has no version named {revision}"),
        HFError::Forbidden { .. } => "its owner wants an agreement first; accept it on its page and sign in".into(),
        HFError::RateLimited { .. } => "the hub is busy; try again in a few minutes".into(),
        HFError::Request { .. } => "the network cannot be reached; check the connection and try again".into(),
        HFError::Http { context } if context.status.is_server_error() => {
            "the hub has a problem; try again in a few minutes".into()
        }
        other => format!("the hub answered something unexpected ({other}); try again later"),
    };
    CheckpointError::Download { repository: repository.into(), reason }
}
