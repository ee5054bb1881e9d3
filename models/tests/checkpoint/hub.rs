//! Downloads from a server on this machine that plays the hub.

use std::collections::BTreeMap;
use std::fs;
use std::io::{Cursor, Read};
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use sightread_models::checkpoint::{
    CheckpointError, DownloadOptions, DownloadProgress, FloatType, FolderOptions, Manifest, download, verify,
};
use tiny_http::{Header, Method, Response, Server};

use crate::{assert_same_tensors, fixture, names, open};

const REPOSITORY: &str = "owner/tiny-model";
const COMMIT: &str = "0123456789abcdef0123456789abcdef01234567";

/// A hub with one repository. Requests are noted; `broken` names a file that is cut short, `slow` one that takes for ever.
struct FakeHub {
    server: Arc<Server>,
    thread: Option<JoinHandle<()>>,
    requests: Arc<Mutex<Vec<String>>>,
    broken: Arc<Mutex<Option<String>>>,
    slow: Arc<Mutex<Option<String>>>,
}

/// Gives a few bytes at a time.
struct Slow(Cursor<Vec<u8>>);

impl Read for Slow {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        thread::sleep(Duration::from_millis(20));
        let end = buffer.len().min(256);
        self.0.read(&mut buffer[..end])
    }
}

impl FakeHub {
    fn start(files: BTreeMap<String, Vec<u8>>) -> Self {
        let server = Arc::new(Server::http("127.0.0.1:0").expect("listens"));
        let requests = Arc::new(Mutex::new(Vec::new()));
        let (broken, slow) = (Arc::<Mutex<Option<String>>>::default(), Arc::<Mutex<Option<String>>>::default());
        let (listening, noted, cut, slowed) = (server.clone(), requests.clone(), broken.clone(), slow.clone());
        let thread = thread::spawn(move || {
            for request in listening.incoming_requests() {
                let line = format!("{} {}", request.method(), request.url());
                let broken: Option<String> = cut.lock().expect("lock").clone();
                let response = answer(&files, request.url(), broken.as_deref());
                let is_slow = slowed.lock().expect("lock").as_ref().is_some_and(|name| line.contains(name.as_str()));
                noted.lock().expect("lock").push(line);
                if is_slow && *request.method() == Method::Get {
                    let (len, headers) = (response.data_length(), response.headers().to_vec());
                    let bytes = Slow(response.into_reader());
                    let _ = request.respond(Response::new(200.into(), headers, bytes, len, None));
                } else {
                    let _ = request.respond(response);
                }
            }
        });
        Self { server, thread: Some(thread), requests, broken, slow }
    }

    fn options(&self, cache: &Path) -> DownloadOptions {
        let endpoint = format!("http://{}", self.server.server_addr());
        DownloadOptions { cache: cache.into(), endpoint: Some(endpoint), ..DownloadOptions::default() }
    }

    /// Files asked for since the last time.
    fn fetched(&self) -> Vec<String> {
        let requests = std::mem::take(&mut *self.requests.lock().expect("lock"));
        let prefix = format!("GET /{REPOSITORY}/resolve/{COMMIT}/");
        requests.iter().filter_map(|r| r.strip_prefix(&prefix)).map(String::from).collect()
    }
}

impl Drop for FakeHub {
    fn drop(&mut self) {
        self.server.unblock();
        self.thread.take().map(JoinHandle::join);
    }
}

fn header(name: &str, value: &str) -> Header {
    Header::from_bytes(name, value).expect("header")
}

fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|b| format!("{b:02x}")).collect()
}

/// What the hub's interface says for model information, listing and files.
fn answer(files: &BTreeMap<String, Vec<u8>>, url: &str, broken: Option<&str>) -> Response<Cursor<Vec<u8>>> {
    let json =
        |value: Value| Response::from_data(value.to_string()).with_header(header("content-type", "application/json"));
    let (path, _) = url.split_once('?').unwrap_or((url, ""));
    if path == format!("/api/models/{REPOSITORY}") || path == format!("/api/models/{REPOSITORY}/revision/v1") {
        return json(json!({"id": REPOSITORY, "sha": COMMIT, "tags": ["license:apache-2.0"]}));
    }
    if path == format!("/api/models/{REPOSITORY}/tree/{COMMIT}") {
        let entries = files.iter().map(|(name, bytes)| {
            let large = name
                .ends_with(".safetensors")
                .then(|| json!({"size": bytes.len(), "sha256": sha256(bytes), "pointerSize": 100}));
            json!({"type": "file", "oid": "00", "size": bytes.len(), "path": name, "lfs": large})
        });
        return json(entries.collect());
    }
    if let Some(name) = path.strip_prefix(&format!("/{REPOSITORY}/resolve/{COMMIT}/"))
        && let Some(bytes) = files.get(name)
    {
        let end = if broken == Some(name) { bytes.len() / 2 } else { bytes.len() };
        let file = Response::from_data(&bytes[..end]).with_header(header("x-repo-commit", COMMIT));
        return file.with_header(header("etag", &format!("\"{}\"", sha256(bytes))));
    }
    Response::from_data("{}").with_status_code(404)
}

