//! Pictures of nothing in particular with words beside them, to calibrate models of random weights on.

use std::io::Cursor;

use image::{ImageError, ImageFormat, Rgb, RgbImage};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde_json::json;

use crate::random_model::random_words;

const WIDTH: u32 = 640;
const HEIGHT: u32 = 480;
/// Words beside a picture.
const WORDS: usize = 24;
/// Rectangles in a picture.
const RECTANGLES: usize = 40;

/// A list of `count` pictures with random words of a vocabulary of `vocab_size`, `calibration.jsonl`, and the pictures: names and
/// contents of files.
///
/// # Errors
/// [`ImageError`] if a picture could not be written.
pub fn random_pictures(vocab_size: usize, count: usize, seed: u64) -> Result<Vec<(String, Vec<u8>)>, ImageError> {
    let (mut files, mut list) = (Vec::new(), String::new());
    for n in 0..count {
        let name = format!("picture-{n:02}.png");
        let seed = seed.wrapping_add(n as u64);
        list += &format!("{}\n", json!({"image": name, "text": random_words(vocab_size, WORDS, seed)}));
        let mut png = Cursor::new(Vec::new());
        random_picture(seed).write_to(&mut png, ImageFormat::Png)?;
        files.push((name, png.into_inner()));
    }
    files.push(("calibration.jsonl".into(), list.into_bytes()));
    Ok(files)
}

/// Rectangles of all sizes and colours over a slope.
fn random_picture(seed: u64) -> RgbImage {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut picture = RgbImage::from_fn(WIDTH, HEIGHT, |x, y| Rgb([x / 3, y / 2, (x + y) / 5].map(|v| v as u8)));
    for _ in 0..RECTANGLES {
        let (left, top) = (rng.random_range(0..WIDTH), rng.random_range(0..HEIGHT));
        let right = (left + rng.random_range(4..WIDTH / 3)).min(WIDTH);
        let bottom = (top + rng.random_range(4..HEIGHT / 3)).min(HEIGHT);
        let colour = Rgb([rng.random(), rng.random(), rng.random()]);
        for (x, y) in (top..bottom).flat_map(|y| (left..right).map(move |x| (x, y))) {
            picture.put_pixel(x, y, colour);
        }
    }
    picture
}
