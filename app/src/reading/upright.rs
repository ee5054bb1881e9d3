//! Which way text runs: the page's direction, groups of lines that run another way (a side panel, a spine), and every line's
//! place once its group is set upright.

use std::f32::consts::PI;

use super::quad::Quad;

/// A line counts for the direction of others from this shape on, width to height.
const MIN_ASPECT: f32 = 1.2;
/// Lines count for a line's tilt when they are this near across the text, in its heights.
const NEAR_ACROSS: f32 = 3.0;
/// The same along the text.
const NEAR_ALONG: f32 = 4.0;
/// How much the page's own direction counts for a line's tilt, in line heights of text.
const PAGE_WEIGHT: f32 = 2.0;
/// Greatest tilt against the page, radians.
const MAX_TILT: f32 = 0.5;
/// A line this long, in characters, makes a group of its own direction possible; shorter ones may be misread marks.
const MIN_GROUP_CHARS: usize = 4;
/// An upside-down group needs this share of the page's text: the classifier errs on single lines.
const MIN_UPSIDE_DOWN: f32 = 0.2;

/// What layout needs to know of a line.
#[derive(Debug, Clone)]
pub struct LaidLine {
    /// Corners in the order of the text.
    pub quad: Quad,
    /// Number of characters.
    pub chars: usize,
    /// Share of letters among them.
    pub letters: f32,
}

impl LaidLine {
    /// How much the line says about the page's direction.
    fn weight(&self) -> f32 {
        self.quad.width() * self.chars.min(40) as f32
    }
}

/// The direction most of the text runs in, radians clockwise; long lines count more.
pub fn page_angle(lines: &[LaidLine]) -> f32 {
    let all: Vec<usize> = (0..lines.len()).collect();
    group_angle(lines, &all, main_quarter(lines))
}

/// The quarter turn that most of the text in `lines` agrees on.
fn main_quarter<'a>(lines: impl IntoIterator<Item = &'a LaidLine>) -> usize {
    let mut weights = [0.0; 4];
    for line in lines {
        weights[quarter(line.quad.angle())] += line.weight();
    }
    // Of equal ones the first, so that an empty page is upright.
    (0..4).rev().max_by(|&a, &b| weights[a].total_cmp(&weights[b])).unwrap_or(0)
}

/// The median direction of those lines of `group` that run roughly `quarter` quarter turns clockwise.
fn group_angle(lines: &[LaidLine], group: &[usize], turns: usize) -> f32 {
    let upright = turns as f32 * PI / 2.0;
    let mut rest: Vec<(f32, f32)> = group
        .iter()
        .map(|&at| &lines[at])
        .filter(|line| quarter(line.quad.angle()) == turns && line.quad.width() > 2.0 * line.quad.height())
        .map(|line| (wrapped(line.quad.angle() - upright), line.weight()))
        .collect();
    rest.sort_by(|a, b| a.0.total_cmp(&b.0));
    let half = rest.iter().map(|r| r.1).sum::<f32>() / 2.0;
    let mut sum = 0.0;
    let median = rest.iter().find(|r| {
        sum += r.1;
        sum >= half
    });
    upright + median.map_or(0.0, |r| r.0)
}

/// Nearest quarter turn, 0 to 3.
fn quarter(angle: f32) -> usize {
    (angle / (PI / 2.0)).round().rem_euclid(4.0) as usize % 4
}

/// The same angle in -π..=π.
fn wrapped(angle: f32) -> f32 {
    angle - (angle / (2.0 * PI)).round() * 2.0 * PI
}

/// Lines that run the same way, each group in the order in which its first line stands on the upright page.
pub fn groups(lines: &[LaidLine]) -> Vec<Vec<usize>> {
    let main = main_quarter(lines);
    let total: f32 = lines.iter().map(LaidLine::weight).sum();
    let mut quarters: [Vec<usize>; 4] = Default::default();
    for (at, line) in lines.iter().enumerate() {
        quarters[quarter(line.quad.angle())].push(at);
    }
    for turns in (0..4).filter(|&turns| turns != main) {
        let group = &quarters[turns];
        let weight: f32 = group.iter().map(|&at| lines[at].weight()).sum();
        let is_text = group.iter().any(|&at| lines[at].chars >= MIN_GROUP_CHARS);
        if !is_text || (turns + 2) % 4 == main && weight < MIN_UPSIDE_DOWN * total {
            let strays = std::mem::take(&mut quarters[turns]);
            quarters[main].extend(strays);
        }
    }
    let angle = page_angle(lines);
    let top = |group: &Vec<usize>| {
        group.iter().map(|&at| lines[at].quad.center().rotated(-angle).y).fold(f32::INFINITY, f32::min)
    };
    let mut groups: Vec<Vec<usize>> = quarters.into_iter().filter(|group| !group.is_empty()).collect();
    groups.sort_by(|a, b| top(a).total_cmp(&top(b)));
    groups
}

/// A line on the upright page.
#[derive(Debug, Clone, Copy)]
pub struct Extent {
    /// Where it begins.
    pub left: f32,
    /// Where it ends.
    pub right: f32,
    /// Half-way down its letters.
    pub middle: f32,
    /// Height of its letters.
    pub height: f32,
    /// Rise of y along x of the text around it: pages are photographed at an angle, and packages are round.
    pub slope: f32,
}

