//! Edges beyond which text goes on.

use super::glimpse::Glimpse;
use crate::reading::{Edges, Quad, quality};

/// A line this near to an edge, in its own heights, leaves no room for the margin of a page;
const NO_MARGIN: f32 = 0.35;
/// nor does one this near, if its paper goes on to the edge,
const NARROW_MARGIN: f32 = 0.7;
/// as far as that is no more than this share of the frame.
const WIDEST_MARGIN: f32 = 0.06;
/// Grey levels by which paper may differ from itself.
const SAME_PAPER: f32 = 30.0;
/// Lines of one block are at most this far apart, in heights.
const NEAR: f32 = 1.6;
/// The neighbour's height, in heights of the line: of that only a part may be in view.
const ALIKE: std::ops::RangeInclusive<f32> = 0.6..=4.0;

/// A box around a line that is higher than the line by this factor stands aslant, and tells nothing about margins.
const ASLANT: f32 = 1.8;

/// A range along an axis.
type Range = (f32, f32);

/// A box seen from an edge.
#[derive(Debug, Clone, Copy)]
struct Seen {
    /// Along the edge.
    along: Range,
    /// Away from the edge.
    away: Range,
    /// Whether it runs neither along the edge nor away from it.
    aslant: bool,
}

impl Seen {
    fn new(quad: &Quad, along: Range, away: Range) -> Self {
        let short = quad.width().min(quad.height());
        let thickness = (along.1 - along.0).min(away.1 - away.0);
        Self { along, away, aslant: thickness > ASLANT * short }
    }

    fn height(&self) -> f32 {
        self.away.1 - self.away.0
    }

    fn length(&self) -> f32 {
        self.along.1 - self.along.0
    }
}

/// Edges of a frame of `size` beyond which the text in `regions` goes on.
///
/// Beside what counts for a photo that is read, an edge also cuts off the text where the first or the last line of a
/// block runs along it: the next line may be just out of sight.
pub(super) fn cut_off(regions: &[Quad], size: (u32, u32), glimpse: &Glimpse) -> Edges {
    let several = quality::cut_off(regions, size);
    let (w, h) = (size.0 as f32 - 1.0, size.1 as f32 - 1.0);
    // A place in the frame, given as (along the edge, away from it), as (x, y).
    let widest = WIDEST_MARGIN * size.0.min(size.1) as f32;
    let at_edge = |seen_from: &dyn Fn(&Quad) -> Seen, place: &dyn Fn(f32, f32) -> (f32, f32)| {
        let lines: Vec<Seen> = regions.iter().map(seen_from).collect();
        lines.iter().any(|line| {
            let margin = if paper_goes_on(line, place, size, glimpse) { NARROW_MARGIN } else { NO_MARGIN };
            line.away.0 <= widest && ends_a_block(line, &lines, margin)
        })
    };
    let mirrored = |(from, to): Range, limit: f32| (limit - to, limit - from);
    let left = |along: f32, away: f32| (away, along);
    let right = |along: f32, away: f32| (w - away, along);
    Edges {
        left: several.left || at_edge(&|q| Seen::new(q, q.y_range(), q.x_range()), &left),
        right: several.right || at_edge(&|q| Seen::new(q, q.y_range(), mirrored(q.x_range(), w)), &right),
        top: several.top || at_edge(&|q| Seen::new(q, q.x_range(), q.y_range()), &|along, away| (along, away)),
        bottom: several.bottom
            || at_edge(&|q| Seen::new(q, q.x_range(), mirrored(q.y_range(), h)), &|along, away| (along, h - away)),
    }
}

/// Whether `line` runs along the edge, within `margin` of its heights, and has a neighbour like itself on the other side.
fn ends_a_block(line: &Seen, lines: &[Seen], margin: f32) -> bool {
    let height = line.height();
    if line.aslant || line.length() < 2.0 * height {
        return false;
    }
    lines.iter().any(|other| {
        let full_height = other.height();
        let shared = line.along.1.min(other.along.1) - line.along.0.max(other.along.0);
        let gap = other.away.0 - line.away.1;
        shared >= 0.5 * line.length().min(other.length())
            && line.away.0 <= margin * full_height
            // Boxes of neighbouring lines overlap a little.
            && (-0.5 * height..=NEAR * full_height).contains(&gap)
            && ALIKE.contains(&(full_height / height.max(1.0)))
    })
}

