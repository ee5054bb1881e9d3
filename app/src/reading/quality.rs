//! What is wrong with a photo, as far as it keeps text from being read.

use image::{GrayImage, RgbImage, imageops};
use serde::Serialize;

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

/// Mean brightness, 0 to 255, below which a picture is too dark.
const DARK: f64 = 45.0;
/// Variance of the Laplacian inside text boxes, at a fixed scale, below which text is blurred.
const BLURRED: f64 = 25.0;
/// A box this near to an edge, as a share of the side, is cut off.
const AT_EDGE: f32 = 0.003;

/// Looks for light and sharpness problems; `boxes` are the text regions, if there are any.
pub fn inspect(picture: &RgbImage, boxes: &[Quad]) -> Vec<Warning> {
    let small = small_gray(picture);
    let mut warnings = vec![];
    let brightness = small.pixels().map(|p| f64::from(p.0[0])).sum::<f64>() / f64::from(small.width() * small.height());
    if brightness < DARK {
        warnings.push(Warning::TooDark);
    }
    let scale = small.width() as f32 / picture.width() as f32;
    if sharpness(&small, boxes, scale).is_some_and(|variance| variance < BLURRED) {
        warnings.push(Warning::Blurred);
    }
    let (w, h) = (picture.width() as f32, picture.height() as f32);
    // One line at an edge may just end there; several go on beyond it.
    let several = 2.max(boxes.len() / 8);
    let mut cut = |warning, beyond: &dyn Fn(&Quad) -> bool| {
        if boxes.iter().filter(|quad| beyond(quad)).count() >= several {
            warnings.push(warning);
        }
    };
    cut(Warning::CutOffLeft, &|q| q.x_range().0 <= w * AT_EDGE);
    cut(Warning::CutOffRight, &|q| q.x_range().1 >= w - 1.0 - w * AT_EDGE);
    cut(Warning::CutOffTop, &|q| q.y_range().0 <= h * AT_EDGE);
    cut(Warning::CutOffBottom, &|q| q.y_range().1 >= h - 1.0 - h * AT_EDGE);
    warnings
}

/// At most 1,000 pixels wide or high, grey.
fn small_gray(picture: &RgbImage) -> GrayImage {
    let scale = (1000.0 / picture.width().max(picture.height()) as f32).min(1.0);
    let size = |side: u32| ((side as f32 * scale) as u32).max(1);
    imageops::thumbnail(&imageops::grayscale(picture), size(picture.width()), size(picture.height()))
}

/// Largest mean-free energy of second differences over the text boxes; `None` without a usable box.
fn sharpness(gray: &GrayImage, boxes: &[Quad], scale: f32) -> Option<f64> {
    let of_box = |quad: &Quad| {
        let ((x0, x1), (y0, y1)) = (quad.x_range(), quad.y_range());
        let clamp = |v: f32, limit: u32| ((v * scale) as u32).clamp(1, limit.saturating_sub(2).max(1));
        let (x0, x1, y0, y1) =
            (clamp(x0, gray.width()), clamp(x1, gray.width()), clamp(y0, gray.height()), clamp(y1, gray.height()));
        if x1 < x0 + 8 || y1 < y0 + 4 || gray.width() < 3 || gray.height() < 3 {
            return None;
        }
        let at = |x: u32, y: u32| f64::from(gray.get_pixel(x, y).0[0]);
        let laplacian = |x: u32, y: u32| at(x - 1, y) + at(x + 1, y) + at(x, y - 1) + at(x, y + 1) - 4.0 * at(x, y);
        let values: Vec<f64> =
            (y0..=y1).flat_map(|y| (x0..=x1).map(move |x| (x, y))).map(|(x, y)| laplacian(x, y)).collect();
        let mean = values.iter().sum::<f64>() / values.len() as f64;
        Some(values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / values.len() as f64)
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
        assert_eq!(inspect(&page, &boxes), []);
        assert_eq!(inspect(&gaussian_blur_f32(&page, 8.0), &boxes), [Warning::Blurred]);
        let mut dark = page.clone();
        dark.pixels_mut().for_each(|p| p.0 = p.0.map(|c| c / 8));
        assert!(inspect(&dark, &boxes).contains(&Warning::TooDark));
        let left: Vec<Quad> =
            [0.0, 40.0].iter().map(|dy| boxes[0].map(|p| Point::new(p.x - 100.0, p.y + dy))).collect();
        assert_eq!(inspect(&page, &left)[..1], [Warning::CutOffLeft]);
    }
}
