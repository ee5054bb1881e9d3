//! A small grey copy of a frame: how far the picture moved, whether it changed at all, how bright it is.

use std::f32::consts::FRAC_PI_2;

use image::{GrayImage, RgbImage, imageops};

use crate::reading::detect::shrink;
use crate::reading::{Quad, ReadError, quality};

/// Longest side of the copy.
const SIDE: u32 = 320;
/// Motion is measured on squares of this many pixels of the copy: what moves by less than a square is measured well.
const SQUARE: u32 = 4;
/// Differences of neighbours, in grey levels a square, below which there is nothing to measure motion by.
const FLAT: f32 = 1.5;
/// Squares whose grey differs by more than this show something else,
const DIFFERENT: f32 = 7.0;
/// unless a third of a step to the square beside them explains it: a hand is never quite still.
const TREMBLE: f32 = 0.35;
/// The share of such squares from which on a picture is another one: a finger's tip at the edge.
const MANY: f32 = 0.004;

/// A small grey copy of a frame.
#[derive(Debug, Clone)]
pub(crate) struct Glimpse {
    /// At most [`SIDE`] pixels wide or high.
    pub(crate) gray: GrayImage,
    /// Means of its squares.
    squares: Squares,
}

/// Mean grey of the squares of a copy, row by row.
#[derive(Debug, Clone)]
struct Squares {
    width: usize,
    values: Vec<f32>,
}

impl Glimpse {
    /// Of a picture.
    pub(crate) fn of(picture: &RgbImage) -> Result<Self, ReadError> {
        let scale = SIDE as f32 / picture.width().max(picture.height()).max(1) as f32;
        let side = |length: u32| ((length as f32 * scale).round() as u32).max(SQUARE);
        let gray = imageops::grayscale(&shrink(picture, side(picture.width()), side(picture.height()))?);
        let squares = Squares::of(&gray);
        Ok(Self { gray, squares })
    }

    /// Mean brightness, 0 to 255.
    pub(crate) fn brightness(&self) -> f32 {
        quality::brightness(&self.gray) as f32
    }

    /// How far the picture moved since `before`, as a share of its longer side, where `regions` of a frame of `size` are;
    /// everywhere without regions. What moves further than it is wide counts as moved by a few hundredths.
    ///
    /// A picture moves by its difference in time over its difference in space.
    pub(crate) fn motion_since(&self, before: &Self, regions: &[Quad], size: (u32, u32)) -> f32 {
        let (now, then) = (&self.squares, &before.squares);
        if now.width != then.width || now.values.len() != then.values.len() {
            return 1.0;
        }
        let (width, height) = (now.width, now.values.len() / now.width);
        let ((left, right), (top, bottom)) = now.area(regions, size);
        let lighter = now.mean() - then.mean();
        let (mut in_time, mut in_space) = (0.0, 0.0);
        for y in top..bottom.min(height - 1) {
            for x in left..right.min(width - 1) {
                let at = y * width + x;
                in_time += (now.values[at] - then.values[at] - lighter).abs();
                let step = |to: usize| now.values[to] - now.values[at];
                in_space += step(at + 1).hypot(step(at + width)).max(FLAT);
            }
        }
        // Of a move in any direction, differences show 2 / π on average.
        FRAC_PI_2 * in_time / f32::max(in_space, 1.0) * SQUARE as f32 / SIDE as f32
    }

    /// Whether hardly anything changed since `before`, not even in a corner, but for a tremble of the hand.
    pub(crate) fn is_like(&self, before: &Self) -> bool {
        let (now, then) = (&self.squares, &before.squares);
        if now.width != then.width || now.values.len() != then.values.len() {
            return false;
        }
        let lighter = now.mean() - then.mean();
        let (width, values) = (now.width, &now.values);
        let different = (0..values.len()).filter(|&at| {
            let beside = [at.checked_sub(1), Some(at + 1), at.checked_sub(width), Some(at + width)];
            let steps =
                beside.into_iter().flatten().filter_map(|at| then.values.get(at)).map(|v| (v - then.values[at]).abs());
            (values[at] - then.values[at] - lighter).abs() > DIFFERENT + TREMBLE * steps.fold(0.0, f32::max)
        });
        (different.count() as f32) < MANY * values.len() as f32
    }
}

