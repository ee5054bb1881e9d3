//! Which way the text of a frame runs, and whether it is text: asked of the networks for lines, about a few lines.

use std::f32::consts::PI;

use image::RgbImage;

use crate::reading::crop::{line_crop, upside_down as upside_down_crop};
use crate::reading::recognize::{FLIPPED, is_tall, is_text};
use crate::reading::upright::{LaidLine, page_angle};
use crate::reading::{Quad, ReadError, TextModels};

/// Lines of which the classifier is asked.
const ASKED: usize = 4;
/// A line may be higher than half of the others by this factor.
const TYPICAL: f32 = 1.4;
/// How many of them are read.
const READ: usize = 2;
/// The share of them, by length, that must agree.
const AGREED: f32 = 0.6;
/// What is less long than this, in its own heights, says little about a direction.
const LONG: f32 = 2.0;
/// Widths of a character, in line heights: boxes are higher than letters.
const CHAR_WIDTH: f32 = 0.4;

/// Whether text stands on its head.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum WayUp {
    /// Nobody has looked, or the lines do not agree.
    #[default]
    Unknown,
    /// It is as its boxes say.
    Right,
    /// It runs the other way.
    Wrong,
}

/// Boxes as lines of text: what is much higher than wide runs downwards. Long ones, if there are any.
fn lines(regions: &[Quad]) -> Vec<Quad> {
    let all: Vec<Quad> = regions.iter().map(|quad| if is_tall(quad) { quad.turned(1) } else { *quad }).collect();
    let long: Vec<Quad> = all.iter().copied().filter(|quad| quad.width() > LONG * quad.height()).collect();
    if long.is_empty() { all } else { long }
}

/// Direction of most of the text, radians clockwise from upright, -π to π; `None` without text.
pub(super) fn angle(regions: &[Quad], way_up: WayUp) -> Option<f32> {
    let laid: Vec<LaidLine> = lines(regions)
        .into_iter()
        .map(|quad| if way_up == WayUp::Wrong { quad.turned(2) } else { quad })
        .map(|quad| LaidLine {
            chars: (quad.width() / (CHAR_WIDTH * quad.height().max(1.0))) as usize + 1,
            quad,
            letters: 1.0,
        })
        .collect();
    let angle = page_angle(&laid);
    (!laid.is_empty()).then(|| angle - (angle / (2.0 * PI)).round() * 2.0 * PI)
}

/// Lines that run the way most of the text runs, without those that are two lines run together.
fn typical(regions: &[Quad]) -> Vec<Quad> {
    let angle = angle(regions, WayUp::Unknown).unwrap_or(0.0);
    let mut lines = lines(regions);
    lines.retain(|quad| (quad.angle() - angle).cos() > 0.7);
    lines.sort_by(|a, b| a.height().total_cmp(&b.height()));
    let highest = lines.get(lines.len() / 2).map_or(0.0, |median| TYPICAL * median.height());
    lines.retain(|quad| quad.height() <= highest);
    lines
}

/// What the networks for lines say about a few of the largest lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Lines {
    /// Which way up they are.
    pub(super) way_up: WayUp,
    /// Whether any of them can be read.
    pub(super) are_text: bool,
}

/// Asks about the largest of those lines that run the way most of the text runs; whether they can be read only if it
/// is not known that they are text.
pub(super) fn ask(
    frame: &RgbImage,
    regions: &[Quad],
    are_text: bool,
    models: &dyn TextModels,
) -> Result<Lines, ReadError> {
    let mut largest = typical(regions);
    largest.sort_by(|a, b| (b.width() * b.height()).total_cmp(&(a.width() * a.height())));
    largest.truncate(ASKED);
    let mut crops: Vec<RgbImage> = largest.iter().map(|quad| line_crop(frame, quad, 1.0)).collect::<Result<_, _>>()?;
    let upside_down = models.upside_down(&crops.iter().collect::<Vec<_>>())?;
    let length = |says: &dyn Fn(f32) -> bool| {
        let lengths = crops.iter().zip(&upside_down).filter(|(_, p)| says(**p)).map(|(crop, _)| crop.width() as f32);
        lengths.sum::<f32>()
    };
    let all = length(&|_| true);
    let way_up = if length(&|p| p >= FLIPPED) > AGREED * all {
        WayUp::Wrong
    } else if length(&|p| p < 0.5) > AGREED * all {
        WayUp::Right
    } else {
        WayUp::Unknown
    };
    if are_text && way_up != WayUp::Wrong {
        return Ok(Lines { way_up, are_text });
    }
    // Short lines are read fast.
    crops.sort_by_key(RgbImage::width);
    crops.truncate(READ);
    // How surely the surest of them is read; 0 if none is.
    let surest = |crops: &[RgbImage]| -> Result<f32, ReadError> {
        let reads = models.read_lines(&crops.iter().collect::<Vec<_>>())?;
        Ok(reads.iter().filter(|read| is_text(read)).map(|read| read.confidence).fold(0.0, f32::max))
    };
    let as_it_is = surest(&crops)?;
    if way_up != WayUp::Wrong {
        return Ok(Lines { way_up, are_text: as_it_is > 0.0 });
    }
    // Of small lines that run together the classifier says anything: that a page stands on its head must show in what is read.
    let turned = surest(&crops.iter().map(upside_down_crop).collect::<Vec<_>>())?;
    let way_up = if turned > as_it_is { WayUp::Wrong } else { WayUp::Unknown };
    Ok(Lines { way_up, are_text: are_text || turned.max(as_it_is) > 0.0 })
}
