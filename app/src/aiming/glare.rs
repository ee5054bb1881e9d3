//! Light that a glossy page throws back into the camera, so that nothing can be read there.

use image::GrayImage;

use super::glimpse::{Glimpse, extent};
use crate::reading::Quad;

/// From this grey on a camera sees white and nothing else.
const BLOWN_OUT: u8 = 250;
/// If this share of the text's own ground is blown out, the picture is bright, and its text legible all the same.
const BRIGHT_PAPER: f32 = 0.12;
/// How far around a line its own ground reaches, in line heights.
const GROUND: f32 = 0.6;

/// The share of the area around the text that is blown out where no text was found; 0 without text.
///
/// What is white as far as the edge of the frame is a wall or a window behind the page.
pub(super) fn glare(glimpse: &Glimpse, regions: &[Quad], size: (u32, u32)) -> f32 {
    let gray = &glimpse.gray;
    let Some((across, down)) = extent(regions) else { return 0.0 };
    let scale = (gray.width() as f32 / size.0.max(1) as f32, gray.height() as f32 / size.1.max(1) as f32);
    let range = |(from, to): (f32, f32), scale: f32, limit: u32| {
        let to = ((to * scale).ceil().max(0.0) as u32).min(limit);
        ((from * scale).max(0.0) as u32).min(to)..to
    };
    let mut is_ground = vec![false; gray.as_raw().len()];
    for quad in regions {
        let grown = quad.grown(GROUND * quad.height().min(quad.width()));
        let columns = range(grown.x_range(), scale.0, gray.width());
        for y in range(grown.y_range(), scale.1, gray.height()) {
            let row = (y * gray.width()) as usize;
            is_ground[row + columns.start as usize..row + columns.end as usize].fill(true);
        }
    }
    let blown_out = blown_out(gray);
    // [elsewhere, on the text's ground]
    let (mut pixels, mut white) = ([0_u32; 2], [0_u32; 2]);
    for y in range(down, scale.1, gray.height()) {
        for x in range(across, scale.0, gray.width()) {
            let at = (y * gray.width() + x) as usize;
            let ground = usize::from(is_ground[at]);
            pixels[ground] += 1;
            white[ground] += u32::from(blown_out[at]);
        }
    }
    if white[1] as f32 > BRIGHT_PAPER * pixels[1] as f32 {
        return 0.0;
    }
    white[0] as f32 / (pixels[0] + pixels[1]).max(1) as f32
}

/// Pixels that are blown out, but for those that hang together with the edge of the frame.
fn blown_out(gray: &GrayImage) -> Vec<bool> {
    let (width, height) = (gray.width() as usize, gray.height() as usize);
    let mut blown_out: Vec<bool> = gray.as_raw().iter().map(|&value| value >= BLOWN_OUT).collect();
    let is_edge =
        |at: usize| at.is_multiple_of(width) || at % width == width - 1 || at < width || at >= width * (height - 1);
    let mut outside: Vec<usize> = (0..blown_out.len()).filter(|&at| blown_out[at] && is_edge(at)).collect();
    outside.iter().for_each(|&at| blown_out[at] = false);
    while let Some(at) = outside.pop() {
        // At the end of a row the pixel beside it is in the next row, which is at the edge as well.
        for beside in [at.wrapping_sub(1), at + 1, at.wrapping_sub(width), at + width] {
            if blown_out.get(beside).is_some_and(|&is_white| is_white) {
                blown_out[beside] = false;
                outside.push(beside);
            }
        }
    }
    blown_out
}
