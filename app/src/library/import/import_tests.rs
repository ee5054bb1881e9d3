use std::fs;
use std::path::PathBuf;

use sightread_models::checkpoint::{Checkpoint, verify};
use sightread_models::text::TextModel;

use super::super::{Architecture, ModelEntry, calibration_text, installed_in};
use super::*;

/// A tiny Llama of one block with a tokenizer, made by `tests/parity/make_gguf_fixtures.py`.
fn tiny() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/parity/gguf/llama-llama3.gguf")
}

const LAYERS: usize = 7;

struct Bench {
    folder: tempfile::TempDir,
}

impl Bench {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::copy(tiny(), folder.path().join("tiny.gguf")).unwrap();
        Self { folder }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn library(&self) -> PathBuf {
        self.path("library")
    }

    /// Models that were brought in.
    fn models(&self) -> Vec<ModelEntry> {
        installed_in(&self.library()).into_iter().filter(|model| !model.built_in).collect()
    }

    /// Imports in lockstep: `watch` sees every state before the import goes on. Returns the sentence at the end.
    fn import_watched(
        &self,
        from: ImportSource,
        calibration: Option<PathBuf>,
        mut watch: impl FnMut(&Import, &ImportState),
    ) -> Result<String, String> {
        let (states, told) = channel();
        let (go, gone) = channel();
        let on_state = move |state| {
            let _ = states.send(state);
            let _ = gone.recv();
        };
        let import = Import::start_on(Backend::Cpu, from, calibration, &self.library(), on_state).unwrap();
        loop {
            let state: ImportState = told.recv().expect("an import ends with a sentence");
            watch(&import, &state);
            if let Some(ended) = state.ended {
                drop(go);
                import.wait();
                return ended;
            }
            go.send(()).unwrap();
        }
    }

    fn import(&self, from: &str) -> Result<String, String> {
        self.import_watched(ImportSource::Folder(self.path(from)), None, |_, _| {})
    }

    fn refused(&self, from: &str) -> String {
        let reason = self.import(from).expect_err(from);
        assert!(reason.ends_with('.') && !reason.contains("panicked"), "{reason}");
        reason
    }
}

fn loads(folder: &Path) {
    let checkpoint = Checkpoint::open(folder).unwrap();
    assert!(checkpoint.tokenizer.is_some());
    TextModel::load(&checkpoint, &Backend::Cpu.open().unwrap()).unwrap();
    verify(folder).unwrap();
}

#[test]
fn a_model_is_quantized_and_stands_in_the_list() {
    let bench = Bench::new();
    let mut states = vec![];
    let from = ImportSource::Folder(bench.path("tiny.gguf"));
    let ended = bench.import_watched(from, None, |_, state| states.push(state.clone()));
    let ended = ended.unwrap();
    assert!(
        ended.starts_with("tiny is here. It answers questions about the text, if") && ended.ends_with("kilobytes."),
        "{ended}"
    );

    assert!(states.iter().all(|state| state.name == "tiny"));
    let mut steps: Vec<&str> = states.iter().map(|state| state.step.as_str()).collect();
    steps.dedup();
    assert_eq!(steps, ["Checking", "Quantizing", "Writing", "Done"]);
    let shares: Vec<f32> = states.iter().filter_map(|state| state.share).collect();
    assert!(shares.is_sorted() && shares.last() == Some(&1.0) && shares.len() > LAYERS, "{shares:?}");
    assert!(states.iter().any(|state| state.left.is_some()), "the time that is left is estimated");

    let [model] = bench.models().try_into().expect("one model");
    assert_eq!((model.name.as_str(), &model.problem, model.folder), ("tiny", &None, bench.library().join("tiny")));
    assert_eq!(model.abilities, Architecture::Language.abilities());
    assert_eq!(model.licence.as_deref(), Some("unknown"));
    assert!(model.quantization.unwrap().starts_with("4 bit by RPIQ, a layer's error is "));
    let files = fs::read_dir(bench.library().join("tiny")).unwrap();
    assert_eq!(model.bytes, files.map(|file| file.unwrap().metadata().unwrap().len()).sum::<u64>());
    loads(&bench.library().join("tiny"));
    assert_eq!(fs::read_dir(bench.library()).unwrap().count(), 1, "nothing is left over");
}

