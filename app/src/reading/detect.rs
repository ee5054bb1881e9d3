//! Text regions: the detector's probability map becomes one rotated box per line.
//!
//! Follows PaddleOCR's DB post-processing with rapidocr's settings for PP-OCRv6 small: 0.3 to be text, a mean of 0.5 to be
//! a box, boxes grown by 1.6 × area / perimeter, the map widened by one pixel.

use fast_image_resize::{FilterType, ResizeAlg, ResizeOptions, Resizer};
use image::{GrayImage, Luma, RgbImage};
use imageproc::contours::{BorderType, find_contours};

use super::quad::{Point, Quad};
use super::rectangle::smallest_rectangle;
use super::{ReadError, TextModels};

/// Longest side the detector sees.
const MAX_SIDE: f32 = 2000.0;
/// Shortest side the detector sees: smaller pictures are enlarged.
const MIN_SIDE: f32 = 736.0;
/// Sides are multiples of this.
const MULTIPLE: u32 = 32;
/// A very long, narrow picture is not enlarged beyond this.
const MAX_ENLARGED_SIDE: f32 = 3200.0;
/// From this probability on a pixel is text.
const PIXEL_THRESHOLD: f32 = 0.3;
/// From this mean probability on a region is a line.
const BOX_THRESHOLD: f32 = 0.5;
/// How far a box is grown, as a multiple of area / perimeter: the map shows only the core of a line.
const UNCLIP_RATIO: f32 = 1.6;
/// Regions thinner than this many pixels of the map are noise.
const MIN_SIZE: f32 = 3.0;
/// Regions looked at in one picture.
const MAX_CANDIDATES: usize = 1000;

/// Finds the lines of `picture`. Boxes lie within the picture, in its own pixels.
pub fn detect(picture: &RgbImage, models: &dyn TextModels) -> Result<Vec<Quad>, ReadError> {
    let (width, height) = detector_size(picture.width(), picture.height());
    detect_in(&resize(picture, width, height)?, picture.dimensions(), models)
}

/// Finds the lines of a picture of `size` in a copy of it, whose sides are multiples of [`MULTIPLE`]. Boxes lie within
/// the picture, in its own pixels.
pub(crate) fn detect_in(copy: &RgbImage, size: (u32, u32), models: &dyn TextModels) -> Result<Vec<Quad>, ReadError> {
    let map = models.probability_map(copy)?;
    let scale = (size.0 as f32 / copy.width() as f32, size.1 as f32 / copy.height() as f32);
    Ok(boxes(&map, copy.width() as usize, copy.height() as usize)
        .into_iter()
        .filter_map(|quad| onto_picture(&quad, scale, size))
        .collect())
}

/// The size of a copy with sides of at most about `longest`, for a detector in a hurry.
pub(crate) fn quick_size((width, height): (u32, u32), longest: u32) -> (u32, u32) {
    let ratio = (longest as f32 / width.max(height).max(1) as f32).min(1.0);
    (rounded(width as f32 * ratio), rounded(height as f32 * ratio))
}

/// The nearest multiple of [`MULTIPLE`], at least one.
fn rounded(side: f32) -> u32 {
    ((side / MULTIPLE as f32).round_ties_even() as u32).max(1) * MULTIPLE
}

/// The size at which the detector sees a picture: rapidocr's two steps, the second with a bound.
fn detector_size(width: u32, height: u32) -> (u32, u32) {
    let (mut w, mut h) = (width as f32, height as f32);
    if w.max(h) > MAX_SIDE {
        let ratio = MAX_SIDE / w.max(h);
        (w, h) = (rounded(w * ratio) as f32, rounded(h * ratio) as f32);
    }
    if w.min(h) < MIN_SIDE {
        let ratio = (MIN_SIDE / w.min(h)).min((MAX_ENLARGED_SIDE / w.max(h)).max(1.0));
        (w, h) = (w * ratio, h * ratio);
    }
    (rounded(w), rounded(h))
}

/// `picture` at another size, bilinear between its pixels as OpenCV does it, which is what the networks were trained on.
///
/// # Errors
/// [`ReadError::Picture`] if the pixels cannot be worked on.
pub fn resize(picture: &RgbImage, width: u32, height: u32) -> Result<RgbImage, ReadError> {
    resize_by(ResizeAlg::Interpolation(FilterType::Bilinear), picture, width, height)
}

/// A smaller `picture`: every pixel is the mean of those it stands for.
pub(crate) fn shrink(picture: &RgbImage, width: u32, height: u32) -> Result<RgbImage, ReadError> {
    resize_by(ResizeAlg::Convolution(FilterType::Box), picture, width, height)
}

fn resize_by(how: ResizeAlg, picture: &RgbImage, width: u32, height: u32) -> Result<RgbImage, ReadError> {
    if picture.dimensions() == (width, height) {
        return Ok(picture.clone());
    }
    let mut resized = RgbImage::new(width, height);
    let options = ResizeOptions::new().resize_alg(how);
    Resizer::new().resize(picture, &mut resized, &options).map_err(|e| ReadError::Picture(e.to_string()))?;
    Ok(resized)
}

/// `picture` with no side longer than `longest`, and its size as a share of the original's.
///
/// # Errors
/// [`ReadError::Picture`] if the pixels cannot be worked on.
pub fn fit(picture: &RgbImage, longest: u32) -> Result<(RgbImage, f32), ReadError> {
    let scale = (longest as f32 / picture.width().max(picture.height()).max(1) as f32).min(1.0);
    let side = |side: u32| ((side as f32 * scale).round() as u32).max(1);
    Ok((shrink(picture, side(picture.width()), side(picture.height()))?, scale))
}

