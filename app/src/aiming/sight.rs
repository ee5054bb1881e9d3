//! What one frame shows of a text, measured quickly on small copies of it.

use std::sync::Arc;

use image::{GrayImage, RgbImage};

use super::edges::cut_off;
use super::focus::focus;
use super::glare::glare;
use super::glimpse::Glimpse;
use super::search::{Search, quick_copy};
use super::turn::{self, Lines, WayUp};
use crate::reading::{Edges, Quad, ReadError, TextModels, quality};

/// A picture darker than this shows no text, so that none is looked for.
const BLACK: f32 = 14.0;
/// Motion between two looks from which on a picture is a smear, and text is no longer about where it was.
const SMEAR: f32 = 0.03;
/// Motion between two looks up to which a hand is steady.
pub(super) const STEADY: f32 = 0.008;

/// Looks until the networks for lines are asked again.
const ASK_AGAIN: u32 = 8;

/// What one frame shows.
#[derive(Debug, Clone)]
pub struct Sight {
    /// Width and height of the frame, in pixels.
    pub size: (u32, u32),
    /// Mean brightness, 0 to 255.
    pub brightness: f32,
    /// Share of their height by which the strongest edges rise within a pixel: small where nothing is in focus. `None`
    /// without edges.
    pub focus: Option<f32>,
    /// How far the picture moved since the look before, as a share of its longer side; `None` at the first look.
    pub motion: Option<f32>,
    /// Whether text was looked for: not in the dark, and only at every other look while the picture moves.
    pub searched: bool,
    /// Lines of text, in pixels of the frame; about where they were at the look before, if none was looked for.
    pub regions: Vec<Quad>,
    /// Energy of the finest differences in the sharpest region; `None` without text.
    pub sharpness: Option<f32>,
    /// Share of the text's area that is blown out and shows no text.
    pub glare: f32,
    /// Edges beyond which the text goes on.
    pub cut_off: Edges,
    /// Direction of the text, radians clockwise from upright, -π to π; `None` without text. Text on its head counts as
    /// upright until a steady look has told.
    pub angle: Option<f32>,
    /// What the networks for lines said, if they were asked since the text came into view.
    pub(super) told: Told,
    pub(super) search: Option<Search>,
    /// The frame on small.
    pub(super) glimpse: Arc<Glimpse>,
}

/// What the networks for lines said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Told {
    /// `None` before they were asked.
    pub(super) lines: Option<Lines>,
    /// Looks since.
    since: u32,
}

impl Told {
    /// Nothing yet.
    const NOTHING: Self = Self { lines: None, since: ASK_AGAIN };
}

/// Looks at `picture`; `previous` is the look before.
///
/// # Errors
/// [`ReadError`] if a network failed or the pixels could not be worked on.
pub fn look(picture: &RgbImage, models: &dyn TextModels, previous: Option<&Sight>) -> Result<Sight, ReadError> {
    let size = picture.dimensions();
    let previous = previous.filter(|sight| sight.size == size);
    let last_search = previous.and_then(|sight| sight.search.as_ref());
    let copy = quick_copy(picture)?;
    let glimpse = Arc::new(Glimpse::of(&copy)?);
    let last_regions = last_search.map_or(&[][..], |search| &search.regions);
    let motion = previous.map(|sight| glimpse.motion_since(&sight.glimpse, last_regions, size));
    let brightness = glimpse.brightness();
    let is_steady = motion.is_some_and(|motion| motion <= STEADY);
    // Of a picture that keeps moving every other frame is enough.
    let is_fresh = previous.is_some_and(|sight| sight.searched) && last_search.is_some_and(Search::is_fresh);
    let rests = !is_steady && is_fresh && !last_search.is_some_and(|search| search.holds(&glimpse, is_steady));
    let searched = brightness >= BLACK && !rests;
    let mut sight = Sight {
        size,
        brightness,
        focus: None,
        motion,
        searched,
        regions: vec![],
        sharpness: None,
        glare: 0.0,
        cut_off: Edges::default(),
        angle: None,
        told: Told::NOTHING,
        search: last_search.cloned(),
        glimpse,
    };
    if searched {
        let search = Search::run(picture, &copy, &sight.glimpse, is_steady, last_search, models)?;
        sight.regions = search.regions.clone();
        sight.search = Some(search);
    } else if brightness >= BLACK && motion.is_some_and(|motion| motion <= SMEAR) {
        sight.regions = last_regions.to_vec();
    }
    // What was told of this text still holds; that it is none, only as long as the picture stays.
    let told = previous.filter(|_| !last_regions.is_empty()).map_or(Told::NOTHING, |sight| sight.told);
    if sight.is_steady() || told.lines.is_some_and(|lines| lines.are_text) {
        sight.told = Told { since: told.since.saturating_add(1), ..told };
    }
    if searched || !sight.regions.is_empty() {
        let gray = quality::small_gray(picture)?;
        sight.focus = focus(&gray);
        sight.measure_text(picture, &gray, models)?;
    }
    Ok(sight)
}

