//! A picture becomes a [`Reading`]: regions ([`detect`]), crops ([`crop`]), characters ([`recognize`]), what is sure
//! ([`certainty`]), reading order ([`layout`]), and what is wrong with the photo ([`quality`]).

mod certainty;
pub(crate) mod crop;
pub(crate) mod detect;
mod layout;
mod quad;
pub(crate) mod quality;
pub(crate) mod recognize;
mod rectangle;
mod second_look;
pub(crate) mod upright;

use std::f32::consts::PI;

use image::RgbImage;
use serde::Serialize;
use sightread_models::vision::{LineRead, VisionError};

use crate::answer::{Document, Row};

pub use certainty::{Char, Word};
pub use crop::LINE_HEIGHT;
pub use detect::{fit, resize as resize_to};
pub use quad::{Point, Quad};
pub use quality::{Edges, Warning};

/// Why a picture could not be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReadError {
    /// A network failed.
    #[error(transparent)]
    Model(#[from] VisionError),
    /// The picture's pixels could not be worked on.
    #[error("the picture cannot be worked on: {0}")]
    Picture(String),
}

/// The three networks, as far as reading needs them; tests put something simple in their place.
pub trait TextModels: Sync {
    /// Text probability of every pixel of a picture whose sides are multiples of 32, row by row.
    ///
    /// # Errors
    /// [`ReadError::Model`].
    fn probability_map(&self, picture: &RgbImage) -> Result<Vec<f32>, ReadError>;

    /// For every crop, [`LINE_HEIGHT`] high, the probability that it stands on its head.
    ///
    /// # Errors
    /// [`ReadError::Model`].
    fn upside_down(&self, crops: &[&RgbImage]) -> Result<Vec<f32>, ReadError>;

    /// The characters of every crop, [`LINE_HEIGHT`] high.
    ///
    /// # Errors
    /// [`ReadError::Model`].
    fn read_lines(&self, crops: &[&RgbImage]) -> Result<Vec<LineRead>, ReadError>;
}

/// A line of text.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Line {
    /// What it says.
    pub text: String,
    /// Corners in the picture, in the order of the text.
    pub quad: Quad,
    /// Mean probability of its characters, 0 to 1.
    pub confidence: f32,
    /// Whether every word was read surely.
    pub sure: bool,
    /// Its row on the page: lines of one row stand side by side.
    pub row: usize,
    /// Its words.
    pub words: Vec<Word>,
}

impl Line {
    /// Its text with doubtful words marked.
    pub fn marked(&self) -> String {
        let word = |w: &Word| if w.sure { w.text.clone() } else { format!("{} (not sure)", w.text) };
        self.words.iter().map(word).collect::<Vec<_>>().join(" ")
    }
}

/// What was read from a picture.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct Reading {
    /// Lines in reading order.
    pub lines: Vec<Line>,
    /// What is wrong with the photo.
    pub warnings: Vec<Warning>,
    /// Direction of the text, degrees clockwise from upright.
    pub angle: f32,
}

impl Reading {
    /// Lines grouped into rows.
    pub fn rows(&self) -> impl Iterator<Item = &[Line]> {
        self.lines.chunk_by(|a, b| a.row == b.row)
    }

    /// The text, one row a line.
    pub fn text(&self) -> String {
        let row = |lines: &[Line]| lines.iter().map(|line| line.text.as_str()).collect::<Vec<_>>().join(" ");
        self.rows().map(row).collect::<Vec<_>>().join("\n")
    }

    /// The text as questions see it: lines of a row that stand apart become cells.
    pub fn document(&self) -> Document {
        let mut at = 0;
        let rows = self.rows().map(|lines| {
            let mut text = String::new();
            for (i, line) in lines.iter().enumerate() {
                if let Some(before) = i.checked_sub(1).map(|i| &lines[i]) {
                    let gap = before.quad.0[1].distance(line.quad.0[0]);
                    text += if gap > before.quad.height().min(line.quad.height()) { " | " } else { " " };
                }
                text += &line.text;
            }
            let height = lines.iter().map(|line| line.quad.height()).fold(0.0, f32::max);
            let first = at;
            at += lines.len();
            Row { text, height, sure: lines.iter().all(|line| line.sure), lines: (first..at).collect() }
        });
        Document::new(rows.collect())
    }
}

/// Reads `picture`.
///
/// # Errors
/// [`ReadError`] if a network failed.
pub fn read(picture: &RgbImage, models: &dyn TextModels) -> Result<Reading, ReadError> {
    let boxes = detect::detect(picture, models)?;
    let mut warnings = quality::inspect(picture, &boxes)?;
    let read = recognize::recognize(picture, &boxes, models)?;
    let laid: Vec<upright::LaidLine> = read
        .iter()
        .map(|line| {
            let chars = line.read.chars.len();
            let letters = line.read.chars.iter().filter(|c| c.ch.is_alphabetic()).count();
            upright::LaidLine { quad: line.quad, chars, letters: letters as f32 / chars.max(1) as f32 }
        })
        .collect();
    let angle = upright::page_angle(&laid);
    match (angle / (PI / 2.0)).round().rem_euclid(4.0) as i32 {
        2 => warnings.push(Warning::UpsideDown),
        1 | 3 => warnings.push(Warning::Sideways),
        _ => {}
    }
    let lines = layout::rows(&laid).into_iter().enumerate().flat_map(|(row, lines)| {
        let read = &read;
        lines.into_iter().map(move |at| {
            let words = certainty::words(&read[at].read);
            Line {
                text: words.iter().map(|word| word.text.as_str()).collect::<Vec<_>>().join(" "),
                quad: read[at].quad,
                confidence: read[at].read.confidence,
                sure: words.iter().all(|word| word.sure),
                row,
                words,
            }
        })
    });
    Ok(Reading { lines: lines.collect(), warnings, angle: angle.to_degrees() })
}