impl Squares {
    fn of(gray: &GrayImage) -> Self {
        let (width, height) = ((gray.width() / SQUARE) as usize, (gray.height() / SQUARE) as usize);
        let side = SQUARE as usize;
        let mut values = vec![0.0; width * height];
        for (y, row) in gray.as_raw().chunks_exact(gray.width() as usize).take(height * side).enumerate() {
            let squares = &mut values[y / side * width..][..width];
            for (square, pixels) in squares.iter_mut().zip(row.chunks_exact(side)) {
                *square += pixels.iter().map(|&p| f32::from(p)).sum::<f32>() / (side * side) as f32;
            }
        }
        Self { width, values }
    }

    fn mean(&self) -> f32 {
        self.values.iter().sum::<f32>() / self.values.len().max(1) as f32
    }

    /// Columns and rows in which `regions` of a frame of `size` are; all without regions.
    fn area(&self, regions: &[Quad], size: (u32, u32)) -> ((usize, usize), (usize, usize)) {
        let (width, height) = (self.width, self.values.len() / self.width);
        let Some(((x0, x1), (y0, y1))) = extent(regions) else { return ((0, width), (0, height)) };
        let range = |from: f32, to: f32, side: u32, squares: usize| {
            let scale = squares as f32 / side.max(1) as f32;
            let from = ((from * scale) as usize).min(squares.saturating_sub(2));
            (from, ((to * scale).ceil() as usize).clamp(from + 1, squares))
        };
        (range(x0, x1, size.0, width), range(y0, y1, size.1, height))
    }
}

/// Smallest and largest x, smallest and largest y of all corners; `None` without regions.
pub(crate) fn extent(regions: &[Quad]) -> Option<((f32, f32), (f32, f32))> {
    let wider = |a: (f32, f32), b: (f32, f32)| (a.0.min(b.0), a.1.max(b.1));
    regions
        .iter()
        .map(|quad| (quad.x_range(), quad.y_range()))
        .reduce(|all, one| (wider(all.0, one.0), wider(all.1, one.1)))
}

#[cfg(test)]
mod tests {
    use image::Rgb;

    use super::*;
    use crate::aiming::stage::{Shot, Stage};
    use crate::reading::Point;

    fn glimpse(stage: &mut Stage, x: f32) -> Glimpse {
        let shot = Shot::default();
        Glimpse::of(&stage.take(Shot { middle: (shot.middle.0 + x, shot.middle.1), ..shot })).unwrap()
    }

    #[test]
    fn a_sheet_moves_as_far_as_it_is_moved() {
        let mut stage = Stage::letter();
        let still = glimpse(&mut stage, 0.0);
        let sheet = Quad([(380.0, 20.0), (900.0, 20.0), (900.0, 700.0), (380.0, 700.0)].map(|(x, y)| Point::new(x, y)));
        let moved = |stage: &mut Stage, x: f32| glimpse(stage, x).motion_since(&still, &[sheet], (1280, 720)) * 1280.0;
        assert!(moved(&mut stage, 0.0) < 2.0);
        for pixels in [4.0, 8.0, 16.0] {
            let measured = moved(&mut stage, pixels);
            assert!((0.6 * pixels..1.7 * pixels).contains(&measured), "{pixels} measured as {measured}");
        }
        assert!(moved(&mut stage, 120.0) > 30.0);
    }

    #[test]
    fn a_tremble_is_no_change_and_a_finger_is() {
        let mut stage = Stage::letter();
        let still = glimpse(&mut stage, 0.0);
        assert!(glimpse(&mut stage, 3.0).is_like(&still));
        assert!(!glimpse(&mut stage, 20.0).is_like(&still));
        let mut touched = stage.take(Shot::default());
        for y in 600..720 {
            for x in 1100..1200 {
                touched.put_pixel(x, y, Rgb([220, 180, 160]));
            }
        }
        assert!(!Glimpse::of(&touched).unwrap().is_like(&still));
    }

    #[test]
    fn pictures_of_another_size_have_nothing_in_common() {
        let (wide, high) = (RgbImage::new(640, 360), RgbImage::new(1, 700));
        let (wide, high) = (Glimpse::of(&wide).unwrap(), Glimpse::of(&high).unwrap());
        assert!(!wide.is_like(&high));
        assert_eq!(wide.motion_since(&high, &[], (640, 360)), 1.0);
        assert!(high.motion_since(&high, &[], (1, 700)).is_finite());
    }
}
