//! What is wrong with a photo, as far as it keeps text from being read.

use image::{GrayImage, RgbImage, imageops};
use serde::Serialize;

use super::ReadError;
use super::detect::shrink;
use super::quad::Quad;

/// A reason to take the picture again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Warning {
    /// Hardly any light.
    TooDark,
    /// Nothing is sharp.
    Blurred,
    /// Text goes on beyond the left edge.
    CutOffLeft,
    /// Text goes on beyond the right edge.
    CutOffRight,
    /// Text goes on beyond the upper edge.
    CutOffTop,
    /// Text goes on beyond the lower edge.
    CutOffBottom,
    /// The page stands on its head.
    UpsideDown,
    /// The page lies on its side.
    Sideways,
}

impl Warning {
    /// The warning in words fit to be spoken.
    pub fn spoken(self) -> &'static str {
        match self {
            Warning::TooDark => "The picture is too dark.",
            Warning::Blurred => "The picture is blurred.",
            Warning::CutOffLeft => "Text is cut off on the left.",
            Warning::CutOffRight => "Text is cut off on the right.",
            Warning::CutOffTop => "Text is cut off at the top.",
            Warning::CutOffBottom => "Text is cut off at the bottom.",
            Warning::UpsideDown => "The page is upside down.",
            Warning::Sideways => "The page lies on its side.",
        }
    }
}

/// Edges of a picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Edges {
    /// The left one.
    pub left: bool,
    /// The right one.
    pub right: bool,
    /// The upper one.
    pub top: bool,
    /// The lower one.
    pub bottom: bool,
}

/// Mean brightness, 0 to 255, below which a picture is too dark.
pub(crate) const DARK: f64 = 45.0;
/// Variance of the Laplacian inside text boxes, at a fixed scale, below which text is blurred.
pub(crate) const BLURRED: f64 = 25.0;
/// A box this near to an edge, as a share of the side, is cut off.
pub(crate) const AT_EDGE: f32 = 0.003;

/// Looks for light and sharpness problems; `boxes` are the text regions, if there are any.
///
/// # Errors
/// [`ReadError::Picture`] if the pixels cannot be worked on.
pub fn inspect(picture: &RgbImage, boxes: &[Quad]) -> Result<Vec<Warning>, ReadError> {
    let small = small_gray(picture)?;
    let cut = cut_off(boxes, picture.dimensions());
    let found = [
        (brightness(&small) < DARK, Warning::TooDark),
        (sharpness(&small, boxes, picture.dimensions()).is_some_and(|variance| variance < BLURRED), Warning::Blurred),
        (cut.left, Warning::CutOffLeft),
        (cut.right, Warning::CutOffRight),
        (cut.top, Warning::CutOffTop),
        (cut.bottom, Warning::CutOffBottom),
    ];
    Ok(found.into_iter().filter_map(|(is_so, warning)| is_so.then_some(warning)).collect())
}

/// Mean brightness, 0 to 255.
pub(crate) fn brightness(gray: &GrayImage) -> f64 {
    let sum: u64 = gray.as_raw().iter().map(|&value| u64::from(value)).sum();
    sum as f64 / gray.as_raw().len().max(1) as f64
}

/// Edges of a picture of size (`w`, `h`) beyond which the text in `boxes` goes on.
pub(crate) fn cut_off(boxes: &[Quad], (w, h): (u32, u32)) -> Edges {
    let (w, h) = (w as f32, h as f32);
    // One line at an edge may just end there; several go on beyond it.
    let several = 2.max(boxes.len() / 8);
    let at = |edge: &dyn Fn(&Quad) -> bool| boxes.iter().filter(|quad| edge(quad)).count() >= several;
    Edges {
        left: at(&|q| q.x_range().0 <= w * AT_EDGE),
        right: at(&|q| q.x_range().1 >= w - 1.0 - w * AT_EDGE),
        top: at(&|q| q.y_range().0 <= h * AT_EDGE),
        bottom: at(&|q| q.y_range().1 >= h - 1.0 - h * AT_EDGE),
    }
}

