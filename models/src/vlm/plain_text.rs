//! What a user says, so that a tokenizer takes it for text only.

/// `text` with a gap in whatever the tokenizer would take for one of its `special` tokens.
pub(super) fn plain_text(text: &str, special: &[String]) -> String {
    let mut text = text.trim().to_string();
    for token in special {
        let mut characters = token.chars();
        let first: String = characters.next().into_iter().collect();
        let gapped = format!("{first} {}", characters.as_str());
        // A token that a gap does not break, white space say, is text.
        while text.contains(token) && !gapped.contains(token) {
            text = text.replace(token, &gapped);
        }
    }
    text
}
