//! What the benchmark's camera sees: a table top with the grain of a cheap sensor, and a card that is moved over it.

use std::io::Write;
use std::path::Path;

use anyhow::Context;
use image::codecs::jpeg::JpegEncoder;
use image::{Rgb, RgbImage, imageops};

/// Size of the camera's pictures.
const SIZE: (u32, u32) = (1280, 720);
/// Pictures a second of the file that is written.
pub(super) const FRAMES_A_SECOND: u32 = 15;
/// Quality of webcams' JPEG.
const QUALITY: u8 = 85;

/// Where the card is for how many seconds: its middle as a share of the picture, its height in pixels, and the light.
const MOVES: [(f32, (f32, f32), u32, f32); 6] = [
    // Nothing but the table.
    (1.5, (3.0, 0.5), 600, 1.0),
    // Cut off on the left, then on the right.
    (3.0, (0.12, 0.5), 640, 1.0),
    (3.0, (0.88, 0.5), 640, 1.0),
    // Hardly any light.
    (3.0, (0.5, 0.5), 640, 0.12),
    // Far away.
    (3.0, (0.5, 0.5), 150, 1.0),
    (1.5, (3.0, 0.5), 600, 1.0),
];

/// Writes MJPEG of a table without any text, every picture with other grain.
pub(super) fn write_table(path: &Path) -> anyhow::Result<()> {
    write(path, (0..2 * FRAMES_A_SECOND).map(table))
}

/// Writes MJPEG of a card that is badly held in several ways.
pub(super) fn write_card(path: &Path, card: &RgbImage) -> anyhow::Result<()> {
    let seconds = MOVES.iter().flat_map(|&(seconds, middle, height, light)| {
        std::iter::repeat_n((middle, height, light), (seconds * FRAMES_A_SECOND as f32) as usize)
    });
    write(path, seconds.enumerate().map(|(n, (middle, height, light))| placed(card, middle, height, light, n as u32)))
}

fn placed(card: &RgbImage, middle: (f32, f32), height: u32, light: f32, n: u32) -> RgbImage {
    let width = height * card.width() / card.height().max(1);
    let card = imageops::resize(card, width.max(1), height, imageops::FilterType::Triangle);
    let mut picture = table(n);
    // Hands are never quite still.
    let sway = 6.0 * (n as f32 * 0.9).sin();
    let x = middle.0 * SIZE.0 as f32 - width as f32 / 2.0 + sway;
    let y = middle.1 * SIZE.1 as f32 - height as f32 / 2.0 + sway / 2.0;
    imageops::overlay(&mut picture, &card, x as i64, y as i64);
    picture.pixels_mut().for_each(|pixel| pixel.0 = pixel.0.map(|value| (f32::from(value) * light) as u8));
    picture
}

/// A table top: wood in broad streaks, with noise that is another one in every picture.
fn table(n: u32) -> RgbImage {
    let mut noise = 0x9e37_79b9_u32.wrapping_mul(n + 1);
    RgbImage::from_fn(SIZE.0, SIZE.1, |x, y| {
        noise = noise.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let grain = (noise >> 28) as f32 - 8.0;
        let streak = 12.0 * (y as f32 * 0.05 + (x as f32 * 0.004).sin()).sin();
        Rgb([150.0, 115.0, 80.0].map(|base: f32| (base + streak + grain / 2.0) as u8))
    })
}

fn write(path: &Path, pictures: impl Iterator<Item = RgbImage>) -> anyhow::Result<()> {
    let mut bytes = vec![];
    for picture in pictures {
        JpegEncoder::new_with_quality(&mut bytes, QUALITY)
            .encode_image(&picture)
            .context("a picture was not encoded")?;
    }
    let mut file = std::fs::File::create(path).with_context(|| format!("{} was not written", path.display()))?;
    file.write_all(&bytes).with_context(|| format!("{} was not written", path.display()))
}
