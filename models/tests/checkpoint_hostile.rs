//! Damaged and hostile checkpoint files: a clear error or a usable model, never a panic, never memory out of proportion.

mod use_all;

use std::alloc::{GlobalAlloc, Layout, System};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use rand::{Rng, RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde_json::json;
use sightread_models::checkpoint::{Checkpoint, CheckpointError, FloatType, FolderOptions};
use use_all::use_all;

/// Remembers the largest single request for memory.
struct LargestRequest;

static LARGEST: AtomicUsize = AtomicUsize::new(0);

// SAFETY: every call is passed on to the system's allocator as it came.
unsafe impl GlobalAlloc for LargestRequest {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        LARGEST.fetch_max(layout.size(), Ordering::Relaxed);
        // SAFETY: as for the whole block.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        // SAFETY: as for the whole block.
        unsafe { System.dealloc(at, layout) }
    }

    unsafe fn realloc(&self, at: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        LARGEST.fetch_max(size, Ordering::Relaxed);
        // SAFETY: as for the whole block.
        unsafe { System.realloc(at, layout, size) }
    }
}

#[global_allocator]
static ALLOCATOR: LargestRequest = LargestRequest;

/// No test file is larger than 200 kB; what stands in proportion to that stays far below.
const MOST_MEMORY: usize = 8 << 20;

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/parity/gguf").join(name)
}

/// The weights of a small Whisper in CTranslate2's format.
fn whisper(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/fixtures/whisper").join(name).join("model.bin")
}

/// A folder with one safetensors file of this header and data.
fn safetensors(folder: &Path, header: &str, data: &[u8]) -> Result<(), CheckpointError> {
    let bytes = [&(header.len() as u64).to_le_bytes(), header.as_bytes(), data].concat();
    raw_safetensors(folder, &bytes)
}

fn raw_safetensors(folder: &Path, bytes: &[u8]) -> Result<(), CheckpointError> {
    fs::write(folder.join("config.json"), "{}").expect("writes");
    fs::write(folder.join("model.safetensors"), bytes).expect("writes");
    use_all(folder)
}

#[test]
fn safetensors_headers_that_lie() {
    let folder = tempfile::tempdir().expect("folder");
    let refused = |header: serde_json::Value, data: &[u8]| {
        let refused = safetensors(folder.path(), &header.to_string(), data).expect_err("refused");
        assert!(
            matches!(refused, CheckpointError::Damaged { .. } | CheckpointError::MissingTensor { .. }),
            "{refused:?}"
        );
    };
    let tensor =
        |shape: &[u64], from: u64, to: u64| json!({"dtype": "F32", "shape": shape, "data_offsets": [from, to]});
    safetensors(folder.path(), &json!({"a": tensor(&[2], 0, 8)}).to_string(), &[0; 8]).expect("the valid one");
    safetensors(folder.path(), "{}", &[]).expect("an empty one");
    safetensors(folder.path(), &json!({"a": tensor(&[0, 4], 0, 0)}).to_string(), &[])
        .expect("a tensor without elements");

    refused(json!({"a": tensor(&[2], 0, 8)}), &[0; 7]);
    refused(json!({"a": tensor(&[2], 0, 8)}), &[0; 9]);
    refused(json!({"a": tensor(&[3], 0, 8)}), &[0; 8]);
    refused(json!({"a": tensor(&[2], 8, 0)}), &[0; 8]);
    refused(json!({"a": tensor(&[2], 4, 12)}), &[0; 12]);
    refused(json!({"a": tensor(&[2], 0, 8), "b": tensor(&[2], 4, 12)}), &[0; 12]);
    refused(json!({"a": tensor(&[u64::MAX, 2], 0, 8)}), &[0; 8]);
    refused(json!({"a": tensor(&[1 << 62, 4], 0, 0)}), &[]);
    refused(json!({"a": tensor(&[2], 0, u64::MAX)}), &[0; 8]);
    refused(json!({"a": {"dtype": "F33", "shape": [2], "data_offsets": [0, 8]}}), &[0; 8]);
    refused(json!({"a": {"dtype": "F32", "shape": [-2], "data_offsets": [0, 8]}}), &[0; 8]);
    refused(json!({"a": {"dtype": "F32", "shape": [2.5], "data_offsets": [0, 8]}}), &[0; 8]);
    refused(json!([1, 2]), &[]);
    // Eight tensors whose lengths together pass what 64 bits can count.
    let eighth = u64::MAX / 8;
    let all: serde_json::Map<String, serde_json::Value> = (0..8u64)
        .map(|i| {
            (i.to_string(), json!({"dtype": "U8", "shape": [eighth], "data_offsets": [eighth * i, eighth * (i + 1)]}))
        })
        .collect();
    refused(all.into(), &[]);
    refused(json!({"x.weight_q8": {"dtype": "I8", "shape": [2, 2], "data_offsets": [0, 4]}}), &[0; 4]);

    for bytes in [&[][..], &[1, 2, 3], &u64::MAX.to_le_bytes(), &(1u64 << 30).to_le_bytes(), &9u64.to_le_bytes()] {
        let refused = raw_safetensors(folder.path(), bytes).expect_err("refused");
        assert!(matches!(refused, CheckpointError::Damaged { .. }), "{refused:?}");
    }
    let deep = format!("{{\"a\":{}{}}}", "[".repeat(100_000), "]".repeat(100_000));
    safetensors(folder.path(), &deep, &[]).expect_err("deeply nested");
}

