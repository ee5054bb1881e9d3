//! Any bytes as `model.safetensors` of a folder that says it is quantized.
#![no_main]

mod scratch;
#[path = "../../models/tests/use_all/mod.rs"]
mod use_all;

use libfuzzer_sys::fuzz_target;

const CONFIG: &[u8] =
    br#"{"eos_token_id": 2, "quantization_config": {"quant_method": "gptq", "bits": 4, "group_size": 16}}"#;

fuzz_target!(|bytes: &[u8]| {
    let folder = scratch::folder();
    scratch::write(&folder.join("config.json"), CONFIG);
    scratch::write(&folder.join("model.safetensors"), bytes);
    let _ = use_all::use_all(folder);
});
