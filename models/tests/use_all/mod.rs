//! What a program does with a model, for files that may be anything; shared with the fuzz targets in `fuzz/`.

use std::path::Path;

use sightread_models::checkpoint::{Checkpoint, CheckpointError};

/// Opens a model and uses everything of it; an error is as good as a result.
pub fn use_all(path: &Path) -> Result<(), CheckpointError> {
    let model = Checkpoint::open(path)?;
    let config = model.quantization_config();
    model.eos_token_ids()?;
    model.special_token("bos_token")?;
    for name in model.tensors.names() {
        if let Some(info) = model.tensors.info(&name) {
            let _ = model.tensor(&name, &info.shape);
            let _ = (model.tensors.read_i32(&name), model.tensors.read_i8(&name));
        }
        if let Some(prefix) = name.strip_suffix(".qweight") {
            let _ = model.packed(prefix, 32, 32);
        }
    }
    if let Some(tokenizer) = &model.tokenizer {
        let _ = tokenizer.encode("Take 2 tablets.\n", true);
    }
    config.map(|_| ())
}