/// A GGUF header: version 3, counts, then `rest`.
fn gguf(tensors: u64, values: u64, rest: &[&[u8]]) -> Vec<u8> {
    let mut bytes = [&b"GGUF"[..], &3u32.to_le_bytes(), &tensors.to_le_bytes(), &values.to_le_bytes()].concat();
    rest.iter().for_each(|part| bytes.extend_from_slice(part));
    bytes
}

fn text(text: &str) -> Vec<u8> {
    [&(text.len() as u64).to_le_bytes()[..], text.as_bytes()].concat()
}

/// A row of the tensor table.
fn row(name: &str, shape: &[u64], kind: u32, offset: u64) -> Vec<u8> {
    let shape: Vec<u8> =
        [&(shape.len() as u32).to_le_bytes()[..], &shape.iter().flat_map(|d| d.to_le_bytes()).collect::<Vec<_>>()]
            .concat();
    [text(name), shape, kind.to_le_bytes().to_vec(), offset.to_le_bytes().to_vec()].concat()
}

#[test]
fn gguf_headers_that_lie() {
    let folder = tempfile::tempdir().expect("folder");
    let path = folder.path().join("model.gguf");
    let says = |bytes: &[u8]| {
        fs::write(&path, bytes).expect("writes");
        let refused = use_all(&path).expect_err("refused");
        assert!(matches!(refused, CheckpointError::Damaged { .. }), "{refused:?}");
        refused.to_string()
    };
    let (u32_kind, f32_kind, text_kind, list_kind) =
        (4u32.to_le_bytes(), 6u32.to_le_bytes(), 8u32.to_le_bytes(), 9u32.to_le_bytes());
    let max = u64::MAX.to_le_bytes();
    let ends = "ends within its header";

    assert!(says(b"").contains(ends));
    assert!(says(b"GGUF").contains(ends));
    assert!(says(b"PK\x03\x04 and so on").contains("does not begin like"));
    assert!(says(&gguf(u64::MAX, 0, &[])).contains(ends));
    assert!(says(&gguf(0, u64::MAX, &[])).contains(ends));
    assert!(says(&gguf(0, 1, &[&max])).contains(ends), "a key without end");
    assert!(says(&gguf(0, 1, &[&text("k"), &text_kind, &max])).contains(ends), "a text without end");
    assert!(says(&gguf(0, 1, &[&text("k"), &list_kind, &f32_kind, &max])).contains("cannot be that long"));
    assert!(says(&gguf(0, 1, &[&text("k"), &list_kind, &text_kind, &max])).contains(ends));
    assert!(says(&gguf(0, 1, &[&text("k"), &list_kind, &list_kind, &max])).contains("list of lists"));
    assert!(says(&gguf(0, 1, &[&text("k"), &99u32.to_le_bytes()])).contains("unknown type 99"));
    let twice = [text("k"), u32_kind.to_vec(), vec![0; 4]].concat();
    assert!(says(&gguf(0, 2, &[&twice, &twice])).contains("says k twice"));
    for alignment in [0u32, 3, 1 << 31] {
        let value = [text("general.alignment"), u32_kind.to_vec(), alignment.to_le_bytes().to_vec()].concat();
        assert!(says(&gguf(0, 1, &[&value])).contains("alignment"));
    }
    assert!(says(&gguf(0, 1, &[&[1, 0, 0, 0, 0, 0, 0, 0, 0xff]])).contains("not UTF-8"));

    let table = |rows: &[Vec<u8>], data: usize| {
        let mut bytes = gguf(rows.len() as u64, 0, &rows.iter().map(Vec::as_slice).collect::<Vec<_>>());
        bytes.resize(bytes.len().next_multiple_of(32) + data, 0);
        bytes
    };
    assert!(says(&table(&[row("t", &[8], 0, 0)], 31)).contains("t does not lie within it"));
    assert!(says(&table(&[row("t", &[8], 0, 0)], 32)).contains("general.architecture"), "the valid one gets further");
    assert!(says(&table(&[row("t", &[8], 0, 1)], 64)).contains("does not lie within"), "not aligned");
    assert!(says(&table(&[row("t", &[8], 0, u64::MAX - 31)], 32)).contains("does not lie within"));
    assert!(says(&table(&[row("a", &[16], 0, 0), row("b", &[8], 0, 32)], 96)).contains("a and b overlap"));
    assert!(says(&table(&[row("t", &[], 0, 0)], 0)).contains("0 dimensions"));
    assert!(says(&table(&[row("t", &[1; 5], 0, 0)], 64)).contains("5 dimensions"));
    assert!(says(&table(&[row("t", &[0, 4], 0, 0)], 64)).contains("cannot have the shape"));
    assert!(says(&table(&[row("t", &[1 << 40, 1 << 40], 0, 0)], 64)).contains("cannot have the shape"));
    assert!(says(&table(&[row("t", &[1 << 62], 0, 0)], 64)).contains("cannot have the shape"));
    assert!(says(&table(&[row("t", &[33], 2, 0)], 64)).contains("cannot have the shape"), "half a block");
    assert!(says(&table(&[row("t", &[256], 10, 0)], 256)).contains("Q2_K"));
    assert!(says(&table(&[row("t", &[32], 4711, 0)], 256)).contains("ggml type 4711"));
}

