//! Nothing half-written ever stands under a model's name; manifests notice every change.

use std::fs;
use std::ops::ControlFlow;

use serde_json::{Value, json};
use sightread_models::checkpoint::{
    CheckpointError, FloatType, FolderOptions, MANIFEST_FILE, Manifest, PackedFolderWriter, Provenance,
    QuantizationConfig, TensorData, copy_model, verify, write_part,
};

use crate::{assert_same_tensors, fixture, names, open};

fn provenance() -> Provenance {
    Provenance { licence: "Apache-2.0".into(), source: "made for a test".into() }
}

fn options() -> FolderOptions {
    FolderOptions { float: FloatType::F32, provenance: Some(provenance()), ..FolderOptions::default() }
}

#[test]
fn a_model_is_replaced_only_by_a_complete_one() {
    let folder = tempfile::tempdir().expect("folder");
    let out = folder.path().join("model");
    let (first, second) = (open(fixture("qwen2.gguf")), open(fixture("llama-gpt2.gguf")));
    first.save_hf(&out, &options()).expect("saves");
    second.save_hf(&out, &options()).expect("replaces");
    assert_same_tensors(&open(&out), &second);
    assert_eq!(names(folder.path()), ["model"], "nothing is left over");

    // A source whose last tensor turns out to be damaged fails half-way.
    let broken = folder.path().join("broken");
    first.save_hf(&broken, &options()).expect("saves");
    let weights = broken.join("model.safetensors");
    let mut bytes = fs::read(&weights).expect("reads");
    let end = bytes.len();
    bytes[end - 4..].copy_from_slice(&f32::NAN.to_le_bytes());
    fs::write(&weights, bytes).expect("writes");
    let failed = open(&broken).save_hf(&out, &options()).expect_err("damaged");
    assert!(matches!(failed, CheckpointError::NotFinite { .. }), "{failed}");
    assert_same_tensors(&open(&out), &second);
    assert_eq!(names(folder.path()), ["broken", "model"]);
}

#[test]
fn what_a_killed_process_left_is_cleaned_up() {
    let folder = tempfile::tempdir().expect("folder");
    let out = folder.path().join("model");
    let model = open(fixture("qwen2.gguf"));
    model.save_hf(&out, &options()).expect("saves");
    // Killed while filling, and between the two renames.
    fs::create_dir(folder.path().join(".model.partial")).expect("creates");
    fs::write(folder.path().join(".model.partial/model.safetensors"), "half").expect("writes");
    fs::rename(&out, folder.path().join(".model.old")).expect("renames");
    let failing = FolderOptions { side_files: vec![("no/such/folder".into(), vec![])], ..options() };
    model.save_hf(&out, &failing).expect_err("fails");
    assert_same_tensors(&open(&out), &model);
    model.save_hf(&out, &options()).expect("saves");
    assert_eq!(names(folder.path()), ["model"]);
}

#[test]
fn what_is_no_model_is_left_alone() {
    let folder = tempfile::tempdir().expect("folder");
    let out = folder.path().join("letters");
    fs::create_dir(&out).expect("creates");
    let model = open(fixture("qwen2.gguf"));
    fs::write(out.join("dear.txt"), "dear").expect("writes");
    assert!(matches!(model.save_hf(&out, &options()), Err(CheckpointError::Occupied(_))));
    assert_eq!(names(&out), ["dear.txt"]);
    fs::remove_file(out.join("dear.txt")).expect("removes");
    model.save_hf(&out, &options()).expect("an empty folder is fine");
}

#[test]
fn a_tensor_cannot_be_written_twice() {
    let folder = tempfile::tempdir().expect("folder");
    let out = folder.path().join("model");
    let writer =
        PackedFolderWriter { quantization: QuantizationConfig::gptq_v2(Some(32), false, true), options: options() };
    let tensor = TensorData::i32("a", &[1], &[1]).expect("fits");
    let part = folder.path().join("a.part");
    write_part(&part, std::slice::from_ref(&tensor)).expect("writes");
    let source = open(fixture("qwen2.gguf"));
    let twice = writer.assemble(&source, std::slice::from_ref(&part), std::slice::from_ref(&tensor), &out);
    assert!(matches!(twice, Err(CheckpointError::Config(_))));
    let twice = writer.assemble(&source, &[part.clone(), part], &[], &out);
    assert!(matches!(twice, Err(CheckpointError::Damaged { .. })));
    assert!(matches!(
        write_part(&folder.path().join("b.part"), &[tensor.clone(), tensor]),
        Err(CheckpointError::Config(_))
    ));
    let inside = writer.assemble(&source, &[out.join("a.part")], &[], &out);
    assert!(matches!(inside, Err(CheckpointError::Config(_))));
    assert!(!out.exists());
}

