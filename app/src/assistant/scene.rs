//! A picture as the assistant speaks about it: rows fit to be spoken, its colour and its light.

use image::RgbImage;

use crate::colour::{Light, colour_spoken};
use crate::reading::{Line, Reading, Word};
use crate::speech::spell::spell;

/// What is known of a picture without asking anybody.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Scene {
    /// Rows of text from top to bottom, as they are spoken.
    pub rows: Vec<String>,
    /// What is wrong with the photo.
    pub warnings: Vec<String>,
    /// The colour of its middle, in a sentence.
    pub colour: String,
    /// How light it is, in a sentence.
    pub light: String,
}

impl Scene {
    /// A picture and what was read from it.
    pub fn new(picture: &RgbImage, reading: &Reading) -> Self {
        Self {
            rows: reading.rows().map(spoken_row).collect(),
            warnings: reading.warnings.iter().map(|warning| warning.spoken().into()).collect(),
            colour: colour_spoken(picture),
            light: Light::of(picture).spoken().into(),
        }
    }

    /// Rows in runs that are spoken in one breath, each with the number of its first row: a sentence that goes on in the
    /// next row is not torn apart.
    pub fn passages(&self, from: usize) -> Vec<(usize, String)> {
        let mut passages: Vec<(usize, String)> = vec![];
        for (at, row) in self.rows.iter().enumerate().skip(from) {
            match passages.last_mut() {
                Some((_, passage)) if goes_on(passage, row) => *passage += &format!(" {row}"),
                _ => passages.push((at, row.clone())),
            }
        }
        passages
    }
}

/// A passage that is longer than this takes too long to hear again.
const LONG_PASSAGE: usize = 220;

fn goes_on(passage: &str, row: &str) -> bool {
    let open = passage.ends_with(|c: char| c.is_lowercase() || c == ',');
    open && row.starts_with(char::is_lowercase) && passage.len() + row.len() < LONG_PASSAGE
}

/// Lines side by side, with a pause between them.
fn spoken_row(lines: &[Line]) -> String {
    let line = |line: &Line| line.words.iter().map(spoken_word).collect::<Vec<_>>().join(" ");
    lines.iter().map(line).collect::<Vec<_>>().join(", ")
}

/// A wrong digit does harm: a doubtful number is spelled too.
fn spoken_word(word: &Word) -> String {
    match word {
        Word { sure: true, text, .. } => text.clone(),
        Word { text, .. } if text.contains(|c: char| c.is_ascii_digit()) => {
            format!("{text}, not sure, {},", spell(text))
        }
        Word { text, .. } => format!("{text}, not sure,"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn word(text: &str, sure: bool) -> Word {
        Word { text: text.into(), confidence: 1.0, sure, chars: vec![] }
    }

    #[test]
    fn a_doubtful_number_is_spelled_and_a_doubtful_word_is_marked() {
        assert_eq!(spoken_word(&word("400", true)), "400");
        assert_eq!(spoken_word(&word("4.0", false)), "4.0, not sure, 4, dot, 0,");
        assert_eq!(spoken_word(&word("daily", false)), "daily, not sure,");
    }

    #[test]
    fn sentences_over_several_rows_stay_whole_and_headings_apart() {
        let rows = ["MENU", "Please store enough water", "beforehand and keep taps", "closed.", "Soup 5.20"];
        let scene = Scene { rows: rows.map(Into::into).to_vec(), ..Scene::default() };
        let passages = scene.passages(0);
        assert_eq!(passages.iter().map(|p| p.0).collect::<Vec<_>>(), [0, 1, 4]);
        assert_eq!(passages[1].1, "Please store enough water beforehand and keep taps closed.");
        assert_eq!(scene.passages(3)[0], (3, "closed.".into()));
        assert_eq!(scene.passages(9), []);
    }
}