#[test]
fn what_was_stopped_after_the_first_layer_goes_on_there() {
    let bench = Bench::new();
    let from = || ImportSource::Folder(bench.path("tiny.gguf"));
    let stop = |import: &Import, state: &ImportState| {
        if state.share.is_some_and(|share| share > 0.0) {
            import.stop();
        }
    };
    let ended = bench.import_watched(from(), None, stop).unwrap_err();
    assert!(ended.contains("was stopped. What is done is kept"), "{ended}");
    assert_eq!(bench.models(), [], "nothing half-made is in the list");
    let parts = bench.library().join("tiny.rpiq-parts");
    let report = |name: &str| fs::read_to_string(parts.join(name)).unwrap();
    let first: serde_json::Value = serde_json::from_str(&report("block-00000-stage-0.json")).unwrap();
    assert!(!parts.join("block-00000-stage-1.json").exists(), "it stopped at once");

    // What a process that was killed while writing has left.
    fs::create_dir(bench.library().join(".tiny.partial")).unwrap();
    fs::write(bench.library().join(".tiny.partial/config.json"), "{").unwrap();
    assert_eq!(bench.models(), []);

    bench.import_watched(from(), None, |_, _| {}).unwrap();
    let made = fs::read(bench.library().join("tiny/quantization_report.json")).unwrap();
    let made: serde_json::Value = serde_json::from_slice(&made).unwrap();
    let layers = first.as_array().unwrap();
    assert!(!layers.is_empty());
    for (n, layer) in layers.iter().enumerate() {
        assert_eq!(&made["layers"][n], layer, "layer {n} was not made again");
    }
    loads(&bench.library().join("tiny"));
    assert_eq!(fs::read_dir(bench.library()).unwrap().count(), 1, "nothing is left over");
}

#[test]
fn parts_of_an_import_with_another_text_are_in_nobodys_way() {
    let bench = Bench::new();
    let from = || ImportSource::Folder(bench.path("tiny.gguf"));
    let stop = |import: &Import, state: &ImportState| {
        if state.share.is_some_and(|share| share > 0.0) {
            import.stop();
        }
    };
    bench.import_watched(from(), None, stop).unwrap_err();
    let text = fs::read_to_string(calibration_text().unwrap()).unwrap();
    fs::write(bench.path("own.txt"), text.chars().rev().collect::<String>()).unwrap();
    bench.import_watched(from(), Some(bench.path("own.txt")), |_, _| {}).unwrap();
    loads(&bench.library().join("tiny"));
}

#[test]
fn a_model_in_4_bit_is_copied_as_it_is() {
    let bench = Bench::new();
    bench.import("tiny.gguf").unwrap();
    let made = bench.path("copied");
    fs::rename(bench.library().join("tiny"), &made).unwrap();
    let mut steps = vec![];
    let from = ImportSource::Folder(made.clone());
    let ended = bench.import_watched(from, None, |_, state| steps.push(state.step.clone())).unwrap();
    assert!(ended.starts_with("copied is here."), "{ended}");
    steps.dedup();
    assert_eq!(steps, ["Checking", "Copying", "Done"]);
    for file in fs::read_dir(&made).unwrap() {
        let file = file.unwrap();
        let copy = bench.library().join("copied").join(file.file_name());
        assert!(fs::read(file.path()).unwrap() == fs::read(copy).unwrap(), "{:?}", file.file_name());
    }

    // One that has changed since its manifest was written.
    let weights = made.join("model.safetensors");
    let mut bytes = fs::read(&weights).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    fs::write(&weights, bytes).unwrap();
    fs::rename(&made, bench.path("changed")).unwrap();
    let reason = bench.refused("changed");
    assert!(reason.contains("its contents have changed"), "{reason}");
    assert_eq!(bench.models().len(), 1);
}

#[cfg(unix)]
#[test]
fn another_starter_model_is_copied_with_both_halves() {
    let bench = Bench::new();
    let starter = crate::starter::find(None).unwrap();
    for half in ["vision", "language"] {
        let folder = bench.path("better").join(half);
        fs::create_dir_all(&folder).unwrap();
        for file in fs::read_dir(starter.join(half)).unwrap() {
            let file = file.unwrap();
            std::os::unix::fs::symlink(file.path(), folder.join(file.file_name())).unwrap();
        }
    }
    bench.import("better").unwrap();
    let [model] = bench.models().try_into().expect("one model");
    assert_eq!(
        (model.name.as_str(), model.problem, model.abilities),
        ("better", None, Architecture::Starter.abilities())
    );
    let copied = bench.library().join("better/language/config.json");
    assert!(fs::symlink_metadata(copied).unwrap().is_file(), "files, no links");
}

