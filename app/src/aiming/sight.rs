//! What one frame shows of a text, measured quickly on small copies of it.

use std::sync::Arc;

use image::RgbImage;

use super::edges::cut_off;
use super::focus::is_soft;
use super::glare::glare;
use super::glimpse::Glimpse;
use super::search::{Search, quick_copy};
use super::turn::{self, WayUp};
use crate::reading::{Edges, Quad, ReadError, TextModels, quality};

/// A picture darker than this shows no text, so that none is looked for.
const BLACK: f32 = 14.0;
/// Motion between two looks from which on a picture is a smear.
const SMEAR: f32 = 0.03;
/// Motion between two looks up to which a hand is steady.
pub(super) const STEADY: f32 = 0.008;

/// Looks until the line classifier is asked again which way up the text is.
const ASK_AGAIN: u32 = 8;

/// What one frame shows.
#[derive(Debug, Clone)]
pub struct Sight {
    /// Width and height of the frame, in pixels.
    pub size: (u32, u32),
    /// Mean brightness, 0 to 255.
    pub brightness: f32,
    /// Share of the text's area that is blown out and shows no text.
    pub glare: f32,
    /// Energy of the finest differences in the sharpest region; `None` without text.
    pub sharpness: Option<f32>,
    /// Whether even the strongest edges of the picture are soft.
    pub is_soft: bool,
    /// How far the picture moved since the look before, as a share of its longer side; `None` at the first look.
    pub motion: Option<f32>,
    /// Whether text was looked for: not in the dark, and not in every smear.
    pub searched: bool,
    /// Lines of text, in pixels of the frame.
    pub regions: Vec<Quad>,
    /// Direction of the text, radians clockwise from upright, -π to π; `None` without text. Text on its head counts as
    /// upright until a steady look has told.
    pub angle: Option<f32>,
    pub(super) way_up: WayUp,
    /// Looks since the classifier was asked about that.
    pub(super) asked: u32,
    pub(super) search: Option<Search>,
    /// The frame on small.
    pub(super) glimpse: Arc<Glimpse>,
}

/// Looks at `picture`; `previous` is the look before.
///
/// # Errors
/// [`ReadError`] if a network failed or the pixels could not be worked on.
pub fn look(picture: &RgbImage, models: &dyn TextModels, previous: Option<&Sight>) -> Result<Sight, ReadError> {
    let size = picture.dimensions();
    let previous = previous.filter(|sight| sight.size == size);
    let copy = quick_copy(picture)?;
    let glimpse = Arc::new(Glimpse::of(&copy)?);
    let motion = previous.map(|sight| glimpse.motion_since(&sight.glimpse, &sight.regions, size));
    let brightness = glimpse.brightness();
    let smeared = motion.is_some_and(|motion| motion > SMEAR);
    // Of a picture that keeps moving every other frame is enough.
    let searched = brightness >= BLACK && !(smeared && previous.is_some_and(|sight| sight.searched));
    let last_search = previous.and_then(|sight| sight.search.as_ref());
    let search = match searched {
        true => Some(Search::run(picture, &copy, &glimpse, last_search, models)?),
        false => last_search.cloned(),
    };
    let regions = search.iter().filter(|_| searched).flat_map(|search| search.regions.iter().copied()).collect();
    let mut sight = Sight {
        size,
        brightness,
        glare: 0.0,
        sharpness: None,
        is_soft: false,
        motion,
        searched,
        regions,
        angle: None,
        way_up: WayUp::Unknown,
        asked: u32::MAX,
        search,
        glimpse,
    };
    let text_stays = previous.filter(|sight| !sight.regions.is_empty() || !sight.searched);
    if let Some(before) = text_stays {
        (sight.way_up, sight.asked) = (before.way_up, before.asked.saturating_add(1));
    }
    if !searched {
        return Ok(sight);
    }
    let gray = quality::small_gray(picture)?;
    sight.is_soft = is_soft(&gray);
    if sight.regions.is_empty() {
        return Ok(sight);
    }
    sight.sharpness = quality::sharpness(&gray, &sight.regions, size).map(|energy| energy as f32);
    sight.glare = glare(&sight.glimpse, &sight.regions, size);
    if sight.asked >= ASK_AGAIN && sight.is_good() {
        (sight.way_up, sight.asked) = (turn::way_up(picture, &sight.regions, models)?, 0);
    }
    sight.angle = turn::angle(&sight.regions, sight.way_up);
    Ok(sight)
}

impl Sight {
    /// Whether the camera was held still since the look before.
    pub fn is_steady(&self) -> bool {
        self.motion.is_some_and(|motion| motion <= STEADY)
    }

    /// Edges beyond which the text goes on.
    pub fn cut_off(&self) -> Edges {
        cut_off(&self.regions, self.size, &self.glimpse)
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

    /// Whether it is known which way up the text is.
    pub(super) fn knows_way_up(&self) -> bool {
        self.way_up != WayUp::Unknown
    }

    /// Whether nothing could be seen for lack of light.
    pub(super) fn is_dark(&self) -> bool {
        self.brightness < BLACK
    }

    /// Whether the text is worth asking which way up it is, which takes time.
    fn is_good(&self) -> bool {
        let is_sharp = self.sharpness.is_some_and(|energy| energy >= quality::BLURRED as f32);
        self.is_steady() && is_sharp && self.cut_off() == Edges::default()
    }
}

#[cfg(test)]
impl Sight {
    /// A good look at a page of 1280 × 720 with `regions`; `page` tells pages apart.
    pub(super) fn made(regions: Vec<Quad>, page: u32) -> Self {
        // Words of another length on every page.
        let ink = |x: u32, y: u32| {
            let word = [x / 14 + 1, y / 15 + 1, page + 1];
            word.iter().fold(17_u32, |hash, part| (hash ^ part).wrapping_mul(0x9E37_79B1).rotate_left(13)) >> 31
        };
        let is_text = |x: u32, y: u32| {
            let inside = |(from, to): (f32, f32), at: u32| (from..to).contains(&(4.0 * at as f32));
            regions.iter().any(|quad| inside(quad.x_range(), x) && inside(quad.y_range(), y))
        };
        let value = |x, y| if is_text(x, y) && ink(x, y) == 1 { 40 } else { 200 };
        let picture = RgbImage::from_fn(320, 180, |x, y| image::Rgb([value(x, y); 3]));
        Self {
            size: (1280, 720),
            brightness: 150.0,
            glare: 0.0,
            sharpness: (!regions.is_empty()).then_some(500.0),
            is_soft: false,
            motion: Some(0.0),
            searched: true,
            angle: turn::angle(&regions, WayUp::Right),
            regions,
            way_up: WayUp::Right,
            asked: 0,
            search: None,
            glimpse: Arc::new(Glimpse::of(&picture).unwrap()),
        }
    }
}
