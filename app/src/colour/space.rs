//! Colours as people see them: sRGB → CIE XYZ → CIELAB, under daylight D65.
//!
//! IEC 61966-2-1 (sRGB) and CIE 15 (CIELAB); the matrix is the standard's.

/// A colour in CIELAB.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Lab {
    /// Lightness, 0 black to 100 white.
    pub(super) lightness: f32,
    /// Green to red.
    pub(super) a: f32,
    /// Blue to yellow.
    pub(super) b: f32,
}

/// White of daylight D65.
const WHITE: [f32; 3] = [0.950_47, 1.0, 1.088_83];

impl Lab {
    /// Of an sRGB pixel.
    #[cfg(test)]
    pub(super) fn of(pixel: [u8; 3]) -> Self {
        Self::of_linear(pixel.map(linear))
    }

    /// Of linear light, red, green and blue from 0 to 1.
    pub(super) fn of_linear([r, g, b]: [f32; 3]) -> Self {
        let x = 0.412_456_4 * r + 0.357_576_1 * g + 0.180_437_5 * b;
        let z = 0.019_333_9 * r + 0.119_192 * g + 0.950_304_1 * b;
        let [x, y, z] = [x / WHITE[0], luminance([r, g, b]) / WHITE[1], z / WHITE[2]].map(cube_root);
        Self { lightness: 116.0 * y - 16.0, a: 500.0 * (x - y), b: 200.0 * (y - z) }
    }

    /// How colourful it is; 0 is grey.
    pub(super) fn chroma(self) -> f32 {
        self.a.hypot(self.b)
    }

    /// Direction of the colour in degrees: 40 red, 90 yellow, 140 green, 280 blue, 330 purple, about.
    pub(super) fn hue(self) -> f32 {
        self.b.atan2(self.a).to_degrees().rem_euclid(360.0)
    }
}

/// Light of an sRGB value, 0 to 1.
pub(super) fn linear(value: u8) -> f32 {
    let value = f32::from(value) / 255.0;
    if value <= 0.040_45 { value / 12.92 } else { ((value + 0.055) / 1.055).powf(2.4) }
}

/// Brightness of linear light as the eye weighs it, 0 to 1.
pub(super) fn luminance([r, g, b]: [f32; 3]) -> f32 {
    0.212_672_9 * r + 0.715_152_2 * g + 0.072_175 * b
}

/// The cube root, straight near zero as CIELAB wants it.
fn cube_root(t: f32) -> f32 {
    if t > 216.0 / 24_389.0 { t.cbrt() } else { (24_389.0 / 27.0 * t + 16.0) / 116.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_colours_have_their_known_coordinates() {
        let cases = [
            ([255, 255, 255], [100.0, 0.0, 0.0]),
            ([0, 0, 0], [0.0, 0.0, 0.0]),
            ([255, 0, 0], [53.24, 80.09, 67.20]),
            ([0, 255, 0], [87.73, -86.18, 83.18]),
            ([0, 0, 255], [32.30, 79.19, -107.86]),
            ([128, 128, 128], [53.59, 0.0, 0.0]),
        ];
        for (pixel, [lightness, a, b]) in cases {
            let lab = Lab::of(pixel);
            let off = (lab.lightness - lightness).abs().max((lab.a - a).abs()).max((lab.b - b).abs());
            assert!(off < 0.05, "{pixel:?}: {lab:?}");
        }
    }
}