#[test]
fn names_that_are_taken_are_refused() {
    let bench = Bench::new();
    bench.import("tiny.gguf").unwrap();
    let before = fs::read(bench.library().join("tiny/model.safetensors")).unwrap();
    for name in ["tiny.gguf", "TINY.gguf", "Starter.gguf", "speech.gguf"] {
        fs::copy(tiny(), bench.path(name)).unwrap();
        let reason = bench.refused(name);
        assert!(reason.contains("is here already; remove it first"), "{reason}");
    }
    assert_eq!(bench.models().len(), 1);
    assert!(before == fs::read(bench.library().join("tiny/model.safetensors")).unwrap());
}

#[test]
fn what_cannot_be_imported_gets_a_sentence() {
    let bench = Bench::new();
    let write = |name: &str, contents: &[u8]| {
        let path = bench.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, contents).unwrap();
    };
    let says = |from: &str, expected: &str| {
        let reason = bench.refused(from);
        assert!(reason.contains(expected), "{from}: {reason}");
    };
    says("nowhere", "there is nothing at");
    fs::create_dir(bench.path("empty")).unwrap();
    says("empty", "holds neither a config.json nor a .gguf file");
    write("letter.txt", b"Dear model,");
    says("letter.txt", "is neither a folder nor a .gguf file");
    write("torn.gguf", &fs::read(tiny()).unwrap()[..20_000]);
    says("torn.gguf", "is damaged");
    write("scribble/config.json", b"{\"model_type\": ");
    says("scribble", "is damaged");
    write("bare/config.json", b"{\"model_type\": \"llama\"}");
    says("bare", "holds no .safetensors file");

    let from = Checkpoint::open(tiny()).unwrap();
    let save = |name: &str, change: &dyn Fn(&mut serde_json::Value)| {
        let folder = bench.path(name);
        let options = sightread_models::checkpoint::FolderOptions { shard_bytes: Some(50_000), ..Default::default() };
        from.save_hf(&folder, &options).unwrap();
        let path = folder.join("config.json");
        let mut config: serde_json::Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
        change(&mut config);
        fs::write(path, config.to_string()).unwrap();
        folder
    };
    save("opera", &|config| config["model_type"] = "opera".into());
    says("opera", "models of the kind opera are not known to this program");
    save("awq", &|config| config["quantization_config"] = serde_json::json!({"quant_method": "awq", "bits": 4}));
    says("awq", "the quantization method awq is not supported");
    save("wide", &|config| config["hidden_size"] = 40.into());
    says("wide", "shape");
    let folder = save("shard", &|_| {});
    fs::remove_file(folder.join("model-00001-of-00002.safetensors")).unwrap();
    says("shard", "model-00001-of-00002.safetensors");
    let folder = save("mute", &|_| {});
    fs::remove_file(folder.join("tokenizer.json")).unwrap();
    says("mute", "has no tokenizer");

    write("short.txt", b"Too short.");
    let from = ImportSource::Folder(bench.path("tiny.gguf"));
    let reason = bench.import_watched(from, Some(bench.path("short.txt")), |_, _| {}).unwrap_err();
    assert!(reason.contains("it is too short; give more text"), "{reason}");
    for nobody in ["", "owner/..", "no-owner"] {
        let reason = bench.import_watched(ImportSource::Repository(nobody.into()), None, |_, _| {}).unwrap_err();
        assert!(reason.contains("like HuggingFaceTB") || reason.contains("it has no name"), "{reason}");
    }
    assert_eq!(bench.models(), []);
    let left: Vec<_> = fs::read_dir(bench.library()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert!(left.iter().all(|name| name.to_string_lossy().ends_with(".rpiq-parts")), "{left:?}");
}

#[test]
fn a_library_that_cannot_be_written_gets_a_sentence() {
    let bench = Bench::new();
    fs::write(bench.library(), "a file").unwrap();
    let reason = bench.refused("tiny.gguf");
    assert!(reason.contains("library cannot be used: a file of that name is in the way"), "{reason}");
}

#[test]
fn a_panic_ends_the_import_and_nothing_else() {
    let bench = Bench::new();
    let import = Import::start_on(
        Backend::Cpu,
        ImportSource::Folder(bench.path("tiny.gguf")),
        None,
        &bench.library(),
        |state| assert!(state.ended.is_some(), "the listener panics on purpose"),
    );
    import.unwrap().wait();
    assert_eq!(bench.models(), []);
}
