//! Where the text of a frame is: the detector on a small copy, and only where the picture changed.

use std::sync::Arc;

use image::{RgbImage, imageops};

use super::glimpse::{Glimpse, extent};
use crate::reading::{Point, Quad, ReadError, TextModels, detect};

/// Longest side of the copy for a quick search.
const QUICK: u32 = 640;
/// Longest side of the copy for a careful one, which finds small text too.
const CAREFUL: u32 = 1280;
/// Looks at a picture that hardly changes for which what was found holds: the lens may have found its focus since.
const HOLDS: u32 = 8;
/// Looks from one careful search to the next; twice as many after each in vain, up to the longest.
const PATIENCE: u32 = 4;
const LONGEST_PATIENCE: u32 = 64;
/// Regions higher than this many pixels of the quick copy may be many small lines that run together.
const BLOCK: f32 = 36.0;
/// What is higher than this share of the frame is no line of text.
const HIGHEST: f32 = 0.35;
/// Blocks that cover more of the frame than this are no small text.
const MOST: f32 = 0.4;

/// The copy of a frame in which text is looked for.
pub(super) fn quick_copy(frame: &RgbImage) -> Result<RgbImage, ReadError> {
    let (width, height) = detect::quick_size(frame.dimensions(), QUICK);
    detect::shrink(frame, width, height)
}

/// What a search found.
#[derive(Debug, Clone)]
pub(super) struct Search {
    /// Lines, in pixels of the frame.
    pub(super) regions: Vec<Quad>,
    /// The frame in which they were found.
    found_in: Arc<Glimpse>,
    /// Whether the camera was held still then.
    was_steady: bool,
    /// Looks for which it has held since.
    held: u32,
    /// Whether it took more than a quick search.
    is_careful: bool,
    /// Looks since a careful search.
    since_careful: u32,
    patience: u32,
}

impl Search {
    /// Searches a frame of which `copy` and `glimpse` are small copies.
    pub(super) fn run(
        frame: &RgbImage,
        copy: &RgbImage,
        glimpse: &Arc<Glimpse>,
        is_steady: bool,
        previous: Option<&Self>,
        models: &dyn TextModels,
    ) -> Result<Self, ReadError> {
        let since_careful = previous.map_or(u32::MAX, |search| search.since_careful.saturating_add(1));
        // A camera that was moved sees something else.
        let patience = previous.filter(|_| is_steady).map_or(PATIENCE, |search| search.patience);
        if let Some(search) = previous.filter(|search| search.holds(glimpse, is_steady)) {
            return Ok(Self { held: search.held + 1, since_careful, ..search.clone() });
        }
        let highest = HIGHEST * frame.width().min(frame.height()) as f32;
        let is_line = |quad: &Quad| quad.width().min(quad.height()) <= highest;
        let new = Self {
            regions: vec![],
            found_in: glimpse.clone(),
            was_steady: is_steady,
            held: 0,
            is_careful: false,
            since_careful,
            patience,
        };
        let regions = detect::detect_in(copy, frame.dimensions(), models)?;
        let mut found = Self { regions, patience: PATIENCE, ..new.clone() };
        if is_steady {
            found = found.closer(frame, models)?;
        }
        found.regions.retain(is_line);
        if !found.regions.is_empty() {
            return Ok(found);
        }
        if is_steady && since_careful >= patience {
            let (width, height) = detect::quick_size(frame.dimensions(), CAREFUL);
            let mut regions = detect::detect_in(&detect::shrink(frame, width, height)?, frame.dimensions(), models)?;
            regions.retain(is_line);
            let patience = if regions.is_empty() { LONGEST_PATIENCE.min(2 * patience) } else { PATIENCE };
            return Ok(Self { regions, is_careful: true, since_careful: 0, patience, ..new });
        }
        // Small text is not gone because a quick search cannot see it.
        let small_text = previous.filter(|search| search.is_careful && since_careful < PATIENCE);
        let regions = small_text.map_or(vec![], |search| search.regions.clone());
        Ok(Self { regions, is_careful: small_text.is_some(), ..new })
    }

    /// Whether the detector ran at this look.
    pub(super) fn is_fresh(&self) -> bool {
        self.held == 0
    }

    /// Whether it also holds for the frame of `glimpse`.
    pub(super) fn holds(&self, glimpse: &Glimpse, is_steady: bool) -> bool {
        let is_due = is_steady && self.regions.is_empty() && !self.is_careful && self.since_careful >= self.patience;
        self.held < HOLDS && !is_due && (self.was_steady || !is_steady) && glimpse.is_like(&self.found_in)
    }

    /// Looks closer at blocks: small lines run together in a quick copy.
    fn closer(mut self, frame: &RgbImage, models: &dyn TextModels) -> Result<Self, ReadError> {
        let (width, height) = frame.dimensions();
        let block = BLOCK * (width.max(height) as f32 / QUICK as f32).max(1.0);
        let is_block = |quad: &Quad| quad.width().min(quad.height()) > block;
        let blocks: Vec<Quad> = self.regions.iter().copied().filter(is_block).collect();
        let Some(((left, right), (top, bottom))) = extent(&blocks) else { return Ok(self) };
        let around = block / 4.0;
        let (x, y) = ((left - around).max(0.0) as u32, (top - around).max(0.0) as u32);
        let (w, h) = (((right + around) as u32).min(width) - x, ((bottom + around) as u32).min(height) - y);
        if (w * h) as f32 > MOST * (width * height) as f32 {
            return Ok(self);
        }
        let cut_out = imageops::crop_imm(frame, x, y, w, h).to_image();
        let (copy_width, copy_height) = detect::quick_size((w, h), QUICK);
        let lines = detect::detect_in(&detect::shrink(&cut_out, copy_width, copy_height)?, (w, h), models)?;
        if lines.len() > 2 * blocks.len() {
            let placed = lines.iter().map(|quad| quad.map(|p| Point::new(p.x + x as f32, p.y + y as f32)));
            // Lines beside the blocks were found once more.
            let is_inside = |quad: &Quad| {
                let (middle_x, middle_y) = (middle(quad.x_range()), middle(quad.y_range()));
                (left..=right).contains(&middle_x) && (top..=bottom).contains(&middle_y)
            };
            self.regions = self.regions.iter().copied().filter(|quad| !is_inside(quad)).chain(placed).collect();
            (self.is_careful, self.since_careful) = (true, 0);
        }
        Ok(self)
    }
}

fn middle((from, to): (f32, f32)) -> f32 {
    (from + to) / 2.0
}
