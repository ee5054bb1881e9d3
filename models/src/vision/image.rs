//! Pixels as they come from the caller, and as the networks want them.

use super::VisionError;

/// A borrowed picture: 8-bit RGB, rows from top to bottom, no gap between rows.
#[derive(Debug, Clone, Copy)]
pub struct RgbView<'a> {
    pixels: &'a [u8],
    width: usize,
    height: usize,
}

impl<'a> RgbView<'a> {
    /// Wraps `width * height * 3` bytes; any other length is an error.
    pub fn new(pixels: &'a [u8], width: usize, height: usize) -> Result<Self, VisionError> {
        let expected = width.checked_mul(height).and_then(|n| n.checked_mul(3));
        if width == 0 || height == 0 || expected != Some(pixels.len()) {
            let found = pixels.len();
            return Err(VisionError::Picture(format!("{found} bytes do not make {width} by {height} pixels")));
        }
        Ok(Self { pixels, width, height })
    }

    /// Pixels per row.
    pub fn width(&self) -> usize {
        self.width
    }

    /// Rows.
    pub fn height(&self) -> usize {
        self.height
    }

    /// The bytes of row `y`: `[width * 3]`, red first.
    pub(super) fn row(&self, y: usize) -> &'a [u8] {
        &self.pixels[y * self.width * 3..][..self.width * 3]
    }
}
