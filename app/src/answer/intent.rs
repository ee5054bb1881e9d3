//! What a question asks for, as far as its words tell surely.

use std::sync::LazyLock;

use regex::Regex;

use super::extract::Kind;

/// What to do with a question.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Intent {
    /// Read out everything.
    ReadAll,
    /// Say how many lines of text there are.
    CountLines,
    /// Quote what an extractor finds; the language model is asked only if it finds nothing or too much.
    Extract(Kind),
    /// Ask the language model.
    Free,
}

/// In order: the first pattern that matches decides.
static PATTERNS: LazyLock<Vec<(Regex, Intent)>> = LazyLock::new(|| {
    let table = [
        (
            r"^(please )?(read|tell me|say|speak)( me)?( out)?( aloud)?( it| this| that| all| everything| the (whole )?(text|page|sign|label|picture|letter))*( to me)?( out)?( aloud| loud)?( please)?$",
            Intent::ReadAll,
        ),
        (
            r"^what (does|do) (it|this|that|the (sign|label|text|page|picture|note|card|screen|paper)) (say|read)$",
            Intent::ReadAll,
        ),
        (r"^what('s| is) (written|the text|on (it|this|here))( here| on it| there)?$", Intent::ReadAll),
        (r"how many (lines|rows)( of text)?\b", Intent::CountLines),
        (
            r"\b(expir\w*|best before|use by|best by|sell by|still good|out of date|go(es)? off|keep until)\b",
            Intent::Extract(Kind::Expiry),
        ),
        (r"\b(strength|how strong|how many (mg|milligrams?|mcg|micrograms?|ml))\b", Intent::Extract(Kind::Strength)),
        (
            r"\b(dose|dosage|directions)\b|\bhow (much|many|often)( \w+)? (should|do|can|must|may) (i|you|we|adults?|children|one) (take|use)\b|\bhow (do|should) i take\b|\bwhen (do|should|must|can) i take\b",
            Intent::Extract(Kind::Dose),
        ),
        // "How many tablets may be taken in a day?", "What is the most I can take?": never for the language model alone.
        (
            r"\bhow (much|many|often)\b.*\b(taken?|a time|at once|at most|daily|(a|per|each|every|one|24|twenty-four) (day|hours?))\b|\b(most|maximum|max|highest)\b.*\b(taken?|day|daily|24 hours)\b|\bhow many (tablets|pills|capsules|drops|puffs)( (should|do|can|may|must)\b.*)?$",
            Intent::Extract(Kind::Dose),
        ),
        (r"\bsub-?total\b|\btotal (fat|carb\w*|sugars?|tax|vat|discount|savings?)\b", Intent::Free),
        (
            r"\b(total|altogether|amount due|grand total)\b|\bhow much (do|did|does|must|should|have|was|is) (i|we|it|they|the (bill|receipt))( have| all| be)?( to)? (pay|come to|owe|cost all|in all|spend)\b|^what do i owe",
            Intent::Extract(Kind::Total),
        ),
        (r"\bfax\b", Intent::Free),
        (
            r"\b(phone|telephone|mobile|hotline)( number)?\b|\bwhat number (do|can|should) i (call|ring|dial)\b|\b(number|whom?) to (call|ring)\b|\bcontact number\b",
            Intent::Extract(Kind::Phone),
        ),
        (r"\be-?mail\b", Intent::Extract(Kind::Email)),
        (r"\b(web ?site|web ?page|web address|url|internet address)\b", Intent::Extract(Kind::Website)),
        (
            r"^what('s| is| was)? ?(the )?date( is (it|this|on it)| on (it|this|the \w+))?$|^(what|which) date (is|does|was)",
            Intent::Extract(Kind::Date),
        ),
        (
            r"^(what('s| is) the price|how much (is it|is this|does (it|this) cost)|what does (it|this) cost)$",
            Intent::Extract(Kind::Price),
        ),
    ];
    let compile = |(regex, intent): (&str, Intent)| Regex::new(regex).ok().map(|regex| (regex, intent));
    table.into_iter().filter_map(compile).collect()
});

/// The intent of a question as it was typed or heard.
pub fn intent(question: &str) -> Intent {
    let question = question.to_lowercase().replace('’', "'");
    let question = question.trim().trim_end_matches(['?', '.', '!', ' ']);
    PATTERNS.iter().find(|(regex, _)| regex.is_match(question)).map_or(Intent::Free, |&(_, intent)| intent)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_pattern_compiles() {
        assert_eq!(PATTERNS.len(), 16);
    }

    #[test]
    fn questions_find_their_intent() {
        let cases = [
            ("Read it.", Intent::ReadAll),
            ("please read this to me", Intent::ReadAll),
            ("What does it say?", Intent::ReadAll),
            ("What does the sign say about dogs?", Intent::Free),
            ("How many lines are there?", Intent::CountLines),
            ("When does it expire?", Intent::Extract(Kind::Expiry)),
            ("Is this milk still good?", Intent::Extract(Kind::Expiry)),
            ("How many tablets should I take?", Intent::Extract(Kind::Dose)),
            ("How many tablets may be taken in a day?", Intent::Extract(Kind::Dose)),
            ("What is the most I can take?", Intent::Extract(Kind::Dose)),
            ("How many pills can I take in 24 hours?", Intent::Extract(Kind::Dose)),
            ("How often is it to be taken?", Intent::Extract(Kind::Dose)),
            ("How many tablets are in the pack?", Intent::Free),
            ("How many sandwiches are on the list?", Intent::Free),
            ("How strong are the tablets?", Intent::Extract(Kind::Strength)),
            ("What is the total?", Intent::Extract(Kind::Total)),
            ("How much do I have to pay?", Intent::Extract(Kind::Total)),
            ("What is the subtotal?", Intent::Free),
            ("How much is the espresso?", Intent::Free),
            ("How much is it?", Intent::Extract(Kind::Price)),
            ("What's the phone number?", Intent::Extract(Kind::Phone)),
            ("Which website is shown?", Intent::Extract(Kind::Website)),
            ("What is the date?", Intent::Extract(Kind::Date)),
            ("What is the title?", Intent::Free),
        ];
        for (question, expected) in cases {
            assert_eq!(intent(question), expected, "{question}");
        }
    }
}
