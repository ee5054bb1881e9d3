//! From boxes to lines of characters: which way is up, reading, and a second look at what was read badly.

use image::RgbImage;
use rayon::prelude::*;
use sightread_models::vision::LineRead;

use super::crop::{line_crop, upside_down};
use super::quad::Quad;
use super::second_look::consensus;
use super::{ReadError, TextModels};

/// A box this many times higher than wide holds text turned by a quarter.
const TALL: f32 = 1.5;
/// From this probability on the line classifier's word counts.
pub(crate) const FLIPPED: f32 = 0.9;
/// Lines read worse than this are no text (rapidocr's `text_score`).
const MIN_CONFIDENCE: f32 = 0.5;
/// Texture without text is read as one to three odd characters: so few must be read better.
const MIN_CONFIDENCE_SHORT: f32 = 0.7;
/// Lines of at most this many characters are short.
const SHORT: usize = 3;
/// Lines read worse than this are tried the other way up, and turned if their shape allows it.
const TURN_BELOW: f32 = 0.8;
/// A turned look must be better by this to count.
const BETTER_BY: f32 = 0.05;
/// Lines read worse than this are cut out anew, tighter, wider and stretched.
const DOUBTFUL: f32 = 0.93;
/// How much tighter and wider, in heights of the line.
const TIGHTER: f32 = -0.1;
const WIDER: f32 = 0.06;
/// How much stretched.
const STRETCH: f32 = 1.35;

/// A line that was read: its box, corners in the order of the text, and its characters.
#[derive(Debug, Clone)]
pub struct ReadLine {
    /// Where it stands.
    pub quad: Quad,
    /// What it says.
    pub read: LineRead,
}

/// One way to look at a box.
struct Look {
    quad: Quad,
    crop: RgbImage,
}

impl Look {
    fn new(picture: &RgbImage, quad: Quad) -> Result<Self, ReadError> {
        Self::stretched(picture, quad, 1.0)
    }

    fn stretched(picture: &RgbImage, quad: Quad, stretch: f32) -> Result<Self, ReadError> {
        Ok(Self { quad, crop: line_crop(picture, &quad, stretch)? })
    }

    fn flipped(&self) -> Self {
        Self { quad: self.quad.turned(2), crop: upside_down(&self.crop) }
    }
}

/// Reads the lines in `boxes`, in the same order; boxes without text are left out.
pub fn recognize(picture: &RgbImage, boxes: &[Quad], models: &dyn TextModels) -> Result<Vec<ReadLine>, ReadError> {
    let looks: Vec<Look> = boxes
        .par_iter()
        .map(|quad| Look::new(picture, if is_tall(quad) { quad.turned(1) } else { *quad }))
        .collect::<Result<_, _>>()?;
    let flipped = flips(&looks, boxes, models)?;

    // What the classifier is sure of and the rest of the page contradicts is read both ways.
    let mut candidates: Vec<(usize, Look)> = vec![];
    for (at, (look, flip)) in looks.into_iter().zip(flipped).enumerate() {
        match flip {
            Flip::No => candidates.push((at, look)),
            Flip::Yes => candidates.push((at, look.flipped())),
            Flip::Unclear => {
                let other = look.flipped();
                candidates.extend([(at, look), (at, other)]);
            }
        }
    }
    let mut lines: Vec<Option<ReadLine>> = vec![None; boxes.len()];
    keep_better(&mut lines, candidates, 0.0, models)?;

    let mut turned: Vec<(usize, Look)> = vec![];
    for (at, line) in lines.iter().enumerate() {
        if let Some(line) = line.as_ref().filter(|line| line.read.confidence < TURN_BELOW) {
            for quad in turned_looks(&line.quad) {
                turned.push((at, Look::new(picture, quad)?));
            }
        }
    }
    keep_better(&mut lines, turned, BETTER_BY, models)?;
    look_again(picture, &mut lines, models)?;
    Ok(lines.into_iter().flatten().filter(|line| is_text(&line.read)).collect())
}

/// Whether what was read is text, and not the texture of something else.
pub(crate) fn is_text(read: &LineRead) -> bool {
    match read.text().trim().chars().count() {
        0 => false,
        // A texture reads as a letter now and then, but not as the same letter at every look.
        1..=SHORT => agreed_confidence(read) >= MIN_CONFIDENCE_SHORT,
        _ => read.confidence >= MIN_CONFIDENCE,
    }
}

