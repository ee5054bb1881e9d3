//! Pictures in: whatever a camera, a scanner or a download leaves, as upright 8-bit RGB.

use std::fs::File;
use std::io::{self, Cursor, Read};
use std::path::{Path, PathBuf};

use image::metadata::Orientation;
use image::{DynamicImage, ImageDecoder, ImageError, ImageReader, Limits, RgbImage, RgbaImage};

/// Pixels of the largest picture that is read: more than any camera's 200 megapixels would need gigabytes.
const MAX_PIXELS: u64 = 120_000_000;
/// Longest side.
const MAX_SIDE: u32 = 30_000;
/// Bytes a decoder may allocate.
const MAX_ALLOC: u64 = 700 << 20;
/// Bytes of the largest file that is read.
const MAX_FILE: u64 = 256 << 20;
/// Endings of picture files.
const ENDINGS: [&str; 9] = ["jpg", "jpeg", "png", "webp", "heic", "heif", "tif", "tiff", "bmp"];

/// Why a picture could not be read, each in a sentence fit to be spoken.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PictureError {
    /// The operating system refused the file.
    #[error("cannot read the picture {}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
    /// Nothing in it.
    #[error("the picture file is empty; take the picture again")]
    Empty,
    /// No format that we know.
    #[error("this file is no picture that I can read; I read JPEG, PNG, WebP, HEIC, TIFF and BMP")]
    UnknownFormat,
    /// A picture of that format that breaks off or contradicts itself.
    #[error("the picture file is damaged ({0}); take the picture again or fetch it again")]
    Damaged(String),
    /// More pixels than memory should hold.
    #[error("the picture is too large: {0}; use a smaller one")]
    TooLarge(String),
}

/// Reads a picture from a file, or from standard input if the path is `-`.
///
/// # Errors
/// [`PictureError`].
pub fn open(path: &Path) -> Result<RgbImage, PictureError> {
    decode(&bytes(path)?)
}

/// The bytes of a picture's file, or of standard input if the path is `-`.
///
/// # Errors
/// [`PictureError::Io`].
pub fn bytes(path: &Path) -> Result<Vec<u8>, PictureError> {
    let io = |source| PictureError::Io { path: path.into(), source };
    let mut bytes = vec![];
    let read = |from: &mut dyn Read, bytes: &mut Vec<u8>| from.take(MAX_FILE + 1).read_to_end(bytes);
    if path == Path::new("-") {
        read(&mut io::stdin().lock(), &mut bytes).map_err(io)?;
    } else {
        read(&mut File::open(path).map_err(io)?, &mut bytes).map_err(io)?;
    }
    Ok(bytes)
}

/// The picture files of a folder by their endings, in the order of their names; hidden ones are left out.
///
/// # Errors
/// The folder cannot be read.
pub fn in_folder(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut pictures = vec![];
    for entry in folder.read_dir()? {
        let path = entry?.path();
        let ending = path.extension().map(|ending| ending.to_string_lossy().to_lowercase());
        let hidden = path.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.'));
        if !hidden && ending.is_some_and(|ending| ENDINGS.contains(&ending.as_str())) {
            pictures.push(path);
        }
    }
    pictures.sort();
    Ok(pictures)
}

/// Decodes the bytes of a picture, whatever its file was called; the first frame of an animation.
///
/// # Errors
/// [`PictureError`].
pub fn decode(bytes: &[u8]) -> Result<RgbImage, PictureError> {
    if bytes.is_empty() {
        return Err(PictureError::Empty);
    }
    if bytes.len() as u64 > MAX_FILE {
        return Err(PictureError::TooLarge(format!("more than {} megabytes", MAX_FILE >> 20)));
    }
    if bytes.get(4..8).is_some_and(|kind| kind == b"ftyp") {
        return heic(bytes);
    }
    let reader = ImageReader::new(Cursor::new(bytes)).with_guessed_format().map_err(|_| PictureError::UnknownFormat)?;
    let mut decoder = reader.into_decoder().map_err(explain)?;
    let (width, height) = decoder.dimensions();
    if width == 0 || height == 0 {
        return Err(PictureError::Damaged("it has no pixels".into()));
    }
    if width.max(height) > MAX_SIDE || u64::from(width) * u64::from(height) > MAX_PIXELS {
        return Err(PictureError::TooLarge(format!("{width} by {height} pixels")));
    }
    let mut limits = Limits::default();
    limits.max_alloc = Some(MAX_ALLOC);
    if decoder.total_bytes() > MAX_ALLOC {
        return Err(PictureError::TooLarge(format!("{width} by {height} pixels")));
    }
    decoder.set_limits(limits).map_err(explain)?;
    let orientation = decoder.orientation().unwrap_or(Orientation::NoTransforms);
    let mut picture = DynamicImage::from_decoder(decoder).map_err(explain)?;
    picture.apply_orientation(orientation);
    Ok(on_white(picture))
}

/// What phones take: HEVC in a HEIF container, its turns and mirrors already undone.
fn heic(bytes: &[u8]) -> Result<RgbImage, PictureError> {
    let options = heifer::Options { max_pixels: MAX_PIXELS, ..heifer::Options::default() };
    let picture = heifer::decode_rgba8(bytes, &options).map_err(|error| match error {
        heifer::Error::Unsupported(_) => PictureError::UnknownFormat,
        other => PictureError::Damaged(in_words(&other)),
    })?;
    let pixels = RgbaImage::from_raw(picture.width, picture.height, picture.data)
        .ok_or_else(|| PictureError::Damaged("it has no pixels".into()))?;
    Ok(on_white(pixels.into()))
}

/// Transparent parts become white, as a viewer shows them: text on them is mostly dark.
fn on_white(picture: DynamicImage) -> RgbImage {
    if !picture.color().has_alpha() {
        return picture.into_rgb8();
    }
    let picture = picture.into_rgba8();
    let mut flat = RgbImage::new(picture.width(), picture.height());
    for (out, pixel) in flat.pixels_mut().zip(picture.pixels()) {
        let [r, g, b, a] = pixel.0.map(u32::from);
        out.0 = [r, g, b].map(|c| ((c * a + 255 * (255 - a) + 127) / 255) as u8);
    }
    flat
}

fn explain(error: ImageError) -> PictureError {
    match error {
        ImageError::Unsupported(_) => PictureError::UnknownFormat,
        ImageError::Limits(_) => PictureError::TooLarge("it does not fit into memory".into()),
        other => PictureError::Damaged(in_words(&other)),
    }
}

/// A decoder's reason as a part of a sentence.
fn in_words(error: &dyn std::error::Error) -> String {
    let reason = error.to_string().to_lowercase();
    reason.trim_end_matches(['.', '\n']).split_whitespace().collect::<Vec<_>>().join(" ")
}
