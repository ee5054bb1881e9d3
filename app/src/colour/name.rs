//! Names of colours: the eleven basic ones of English and a few that people ask for, in plain words of lightness.

use super::space::Lab;

/// Below this chroma a colour is grey; dark and light colours need less to be seen as colours.
const GREY: f32 = 9.0;

/// Names by hue, up to the given degree, counted from 0. Below them what the name becomes when it is dark or light.
const HUES: [Hue; 12] = [
    Hue { up_to: 18.0, name: "pink", dark: Some("dark red"), pale: Some("pink") },
    Hue { up_to: 48.0, name: "red", dark: Some("dark red"), pale: Some("pink") },
    Hue { up_to: 76.0, name: "orange", dark: Some("brown"), pale: Some("light orange") },
    Hue { up_to: 104.0, name: "yellow", dark: Some("olive"), pale: Some("cream") },
    Hue { up_to: 122.0, name: "yellow green", dark: Some("olive green"), pale: None },
    Hue { up_to: 170.0, name: "green", dark: None, pale: None },
    Hue { up_to: 200.0, name: "turquoise", dark: None, pale: None },
    Hue { up_to: 235.0, name: "turquoise blue", dark: None, pale: Some("light blue") },
    // CIELAB bends blue towards purple: the blue of screens lies at 306 degrees.
    Hue { up_to: 308.0, name: "blue", dark: None, pale: None },
    Hue { up_to: 320.0, name: "purple", dark: None, pale: Some("lilac") },
    Hue { up_to: 348.0, name: "magenta", dark: Some("purple"), pale: Some("pink") },
    Hue { up_to: 360.0, name: "pink", dark: Some("dark red"), pale: Some("pink") },
];

struct Hue {
    up_to: f32,
    name: &'static str,
    /// Its own word when it is dark; else "dark" is put before the name.
    dark: Option<&'static str>,
    /// Its own word when it is light and soft; else "light" is put before the name.
    pale: Option<&'static str>,
}

/// The name of a colour.
pub(super) fn name(colour: Lab) -> String {
    let Lab { lightness, .. } = colour;
    let chroma = colour.chroma();
    if lightness < 9.0 {
        return "black".into();
    }
    if chroma < GREY * (lightness / 50.0).clamp(0.5, 1.0) {
        return match lightness {
            l if l < 22.0 => "black",
            l if l < 42.0 => "dark grey",
            l if l < 70.0 => "grey",
            l if l < 88.0 => "light grey",
            _ => "white",
        }
        .into();
    }
    let degree = colour.hue();
    let Some(hue) = HUES.iter().find(|hue| degree <= hue.up_to) else { return "grey".into() };
    // Yellow and orange are only themselves while they are bright; red and blue are so at any lightness below the middle.
    let (dark, light) = match hue.name {
        "yellow" | "yellow green" => (62.0, 94.0),
        "orange" => (58.0, 84.0),
        "green" | "turquoise" | "turquoise blue" => (38.0, 78.0),
        "blue" => (25.0, 62.0),
        "magenta" => (45.0, 68.0),
        _ => (30.0, 68.0),
    };
    match lightness {
        l if l < dark => hue.dark.map_or_else(|| format!("dark {}", hue.name), Into::into),
        // A light colour that is still vivid keeps its name: lemon yellow, grass green.
        l if l > light && chroma < 55.0 => hue.pale.map_or_else(|| format!("light {}", hue.name), Into::into),
        _ if chroma < 18.0 => format!("greyish {}", hue.name),
        _ => hue.name.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everyday_colours_have_their_everyday_names() {
        let cases: [([u8; 3], &str); 28] = [
            ([0, 0, 0], "black"),
            ([25, 25, 25], "black"),
            ([80, 80, 80], "dark grey"),
            ([128, 128, 128], "grey"),
            ([200, 200, 200], "light grey"),
            ([250, 250, 250], "white"),
            ([220, 20, 30], "red"),
            ([110, 10, 15], "dark red"),
            ([255, 140, 0], "orange"),
            ([120, 70, 25], "brown"),
            ([255, 220, 0], "yellow"),
            ([255, 250, 205], "cream"),
            ([40, 150, 50], "green"),
            ([0, 70, 20], "dark green"),
            ([150, 220, 150], "light green"),
            ([0, 190, 180], "turquoise"),
            ([20, 60, 200], "blue"),
            ([10, 20, 80], "dark blue"),
            ([160, 200, 240], "light blue"),
            ([120, 30, 160], "purple"),
            ([255, 150, 180], "pink"),
            ([255, 192, 203], "pink"),
            ([128, 128, 0], "olive"),
            ([200, 160, 220], "lilac"),
            ([0, 0, 255], "blue"),
            ([128, 0, 128], "purple"),
            ([255, 0, 255], "magenta"),
            ([0, 0, 128], "dark blue"),
        ];
        let wrong: Vec<String> = cases
            .iter()
            .map(|&(pixel, expected)| (pixel, expected, name(Lab::of(pixel))))
            .filter(|(_, expected, named)| named != expected)
            .map(|(pixel, expected, named)| format!("{pixel:?} is {named}, not {expected}: {:?}", Lab::of(pixel)))
            .collect();
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    }
}
