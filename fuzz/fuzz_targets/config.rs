//! Any bytes as each of the text files of a folder.
#![no_main]

mod scratch;
#[path = "../../models/tests/use_all/mod.rs"]
mod use_all;

use libfuzzer_sys::fuzz_target;

/// A safetensors file without tensors.
const NO_TENSORS: &[u8] = b"\x02\0\0\0\0\0\0\0{}";
const FILES: [&str; 5] = [
    "config.json",
    "generation_config.json",
    "tokenizer_config.json",
    "tokenizer.json",
    "model.safetensors.index.json",
];

fuzz_target!(|bytes: &[u8]| {
    // The first byte says which file it is; the others are as they should be.
    let Some((&which, text)) = bytes.split_first() else { return };
    let which = FILES[usize::from(which) % FILES.len()];
    let folder = scratch::folder();
    for file in FILES {
        let _ = std::fs::remove_file(folder.join(file));
    }
    let _ = std::fs::remove_file(folder.join("model.safetensors"));
    if which != "model.safetensors.index.json" {
        scratch::write(&folder.join("model.safetensors"), NO_TENSORS);
    }
    scratch::write(&folder.join("config.json"), b"{}");
    scratch::write(&folder.join(which), text);
    let _ = use_all::use_all(folder);
});