#[test]
fn text_files_that_are_none() {
    let folder = tempfile::tempdir().expect("folder");
    Checkpoint::open(fixture("qwen2.gguf"))
        .expect("opens")
        .save_hf(&folder.path().join("m"), &options())
        .expect("saves");
    let out = folder.path().join("m");
    for name in ["config.json", "tokenizer.json", "tokenizer_config.json", "generation_config.json"] {
        let original = fs::read(out.join(name)).expect("reads");
        for wrong in [&b""[..], b"{", b"\xff\xfe", b"[[[[", "[".repeat(200_000).as_bytes(), b"nul"] {
            fs::write(out.join(name), wrong).expect("writes");
            let refused = use_all(&out).expect_err("refused");
            assert!(matches!(refused, CheckpointError::Damaged { .. }), "{name}: {refused}");
            assert!(refused.to_string().contains(name), "{refused}");
        }
        fs::write(out.join(name), original).expect("writes");
    }
    use_all(&out).expect("as it was");
}

#[cfg(unix)]
#[test]
fn devices_are_not_read() {
    let folder = tempfile::tempdir().expect("folder");
    fs::write(folder.path().join("config.json"), "{}").expect("writes");
    std::os::unix::fs::symlink("/dev/zero", folder.path().join("model.safetensors")).expect("links");
    let refused = Checkpoint::open(folder.path()).expect_err("endless");
    assert!(refused.to_string().contains("not a regular file"), "{refused}");
}

fn options() -> FolderOptions {
    FolderOptions { float: FloatType::F16, rows_i8: vec!["model.embed_tokens".into()], ..FolderOptions::default() }
}