#[test]
fn side_files_travel() {
    let folder = tempfile::tempdir().expect("folder");
    let (first, second) = (folder.path().join("first"), folder.path().join("second"));
    let report = FolderOptions { side_files: vec![("report.json".into(), b"{}".to_vec())], ..options() };
    open(fixture("qwen2.gguf")).save_hf(&first, &report).expect("saves");
    assert_eq!(fs::read(first.join("report.json")).expect("there"), b"{}");
    fs::write(first.join("LICENSE"), "terms").expect("writes");
    open(&first).save_hf(&second, &options()).expect("saves");
    assert_eq!(fs::read(second.join("LICENSE")).expect("there"), b"terms");
    assert_eq!(
        fs::read(second.join("tokenizer.json")).expect("there"),
        fs::read(first.join("tokenizer.json")).expect("there")
    );
    assert!(!second.join("report.json").exists(), "a report is about one folder");
}

#[test]
fn manifests_notice_every_change() {
    let folder = tempfile::tempdir().expect("folder");
    let out = folder.path().join("model");
    open(fixture("qwen2.gguf")).save_hf(&out, &options()).expect("saves");
    verify(&out).expect("just written");
    let manifest = Manifest::open(&out).expect("reads");
    let files: Vec<&str> = manifest.files.keys().map(String::as_str).collect();
    assert_eq!(
        files,
        ["config.json", "generation_config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json"]
    );
    assert!(manifest.files.values().all(|f| f.licence == "Apache-2.0" && f.source == "made for a test"));

    let path = out.join("generation_config.json");
    let original = fs::read(&path).expect("reads");
    let mut other = original.clone();
    other[0] ^= 1;
    fs::write(&path, &other).expect("writes");
    assert!(verify(&out).expect_err("changed").to_string().contains("contents have changed"));
    other.push(0);
    fs::write(&path, &other).expect("writes");
    assert!(verify(&out).expect_err("longer").to_string().contains("bytes instead of"));
    fs::remove_file(&path).expect("removes");
    assert!(matches!(verify(&out), Err(CheckpointError::Io { .. })));
    fs::write(&path, original).expect("writes");
    verify(&out).expect("as it was");
}

#[test]
fn a_known_sum() {
    let folder = tempfile::tempdir().expect("folder");
    fs::write(folder.path().join("abc"), "abc").expect("writes");
    let manifest = Manifest::describe(folder.path(), &provenance()).expect("describes");
    // FIPS 180-2, appendix B.1.
    let sum = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    assert_eq!((manifest.files["abc"].sha256.as_str(), manifest.files["abc"].size), (sum, 3));
}

#[test]
fn a_manifest_stays_in_its_folder() {
    let folder = tempfile::tempdir().expect("folder");
    let entry = json!({"sha256": "00", "size": 1, "licence": "", "source": ""});
    let with = |value: Value| {
        fs::write(folder.path().join(MANIFEST_FILE), value.to_string()).expect("writes");
        verify(folder.path()).expect_err("refused").to_string()
    };
    for name in ["../secret", "/etc/passwd", "", "a/../../b"] {
        assert!(with(json!({"version": 1, "files": {name: entry}})).contains("no file of its folder"), "{name}");
    }
    assert!(with(json!({"version": 2, "files": {}})).contains("install a newer version"));
    assert!(with(json!({"files": 3})).contains("is damaged"));
}

#[test]
fn a_model_is_copied_as_it_is_and_only_whole() {
    let folder = tempfile::tempdir().expect("folder");
    let (from, to) = (folder.path().join("from"), folder.path().join("new/to"));
    let (plain, packed) = (open(fixture("qwen2.gguf")), open(fixture("llama-gpt2.gguf")));
    packed.save_hf(&from, &options()).expect("saves");
    plain.save_hf(&from.join("language"), &options()).expect("saves");
    for unwanted in [".hidden", "pytorch_model.bin", "x.onnx"] {
        fs::write(from.join(unwanted), "unwanted").expect("writes");
    }
    let go_on = |_, _| ControlFlow::Continue(());

    let mut calls = 0;
    let stop = |done: u64, total: u64| {
        calls += 1;
        assert!(done <= total);
        if calls == 3 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    };
    assert!(matches!(copy_model(&from, &to, stop), Err(CheckpointError::Cancelled)));
    assert_eq!(names(&folder.path().join("new")), Vec::<String>::new(), "nothing half-made is left");

    let mut last = (0, 1);
    let listen = |done, total| {
        last = (done, total);
        ControlFlow::Continue(())
    };
    copy_model(&from, &to, listen).expect("copies");
    assert_eq!(last.0, last.1);
    assert_same_tensors(&open(&to), &packed);
    assert_same_tensors(&open(to.join("language")), &plain);
    let copied = names(&to);
    assert!(!copied.iter().any(|name| name.starts_with('.') || name.ends_with(".bin") || name.ends_with(".onnx")));
    assert!(copied.contains(&MANIFEST_FILE.to_string()));

    copy_model(&from, &from.join("inside"), go_on).expect_err("into itself");
    copy_model(&from, &from, go_on).expect_err("onto itself");
    fs::write(from.join("language/config.json"), "{}").expect("writes");
    let failed = copy_model(&from, &to, go_on).expect_err("not as its manifest says");
    assert!(failed.to_string().contains("is damaged"), "{failed}");
    assert_same_tensors(&open(&to), &packed);
}
