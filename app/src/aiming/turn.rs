//! Which way the text of a frame runs.

use std::f32::consts::PI;

use image::RgbImage;

use crate::reading::crop::line_crop;
use crate::reading::recognize::{FLIPPED, is_tall};
use crate::reading::upright::{LaidLine, page_angle};
use crate::reading::{Quad, ReadError, TextModels};

/// Lines of which the classifier is asked.
const ASKED: usize = 3;
/// What is less long than this, in its own heights, says little about a direction.
const LONG: f32 = 2.0;
/// Widths of a character, in line heights: boxes are higher than letters.
const CHAR_WIDTH: f32 = 0.4;

/// Whether text stands on its head.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum WayUp {
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
pub(crate) fn angle(regions: &[Quad], way_up: WayUp) -> Option<f32> {
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

/// Asks the line classifier about the largest of those lines that run the way most of the text runs.
pub(crate) fn way_up(frame: &RgbImage, regions: &[Quad], models: &dyn TextModels) -> Result<WayUp, ReadError> {
    let Some(angle) = angle(regions, WayUp::Unknown) else { return Ok(WayUp::Unknown) };
    let runs_along = |quad: &Quad| (quad.angle() - angle).cos() > 0.7;
    let mut largest = lines(regions);
    largest.retain(runs_along);
    largest.sort_by(|a, b| (b.width() * b.height()).total_cmp(&(a.width() * a.height())));
    largest.truncate(ASKED);
    let crops: Vec<RgbImage> = largest.iter().map(|quad| line_crop(frame, quad, 1.0)).collect::<Result<_, _>>()?;
    let upside_down = models.upside_down(&crops.iter().collect::<Vec<_>>())?;
    let length = |says: &dyn Fn(f32) -> bool| {
        let lengths = crops.iter().zip(&upside_down).filter(|(_, p)| says(**p)).map(|(crop, _)| crop.width() as f32);
        lengths.sum::<f32>()
    };
    let all = length(&|_| true);
    Ok(if length(&|p| p >= FLIPPED) > 0.5 * all {
        WayUp::Wrong
    } else if length(&|p| p <= 1.0 - FLIPPED) > 0.5 * all {
        WayUp::Right
    } else {
        WayUp::Unknown
    })
}
