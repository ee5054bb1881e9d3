//! From the pixel formats of cameras to RGB. What comes from a driver is checked: short rows give no picture, not a panic.

use cameras::{Frame, PixelFormat};
use image::RgbImage;

use crate::camera::jpeg;

/// Pixels of the largest picture.
const MAX_PIXELS: usize = 120_000_000;

/// A picture as the driver gave it.
pub(super) struct Raw<'a> {
    width: usize,
    height: usize,
    /// Bytes from one row to the next; 0 if the driver does not say.
    stride: usize,
    format: PixelFormat,
    primary: &'a [u8],
    /// The colours of [`PixelFormat::Nv12`].
    secondary: &'a [u8],
}

impl<'a> Raw<'a> {
    pub(super) fn of(frame: &'a Frame) -> Self {
        Self {
            width: frame.width as usize,
            height: frame.height as usize,
            stride: frame.stride as usize,
            format: frame.pixel_format,
            primary: &frame.plane_primary,
            secondary: &frame.plane_secondary,
        }
    }

    /// `None` if it is damaged, or of another format than it says.
    pub(super) fn to_rgb(&self) -> Option<RgbImage> {
        if self.format == PixelFormat::Mjpeg {
            return jpeg::decode(self.primary).ok();
        }
        if self.width == 0 || self.height == 0 || self.width.checked_mul(self.height)? > MAX_PIXELS {
            return None;
        }
        let mut rgb = vec![0; self.width * self.height * 3];
        let rows = rgb.chunks_exact_mut(self.width * 3);
        match self.format {
            PixelFormat::Yuyv => {
                for (index, row) in rows.enumerate() {
                    yuyv(self.row(index, 2 * self.width)?, row);
                }
            }
            PixelFormat::Nv12 => {
                for (index, row) in rows.enumerate() {
                    let colours = self.colours(index / 2)?;
                    nv12(self.row(index, self.width)?, colours, row);
                }
            }
            PixelFormat::Rgb8 => {
                for (index, row) in rows.enumerate() {
                    row.copy_from_slice(self.row(index, 3 * self.width)?);
                }
            }
            PixelFormat::Rgba8 => {
                for (index, row) in rows.enumerate() {
                    packed::<4>(self.row(index, 4 * self.width)?, [0, 1, 2], row);
                }
            }
            PixelFormat::Bgra8 => {
                for (index, row) in rows.enumerate() {
                    self.bgra(index, row)?;
                }
            }
            _ => return None,
        }
        RgbImage::from_raw(u32::try_from(self.width).ok()?, u32::try_from(self.height).ok()?, rgb)
    }

    /// A row's first `length` bytes.
    fn row(&self, index: usize, length: usize) -> Option<&'a [u8]> {
        let start = index.checked_mul(self.stride.max(length))?;
        self.primary.get(start..start.checked_add(length)?)
    }

    /// The colours that two rows share.
    fn colours(&self, index: usize) -> Option<&'a [u8]> {
        let length = self.width.next_multiple_of(2);
        let start = index.checked_mul(self.stride.max(length))?;
        self.secondary.get(start..start.checked_add(length)?)
    }

    /// The crate's name for what macOS and Windows give; on Linux it stands for `BGR3` with three bytes a pixel, and for
    /// `BA24`, which Video4Linux defines as alpha, red, green, blue.
    fn bgra(&self, index: usize, row: &mut [u8]) -> Option<()> {
        let three = match self.stride {
            0 => self.primary.len() < 4 * self.width * self.height,
            stride => stride < 4 * self.width,
        };
        if three {
            packed::<3>(self.row(index, 3 * self.width)?, [2, 1, 0], row);
        } else {
            let order = if cfg!(target_os = "linux") { [1, 2, 3] } else { [2, 1, 0] };
            packed::<4>(self.row(index, 4 * self.width)?, order, row);
        }
        Some(())
    }
}

/// Pixels of `N` bytes, of which those at `order` are red, green and blue.
fn packed<const N: usize>(from: &[u8], order: [usize; 3], to: &mut [u8]) {
    let (pixels, _) = from.as_chunks::<N>();
    for (pixel, rgb) in pixels.iter().zip(to.as_chunks_mut::<3>().0) {
        *rgb = order.map(|place| pixel[place]);
    }
}

fn yuyv(from: &[u8], to: &mut [u8]) {
    let (pairs, rest) = from.as_chunks::<4>();
    for (&[y0, u, y1, v], pixels) in pairs.iter().zip(to.as_chunks_mut::<6>().0) {
        let colour = Colour::new(u, v);
        let ([r0, g0, b0], [r1, g1, b1]) = (colour.at(y0), colour.at(y1));
        *pixels = [r0, g0, b0, r1, g1, b1];
    }
    // An odd width ends in half a pair: without its second colour, a grey.
    if let (&[y, _], Some(pixel)) = (rest, to.as_chunks_mut::<3>().0.last_mut()) {
        *pixel = Colour::new(128, 128).at(y);
    }
}

fn nv12(luma: &[u8], colours: &[u8], to: &mut [u8]) {
    for ((pair, &[u, v]), pixels) in luma.chunks(2).zip(colours.as_chunks::<2>().0).zip(to.chunks_mut(6)) {
        let colour = Colour::new(u, v);
        for (&y, rgb) in pair.iter().zip(pixels.as_chunks_mut::<3>().0) {
            *rgb = colour.at(y);
        }
    }
}

