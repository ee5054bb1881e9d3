//! The page that was captured, to be known again: it is not captured twice.

use image::{GrayImage, imageops};

use super::glimpse::{Glimpse, extent};
use super::sight::Sight;
use crate::reading::{Point, Quad};

/// Points along each side of the page that are compared.
const POINTS: usize = 48;
/// The page reaches this far beyond its text, as a share of that.
const MARGIN: f32 = 1.04;
/// A point stands for what is around it: blur, as a share of the way to the next point.
const AROUND: f32 = 0.5;
/// Words are told apart from their line by the mean of so many points to either side.
const WORD: usize = 6;
/// Correlation from which on two views show the same page.
const SAME: f32 = 0.7;
/// First steps of the search for the best fit: shift and scale as shares of the page, turn in radians.
const STEP: f32 = 0.03;
/// Each round halves the steps, of which it takes no more than so many: with more, other pages come to look alike.
const ROUNDS: usize = 3;
const STEPS: usize = 3;

/// Where a page is in a glimpse, in its pixels.
#[derive(Debug, Clone, Copy)]
struct Place {
    center: Point,
    half_width: f32,
    half_height: f32,
    angle: f32,
}

/// A page as it was seen.
#[derive(Debug, Clone)]
pub(super) struct PageView {
    place: Place,
    points: Vec<f32>,
}

impl PageView {
    /// The page of `sight`; `None` without text.
    pub(super) fn of(sight: &Sight) -> Option<Self> {
        let place = Place::of(sight)?;
        Some(Self { place, points: points(&blurred(&sight.glimpse, &place), &place) })
    }

    /// Whether `sight` shows this page, elsewhere, nearer, or turned a little.
    pub(super) fn is_in(&self, sight: &Sight) -> bool {
        self.likeness(sight) >= SAME
    }

    /// Correlation of the page with what is best like it in `sight`.
    fn likeness(&self, sight: &Sight) -> f32 {
        let fit = |place: Place| self.fit(&blurred(&sight.glimpse, &place), place);
        // It lies where text lies now, or, if that is more or less text than before, where it lay.
        let there = Place::of(sight).map_or(0.0, fit);
        if there >= SAME { there } else { there.max(fit(self.place)) }
    }

    /// Climbs to the best place near `place`; the correlation there.
    fn fit(&self, gray: &GrayImage, mut place: Place) -> f32 {
        let mut best = correlation(&self.points, &points(gray, &place));
        for round in 0..ROUNDS {
            let step = STEP / (1 << round) as f32;
            for _ in 0..STEPS {
                let near = place.neighbours(step).map(|near| (correlation(&self.points, &points(gray, &near)), near));
                let Some((likeness, near)) = near.into_iter().max_by(|a, b| a.0.total_cmp(&b.0)) else { break };
                if likeness <= best {
                    break;
                }
                (best, place) = (likeness, near);
            }
        }
        best
    }
}

impl Place {
    fn of(sight: &Sight) -> Option<Self> {
        let glimpse = &sight.glimpse;
        let (sx, sy) = (
            glimpse.gray.width() as f32 / sight.size.0.max(1) as f32,
            glimpse.gray.height() as f32 / sight.size.1.max(1) as f32,
        );
        let angle = sight.angle?;
        let upright: Vec<Quad> =
            sight.regions.iter().map(|quad| quad.map(|p| Point::new(p.x * sx, p.y * sy).rotated(-angle))).collect();
        let ((left, right), (top, bottom)) = extent(&upright)?;
        Some(Self {
            center: Point::new((left + right) / 2.0, (top + bottom) / 2.0).rotated(angle),
            half_width: (right - left) / 2.0 * MARGIN,
            half_height: (bottom - top) / 2.0 * MARGIN,
            angle,
        })
    }

    /// Moved, scaled and turned by one step.
    fn neighbours(self, step: f32) -> [Self; 10] {
        let moved = |x: f32, y: f32| {
            let by = Point::new(x * self.half_width, y * self.half_height).rotated(self.angle);
            Self { center: Point::new(self.center.x + by.x, self.center.y + by.y), ..self }
        };
        let scaled =
            |x: f32, y: f32| Self { half_width: self.half_width * x, half_height: self.half_height * y, ..self };
        let turned = |by: f32| Self { angle: self.angle + by, ..self };
        [
            moved(step, 0.0),
            moved(-step, 0.0),
            moved(0.0, step),
            moved(0.0, -step),
            scaled(1.0 + step, 1.0),
            scaled(1.0 - step, 1.0),
            scaled(1.0, 1.0 + step),
            scaled(1.0, 1.0 - step),
            turned(step),
            turned(-step),
        ]
    }
}

/// The glimpse without what is lost between the points of a page at `place`.
fn blurred(glimpse: &Glimpse, place: &Place) -> GrayImage {
    let apart = 2.0 * place.half_width.min(place.half_height) / POINTS as f32;
    imageops::fast_blur(&glimpse.gray, AROUND * apart)
}

/// [`POINTS`] × [`POINTS`] points of the page at `place`, row by row, without what all pages have in common: light and
/// shade, and lines of text with space between them. What is out of view is mid grey. Their squares add up to 1.
fn points(gray: &GrayImage, place: &Place) -> Vec<f32> {
    let across = Point::new(2.0 * place.half_width / POINTS as f32, 0.0).rotated(place.angle);
    let down = Point::new(0.0, 2.0 * place.half_height / POINTS as f32).rotated(place.angle);
    let from_middle = |i: usize| i as f32 + 0.5 - POINTS as f32 / 2.0;
    let mut points: Vec<f32> = (0..POINTS * POINTS)
        .map(|at| {
            let (u, v) = (from_middle(at % POINTS), from_middle(at / POINTS));
            let (x, y) = (place.center.x + u * across.x + v * down.x, place.center.y + u * across.y + v * down.y);
            between(gray, x - 0.5, y - 0.5)
        })
        .collect();
    for row in points.chunks_exact_mut(POINTS) {
        let whole: Vec<f32> = row.to_vec();
        for (at, value) in row.iter_mut().enumerate() {
            let around = &whole[at.saturating_sub(WORD)..(at + WORD + 1).min(POINTS)];
            *value -= around.iter().sum::<f32>() / around.len() as f32;
        }
    }
    let length = points.iter().map(|value| value * value).sum::<f32>().sqrt().max(1e-3);
    points.iter_mut().for_each(|value| *value /= length);
    points
}

fn correlation(a: &[f32], b: &[f32]) -> f32 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

/// The grey between pixels.
fn between(gray: &GrayImage, x: f32, y: f32) -> f32 {
    let (width, height) = (gray.width() as i32, gray.height() as i32);
    let (x0, y0) = (x.floor(), y.floor());
    let (fx, fy) = (x - x0, y - y0);
    let (x0, y0) = (x0 as i32, y0 as i32);
    if x0 < 0 || y0 < 0 || x0 + 1 >= width || y0 + 1 >= height {
        return 128.0;
    }
    let at = (y0 * width + x0) as usize;
    let pixel = |at: usize| f32::from(gray.as_raw()[at]);
    let row = |at: usize| pixel(at) * (1.0 - fx) + pixel(at + 1) * fx;
    row(at) * (1.0 - fy) + row(at + width as usize) * fy
}
