//! How light it is, and whether it grows lighter or darker while a hand moves the camera.

use std::collections::VecDeque;

use image::RgbImage;

use super::sample;
use super::space::luminance;

/// How light it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Light {
    /// Nothing can be seen.
    Dark,
    /// Hardly enough to read by.
    Dim,
    /// A lit room.
    Lit,
    /// A lamp, a window or the sky.
    Bright,
}

impl Light {
    /// Of a picture.
    pub fn of(picture: &RgbImage) -> Self {
        Self::at(level(picture))
    }

    fn at(level: f32) -> Self {
        match level {
            l if l < 12.0 => Self::Dark,
            l if l < 32.0 => Self::Dim,
            l if l < 80.0 => Self::Lit,
            _ => Self::Bright,
        }
    }

    /// In a sentence.
    pub fn spoken(self) -> &'static str {
        match self {
            Self::Dark => "It is dark.",
            Self::Dim => "There is a little light.",
            Self::Lit => "There is light.",
            Self::Bright => "It is bright.",
        }
    }
}

/// Where the light goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trend {
    /// It grows lighter.
    Brighter,
    /// It grows darker.
    Darker,
    /// It stays.
    Steady,
}

impl Trend {
    /// In a word.
    pub fn spoken(self) -> &'static str {
        match self {
            Self::Brighter => "brighter",
            Self::Darker => "darker",
            Self::Steady => "steady",
        }
    }
}

/// Pictures that are compared.
const MEMORY: usize = 8;
/// A change of lightness that counts, of 100.
const CHANGE: f32 = 5.0;

/// Follows the light over the pictures of a camera.
#[derive(Debug, Clone, Default)]
pub struct LightMeter {
    levels: VecDeque<f32>,
}

impl LightMeter {
    /// Takes the next picture.
    pub fn push(&mut self, picture: &RgbImage) -> (Light, Trend) {
        let now = level(picture);
        self.levels.push_back(now);
        if self.levels.len() > MEMORY {
            self.levels.pop_front();
        }
        (Light::at(now), self.trend())
    }

    /// The later half of the pictures beside the earlier one: one flash or flicker is no trend.
    fn trend(&self) -> Trend {
        let half = self.levels.len() / 2;
        let mut levels: Vec<f32> = self.levels.iter().copied().collect();
        if half == 0 {
            return Trend::Steady;
        }
        let later = middle(&mut levels.split_off(half));
        let change = later - middle(&mut levels);
        match change {
            c if c > CHANGE => Trend::Brighter,
            c if c < -CHANGE => Trend::Darker,
            _ => Trend::Steady,
        }
    }
}

fn middle(levels: &mut [f32]) -> f32 {
    levels.sort_by(f32::total_cmp);
    levels.get(levels.len() / 2).copied().unwrap_or_default()
}

/// Mean light of a picture on the scale of lightness, 0 to 100.
fn level(picture: &RgbImage) -> f32 {
    let pixels = sample(picture, 0, 0, picture.width(), picture.height());
    let mean = pixels.iter().map(|&pixel| luminance(pixel)).sum::<f32>() / pixels.len().max(1) as f32;
    super::space::Lab::of_linear([mean; 3]).lightness
}

#[cfg(test)]
mod tests {
    use image::Rgb;

    use super::*;

    fn grey(value: u8) -> RgbImage {
        RgbImage::from_pixel(64, 48, Rgb([value; 3]))
    }

    #[test]
    fn rooms_are_told_apart() {
        let lights = [0, 15, 60, 130, 240].map(|value| Light::of(&grey(value)));
        assert_eq!(lights, [Light::Dark, Light::Dark, Light::Dim, Light::Lit, Light::Bright]);
        assert_eq!(Light::of(&RgbImage::new(0, 0)), Light::Dark);
    }

    #[test]
    fn a_hand_that_moves_to_the_lamp_hears_brighter() {
        let follow = |values: &[u8]| {
            let mut meter = LightMeter::default();
            values.iter().map(|&value| meter.push(&grey(value)).1).last().unwrap()
        };
        assert_eq!(follow(&[40]), Trend::Steady);
        assert_eq!(follow(&[40, 50, 60, 80, 110, 140]), Trend::Brighter);
        assert_eq!(follow(&[140, 110, 80, 60, 50, 40]), Trend::Darker);
        assert_eq!(follow(&[90, 92, 89, 91, 90, 90]), Trend::Steady);
        assert_eq!(follow(&[90, 90, 90, 255, 90, 90, 90]), Trend::Steady, "one flash");
        assert_eq!(follow(&[40, 60, 90, 120, 140, 140, 140, 140, 140, 140, 140, 140]), Trend::Steady, "arrived");
    }
}