impl Extent {
    /// How much lower `other` stands than this line would if it went on to `other`'s place.
    pub fn drop_to(&self, other: &Self) -> f32 {
        let along = (other.left + other.right - self.left - self.right) / 2.0;
        other.middle - self.middle - (self.slope + other.slope) / 2.0 * along
    }

    /// Length of the shared horizontal range, negative for a gap.
    pub fn overlap(&self, other: &Self) -> f32 {
        self.right.min(other.right) - self.left.max(other.left)
    }

    /// Length along the text.
    pub fn width(&self) -> f32 {
        self.right - self.left
    }
}

/// The lines of `group` on the upright page, in the order of `lines`; lines outside `group` are at the origin.
pub fn extents(lines: &[LaidLine], group: &[usize]) -> Vec<Extent> {
    let angle = group_angle(lines, group, main_quarter(group.iter().map(|&at| &lines[at])));
    let mut extents = vec![Extent { left: 0.0, right: 0.0, middle: 0.0, height: 1.0, slope: 0.0 }; lines.len()];
    for &at in group {
        let quad = lines[at].quad;
        let [tl, tr, br, bl] = quad.map(|p| p.rotated(-angle)).0;
        let (a, b) = ((tl.x + bl.x) / 2.0, (tr.x + br.x) / 2.0);
        let height = quad.height().min(quad.width()).max(1.0);
        extents[at] =
            Extent { left: a.min(b), right: a.max(b), middle: (tl.y + tr.y + br.y + bl.y) / 4.0, height, slope: 0.0 };
    }
    let slopes: Vec<f32> = group.iter().map(|&at| local_slope(lines, &extents, group, at, angle)).collect();
    for (&at, slope) in group.iter().zip(slopes) {
        extents[at].slope = slope;
    }
    extents
}

/// The slope of the text around line `at`, against the page.
fn local_slope(lines: &[LaidLine], extents: &[Extent], group: &[usize], at: usize, angle: f32) -> f32 {
    let line = &extents[at];
    let (mut sum, mut weights) = (0.0, PAGE_WEIGHT);
    for &other in group {
        let (near, quad) = (&extents[other], &lines[other].quad);
        let aspect = quad.width() / near.height;
        let tilt = wrapped(quad.angle() - angle);
        if aspect < MIN_ASPECT || tilt.abs() > PI / 3.0 {
            continue;
        }
        let across = (near.middle - line.middle) / (NEAR_ACROSS * line.height);
        let along = (-near.overlap(line)).max(0.0) / (NEAR_ALONG * line.height);
        let weight = (-across * across - along * along).exp() * aspect * (aspect / 2.0).min(1.0);
        sum += weight * tilt.clamp(-MAX_TILT, MAX_TILT).tan();
        weights += weight;
    }
    sum / weights
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reading::quad::Point;

    fn line(x: f32, y: f32, w: f32, h: f32, chars: usize) -> LaidLine {
        let corners = [(x, y), (x + w, y), (x + w, y + h), (x, y + h)];
        LaidLine { quad: Quad(corners.map(|(x, y)| Point::new(x, y))), chars, letters: 0.9 }
    }

    fn turned(line: &LaidLine, degrees: f32) -> LaidLine {
        LaidLine { quad: line.quad.map(|p| p.rotated(degrees.to_radians())), ..line.clone() }
    }

    #[test]
    fn a_side_panel_is_a_group_and_a_stray_mark_is_not() {
        let mut lines: Vec<LaidLine> = (0..4).map(|i| line(0.0, 40.0 * i as f32, 300.0, 20.0, 30)).collect();
        lines.extend((0..3).map(|i| turned(&line(0.0, -400.0 - 40.0 * i as f32, 200.0, 20.0, 20), 90.0)));
        lines.push(turned(&line(0.0, -50.0, 40.0, 20.0, 1), -90.0));
        let mut groups = groups(&lines);
        groups.iter_mut().for_each(|group| group.sort_unstable());
        groups.sort();
        assert_eq!(groups, [vec![0, 1, 2, 3, 7], vec![4, 5, 6]]);
    }

    #[test]
    fn one_line_on_its_head_is_the_classifiers_error_and_half_a_page_is_not() {
        let upright = |i: usize| line(0.0, 40.0 * i as f32, 300.0, 20.0, 30);
        let lines: Vec<LaidLine> =
            (0..8).map(|i| if i == 3 { turned(&upright(i), 180.0) } else { upright(i) }).collect();
        assert_eq!(groups(&lines).len(), 1);
        let lines: Vec<LaidLine> =
            (0..8).map(|i| if i < 3 { turned(&upright(i), 180.0) } else { upright(i) }).collect();
        assert_eq!(groups(&lines).len(), 2);
    }

    #[test]
    fn slopes_follow_a_page_seen_at_an_angle() {
        // Lines fan out: each is tilted by 2 degrees more than the one above.
        let lines: Vec<LaidLine> = (0..5)
            .map(|i| {
                let line = turned(&line(-200.0, 0.0, 400.0, 20.0, 30), 2.0 * i as f32);
                LaidLine { quad: line.quad.map(|p| Point::new(p.x, p.y + 60.0 * i as f32)), ..line }
            })
            .collect();
        let extents = extents(&lines, &[0, 1, 2, 3, 4]);
        assert!(extents.windows(2).all(|w| w[0].slope < w[1].slope), "{extents:?}");
        assert!(extents[0].slope < -0.02 && extents[4].slope > 0.02);
    }
}
