//! Which words were read surely. A wrong digit in a dose or a price does harm, so digits must be read more surely.

use serde::Serialize;
use sightread_models::vision::{CharRead, LineRead};

/// A letter read with less is doubtful.
const SURE_LETTER: f32 = 0.6;
/// A digit, or a sign between digits, read with less is doubtful.
const SURE_DIGIT: f32 = 0.85;
/// From this probability on a space that lost against "nothing here" counts as read: small print loses most of them.
const ALMOST_A_SPACE: f32 = 0.15;

/// A character as it was read.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Char {
    /// The most probable character.
    pub ch: char,
    /// Its probability.
    pub confidence: f32,
    /// What else it may be, most probable first.
    pub alternatives: Vec<(char, f32)>,
}

/// A word of a line.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Word {
    /// Its characters as one string.
    pub text: String,
    /// Confidence of its least sure character, 0 to 1.
    pub confidence: f32,
    /// Whether it may be spoken without a warning.
    pub sure: bool,
    /// Its characters.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub chars: Vec<Char>,
}

/// The words of a line. Characters are kept for doubtful words alone: they say what else the word may be.
pub fn words(line: &LineRead) -> Vec<Word> {
    let word = |chars: &[CharRead]| {
        let has_digit = chars.iter().any(|c| c.ch.is_ascii_digit());
        let needed = |c: &CharRead| match c.ch {
            c if c.is_ascii_digit() => SURE_DIGIT,
            c if has_digit && c.is_ascii_punctuation() => SURE_DIGIT,
            _ => SURE_LETTER,
        };
        let sure = chars.iter().all(|c| c.confidence >= needed(c));
        let confidence = chars.iter().map(|c| c.confidence).fold(1.0, f32::min);
        let keep = |c: &CharRead| Char { ch: c.ch, confidence: c.confidence, alternatives: c.alternatives.clone() };
        let kept = if sure { vec![] } else { chars.iter().map(keep).collect() };
        Word { text: chars.iter().map(|c| c.ch).collect(), confidence, sure, chars: kept }
    };
    let joined =
        |a: &CharRead, b: &CharRead| !a.ch.is_whitespace() && !b.ch.is_whitespace() && b.space_before < ALMOST_A_SPACE;
    let groups = line.chars.chunk_by(joined).filter(|chars| !chars.iter().all(|c| c.ch.is_whitespace()));
    groups.map(word).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(text: &str, confidence: f32) -> LineRead {
        let read = |(at, ch)| CharRead {
            ch,
            confidence,
            alternatives: vec![('8', 0.1)],
            t_start: at,
            t_end: at + 1,
            space_before: 0.0,
        };
        LineRead { chars: text.chars().enumerate().map(read).collect(), confidence, steps: text.len() }
    }

    #[test]
    fn digits_need_more_than_letters() {
        let sure: Vec<bool> = words(&line("take 400 mg", 0.7)).iter().map(|w| w.sure).collect();
        assert_eq!(sure, [true, false, true]);
        assert!(words(&line("12.50", 0.9))[0].sure);
        assert!(!words(&line("word", 0.5))[0].sure);
    }

    #[test]
    fn a_doubtful_word_says_what_else_it_may_be() {
        let words = words(&line("3", 0.5));
        assert_eq!(words[0].chars[0].alternatives[0].0, '8');
    }
}
