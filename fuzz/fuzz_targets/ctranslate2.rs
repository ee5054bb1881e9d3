//! Any bytes as the `model.bin` of a CTranslate2 folder.
#![no_main]

mod scratch;
#[path = "../../models/tests/use_all/mod.rs"]
mod use_all;

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let folder = scratch::folder();
    scratch::write(&folder.join("model.bin"), bytes);
    let _ = use_all::use_all(folder);
});
