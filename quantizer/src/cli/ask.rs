//! `rpiq ask MODEL PICTURE QUESTION`

use std::path::PathBuf;
use std::time::Instant;

use sightread_models::device::Backend;
use sightread_models::int4::Precision;
use sightread_models::text::LoadOptions;
use sightread_models::vision::RgbView;
use sightread_models::vlm::{PictureOptions, VisionLanguage};

use super::BackendArg;
use super::printed::Printed;
use crate::pictures;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Folder of a SmolVLM, an Idefics3 or a CogVLM2
    model: PathBuf,
    /// A picture: JPEG, PNG, WebP, TIFF or BMP
    picture: PathBuf,
    /// What to ask about it
    question: String,
    /// Look as closely as the model's own processor does: a small picture is enlarged
    #[arg(long)]
    detail: bool,
    /// Without --detail, tiles at most beside the one that shows the whole picture
    #[arg(long)]
    tiles: Option<usize>,
    /// Tokens to make at most
    #[arg(long, default_value_t = 128)]
    max_new_tokens: usize,
    /// Round embedding and output head to 8 bit
    #[arg(long)]
    int8_embedding: bool,
    /// Read the input of packed layers as it is, not rounded to 8 bit: slower (CPU only)
    #[arg(long)]
    exact_activations: bool,
    /// Where to compute
    #[arg(long, value_enum, default_value_t)]
    backend: BackendArg,
}

/// Prints the answer as it is made; times go to standard error.
pub(super) fn run(args: &Args) -> anyhow::Result<()> {
    let device = Backend::from(args.backend).open()?;
    let pixels = pictures::open(&args.picture).map_err(anyhow::Error::msg)?;
    let picture = RgbView::new(&pixels, pixels.width() as usize, pixels.height() as usize)?;
    let precision = if args.exact_activations { Precision::F32 } else { Precision::Int8 };
    let load = LoadOptions { int8_embedding: args.int8_embedding, precision };
    let model = VisionLanguage::load(&args.model, load, &device)?;
    let mib = model.bytes().map(|bytes| bytes as f64 / f64::from(1 << 20));
    eprintln!("weights: vision tower {:.1} MiB, connector {:.1} MiB, language model {:.1} MiB", mib[0], mib[1], mib[2]);

    let start = Instant::now();
    let options = PictureOptions { detail: args.detail, max_tiles: args.tiles.unwrap_or(usize::MAX) };
    let mut encoded = model.encode(picture, &options)?;
    let looked = start.elapsed().as_secs_f64();
    eprintln!("looked at {} tiles, {} positions, in {looked:.2} s", encoded.tiles, encoded.positions());

    let (start, mut first) = (Instant::now(), None);
    let mut printed = Printed::new();
    let answer = model.answer(&mut encoded, &args.question, args.max_new_tokens, |piece| {
        first.get_or_insert_with(|| start.elapsed().as_secs_f64());
        printed.piece(piece)
    })?;
    printed.end()?;
    let (total, first) = (start.elapsed().as_secs_f64(), first.unwrap_or(0.0));
    eprintln!("first word after {first:.2} s, answer after {total:.2} s, confidence {:.2}", answer.confidence);
    Ok(())
}
