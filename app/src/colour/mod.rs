//! Colour and light, without any network: what colour the middle of a picture has, and whether it is light.

mod light;
mod name;
mod space;

use image::RgbImage;

pub use light::{Light, LightMeter, Trend};
use space::{Lab, linear};

/// The middle: this share of the shorter side.
const MIDDLE: f32 = 0.25;
/// Points looked at along each side of the middle.
const POINTS: u32 = 48;
/// Of the pixels of the whole picture, by brightness, the share that counts as its white.
const BRIGHTEST: f32 = 0.02;
/// A cast is taken out only up to this ratio between the channels of white: what is stronger is a coloured thing.
const STRONGEST_CAST: f32 = 1.8;
/// A white darker than this says nothing about the lamp.
const DARKEST_WHITE: f32 = 0.01;
/// A picture whose darker parts reach this share of its white has nothing in it to compare with.
const UNIFORM: f32 = 0.5;
/// In poorer light no camera sees colours.
const TOO_DARK: f32 = 0.002;

/// The colour of the middle of a picture, in a sentence.
pub fn colour_spoken(picture: &RgbImage) -> String {
    match colour(picture) {
        Some(name) => format!("It is {name}."),
        None => "It is too dark to tell the colour.".into(),
    }
}

/// The name of the colour in the middle of a picture; `None` if it is too dark to tell.
pub fn colour(picture: &RgbImage) -> Option<String> {
    let side = (picture.width().min(picture.height()) as f32 * MIDDLE).max(1.0) as u32;
    let corner = |whole: u32| (whole.saturating_sub(side)) / 2;
    let (left, top) = (corner(picture.width()), corner(picture.height()));
    let middle = median(&sample(picture, left, top, side, side))?;
    let Lights { white, dark } = lights(sample(picture, 0, 0, picture.width(), picture.height()))?;
    if space::luminance(white) < TOO_DARK {
        return None;
    }
    // Seen beside the brightest thing there is, as eyes do: a dim lamp or a yellow one changes no name.
    let strongest = white.iter().copied().fold(f32::MIN_POSITIVE, f32::max);
    let weakest = white.iter().copied().fold(f32::INFINITY, f32::min);
    let neutral = strongest / weakest.max(f32::MIN_POSITIVE) <= STRONGEST_CAST && strongest >= DARKEST_WHITE;
    let gain = match neutral {
        _ if dark > UNIFORM * space::luminance(white) => [1.0; 3],
        true => white.map(|channel| 1.0 / channel),
        false => [1.0 / strongest.max(DARKEST_WHITE); 3],
    };
    let seen = [0, 1, 2].map(|c| (middle[c] * gain[c]).min(1.0));
    Some(name::name(Lab::of_linear(seen)))
}

/// Linear light at up to [`POINTS`] × [`POINTS`] points of a rectangle.
fn sample(picture: &RgbImage, left: u32, top: u32, width: u32, height: u32) -> Vec<[f32; 3]> {
    let steps = |length: u32| {
        let count = length.min(POINTS);
        (0..count).map(move |n| (u64::from(n) * u64::from(length) / u64::from(count)) as u32)
    };
    let at = |x: u32, y: u32| picture.get_pixel_checked(left + x, top + y).map(|pixel| pixel.0.map(linear));
    steps(height).flat_map(|y| steps(width).map(move |x| (x, y))).filter_map(|(x, y)| at(x, y)).collect()
}

/// The median of each channel: print, reflections and dust do not move it.
fn median(pixels: &[[f32; 3]]) -> Option<[f32; 3]> {
    if pixels.is_empty() {
        return None;
    }
    Some([0, 1, 2].map(|c| {
        let mut values: Vec<f32> = pixels.iter().map(|pixel| pixel[c]).collect();
        values.sort_by(f32::total_cmp);
        values.get(values.len() / 2).copied().unwrap_or_default()
    }))
}

/// What the colours of a picture are compared with.
struct Lights {
    /// Mean of the brightest pixels.
    white: [f32; 3],
    /// Luminance that a tenth of the pixels stays below.
    dark: f32,
}

fn lights(mut pixels: Vec<[f32; 3]>) -> Option<Lights> {
    pixels.sort_by(|a, b| space::luminance(*b).total_cmp(&space::luminance(*a)));
    let count = ((pixels.len() as f32 * BRIGHTEST) as usize).max(1);
    let brightest = pixels.get(..count)?;
    let white = [0, 1, 2].map(|c| brightest.iter().map(|pixel| pixel[c]).sum::<f32>() / count as f32);
    let dark = space::luminance(*pixels.get(pixels.len() * 9 / 10)?);
    Some(Lights { white, dark })
}

#[cfg(test)]
mod tests {
    use image::Rgb;

    use super::*;

    /// A thing on a table with a sheet of white paper, under a lamp of that colour, linear.
    fn scene(thing: [u8; 3], lamp: [f32; 3]) -> RgbImage {
        let lit = |pixel: [u8; 3]| {
            let light = |c: usize| {
                let value = linear(pixel[c]) * lamp[c];
                let value = if value <= 0.003_130_8 { value * 12.92 } else { 1.055 * value.powf(1.0 / 2.4) - 0.055 };
                (value * 255.0).round().clamp(0.0, 255.0) as u8
            };
            Rgb([light(0), light(1), light(2)])
        };
        RgbImage::from_fn(400, 300, |x, y| {
            if (100..300).contains(&x) && (75..225).contains(&y) {
                // Some print on it.
                lit(if x % 10 == 0 { [0, 0, 0] } else { thing })
            } else {
                lit(if x < 90 { [245, 245, 245] } else { [120, 110, 100] })
            }
        })
    }

    const THINGS: [([u8; 3], &str); 8] = [
        ([200, 20, 30], "red"),
        ([40, 140, 50], "green"),
        ([20, 50, 190], "blue"),
        ([250, 215, 0], "yellow"),
        ([120, 70, 25], "brown"),
        ([245, 245, 245], "white"),
        ([128, 128, 128], "grey"),
        ([10, 10, 10], "black"),
    ];

    #[test]
    fn colours_keep_their_names_in_daylight_dim_light_and_under_a_warm_or_cool_lamp() {
        let lamps = [[1.0, 1.0, 1.0], [0.25, 0.25, 0.25], [0.06, 0.06, 0.06], [1.0, 0.85, 0.62], [0.8, 0.92, 1.0]];
        for lamp in lamps {
            for (thing, expected) in THINGS {
                assert_eq!(colour(&scene(thing, lamp)).as_deref(), Some(expected), "{thing:?} under {lamp:?}");
            }
        }
    }

    #[test]
    fn a_picture_full_of_one_colour_has_that_colour() {
        for (pixel, expected) in [([200, 20, 30], "red"), ([20, 50, 190], "blue"), ([128, 128, 128], "grey")] {
            assert_eq!(colour(&RgbImage::from_pixel(50, 50, Rgb(pixel))).as_deref(), Some(expected));
        }
    }

    #[test]
    fn darkness_and_tiny_pictures_are_no_trouble() {
        assert_eq!(colour(&RgbImage::from_pixel(100, 100, Rgb([2, 2, 2]))), None);
        assert_eq!(colour_spoken(&RgbImage::new(64, 64)), "It is too dark to tell the colour.");
        assert_eq!(colour(&RgbImage::new(0, 0)), None);
        assert!(colour(&RgbImage::from_pixel(1, 1, Rgb([255, 255, 255]))).is_some());
    }
}