/// Whether the ground of `line` goes on to the edge: along at least half of the line the frame is about as bright all the
/// way. Where it is not, there may be letters.
fn paper_goes_on(line: &Seen, place: &dyn Fn(f32, f32) -> (f32, f32), size: (u32, u32), glimpse: &Glimpse) -> bool {
    const POINTS: usize = 16;
    let gray = |along: f32, away: f32| {
        let (x, y) = place(along, away);
        let at = |v: f32, side: u32, limit: u32| {
            ((v.max(0.0) * limit as f32 / side.max(1) as f32) as u32).min(limit.saturating_sub(1))
        };
        let (width, height) = glimpse.gray.dimensions();
        f32::from(glimpse.gray.get_pixel(at(x, size.0, width), at(y, size.1, height)).0[0])
    };
    let goes_on = |i: &usize| {
        let along = line.along.0 + (*i as f32 + 0.5) / POINTS as f32 * line.length();
        // A box is a little larger than its letters: its rim is paper.
        let rim = gray(along, line.away.0);
        [0.0, 0.33, 0.67].iter().all(|part| (gray(along, part * line.away.0) - rim).abs() < SAME_PAPER)
    };
    (0..POINTS).filter(goes_on).count() >= POINTS / 2
}

#[cfg(test)]
mod tests {
    use image::{Rgb, RgbImage};

    use super::*;
    use crate::reading::Point;

    const SIZE: (u32, u32) = (1280, 720);

    /// Lines 40 pixels high and 60 apart, the first one at `top`.
    fn lines(top: f32) -> Vec<Quad> {
        let line = |i: usize| {
            let y = top + 60.0 * i as f32;
            Quad([(300.0, y), (900.0, y), (900.0, y + 40.0), (300.0, y + 40.0)].map(|(x, y)| Point::new(x, y)))
        };
        (0..6).map(line).collect()
    }

    /// Paper that begins `top` pixels below the upper edge of a dark table.
    fn paper(top: u32) -> Glimpse {
        Glimpse::of(&RgbImage::from_fn(SIZE.0, SIZE.1, |_, y| Rgb([if y < top { 60 } else { 230 }; 3]))).unwrap()
    }

    #[test]
    fn a_line_without_margin_is_cut_off_unless_its_paper_ends() {
        let top = Edges { top: true, ..Edges::default() };
        assert_eq!(cut_off(&lines(5.0), SIZE, &paper(0)), top);
        assert_eq!(cut_off(&lines(24.0), SIZE, &paper(0)), top, "the next line may be just out of sight");
        assert_eq!(cut_off(&lines(24.0), SIZE, &paper(12)), Edges::default());
        assert_eq!(cut_off(&lines(40.0), SIZE, &paper(0)), Edges::default());
        assert_eq!(cut_off(&lines(5.0)[..1], SIZE, &paper(0)), Edges::default(), "one line alone is whole");
    }

    #[test]
    fn every_edge_cuts_off_alike() {
        let turned = |quad: &Quad| quad.map(|p| Point::new(SIZE.0 as f32 - 1.0 - p.y, p.x - 200.0));
        let right: Vec<Quad> = lines(5.0).iter().map(turned).collect();
        assert_eq!(cut_off(&right, SIZE, &paper(0)), Edges { right: true, ..Edges::default() });
        let bottom: Vec<Quad> =
            lines(5.0).iter().map(|quad| quad.map(|p| Point::new(p.x, SIZE.1 as f32 - 1.0 - p.y))).collect();
        assert_eq!(cut_off(&bottom, SIZE, &paper(0)), Edges { bottom: true, ..Edges::default() });
    }
}