/// The files of a sharded model, and others that no one needs.
fn repository() -> (tempfile::TempDir, BTreeMap<String, Vec<u8>>) {
    let folder = tempfile::tempdir().expect("folder");
    let model = folder.path().join("model");
    let options = FolderOptions { float: FloatType::F32, shard_bytes: Some(60_000), ..FolderOptions::default() };
    open(fixture("llama-llama3.gguf")).save_hf(&model, &options).expect("saves");
    let mut files: BTreeMap<String, Vec<u8>> =
        names(&model).into_iter().map(|name| (name.clone(), fs::read(model.join(name)).expect("reads"))).collect();
    for unwanted in ["pytorch_model.bin", "onnx/model.onnx", ".gitattributes", "../escape.safetensors", "x.gguf"] {
        files.insert(unwanted.into(), b"unwanted".to_vec());
    }
    (folder, files)
}

fn ignore(_: DownloadProgress) -> ControlFlow<()> {
    ControlFlow::Continue(())
}

#[test]
fn a_model_is_downloaded_by_name() {
    let (source, files) = repository();
    let hub = FakeHub::start(files);
    let cache = tempfile::tempdir().expect("folder");
    let mut seen = Vec::new();
    let listen = |progress| {
        seen.push(progress);
        ControlFlow::Continue(())
    };
    let folder = download(REPOSITORY, &hub.options(cache.path()), listen).expect("downloads");

    assert_same_tensors(&open(&folder), &open(source.path().join("model")));
    assert!(open(&folder).tokenizer.is_some());
    let mut expected = names(&source.path().join("model"));
    expected.push("manifest.json".into());
    expected.sort();
    assert_eq!(names(&folder), expected, "nothing that is not needed");
    assert_eq!(names(cache.path()), ["owner--tiny-model"], "nothing left over, nothing outside");
    verify(&folder).expect("as described");
    let manifest = Manifest::open(&folder).expect("reads");
    let entry = &manifest.files["config.json"];
    assert_eq!(entry.licence, "apache-2.0");
    assert!(entry.source.ends_with(&format!("/{REPOSITORY}/tree/{COMMIT}")), "{}", entry.source);

    let total: u64 = manifest.files.values().map(|f| f.size).sum();
    assert!(seen.is_sorted_by_key(|p| p.done) && seen.iter().all(|p| p.total == total));
    assert_eq!(seen.last(), Some(&DownloadProgress { done: total, total }));

    assert_eq!(hub.fetched().len(), manifest.files.len());
    assert_eq!(download(REPOSITORY, &hub.options(cache.path()), ignore).expect("is there"), folder);
    assert_eq!(hub.requests.lock().expect("lock").len(), 0, "what is there needs no network");
}

#[test]
fn a_download_that_broke_off_goes_on() {
    let (_source, files) = repository();
    let hub = FakeHub::start(files);
    let cache = tempfile::tempdir().expect("folder");
    let shard = "model-00002-of-00003.safetensors";
    *hub.broken.lock().expect("lock") = Some(shard.into());
    let failed = download(REPOSITORY, &hub.options(cache.path()), ignore).expect_err("cut short");
    assert!(failed.to_string().contains("arrived damaged; start the download again"), "{failed}");
    assert!(!cache.path().join("owner--tiny-model").exists());
    hub.fetched();

    *hub.broken.lock().expect("lock") = None;
    let folder = download(REPOSITORY, &hub.options(cache.path()), ignore).expect("goes on");
    assert_eq!(hub.fetched(), [shard], "only what was missing");
    verify(&folder).expect("as described");

    // A folder that lost a file is completed again.
    fs::remove_file(folder.join("config.json")).expect("removes");
    download(REPOSITORY, &hub.options(cache.path()), ignore).expect("again");
    verify(&folder).expect("as described");
}

