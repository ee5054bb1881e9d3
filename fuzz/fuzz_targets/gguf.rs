//! Any bytes as a `.gguf` file.
#![no_main]

mod scratch;
#[path = "../../models/tests/use_all/mod.rs"]
mod use_all;

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let path = scratch::folder().join("model.gguf");
    scratch::write(&path, bytes);
    let _ = use_all::use_all(&path);
});
