//! A picture cut into tiles, as transformers' `Idefics3ImageProcessor` does it.
//!
//! Of its two variants this is the one on Pillow, which the models were trained with, and equal to it to the last bit. The
//! one on torchvision is close: it takes a bicubic filter in place of Lanczos' wherever torchvision is older than 0.27.

use super::settings::Settings;
use super::sizes::{Size, scale_to, tiles_without_enlarging, whole_tiles};
use crate::checkpoint::{Checkpoint, CheckpointError};
use crate::vision::{RgbPicture, RgbView, resize_lanczos};
use crate::vlm::patches::patches;

/// How closely a picture is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PictureOptions {
    /// Exactly what transformers' processor does: every picture is scaled until its longer side has four tiles, so that a
    /// small one is enlarged and costs as much as a large one. Without it, a picture gets as many tiles as it has pixels for.
    pub detail: bool,
    /// Without `detail`: tiles at most, not counting the one that shows the whole picture. With 0 or 1 there is only that one.
    pub max_tiles: usize,
}

impl Default for PictureOptions {
    fn default() -> Self {
        Self { detail: false, max_tiles: usize::MAX }
    }
}

/// Cuts pictures into tiles.
#[derive(Debug, Clone)]
pub struct PictureProcessor {
    settings: Settings,
    /// What a byte stands for, by colour.
    values: [[f32; 256]; 3],
}

/// A picture in tiles.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TiledPicture {
    /// Rows of tiles; 0 if there is only the one that shows the whole picture.
    pub rows: usize,
    /// Columns of tiles; 0 if there is only the one that shows the whole picture.
    pub cols: usize,
    /// Squares, row by row; the last one shows the whole picture.
    pub tiles: Vec<RgbPicture>,
}

impl PictureProcessor {
    /// Reads how pictures are processed from the files beside the model.
    ///
    /// # Errors
    /// [`CheckpointError`] if they are missing or damaged, or ask for something that is not done here.
    pub fn from_checkpoint(checkpoint: &Checkpoint) -> Result<Self, CheckpointError> {
        let settings = Settings::from_checkpoint(checkpoint)?;
        Ok(Self { values: settings.values(), settings })
    }

    /// Height and width of a tile.
    pub fn tile(&self) -> usize {
        self.settings.max_image_size.longest_edge
    }

    /// Cuts `picture` into tiles.
    pub fn process(&self, picture: RgbView<'_>, options: &PictureOptions) -> TiledPicture {
        let tile = self.tile();
        let mut resized: Option<RgbPicture> = None;
        let steps = self.steps((picture.height(), picture.width()), options);
        for &(height, width) in &steps.sizes {
            let from = resized.as_ref().map_or(picture, RgbPicture::view);
            resized = Some(resize_lanczos(from, width, height));
        }
        let whole = resized.as_ref().map_or(picture, RgbPicture::view);
        let (rows, cols) = if steps.split { (whole.height() / tile, whole.width() / tile) } else { (0, 0) };
        let at = |n: usize| whole.square(tile, n / cols * tile, n % cols * tile);
        let mut tiles: Vec<RgbPicture> = (0..rows * cols).map(at).collect();
        tiles.push(resize_lanczos(whole, tile, tile));
        TiledPicture { rows, cols, tiles }
    }

    fn steps(&self, size: Size, options: &PictureOptions) -> Steps {
        let (tile, longest) = (self.tile(), self.settings.size.longest_edge);
        if !options.detail {
            let (rows, cols) = tiles_without_enlarging(size, tile, longest / tile, options.max_tiles);
            let split = rows * cols > 1 && self.settings.do_image_splitting;
            return Steps { sizes: split.then_some((rows * tile, cols * tile)).into_iter().collect(), split };
        }
        let scaled = if self.settings.do_resize { scale_to(size, longest) } else { size };
        if !self.settings.do_image_splitting {
            return Steps { sizes: vec![scaled], split: false };
        }
        let (height, width) = whole_tiles(scaled, tile);
        Steps { sizes: vec![scaled, (height, width)], split: height > tile || width > tile }
    }

    /// Values of a tile's pixels as the vision tower reads them, patch by patch: `[patches, 3 * patch_size²]`, within a patch
    /// plane by plane and row by row. What is left of the tile beside whole patches is dropped.
    pub fn patches(&self, tile: &RgbPicture, patch_size: usize) -> Vec<f32> {
        patches(&self.values, tile, patch_size)
    }
}

/// What is done to a picture before its tiles are taken.
struct Steps {
    /// The sizes it takes one after the other.
    sizes: Vec<Size>,
    /// Whether it is cut; else the whole picture makes one tile.
    split: bool,
}
