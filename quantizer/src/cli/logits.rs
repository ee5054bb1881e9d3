//! `rpiq logits MODEL --text "…" --out FILE`: what the model makes of a text, for comparing with other programs.

use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::Context;
use safetensors::Dtype;
use safetensors::tensor::TensorView;
use sightread_models::checkpoint::Checkpoint;
use sightread_models::device::Backend;
use sightread_models::int4::Precision;
use sightread_models::text::llama::LoadOptions;
use sightread_models::text::{Llama, TextError};

use super::BackendArg;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Folder or .gguf file of the model
    model: PathBuf,
    /// Text to read
    #[arg(long)]
    text: String,
    /// File to write: `ids` I64 [t] and `logits` F32 [t, vocabulary]
    #[arg(long)]
    out: PathBuf,
    /// Where to compute
    #[arg(long, value_enum, default_value_t)]
    backend: BackendArg,
}

/// Inputs of packed layers are read as they are, so that only the weights differ from full precision.
pub(super) fn run(args: &Args) -> anyhow::Result<()> {
    let device = Backend::from(args.backend).open()?;
    let checkpoint = Checkpoint::open(&args.model)?;
    let tokenizer = checkpoint.tokenizer.as_ref().ok_or(TextError::NoTokenizer)?;
    let encoding = tokenizer.encode_fast(args.text.as_str(), false).map_err(|e| TextError::Tokenizer(e.to_string()))?;
    let ids = encoding.get_ids();
    let options = LoadOptions { int8_embedding: false, precision: Precision::F32 };
    let model = Llama::load_with(&checkpoint, options, &device)?;
    let logits = model.logits(model.forward(ids, &mut model.cache())?);
    let vocabulary = logits.dims()[2];
    let logits = logits.try_into_data().map_err(|e| TextError::Device(format!("{e:?}")))?;
    let logits: Vec<f32> = logits.try_into_vec().map_err(|e| TextError::Device(format!("{e:?}")))?;

    let ids: Vec<i64> = ids.iter().copied().map(i64::from).collect();
    let shape = vec![ids.len(), vocabulary];
    let tensors = [
        ("ids", TensorView::new(Dtype::I64, vec![ids.len()], bytemuck::cast_slice(&ids))?),
        ("logits", TensorView::new(Dtype::F32, shape, bytemuck::cast_slice(&logits))?),
    ];
    write(&args.out, &safetensors::serialize(tensors, None)?)
        .with_context(|| format!("cannot write {}", args.out.display()))
}

/// Under another name first, so that a half-written file never has the right one.
fn write(path: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    let folder = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut file = tempfile::Builder::new().prefix(".partial-").tempfile_in(folder)?;
    file.write_all(bytes)?;
    file.persist(path)?;
    Ok(())
}
