//! Line crops: a rotated box is straightened out of the picture, to the height the recogniser wants.

use image::{Rgb, RgbImage, imageops};
use imageproc::geometric_transformations::Projection;
use rayon::prelude::*;

use super::ReadError;
use super::detect::resize;
use super::quad::Quad;

/// Height of a line crop in pixels.
pub const LINE_HEIGHT: u32 = 48;
/// Widest crop; a longer line is squeezed.
const MAX_WIDTH: u32 = 3200;

/// The line in `quad`, upright for text that runs from its first corner to its second, [`LINE_HEIGHT`] high and `stretch`
/// times as wide as its shape asks for.
pub fn line_crop(picture: &RgbImage, quad: &Quad, stretch: f32) -> Result<RgbImage, ReadError> {
    let straight = straighten(picture, quad);
    let width = (straight.width() as f32 * LINE_HEIGHT as f32 / straight.height() as f32 * stretch).ceil() as u32;
    resize(&straight, width.clamp(1, MAX_WIDTH), LINE_HEIGHT)
}

/// Upside down.
pub fn upside_down(crop: &RgbImage) -> RgbImage {
    imageops::rotate180(crop)
}

/// The box's content as a rectangle of the box's own size.
fn straighten(picture: &RgbImage, quad: &Quad) -> RgbImage {
    let (width, height) = ((quad.width() as u32).max(1), (quad.height() as u32).max(1));
    let (w, h) = (width as f32, height as f32);
    let corners = quad.0.map(|p| (p.x, p.y));
    let Some(projection) = Projection::from_control_points([(0.0, 0.0), (w, 0.0), (w, h), (0.0, h)], corners) else {
        return RgbImage::new(width, height);
    };
    let mut crop = RgbImage::new(width, height);
    let row_bytes = width as usize * 3;
    crop.as_flat_samples_mut().samples.par_chunks_exact_mut(row_bytes).enumerate().for_each(|(y, row)| {
        for (x, out) in row.as_chunks_mut::<3>().0.iter_mut().enumerate() {
            let (sx, sy) = projection * (x as f32, y as f32);
            *out = bicubic(picture, sx, sy);
        }
    });
    crop
}

/// The picture between its pixels, bicubic (a = -0.75, as OpenCV does it); beyond the border its last pixels go on.
fn bicubic(picture: &RgbImage, x: f32, y: f32) -> [u8; 3] {
    let (x0, y0) = (x.floor(), y.floor());
    let (wx, wy) = (weights(x - x0), weights(y - y0));
    let (width, height) = (picture.width() as i32, picture.height() as i32);
    let mut sum = [0.0; 3];
    for (j, wy) in wy.iter().enumerate() {
        let py = (y0 as i32 + j as i32 - 1).clamp(0, height - 1) as u32;
        for (i, wx) in wx.iter().enumerate() {
            let px = (x0 as i32 + i as i32 - 1).clamp(0, width - 1) as u32;
            let &Rgb(pixel) = picture.get_pixel(px, py);
            for (sum, c) in sum.iter_mut().zip(pixel) {
                *sum += wx * wy * f32::from(c);
            }
        }
    }
    sum.map(|c| c.round().clamp(0.0, 255.0) as u8)
}

fn weights(t: f32) -> [f32; 4] {
    const A: f32 = -0.75;
    let near = |t: f32| ((A + 2.0) * t - (A + 3.0)) * t * t + 1.0;
    let far = |t: f32| ((A * t - 5.0 * A) * t + 8.0 * A) * t - 4.0 * A;
    [far(1.0 + t), near(t), near(1.0 - t), far(2.0 - t)]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reading::quad::Point;

    #[test]
    fn a_tilted_patch_comes_out_straight() {
        let tilt = 0.3f32;
        // Dark above the patch's middle line, bright below.
        let picture = RgbImage::from_fn(200, 200, |x, y| {
            let p = Point::new(x as f32 - 100.0, y as f32 - 100.0).rotated(-tilt);
            Rgb([if p.y < 0.0 { 20 } else { 220 }; 3])
        });
        let corners = [(-50.0, -10.0), (50.0, -10.0), (50.0, 10.0), (-50.0, 10.0)];
        let quad = Quad(corners.map(|(x, y)| {
            let p = Point::new(x, y).rotated(tilt);
            Point::new(p.x + 100.0, p.y + 100.0)
        }));
        let crop = line_crop(&picture, &quad, 1.0).unwrap();
        assert_eq!(crop.height(), LINE_HEIGHT);
        assert!((235..=245).contains(&crop.width()), "{}", crop.width());
        for x in 5..crop.width() - 5 {
            assert!(crop.get_pixel(x, 15).0[0] < 40 && crop.get_pixel(x, 33).0[0] > 200, "column {x}");
        }
    }

    #[test]
    fn interpolation_keeps_flat_colour_and_whole_pixels() {
        for t in [0.0, 0.3, 0.9] {
            assert!((weights(t).iter().sum::<f32>() - 1.0).abs() < 1e-6);
        }
        assert_eq!(weights(0.0), [0.0, 1.0, 0.0, 0.0]);
    }
}