/// Changes a valid file a little: flips, numbers that are too large, cuts, pieces moved about.
fn mutate(bytes: &mut Vec<u8>, rng: &mut impl Rng) {
    for _ in 0..rng.random_range(1..4) {
        if bytes.is_empty() {
            return;
        }
        // Headers stand in front and decide the most.
        let reach = if rng.random_bool(0.8) { bytes.len().min(2048) } else { bytes.len() };
        let at = rng.random_range(0..reach);
        match rng.random_range(0..6) {
            0 => bytes[at] ^= 1 << rng.random_range(0..8),
            1 => bytes[at] = rng.random(),
            2 => {
                let extremes =
                    [0, 1, 2, 0x7f, 0xffff, 1 << 31, u64::from(u32::MAX), 1 << 32, 1 << 62, 1 << 63, u64::MAX];
                let value = extremes[rng.random_range(0..extremes.len())].to_le_bytes();
                let width = [1, 2, 4, 8][rng.random_range(0..4)].min(bytes.len() - at);
                bytes[at..at + width].copy_from_slice(&value[..width]);
            }
            3 => bytes.truncate(at),
            4 => {
                let end = (at + rng.random_range(1..16)).min(bytes.len());
                bytes.drain(at..end);
            }
            _ => {
                let end = (at + rng.random_range(1..64)).min(bytes.len());
                let piece = bytes[at..end].to_vec();
                let to = rng.random_range(0..reach);
                bytes.splice(to..to, piece);
            }
        }
    }
}

/// Thousands of damaged files, the same on every run. Longer searches: `fuzz/`.
#[test]
fn damaged_files_do_no_harm() {
    let folder = tempfile::tempdir().expect("folder");
    let gguf_path = folder.path().join("model.gguf");
    let hf = folder.path().join("hf");
    Checkpoint::open(fixture("qwen2.gguf")).expect("opens").save_hf(&hf, &options()).expect("saves");
    let sharded = folder.path().join("sharded");
    let small_shards = FolderOptions { shard_bytes: Some(20_000), ..options() };
    Checkpoint::open(fixture("llama-gpt2.gguf")).expect("opens").save_hf(&sharded, &small_shards).expect("saves");
    for slow in [hf.join("tokenizer.json"), sharded.join("tokenizer.json")] {
        fs::remove_file(slow).expect("removes");
    }

    let ct2 = folder.path().join("ct2");
    fs::create_dir(&ct2).expect("creates");

    let seeds: [(PathBuf, PathBuf, usize); 8] = [
        (whisper("ct2_float16"), ct2.join("model.bin"), 500),
        (whisper("ct2_int8"), ct2.join("model.bin"), 500),
        (fixture("blocks.gguf"), gguf_path.clone(), 1000),
        (fixture("llama-smollm.gguf"), gguf_path.clone(), 300),
        (hf.join("model.safetensors"), hf.join("model.safetensors"), 1000),
        (hf.join("config.json"), hf.join("config.json"), 300),
        (hf.join("tokenizer_config.json"), hf.join("tokenizer_config.json"), 100),
        (sharded.join("model.safetensors.index.json"), sharded.join("model.safetensors.index.json"), 300),
    ];
    let mut rng = ChaCha8Rng::seed_from_u64(4);
    let (mut fine, mut refused) = (0, 0);
    let start = Instant::now();
    for (seed, target, times) in seeds {
        let original = fs::read(&seed).expect("seed");
        let model = if target == gguf_path { gguf_path.as_path() } else { target.parent().expect("folder") };
        for _ in 0..times {
            let mut bytes = original.clone();
            mutate(&mut bytes, &mut rng);
            fs::write(&target, bytes).expect("writes");
            match use_all(model) {
                Ok(()) => fine += 1,
                Err(_) => refused += 1,
            }
        }
        fs::write(&target, original).expect("writes");
    }
    println!("{fine} still opened, {refused} were refused, {:.1?}", start.elapsed());
    assert!(fine > 100 && refused > 1000, "the mutations reach both outcomes: {fine}, {refused}");
    assert!(start.elapsed() < Duration::from_secs(60));
    let largest = LARGEST.load(Ordering::Relaxed);
    assert!(largest < MOST_MEMORY, "{largest} bytes were asked for at once");
}
