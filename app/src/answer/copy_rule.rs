//! Nothing is said that was not read: what an answer of the language model may be made of.

use sightread_models::vlm::CopyRule;

use super::document::Document;

/// How an answer says that something is not there; the model learned this beginning.
pub const REFUSAL: &str = "I can't see";
/// Joins the parts of an answer, each a copy.
const JOINERS: [&str; 4] = [", ", ". ", " by ", " and "];
/// Words that may stand before a copy, or alone.
const OPENINGS: [&str; 4] = ["Yes.", "No.", "Yes, it says ", "No, it says "];
/// A bare number this small may be a count.
const LARGEST_COUNT: u32 = 99;

/// Answers are copies of the document's text, joined; or yes, no, a count, or a refusal.
pub struct CopiesOf<'a>(pub &'a Document);

impl CopiesOf<'_> {
    /// Whether `text` is copies joined, the last of which satisfies `last`.
    fn copies(&self, text: &str, last: &dyn Fn(&str) -> bool) -> bool {
        if last(text) {
            return true;
        }
        JOINERS.iter().any(|joiner| {
            text.match_indices(joiner).any(|(at, _)| {
                let (head, tail) = (&text[..at], &text[at + joiner.len()..]);
                self.0.contains_whole(head) && self.copies(tail, last)
            })
        })
    }

    fn after_opening(text: &str) -> Option<&str> {
        OPENINGS.iter().find_map(|opening| text.strip_prefix(opening))
    }
}

impl CopyRule for CopiesOf<'_> {
    fn may_begin(&self, text: &str) -> bool {
        let text = text.trim_start();
        let fixed = |phrase: &str| phrase.starts_with(text) || text.starts_with(phrase);
        let read = |part: &str| part.trim().is_empty() || self.0.contains(part);
        let half_joined = || {
            JOINERS.iter().any(|joiner| {
                (1..joiner.len()).any(|n| text.strip_suffix(&joiner[..n]).is_some_and(|head| self.copies(head, &read)))
            })
        };
        fixed(REFUSAL)
            || OPENINGS.iter().any(|opening| opening.starts_with(text))
            || is_count(text)
            || self.copies(text, &read)
            || half_joined()
            || Self::after_opening(text).is_some_and(|rest| self.copies(rest, &read))
    }

    fn may_be_whole(&self, text: &str) -> bool {
        let text = text.trim();
        let whole = |part: &str| {
            let part = part.trim_end_matches(['.', ',']);
            !part.is_empty() && self.0.contains_whole(part)
        };
        text.starts_with(REFUSAL)
            || matches!(text, "Yes" | "No" | "Yes." | "No.")
            || is_count(text)
            || self.copies(text, &whole)
            || Self::after_opening(text).is_some_and(|rest| self.copies(rest, &whole))
    }
}

fn is_count(text: &str) -> bool {
    text.trim_end_matches('.').parse::<u32>().is_ok_and(|n| n <= LARGEST_COUNT)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn document() -> Document {
        Document::from_lines(["BELLA PIZZA", "Margherita | €8.50", "Tel 030 555 01", "open Mon - Fri"])
    }

    #[test]
    fn copies_lists_and_fixed_phrases_may_be_said() {
        let document = document();
        let rule = CopiesOf(&document);
        for answer in [
            "€8.50",
            "BELLA PIZZA",
            "Margherita, €8.50",
            "Yes.",
            "No, it says BELLA PIZZA",
            "3",
            "I can't see a date here.",
        ] {
            assert!(rule.may_be_whole(answer), "{answer}");
            for (end, c) in answer.char_indices() {
                assert!(rule.may_begin(&answer[..end + c.len_utf8()]), "{answer} up to {end}");
            }
        }
    }

    #[test]
    fn what_was_not_read_may_not_be_said() {
        let document = document();
        let rule = CopiesOf(&document);
        for answer in ["€8.60", "€8", "30 555", "Bella Pasta", "Margherita, €9", "It says BELLA PIZZA", ""] {
            assert!(!rule.may_be_whole(answer), "{answer}");
        }
        assert!(!rule.may_begin("€8.6"));
        assert!(!rule.may_begin("Bella"), "a copy keeps its case");
    }
}
