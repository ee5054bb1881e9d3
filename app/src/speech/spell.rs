//! Spelling: every character by its name, so that a voice says "E, X, P" and not "exp".

/// Longest text that is spelled; more cannot be followed.
const LONGEST: usize = 60;

/// `text`, character by character. Capitals are named where the text mixes both cases.
pub fn spell(text: &str) -> String {
    let mixed = text.chars().any(char::is_lowercase) && text.chars().any(char::is_uppercase);
    let mut names: Vec<String> = vec![];
    for c in text.trim().chars().take(LONGEST) {
        names.push(match name(c) {
            Some(name) => name.into(),
            None if mixed && c.is_uppercase() => format!("capital {c}"),
            None => c.to_uppercase().to_string(),
        });
    }
    if text.trim().chars().count() > LONGEST {
        names.push("and so on".into());
    }
    names.join(", ")
}

fn name(c: char) -> Option<&'static str> {
    Some(match c {
        c if c.is_whitespace() => "space",
        '.' => "dot",
        ',' => "comma",
        ':' => "colon",
        ';' => "semicolon",
        '-' | '‐' | '‑' | '–' | '—' => "dash",
        '/' => "slash",
        '\\' => "backslash",
        '_' => "underscore",
        '@' => "at",
        '#' => "hash",
        '&' => "and sign",
        '%' => "percent",
        '+' => "plus",
        '=' => "equals",
        '*' => "star",
        '(' => "open bracket",
        ')' => "close bracket",
        '!' => "exclamation mark",
        '?' => "question mark",
        '\'' | '’' => "apostrophe",
        '"' | '“' | '”' => "quote",
        '|' => "bar",
        '£' => "pound sign",
        '€' => "euro sign",
        '$' => "dollar sign",
        '°' => "degree",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn characters_are_named() {
        assert_eq!(spell("EXP 09/27"), "E, X, P, space, 0, 9, slash, 2, 7");
        assert_eq!(spell("Ab"), "capital A, B");
        assert_eq!(spell("a@b.co"), "A, at, B, dot, C, O");
        assert_eq!(spell(" ü "), "Ü");
        assert_eq!(spell(""), "");
    }

    #[test]
    fn long_texts_end_in_time() {
        assert!(spell(&"x".repeat(1000)).ends_with("X, and so on"));
    }
}
