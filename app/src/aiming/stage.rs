//! For tests: a sheet of paper on a table, as a camera held by hand sees it.

use std::path::Path;

use image::imageops::FilterType;
use image::{Rgb, RgbImage, imageops};
use imageproc::filter::gaussian_blur_f32;
use imageproc::geometric_transformations::{Border, Interpolation, Projection, warp_into};

use crate::picture;

/// Size of the frames.
pub(super) const SIZE: (u32, u32) = (1280, 720);

/// Where the sheet lies and how the camera sees it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Shot {
    /// Middle of the sheet, in pixels of the frame.
    pub(super) middle: (f32, f32),
    /// Height of the sheet, in pixels of the frame.
    pub(super) height: f32,
    /// Clockwise, in degrees.
    pub(super) turned: f32,
    /// Factor of the light.
    pub(super) light: f32,
    /// Radius of the blur.
    pub(super) blur: f32,
    /// Middle and radius of a spot of light thrown back by the sheet.
    pub(super) glare: Option<(f32, f32, f32)>,
}

impl Default for Shot {
    fn default() -> Self {
        let middle = (SIZE.0 as f32 / 2.0, SIZE.1 as f32 / 2.0);
        Self { middle, height: 690.0, turned: 0.0, light: 1.0, blur: 0.0, glare: None }
    }
}

/// A sheet on a table.
pub(super) struct Stage {
    table: RgbImage,
    sheet: Option<RgbImage>,
    noise: Noise,
}

impl Stage {
    /// A table with nothing on it.
    pub(super) fn empty() -> Self {
        Self { table: table(), sheet: None, noise: Noise(7) }
    }

    /// A bowl of oranges.
    pub(super) fn no_text() -> Self {
        let photo = picture::open(&Path::new("../assets/samples").join("no_text.jpg")).unwrap();
        Self { table: imageops::resize(&photo, SIZE.0, SIZE.1, FilterType::Triangle), ..Self::empty() }
    }

    /// The receipt of the sample pictures.
    pub(super) fn receipt() -> Self {
        Self::with("receipt.jpg", [(226.0, 46.0), (842.0, 70.0), (866.0, 1396.0), (204.0, 1378.0)], (620, 1330))
    }

    /// The letter of the sample pictures.
    pub(super) fn letter() -> Self {
        Self::with("letter.jpg", [(72.0, 66.0), (1118.0, 44.0), (1146.0, 1552.0), (54.0, 1530.0)], (1060, 1440))
    }

    /// The menu of the sample pictures.
    pub(super) fn menu() -> Self {
        Self::with("menu.jpg", [(104.0, 70.0), (1064.0, 104.0), (1048.0, 1496.0), (82.0, 1468.0)], (980, 1360))
    }

    /// The sheet of paper between four corners of a sample picture.
    fn with(sample: &str, corners: [(f32, f32); 4], (width, height): (u32, u32)) -> Self {
        let photo = picture::open(&Path::new("../assets/samples").join(sample)).unwrap();
        let (w, h) = (width as f32, height as f32);
        let lift = Projection::from_control_points(corners, [(0.0, 0.0), (w, 0.0), (w, h), (0.0, h)]).unwrap();
        let mut sheet = RgbImage::new(width, height);
        warp_into(&photo, lift, Interpolation::Bilinear, Border::Constant(Rgb([0; 3])), &mut sheet);
        Self { sheet: Some(sheet), ..Self::empty() }
    }

    /// What the camera sees.
    pub(super) fn take(&mut self, shot: Shot) -> RgbImage {
        let mut frame = self.table.clone();
        if let Some(sheet) = &self.sheet {
            let scale = shot.height / sheet.height() as f32;
            let side = |length: u32| ((length as f32 * scale).round() as u32).max(1);
            let small = imageops::resize(sheet, side(sheet.width()), side(sheet.height()), FilterType::Triangle);
            lay(&small, shot, &mut frame);
        }
        if let Some((x, y, radius)) = shot.glare {
            shine(&mut frame, x, y, radius);
        }
        if shot.blur > 0.0 {
            frame = gaussian_blur_f32(&frame, shot.blur);
        }
        for value in frame.iter_mut() {
            *value = (f32::from(*value) * shot.light + 3.0 * self.noise.next()).clamp(0.0, 255.0) as u8;
        }
        frame
    }
}

/// Lays the sheet, as large as it is seen, on the table.
fn lay(sheet: &RgbImage, shot: Shot, table: &mut RgbImage) {
    let (sin, cos) = shot.turned.to_radians().sin_cos();
    let (w, h) = (sheet.width() as f32 / 2.0, sheet.height() as f32 / 2.0);
    let corner = |x: f32, y: f32| (shot.middle.0 + x * cos - y * sin, shot.middle.1 + x * sin + y * cos);
    let corners = [corner(-w, -h), corner(w, -h), corner(w, h), corner(-w, h)];
    let flat = [(0.0, 0.0), (2.0 * w, 0.0), (2.0 * w, 2.0 * h), (0.0, 2.0 * h)];
    let projection = Projection::from_control_points(flat, corners).unwrap();
    // Black, which the sheet is nowhere, is what lies beside it.
    let mut laid = RgbImage::new(table.width(), table.height());
    warp_into(sheet, projection, Interpolation::Bilinear, Border::Constant(Rgb([0; 3])), &mut laid);
    for (under, over) in table.pixels_mut().zip(laid.pixels()) {
        if over.0 != [0; 3] {
            *under = *over;
        }
    }
}

/// A spot of light with a soft rim.
fn shine(frame: &mut RgbImage, x: f32, y: f32, radius: f32) {
    for (px, py, pixel) in frame.enumerate_pixels_mut() {
        let far = (px as f32 - x).hypot(py as f32 - y) / radius;
        let light = (400.0 * (1.3 - far)).clamp(0.0, 255.0);
        pixel.0 = pixel.0.map(|value| (f32::from(value) + light).min(255.0) as u8);
    }
}

/// Wood: streaks that waver, without anything like a letter.
fn table() -> RgbImage {
    let mut noise = Noise(1);
    let streaks: Vec<f32> = (0..SIZE.1 as usize + 80).map(|_| noise.next()).collect();
    RgbImage::from_fn(SIZE.0, SIZE.1, |x, y| {
        let wavering = 20.0 * (x as f32 / 210.0).sin() + 8.0 * (x as f32 / 47.0).sin() + 30.0;
        let at = y as f32 + wavering;
        let streak = (0..9).map(|i| streaks[at as usize + i]).sum::<f32>() / 3.0;
        Rgb([124.0, 88.0, 58.0].map(|c| (c + 12.0 * streak + 0.02 * x as f32) as u8))
    })
}

/// Noise that is the same at every run, with mean 0 and a deviation of about 1.
struct Noise(u32);

impl Noise {
    fn next(&mut self) -> f32 {
        let uniform = |state: &mut u32| {
            *state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (*state >> 8) as f32 / (1 << 24) as f32
        };
        (0..3).map(|_| uniform(&mut self.0)).sum::<f32>() * 2.0 - 3.0
    }
}
