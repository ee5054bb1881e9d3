//! Text becomes sentences while it is still being made, so that the first is spoken while the rest is written.

/// Dots after these end no sentence.
const ABBREVIATIONS: [&str; 24] = [
    "mr", "mrs", "ms", "dr", "prof", "st", "no", "nos", "tel", "e.g", "i.e", "etc", "vs", "approx", "ca", "incl",
    "max", "min", "fig", "dept", "inc", "ltd", "co", "exp",
];
/// A sentence that grows longer than this is cut at a space: a listener can interrupt, a voice cannot go back far.
const LONGEST: usize = 300;

/// Collects pieces of text and gives whole sentences.
#[derive(Debug, Clone, Default)]
pub struct Sentences {
    waiting: String,
}

impl Sentences {
    /// Takes the next piece; gives the sentences that it completes.
    pub fn push(&mut self, piece: &str) -> Vec<String> {
        self.waiting += piece;
        let mut sentences = vec![];
        while let Some(end) = end_of_sentence(&self.waiting) {
            let rest = self.waiting.split_off(end);
            let sentence = std::mem::replace(&mut self.waiting, rest);
            sentences.extend(spoken(&sentence));
        }
        sentences
    }

    /// What is left when the text has ended.
    pub fn finish(&mut self) -> Option<String> {
        spoken(&std::mem::take(&mut self.waiting))
    }
}

/// The sentences of a whole text.
pub fn split(text: &str) -> Vec<String> {
    let mut sentences = Sentences::default();
    let mut whole = sentences.push(text);
    whole.extend(sentences.finish());
    whole
}

/// White space made single; `None` where nothing can be spoken.
fn spoken(sentence: &str) -> Option<String> {
    let words: Vec<&str> = sentence.split_whitespace().collect();
    let text = words.join(" ");
    text.chars().any(char::is_alphanumeric).then_some(text)
}

/// Byte position behind the first sentence, once it is certain that it has ended.
fn end_of_sentence(text: &str) -> Option<usize> {
    let mut chars = text.char_indices().peekable();
    while let Some((at, c)) = chars.next() {
        let end = at + c.len_utf8();
        let next = chars.peek().map(|&(_, next)| next);
        let ends = match c {
            '\n' => true,
            // A dot needs white space behind it, which also says that a number is over: "1.85".
            '!' | '?' | '…' => next.is_some_and(char::is_whitespace),
            '.' => next.is_some_and(char::is_whitespace) && !abbreviated(&text[..at]),
            c if c.is_whitespace() => at >= LONGEST,
            _ => false,
        };
        if ends {
            return Some(end);
        }
    }
    None
}

/// Whether the dot after `before` belongs to an abbreviation, an initial or an ordinal.
fn abbreviated(before: &str) -> bool {
    let word = before.rsplit(char::is_whitespace).next().unwrap_or_default();
    let word = word.trim_start_matches(|c: char| !c.is_alphanumeric()).to_lowercase();
    ABBREVIATIONS.contains(&word.as_str()) || word.chars().count() == 1 && word.chars().all(char::is_alphabetic)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sentences_end_where_a_speaker_would_pause() {
        let cases: [(&str, &[&str]); 8] = [
            ("The total is £1.85. Thank you!", &["The total is £1.85.", "Thank you!"]),
            ("Ask Dr. Okafor. He knows.", &["Ask Dr. Okafor.", "He knows."]),
            ("J. Smith lives here.", &["J. Smith lives here."]),
            ("one\ntwo  three\n\nfour", &["one", "two three", "four"]),
            ("Really?! Yes.", &["Really?!", "Yes."]),
            ("Call 01632 960 188 e.g. today", &["Call 01632 960 188 e.g. today"]),
            (" . … \n!\n", &[]),
            ("", &[]),
        ];
        for (text, expected) in cases {
            assert_eq!(split(text), expected, "{text:?}");
        }
    }

    #[test]
    fn a_sentence_is_given_as_soon_as_it_is_whole_and_not_before() {
        let mut sentences = Sentences::default();
        let mut given = vec![];
        for piece in ["It co", "sts 1.", "85", ".", " Than", "k you"] {
            given.push(sentences.push(piece));
        }
        let none: Vec<String> = vec![];
        let first = vec!["It costs 1.85.".to_string()];
        assert_eq!(given, [none.clone(), none.clone(), none.clone(), none.clone(), first, none]);
        assert_eq!(sentences.finish().as_deref(), Some("Thank you"));
        assert_eq!(sentences.finish(), None);
    }

    #[test]
    fn endless_sentences_are_cut_at_a_space() {
        let text = "word ".repeat(500);
        let sentences = split(&text);
        assert!(sentences.len() > 5 && sentences.iter().all(|s| s.len() <= LONGEST + 5));
        assert_eq!(sentences.join(" "), text.trim());
    }
}