/// Boxes of the probability map `[height * width]`, in its own pixels.
fn boxes(map: &[f32], width: usize, height: usize) -> Vec<Quad> {
    let contours = find_contours::<i32>(&text_pixels(map, width, height));
    let outer = contours.iter().filter(|contour| contour.border_type == BorderType::Outer);
    outer
        .take(MAX_CANDIDATES)
        .filter_map(|contour| {
            let core = smallest_rectangle(&contour.points.iter().map(|p| (p.x, p.y)).collect::<Vec<_>>());
            let short = core.width().min(core.height());
            if short < MIN_SIZE || mean_inside(map, width, height, &core) < BOX_THRESHOLD {
                return None;
            }
            let (w, h) = (core.width(), core.height());
            let grown = core.grown(w * h * UNCLIP_RATIO / (2.0 * (w + h)));
            (grown.width().min(grown.height()) >= MIN_SIZE + 2.0).then_some(grown)
        })
        .collect()
}

/// White where the map or its neighbour above or to the left is text.
fn text_pixels(map: &[f32], width: usize, height: usize) -> GrayImage {
    let text = |x: usize, y: usize| map[y * width + x] > PIXEL_THRESHOLD;
    GrayImage::from_fn(width as u32, height as u32, |x, y| {
        let (x, y) = (x as usize, y as usize);
        let (left, up) = (x.saturating_sub(1), y.saturating_sub(1));
        Luma([if text(x, y) || text(left, y) || text(x, up) || text(left, up) { 255 } else { 0 }])
    })
}

/// Mean of the map over the pixels whose centres lie in `quad`.
fn mean_inside(map: &[f32], width: usize, height: usize, quad: &Quad) -> f32 {
    let ((x0, x1), (y0, y1)) = (quad.x_range(), quad.y_range());
    let clamp = |v: f32, limit: usize| (v.max(0.0) as usize).min(limit - 1);
    let (mut sum, mut count) = (0.0, 0);
    for y in clamp(y0.floor(), height)..=clamp(y1.ceil(), height) {
        for x in clamp(x0.floor(), width)..=clamp(x1.ceil(), width) {
            if is_inside(quad, x as f32, y as f32) {
                sum += map[y * width + x];
                count += 1;
            }
        }
    }
    sum / count.max(1) as f32
}

fn is_inside(quad: &Quad, x: f32, y: f32) -> bool {
    let corners = quad.0;
    (0..4).all(|i| {
        let (a, b) = (corners[i], corners[(i + 1) % 4]);
        (b.x - a.x) * (y - a.y) - (b.y - a.y) * (x - a.x) >= -1e-3
    })
}

/// Scaled to the picture and kept within it; `None` if hardly anything is left.
fn onto_picture(quad: &Quad, scale: (f32, f32), (width, height): (u32, u32)) -> Option<Quad> {
    let quad = quad.map(|p| {
        let x = (p.x * scale.0).round().clamp(0.0, width as f32 - 1.0);
        Point::new(x, (p.y * scale.1).round().clamp(0.0, height as f32 - 1.0))
    });
    (quad.width() > 3.0 && quad.height() > 3.0).then_some(quad)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_detector_sees_rapidocrs_sizes() {
        assert_eq!(detector_size(1000, 800), (992, 800));
        assert_eq!(detector_size(4000, 3000), (1984, 1504), "the longer side at most 2000, in steps of 32");
        assert_eq!(detector_size(640, 480), (992, 736));
        assert_eq!(detector_size(20_000, 30), (3200, 64), "a sliver is not enlarged without bound");
    }

    #[test]
    fn a_quick_copy_is_small_and_never_enlarged() {
        assert_eq!(quick_size((1280, 720), 640), (640, 352));
        assert_eq!(quick_size((720, 1280), 640), (352, 640));
        assert_eq!(quick_size((320, 240), 640), (320, 256));
        assert_eq!(quick_size((0, 0), 640), (32, 32));
    }

    #[test]
    fn a_tilted_bar_becomes_one_box_grown_around_it() {
        let (width, height) = (200, 120);
        let bar = Quad([(30.0, 40.0), (150.0, 60.0), (147.0, 78.0), (27.0, 58.0)].map(|(x, y)| Point::new(x, y)));
        let at = |i: usize| if is_inside(&bar, (i % width) as f32, (i / width) as f32) { 0.9 } else { 0.0 };
        let map: Vec<f32> = (0..width * height).map(at).collect();
        let found = boxes(&map, width, height);
        let [quad] = &found[..] else { panic!("{found:?}") };
        let grow = 2.0 * 121.0 * 18.0 * 1.6 / (2.0 * (121.0 + 18.0));
        assert!((quad.width() - (121.0 + grow)).abs() < 4.0, "{}", quad.width());
        assert!((quad.height() - (18.0 + grow)).abs() < 4.0, "{}", quad.height());
        assert!((quad.angle().to_degrees() - 9.5).abs() < 1.5, "{}", quad.angle().to_degrees());
    }

    #[test]
    fn faint_and_tiny_regions_are_no_text() {
        let mut map = vec![0.0; 100 * 100];
        for y in 10..30 {
            map[y * 100 + 10..y * 100 + 60].fill(0.4);
        }
        map[80 * 100 + 80] = 1.0;
        assert!(boxes(&map, 100, 100).is_empty());
    }
}
