//! Answers of a model that sees the picture. Its words are its own: numbers that were not read are marked as unsure, and
//! about a dose nothing is said that was not read.

use sightread_models::text::generate::Flow;
use sightread_models::vlm::{EncodedPicture, VisionLanguage, VlmError};

use super::document::Document;
use super::extract::speaks_of_a_dose;

/// Tokens of an answer at most.
const MAX_TOKENS: usize = 160;
/// Characters of the picture's text that the model is told at most.
const MAX_TEXT: usize = 4000;
/// What is said instead of a dose that was not read.
const WITHHELD: &str = "What is to be taken, I leave to the label: have it read aloud.";

/// The answer, sentence by sentence to `on_text` and as a whole; and how probable the model found it, 0 to 1.
pub(super) fn answer(
    model: &VisionLanguage,
    picture: &mut EncodedPicture,
    question: &str,
    document: &Document,
    tells_text: bool,
    mut on_text: impl FnMut(&str) -> Flow,
) -> Result<(String, f32), VlmError> {
    let question = if tells_text { with_text(question, document) } else { question.trim().into() };
    let (mut said, mut rest) = (String::new(), String::new());
    let heard = model.answer(picture, &question, MAX_TOKENS, |piece| {
        rest += piece;
        while let Some(end) = end_of_sentence(&rest) {
            let sentence = checked(&rest.drain(..end).collect::<String>(), document);
            said += &sentence;
            if on_text(&sentence) == Flow::Stop {
                return Flow::Stop;
            }
        }
        Flow::Continue
    })?;
    if !heard.cancelled && !rest.trim().is_empty() {
        let sentence = checked(&rest, document);
        said += &sentence;
        on_text(&sentence);
    }
    Ok((said.trim().into(), heard.confidence))
}

/// The question with what the reader made of the picture, so that the model need not spell.
fn with_text(question: &str, document: &Document) -> String {
    let lines = document.rows.iter().map(|row| row.text.as_str());
    let mut text = String::new();
    for line in lines {
        if text.len() + line.len() > MAX_TEXT {
            break;
        }
        text += line;
        text.push('\n');
    }
    match text.as_str() {
        "" => question.trim().into(),
        text => format!("The text in the picture reads:\n{text}\n{}", question.trim()),
    }
}

/// Where the first sentence ends, the space behind it included; `None` while it may go on.
fn end_of_sentence(text: &str) -> Option<usize> {
    let mut chars = text.char_indices().peekable();
    while let Some((at, c)) = chars.next() {
        match (c, chars.peek()) {
            ('\n', _) => return Some(at + 1),
            ('.' | '!' | '?', Some(&(next, space))) if space.is_whitespace() => return Some(next + space.len_utf8()),
            _ => {}
        }
    }
    None
}

/// A sentence as it may be said.
fn checked(sentence: &str, document: &Document) -> String {
    let is_unread = |word: &str| word.chars().any(char::is_numeric) && !document.contains_whole(bare(word));
    let has_unread = sentence.split_whitespace().any(is_unread);
    if has_unread && speaks_of_a_dose(sentence) {
        return format!("{WITHHELD} ");
    }
    if !has_unread {
        return sentence.into();
    }
    let mark = |piece: &str| {
        let word = piece.trim_end();
        let space = &piece[word.len()..];
        if is_unread(word) { format!("{word} (not sure){space}") } else { piece.into() }
    };
    sentence.split_inclusive(char::is_whitespace).map(mark).collect()
}

/// A word without the marks around it.
fn bare(word: &str) -> &str {
    word.trim_matches(|c: char| !c.is_alphanumeric())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn label() -> Document {
        Document::from_lines(["Ibuprofen 400 mg", "Batch 2210", "Total $20.62"])
    }

    #[test]
    fn numbers_that_were_not_read_are_marked() {
        for (made, said) in [
            ("A box of ibuprofen 400 mg, batch 2210. ", "A box of ibuprofen 400 mg, batch 2210. "),
            ("The total is $20.62.", "The total is $20.62."),
            ("The total is $20.02.", "The total is $20.02. (not sure)"),
            ("Two dogs and 3 cats\n", "Two dogs and 3 (not sure) cats\n"),
            // No part of a longer number.
            ("It costs 20.", "It costs 20. (not sure)"),
        ] {
            assert_eq!(checked(made, &label()), said);
        }
    }

    #[test]
    fn a_dose_that_was_not_read_is_never_said() {
        let said = checked("Take 2 tablets every 6 hours. ", &label());
        assert!(said.starts_with(WITHHELD) && !said.contains('2') && !said.contains('6'), "{said}");
        let read = Document::from_lines(["Take 2 tablets every 6 hours"]);
        assert_eq!(checked("Take 2 tablets every 6 hours. ", &read), "Take 2 tablets every 6 hours. ");
    }

    #[test]
    fn sentences_end_where_a_space_follows() {
        assert_eq!(end_of_sentence("It costs $2.50 a"), None);
        assert_eq!(end_of_sentence("A dog. A cat"), Some("A dog. ".len()));
        assert_eq!(end_of_sentence("A dog"), None);
        assert_eq!(end_of_sentence("A dog.\nA cat"), Some("A dog.\n".len()));
        assert_eq!(end_of_sentence("Größe? ä"), Some("Größe? ".len()));
    }

    #[test]
    fn the_text_goes_before_the_question_and_is_not_endless() {
        assert_eq!(
            with_text(" What is it? ", &label()),
            "The text in the picture reads:\nIbuprofen 400 mg\nBatch 2210\nTotal $20.62\n\nWhat is it?"
        );
        assert_eq!(with_text("What is it?", &Document::default()), "What is it?");
        let long = vec!["word ".repeat(100); 100];
        assert!(with_text("?", &Document::from_lines(long.iter().map(String::as_str))).len() < MAX_TEXT + 100);
    }
}
