//! Pictures with what is said about them: a JSON-lines file of `{"image": FILE, "text": …}`, the files beside it, or the folder
//! of both, where the file is called `metadata.jsonl` and the field `file_name`, as Hugging Face has them (`imagefolder`).

use std::path::{Path, PathBuf};

use image::{DynamicImage, ImageDecoder, ImageReader, RgbImage};
use serde::Deserialize;

/// A picture and an answer about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Captioned {
    /// The file of the picture.
    pub path: PathBuf,
    /// What is asked.
    pub question: String,
    /// What is said about it.
    pub text: String,
}

#[derive(Deserialize)]
struct Entry {
    #[serde(alias = "file_name")]
    image: String,
    #[serde(default = "describe")]
    question: String,
    text: String,
}

fn describe() -> String {
    "What is in the picture?".into()
}

/// The list in a folder of pictures.
const LIST: &str = "metadata.jsonl";

/// Reads a list, or the one in a folder; the pictures stay in their files.
///
/// # Errors
/// A sentence that says which line is wrong, and how.
pub fn list(list: &Path) -> Result<Vec<Captioned>, String> {
    let list = if list.is_dir() { &list.join(LIST) } else { list };
    let text = std::fs::read_to_string(list).map_err(|e| format!("{}: {e}", list.display()))?;
    let folder = list.parent().unwrap_or(Path::new("."));
    let lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    let entries = lines.map(|(number, line)| {
        let Entry { image, question, text } =
            serde_json::from_str(line).map_err(|e| format!("line {}: {e}", number + 1))?;
        Ok(Captioned { path: folder.join(image), question, text })
    });
    entries.collect()
}

/// Reads a picture, the way up that its camera says.
///
/// # Errors
/// A sentence that says what is wrong with it.
pub fn open(path: &Path) -> Result<RgbImage, String> {
    let named = |reason: String| format!("{}: {reason}", path.display());
    let reader = ImageReader::open(path).and_then(ImageReader::with_guessed_format);
    let mut decoder = reader.map_err(|e| named(e.to_string()))?.into_decoder().map_err(|e| named(e.to_string()))?;
    let orientation = decoder.orientation().map_err(|e| named(e.to_string()))?;
    let mut picture = DynamicImage::from_decoder(decoder).map_err(|e| named(e.to_string()))?;
    picture.apply_orientation(orientation);
    Ok(picture.into_rgb8())
}
