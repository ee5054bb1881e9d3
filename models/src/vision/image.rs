//! Pixels as they come from the caller, and as the networks want them.

use burn::tensor::{Device, Tensor, TensorData};

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
    pub(crate) fn row(&self, y: usize) -> &'a [u8] {
        &self.pixels[y * self.width * 3..][..self.width * 3]
    }

    /// The square of `side` pixels whose upper left corner is at row `y` and column `x`; it lies within the picture.
    pub(crate) fn square(&self, side: usize, y: usize, x: usize) -> RgbPicture {
        let row = |y| self.row(y)[x * 3..][..side * 3].iter().copied();
        RgbPicture::new((y..y + side).flat_map(row).collect(), side, side)
    }
}

/// A picture of its own, laid out as an [`RgbView`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RgbPicture {
    pixels: Vec<u8>,
    width: usize,
    height: usize,
}

impl RgbPicture {
    /// Takes `width * height * 3` bytes.
    pub(super) fn new(pixels: Vec<u8>, width: usize, height: usize) -> Self {
        debug_assert_eq!(pixels.len(), width * height * 3);
        Self { pixels, width, height }
    }

    /// The picture, borrowed.
    pub fn view(&self) -> RgbView<'_> {
        RgbView { pixels: &self.pixels, width: self.width, height: self.height }
    }

    /// All bytes: `[height, width, 3]`, red first.
    pub fn pixels(&self) -> &[u8] {
        &self.pixels
    }
}

/// Writes `picture` into the upper left corner of a channels-last map `[height, width, 3]`: blue, green, red, each
/// `x / 255 · 2 - 1`. What the picture does not cover keeps its value (0 is mid grey).
pub(super) fn normalize_into(picture: RgbView<'_>, map: &mut [f32], width: usize) {
    for (y, row) in map.chunks_exact_mut(width * 3).take(picture.height).enumerate() {
        for (out, rgb) in row.as_chunks_mut::<3>().0.iter_mut().zip(picture.row(y).as_chunks::<3>().0) {
            *out = [rgb[2], rgb[1], rgb[0]].map(|v| f32::from(v) * (2.0 / 255.0) - 1.0);
        }
    }
}

/// Lines of one height as a batch `[b, height, width, 3]`, padded on the right with mid grey.
pub(super) fn batch(lines: &[RgbView<'_>], height: usize, width: usize, device: &Device) -> Tensor<4> {
    let mut map = vec![0.0; lines.len() * height * width * 3];
    for (line, map) in lines.iter().zip(map.chunks_exact_mut(height * width * 3)) {
        normalize_into(*line, map, width);
    }
    Tensor::from_data(TensorData::new(map, [lines.len(), height, width, 3]), device)
}

/// Checks that every line is `height` pixels high and at most `max_width` wide.
pub(super) fn check_lines(lines: &[RgbView<'_>], height: usize, max_width: usize) -> Result<(), VisionError> {
    match lines.iter().find(|l| l.height != height || l.width > max_width) {
        None => Ok(()),
        Some(l) => Err(VisionError::Picture(format!(
            "a line crop of {} by {} pixels; it must be {height} high and at most {max_width} wide",
            l.width, l.height
        ))),
    }
}

/// A tensor's numbers, in the caller's hands.
pub(super) fn read_back<const D: usize>(tensor: Tensor<D>) -> Result<Vec<f32>, VisionError> {
    let data = tensor.try_into_data().map_err(|e| VisionError::Device(format!("{e:?}")))?;
    data.try_into_vec::<f32>().map_err(|e| VisionError::Device(format!("{e:?}")))
}