#[test]
fn a_download_stops_in_the_middle_of_a_file_and_goes_on_later() {
    let (_source, files) = repository();
    let hub = FakeHub::start(files.clone());
    let cache = tempfile::tempdir().expect("folder");
    let shard = "model-00002-of-00003.safetensors";
    *hub.slow.lock().expect("lock") = Some(shard.into());
    let small: u64 = files.iter().filter(|(name, _)| name.as_str() < shard).map(|(_, bytes)| bytes.len() as u64).sum();
    let mut stopped = None;
    let stop = |progress: DownloadProgress| {
        // In the middle of the slow file, which comes after the smaller names.
        if progress.done > small && stopped.is_none() {
            stopped = Some(Instant::now());
        }
        if stopped.is_some() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    };
    let failed = download(REPOSITORY, &hub.options(cache.path()), stop).expect_err("stopped");
    assert!(matches!(failed, CheckpointError::Cancelled), "{failed:?}");
    assert!(stopped.expect("was stopped").elapsed() < Duration::from_secs(2));
    assert!(!cache.path().join("owner--tiny-model").exists());
    let before = hub.fetched();

    *hub.slow.lock().expect("lock") = None;
    let folder = download(REPOSITORY, &hub.options(cache.path()), ignore).expect("goes on");
    verify(&folder).expect("as described");
    let after = hub.fetched();
    assert!(after.contains(&shard.to_string()), "{after:?}");
    let again = after.iter().filter(|name| before.contains(name)).count();
    assert_eq!(again, 1, "only the file that was stopped comes again: {before:?} {after:?}");
}

#[test]
fn contents_are_checked_against_the_sum_of_the_hub() {
    let (_source, files) = repository();
    let hub = FakeHub::start(files.clone());
    let cache = tempfile::tempdir().expect("folder");
    let partial = cache.path().join(".owner--tiny-model.partial");
    fs::create_dir(&partial).expect("creates");
    let shard = "model-00001-of-00003.safetensors";
    fs::write(partial.join(shard), vec![0; files[shard].len()]).expect("of the right size");
    let failed = download(REPOSITORY, &hub.options(cache.path()), ignore).expect_err("wrong contents");
    assert!(failed.to_string().contains(&format!("{shard} arrived damaged")), "{failed}");
    download(REPOSITORY, &hub.options(cache.path()), ignore).expect("fetched anew");
}

#[test]
fn one_gguf_file_of_several() {
    let files = ["qwen2.gguf", "qwen3.gguf"].map(|n| (n.to_string(), fs::read(fixture(n)).expect("fixture")));
    let hub = FakeHub::start(files.into());
    let cache = tempfile::tempdir().expect("folder");
    let mut options = hub.options(cache.path());
    options.revision = Some("v1".into());
    let failed = download(REPOSITORY, &options, ignore).expect_err("which?");
    assert!(failed.to_string().contains("name one of qwen2.gguf, qwen3.gguf"), "{failed}");
    options.gguf = Some("qwen3.gguf".into());
    let folder = download(REPOSITORY, &options, ignore).expect("downloads");
    assert_eq!(open(folder).config["model_type"], "qwen3");
    options.gguf = Some("other.gguf".into());
    options.cache = cache.path().join("new");
    assert!(
        download(REPOSITORY, &options, ignore).expect_err("absent").to_string().contains("no file named other.gguf")
    );
}

#[test]
fn failures_say_what_to_do() {
    let (_source, files) = repository();
    let hub = FakeHub::start(files);
    let cache = tempfile::tempdir().expect("folder");
    let says = |repository: &str, options: &DownloadOptions| {
        let failed = download(repository, options, ignore).expect_err("fails");
        assert!(matches!(failed, CheckpointError::Download { .. }), "{failed:?}");
        failed.to_string()
    };
    assert!(says("owner/other", &hub.options(cache.path())).contains("there is no such public model"));
    for name in ["tiny-model", "", "/", "a/b/c", "../..", "owner/..", "owner/na me", "owner/-\u{e9}"] {
        assert!(says(name, &hub.options(cache.path())).contains("is named like"), "{name}");
    }
    let later = DownloadOptions { revision: Some("v9".into()), ..hub.options(cache.path()) };
    assert!(says(REPOSITORY, &later).contains("no version named v9"));
    let empty = FakeHub::start([("README.md".to_string(), vec![1])].into());
    assert!(says(REPOSITORY, &empty.options(cache.path())).contains("no weights that this program reads"));

    let closed = empty.options(cache.path());
    drop(empty);
    assert_eq!(
        says(REPOSITORY, &closed),
        "cannot download owner/tiny-model: the network cannot be reached; check the connection and try again"
    );
    assert_eq!(names(cache.path()), Vec::<String>::new());
}
