//! Where the text of a frame is: the detector on a small copy, and only where the picture changed.

use std::sync::Arc;

use image::{RgbImage, imageops};

use super::glimpse::{Glimpse, extent};
use crate::reading::{Point, Quad, ReadError, TextModels, detect};

/// Longest side of the copy for a quick search.
const QUICK: u32 = 640;
/// Longest side of the copy for a careful one, which finds small text too.
const CAREFUL: u32 = 1280;
/// Quick searches in vain after which one is careful.
const IN_VAIN: u32 = 4;
/// Regions higher than this many pixels of the quick copy may be many small lines that run together.
const BLOCK: f32 = 36.0;
/// Blocks that cover more of the frame than this are no small text.
const MOST: f32 = 0.4;
/// Looks after a closer look in vain until the next.
const CLOSER_AGAIN: u32 = 8;

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
    /// The frame in which they were found; an earlier one where little has changed since.
    pub(super) found_in: Arc<Glimpse>,
    /// Whether it took more than a quick search.
    careful: bool,
    /// Quick searches in vain in a row.
    in_vain: u32,
    /// Looks for which blocks are taken as they are.
    blocks_stay: u32,
}

impl Search {
    /// Searches a frame of which `copy` and `glimpse` are small copies.
    pub(super) fn run(
        frame: &RgbImage,
        copy: &RgbImage,
        glimpse: &Arc<Glimpse>,
        previous: Option<&Self>,
        models: &dyn TextModels,
    ) -> Result<Self, ReadError> {
        let new = Self { regions: vec![], found_in: glimpse.clone(), careful: false, in_vain: 0, blocks_stay: 0 };
        match previous.filter(|search| glimpse.is_like(&search.found_in)) {
            Some(search) if search.careful || !search.regions.is_empty() => return Ok(search.clone()),
            Some(search) if search.in_vain + 1 < IN_VAIN => {
                return Ok(Self { in_vain: search.in_vain + 1, ..search.clone() });
            }
            Some(_) => {}
            None => {
                let regions = detect::detect_in(copy, frame.dimensions(), models)?;
                if !regions.is_empty() {
                    let blocks_stay = previous.map_or(0, |search| search.blocks_stay.saturating_sub(1));
                    return Self { regions, blocks_stay, ..new }.closer(frame, models);
                }
            }
        }
        let in_vain = previous.map_or(0, |search| search.in_vain).saturating_add(1);
        let small_text = previous.filter(|search| search.careful && !search.regions.is_empty());
        let due = match small_text {
            Some(_) => in_vain.is_multiple_of(IN_VAIN),
            None => in_vain >= IN_VAIN && in_vain.is_power_of_two(),
        };
        if due {
            let (width, height) = detect::quick_size(frame.dimensions(), CAREFUL);
            let regions = detect::detect_in(&detect::shrink(frame, width, height)?, frame.dimensions(), models)?;
            return Ok(Self { regions, careful: true, in_vain, ..new });
        }
        // Small text is not gone because a quick search cannot see it.
        Ok(small_text.map_or(Self { in_vain, ..new }, |search| Self { in_vain, ..search.clone() }))
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
        if self.blocks_stay > 0 || (w * h) as f32 > MOST * (width * height) as f32 {
            return Ok(self);
        }
        let cut_out = imageops::crop_imm(frame, x, y, w, h).to_image();
        let (copy_width, copy_height) = detect::quick_size((w, h), QUICK);
        let lines = detect::detect_in(&detect::shrink(&cut_out, copy_width, copy_height)?, (w, h), models)?;
        if lines.len() > 2 * blocks.len() {
            let placed = lines.iter().map(|quad| quad.map(|p| Point::new(p.x + x as f32, p.y + y as f32)));
            self.regions = self.regions.iter().copied().filter(|quad| !is_block(quad)).chain(placed).collect();
            self.careful = true;
        } else {
            self.blocks_stay = CLOSER_AGAIN;
        }
        Ok(self)
    }
}