/// At most 1,000 pixels wide or high, grey.
pub(crate) fn small_gray(picture: &RgbImage) -> Result<GrayImage, ReadError> {
    let scale = (1000.0 / picture.width().max(picture.height()) as f32).min(1.0);
    let size = |side: u32| ((side as f32 * scale) as u32).max(1);
    Ok(imageops::grayscale(&shrink(picture, size(picture.width()), size(picture.height()))?))
}

/// Largest mean-free energy of second differences over the text boxes of a picture of `size`, seen in its copy `gray`
/// ([`small_gray`]); `None` without a usable box.
pub(crate) fn sharpness(gray: &GrayImage, boxes: &[Quad], size: (u32, u32)) -> Option<f64> {
    if gray.width() < 3 || gray.height() < 3 {
        return None;
    }
    let scale = gray.width() as f32 / size.0 as f32;
    let clamp = |v: f32, limit: u32| ((v * scale) as u32).clamp(1, limit - 2) as usize;
    let width = gray.width() as usize;
    let of_box = |quad: &Quad| {
        let ((x0, x1), (y0, y1)) = (quad.x_range(), quad.y_range());
        let (x0, x1) = (clamp(x0, gray.width()), clamp(x1, gray.width()));
        let (y0, y1) = (clamp(y0, gray.height()), clamp(y1, gray.height()));
        if x1 < x0 + 8 || y1 < y0 + 4 {
            return None;
        }
        // Whole numbers: exact, and fast enough for every frame of a camera.
        let (mut sum, mut squares) = (0_i64, 0_i64);
        for y in y0..=y1 {
            let row = |y: usize| &gray.as_raw()[y * width + x0 - 1..][..x1 - x0 + 3];
            let (above, here, below) = (row(y - 1), row(y), row(y + 1));
            for ((beside, up), down) in here.windows(3).zip(&above[1..]).zip(&below[1..]) {
                let neighbours = i32::from(beside[0]) + i32::from(beside[2]) + i32::from(*up) + i32::from(*down);
                let laplacian = neighbours - 4 * i32::from(beside[1]);
                sum += i64::from(laplacian);
                squares += i64::from(laplacian * laplacian);
            }
        }
        let count = ((x1 - x0 + 1) * (y1 - y0 + 1)) as f64;
        let mean = sum as f64 / count;
        Some(squares as f64 / count - mean * mean)
    };
    boxes.iter().filter_map(of_box).reduce(f64::max)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reading::quad::Point;
    use image::Rgb;
    use imageproc::filter::gaussian_blur_f32;

    fn page() -> (RgbImage, Vec<Quad>) {
        // Dark strokes on a bright page.
        let picture = RgbImage::from_fn(600, 400, |x, y| {
            let stroke = (100..500).contains(&x) && (100..130).contains(&y) && x % 9 < 4;
            Rgb([if stroke { 30 } else { 230 }; 3])
        });
        let corners = [(100.0, 100.0), (500.0, 100.0), (500.0, 130.0), (100.0, 130.0)];
        (picture, vec![Quad(corners.map(|(x, y)| Point::new(x, y)))])
    }

    #[test]
    fn a_good_page_has_no_warning_and_spoilt_ones_have_theirs() {
        let (page, boxes) = page();
        assert_eq!(inspect(&page, &boxes).unwrap(), []);
        assert_eq!(inspect(&gaussian_blur_f32(&page, 8.0), &boxes).unwrap(), [Warning::Blurred]);
        let mut dark = page.clone();
        dark.pixels_mut().for_each(|p| p.0 = p.0.map(|c| c / 8));
        assert!(inspect(&dark, &boxes).unwrap().contains(&Warning::TooDark));
        let left: Vec<Quad> =
            [0.0, 40.0].iter().map(|dy| boxes[0].map(|p| Point::new(p.x - 100.0, p.y + dy))).collect();
        assert_eq!(inspect(&page, &left).unwrap()[..1], [Warning::CutOffLeft]);
    }
}