/// Whether the text in a box runs downwards or upwards.
pub(crate) fn is_tall(quad: &Quad) -> bool {
    quad.height() >= TALL * quad.width()
}

/// Mean confidence of the characters, in which every look has its share.
fn agreed_confidence(read: &LineRead) -> f32 {
    read.chars.iter().map(|c| c.confidence).sum::<f32>() / read.chars.len().max(1) as f32
}

/// Upside down, and on its sides if the box is not much wider than high.
fn turned_looks(quad: &Quad) -> Vec<Quad> {
    let mut looks = vec![quad.turned(2)];
    if quad.width() < 2.5 * quad.height() {
        looks.extend([quad.turned(1), quad.turned(3)]);
    }
    looks
}

/// Reads doubtful lines from other crops and keeps what most of them agree on.
fn look_again(picture: &RgbImage, lines: &mut [Option<ReadLine>], models: &dyn TextModels) -> Result<(), ReadError> {
    let doubtful = |line: &ReadLine| line.read.confidence < DOUBTFUL;
    let mut looks: Vec<(usize, Look)> = vec![];
    for (at, line) in lines.iter().enumerate() {
        if let Some(ReadLine { quad, .. }) = line.as_ref().filter(|line| doubtful(line)) {
            let height = quad.height();
            looks.push((at, Look::new(picture, quad.grown(TIGHTER * height))?));
            looks.push((at, Look::new(picture, quad.grown(WIDER * height))?));
            looks.push((at, Look::stretched(picture, *quad, STRETCH)?));
        }
    }
    let reads = models.read_lines(&looks.iter().map(|(_, look)| &look.crop).collect::<Vec<_>>())?;
    let seen: Vec<(usize, LineRead)> = looks.iter().map(|(at, _)| *at).zip(reads).collect();
    for of_line in seen.chunk_by(|a, b| a.0 == b.0) {
        let Some(line) = of_line.first().and_then(|(at, _)| lines[*at].as_mut()) else { continue };
        let all: Vec<&LineRead> = std::iter::once(&line.read).chain(of_line.iter().map(|(_, read)| read)).collect();
        if let Some((_, read)) = consensus(&all) {
            line.read = read;
        }
    }
    Ok(())
}

/// Reads `candidates` and keeps each where it is better, by `margin`, than what is there.
fn keep_better(
    lines: &mut [Option<ReadLine>],
    candidates: Vec<(usize, Look)>,
    margin: f32,
    models: &dyn TextModels,
) -> Result<(), ReadError> {
    let crops: Vec<&RgbImage> = candidates.iter().map(|(_, look)| &look.crop).collect();
    let reads = models.read_lines(&crops)?;
    for ((at, look), read) in candidates.into_iter().zip(reads) {
        // A single lucky character must not beat a whole line.
        let better = lines[at].as_ref().is_none_or(|old| {
            read.confidence > old.read.confidence + margin && 2 * read.chars.len() >= old.read.chars.len()
        });
        if better {
            lines[at] = Some(ReadLine { quad: look.quad, read });
        }
    }
    Ok(())
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Flip {
    No,
    Yes,
    Unclear,
}

/// Which lines are upside down: the classifier's word where it agrees with most of the lines that run the same way.
fn flips(looks: &[Look], boxes: &[Quad], models: &dyn TextModels) -> Result<Vec<Flip>, ReadError> {
    let crops: Vec<&RgbImage> = looks.iter().map(|look| &look.crop).collect();
    let upside_down = models.upside_down(&crops)?;
    let turned: Vec<bool> = looks.iter().zip(boxes).map(|(look, quad)| look.quad != *quad).collect();
    let page_flipped = |turned_lines: bool| {
        let (mut flipped, mut all) = (0.0, 0.0);
        for ((look, &p), &turned) in looks.iter().zip(&upside_down).zip(&turned) {
            if turned == turned_lines {
                let length = look.crop.width() as f32;
                all += length;
                flipped += if p >= FLIPPED { length } else { 0.0 };
            }
        }
        flipped > 0.5 * all
    };
    let page = [page_flipped(false), page_flipped(true)];
    let decide = |(&p, &turned): (&f32, &bool)| match (page[usize::from(turned)], p) {
        (false, p) if p < FLIPPED => Flip::No,
        (true, p) if p > 1.0 - FLIPPED => Flip::Yes,
        _ => Flip::Unclear,
    };
    Ok(upside_down.iter().zip(&turned).map(decide).collect())
}