/// What the two colour differences add to the brightness: ITU-R BT.601, luma 16 to 235, in 256ths.
struct Colour {
    red: i32,
    green: i32,
    blue: i32,
}

impl Colour {
    fn new(u: u8, v: u8) -> Self {
        let (u, v) = (i32::from(u) - 128, i32::from(v) - 128);
        Self { red: 409 * v + 128, green: -100 * u - 208 * v + 128, blue: 516 * u + 128 }
    }

    fn at(&self, y: u8) -> [u8; 3] {
        let y = 298 * (i32::from(y) - 16);
        [self.red, self.green, self.blue].map(|add| ((y + add) >> 8).clamp(0, 255) as u8)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::camera::jpeg::tests::sample;

    const WHITE: [u8; 3] = [255; 3];
    const BLACK: [u8; 3] = [0; 3];

    fn raw(width: usize, height: usize, stride: usize, format: PixelFormat, primary: &[u8]) -> Raw<'_> {
        Raw { width, height, stride, format, primary, secondary: &[] }
    }

    fn pixels(raw: &Raw) -> Vec<[u8; 3]> {
        raw.to_rgb().expect("a picture").pixels().map(|pixel| pixel.0).collect()
    }

    #[test]
    fn packed_colours_come_in_every_order() {
        let rgb = pixels(&raw(2, 1, 0, PixelFormat::Rgb8, &[1, 2, 3, 4, 5, 6]));
        assert_eq!(rgb, [[1, 2, 3], [4, 5, 6]]);
        let rgba = pixels(&raw(2, 1, 8, PixelFormat::Rgba8, &[1, 2, 3, 0, 4, 5, 6, 0]));
        assert_eq!(rgba, [[1, 2, 3], [4, 5, 6]]);
        let bgr = pixels(&raw(2, 1, 6, PixelFormat::Bgra8, &[3, 2, 1, 6, 5, 4]));
        assert_eq!(bgr, [[1, 2, 3], [4, 5, 6]]);
        let four = if cfg!(target_os = "linux") { [0, 1, 2, 3] } else { [3, 2, 1, 0] };
        assert_eq!(pixels(&raw(1, 1, 0, PixelFormat::Bgra8, &four)), [[1, 2, 3]]);
    }

    #[test]
    fn bytes_behind_a_row_are_left_out() {
        let padded = [16, 128, 235, 128, 99, 99, 235, 128, 16, 128, 99, 99];
        assert_eq!(pixels(&raw(2, 2, 6, PixelFormat::Yuyv, &padded)), [BLACK, WHITE, WHITE, BLACK]);
        // The last row may come without them.
        assert_eq!(pixels(&raw(2, 2, 6, PixelFormat::Yuyv, &padded[..10])), [BLACK, WHITE, WHITE, BLACK]);
    }

    #[test]
    fn brightness_and_colour_are_those_of_television() {
        // Red of BT.601: Y 81, U 90, V 240.
        let [[r, g, b], _] = pixels(&raw(2, 1, 4, PixelFormat::Yuyv, &[81, 90, 81, 240]))[..] else { panic!() };
        assert!(r > 250 && g < 5 && b < 5, "{r} {g} {b}");
        let nv12 =
            Raw { secondary: &[90, 240, 128, 128], ..raw(3, 2, 4, PixelFormat::Nv12, &[81, 81, 235, 0, 81, 81, 16]) };
        let got = pixels(&nv12);
        assert!(got[0][0] > 250 && got[4][0] > 250, "{got:?}");
        assert_eq!((got[2], got[5]), (WHITE, BLACK));
    }

    #[test]
    fn an_odd_width_is_no_problem() {
        assert_eq!(pixels(&raw(3, 1, 0, PixelFormat::Yuyv, &[16, 128, 235, 128, 235, 128])), [BLACK, WHITE, WHITE]);
    }

    #[test]
    fn compressed_pictures_tell_their_own_size() {
        let jpeg = [sample(64, 48, 100), vec![0; 999]].concat();
        let picture = raw(640, 480, 0, PixelFormat::Mjpeg, &jpeg).to_rgb().unwrap();
        assert_eq!(picture.dimensions(), (64, 48));
        assert!(raw(640, 480, 0, PixelFormat::Mjpeg, &jpeg[..300]).to_rgb().is_none());
        // Formats that the crate does not know come as this one.
        assert!(raw(640, 480, 0, PixelFormat::Mjpeg, &[7; 640 * 480]).to_rgb().is_none());
    }

    proptest! {
        #[test]
        fn no_driver_makes_it_panic(
            (width, height) in (0usize..40, 0usize..20),
            stride in prop_oneof![Just(0), 0usize..200, Just(usize::MAX)],
            format in prop::sample::select(vec![
                PixelFormat::Bgra8, PixelFormat::Rgb8, PixelFormat::Rgba8, PixelFormat::Yuyv, PixelFormat::Nv12, PixelFormat::Mjpeg,
            ]),
            primary in prop::collection::vec(any::<u8>(), 0..4000),
            secondary in prop::collection::vec(any::<u8>(), 0..2000),
        ) {
            let raw = Raw { width, height, stride, format, primary: &primary, secondary: &secondary };
            if let Some(picture) = raw.to_rgb() {
                prop_assert_eq!((picture.width() as usize, picture.height() as usize), (width, height));
            }
        }
    }
}