impl Sight {
    /// Measures the text in the regions, and forgets them if they turn out to hold none.
    fn measure_text(&mut self, picture: &RgbImage, gray: &GrayImage, models: &dyn TextModels) -> Result<(), ReadError> {
        if self.regions.is_empty() {
            self.told = Told::NOTHING;
            return Ok(());
        }
        self.sharpness = quality::sharpness(gray, &self.regions, self.size).map(|energy| energy as f32);
        self.glare = glare(&self.glimpse, &self.regions, self.size);
        self.cut_off = cut_off(&self.regions, self.size, &self.glimpse);
        // The networks for lines take time: they are asked once the text is worth it.
        let is_sharp = self.sharpness.is_some_and(|energy| energy >= quality::BLURRED as f32);
        let is_good = self.is_steady() && is_sharp && self.cut_off == Edges::default();
        if is_good && self.told.since >= ASK_AGAIN {
            let are_text = self.told.lines.is_some_and(|lines| lines.are_text);
            self.told = Told { lines: Some(turn::ask(picture, &self.regions, are_text, models)?), since: 0 };
        }
        if self.told.lines.is_some_and(|lines| !lines.are_text) {
            (self.sharpness, self.glare, self.cut_off) = (None, 0.0, Edges::default());
            self.regions.clear();
        }
        self.angle = turn::angle(&self.regions, self.way_up());
        Ok(())
    }
}

impl Sight {
    /// Whether the camera was held still since the look before.
    pub fn is_steady(&self) -> bool {
        self.motion.is_some_and(|motion| motion <= STEADY)
    }

    /// Height of most of the text, in pixels of the frame: the median, long lines counting more; `None` without text.
    pub fn line_height(&self) -> Option<f32> {
        let mut lines: Vec<(f32, f32)> = self
            .regions
            .iter()
            .map(|quad| (quad.width().min(quad.height()), quad.width().max(quad.height())))
            .collect();
        lines.sort_by(|a, b| a.0.total_cmp(&b.0));
        let half = lines.iter().map(|line| line.1).sum::<f32>() / 2.0;
        let mut length = 0.0;
        lines
            .iter()
            .find(|line| {
                length += line.1;
                length >= half
            })
            .map(|line| line.0)
    }

    /// Share of the frame that is covered by text.
    pub fn text_share(&self) -> f32 {
        let covered: f32 = self.regions.iter().map(|quad| quad.width() * quad.height()).sum();
        covered / (self.size.0 as f32 * self.size.1 as f32).max(1.0)
    }

    /// Which way up the text is.
    pub(super) fn way_up(&self) -> WayUp {
        self.told.lines.map_or(WayUp::Unknown, |lines| lines.way_up)
    }

    /// Whether some of the text could be read.
    pub(super) fn is_text(&self) -> bool {
        self.told.lines.is_some_and(|lines| lines.are_text)
    }

    /// Whether nothing could be seen for lack of light.
    pub(super) fn is_black(&self) -> bool {
        self.brightness < BLACK
    }
}

#[cfg(test)]
impl Sight {
    /// A good look at a page of 1280 × 720 with `regions`; `page` tells pages apart.
    pub(super) fn made(regions: Vec<Quad>, page: u32) -> Self {
        // Other words on every page.
        let ink = |x: u32, y: u32| {
            let mix = |hash: u32, part: u32| {
                let hash = (hash ^ part).wrapping_mul(0x9E37_79B1);
                hash ^ (hash >> 15)
            };
            [x / 14, y / 15, page, 0].into_iter().fold(17, mix) & 1
        };
        let is_text = |x: u32, y: u32| {
            let inside = |(from, to): (f32, f32), at: u32| (from..to).contains(&(4.0 * at as f32));
            regions.iter().any(|quad| inside(quad.x_range(), x) && inside(quad.y_range(), y))
        };
        let value = |x, y| if is_text(x, y) && ink(x, y) == 1 { 40 } else { 200 };
        let picture = RgbImage::from_fn(320, 180, |x, y| image::Rgb([value(x, y); 3]));
        let glimpse = Arc::new(Glimpse::of(&picture).unwrap());
        Self {
            size: (1280, 720),
            brightness: 150.0,
            focus: None,
            motion: Some(0.0),
            searched: true,
            sharpness: (!regions.is_empty()).then_some(500.0),
            glare: 0.0,
            cut_off: cut_off(&regions, (1280, 720), &glimpse),
            angle: turn::angle(&regions, WayUp::Right),
            regions,
            told: Told { lines: Some(Lines { way_up: WayUp::Right, are_text: true }), since: 0 },
            search: None,
            glimpse,
        }
    }
}
