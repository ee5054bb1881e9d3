//! The model card: the README.md of a model, whose first lines may name its licence and languages.

use std::fs::File;
use std::io::Read;
use std::path::Path;

/// The lines that count stand at the beginning.
const HEAD: u64 = 64 << 10;

/// What a model card says.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Card {
    /// Name of the licence.
    pub licence: Option<String>,
    /// Languages in words.
    pub languages: Vec<String>,
}

impl Card {
    /// The card in a model's folder; an empty one if there is none.
    pub fn read(folder: &Path) -> Self {
        let mut head = Vec::new();
        let read = File::open(folder.join("README.md")).and_then(|file| file.take(HEAD).read_to_end(&mut head));
        if read.is_ok() { Self::parse(&String::from_utf8_lossy(&head)) } else { Self::default() }
    }

    /// Reads the two fields out of the block between `---` lines. It is YAML, of which cards use little: `name: value`,
    /// `name: [value, value]`, or `name:` with lines `- value` below.
    fn parse(text: &str) -> Self {
        let mut lines = text.lines();
        if lines.next().map(str::trim) != Some("---") {
            return Self::default();
        }
        let (mut licences, mut languages, mut field) = (Vec::new(), Vec::new(), "");
        for line in lines.take_while(|line| line.trim() != "---") {
            let values = match line.trim_start().strip_prefix("- ") {
                Some(value) => value,
                None if line.starts_with(char::is_whitespace) => continue,
                None => {
                    let (name, values) = line.split_once(':').unwrap_or((line, ""));
                    field = name.trim();
                    values
                }
            };
            let into = match field {
                "license" => &mut licences,
                "language" => &mut languages,
                _ => continue,
            };
            let values =
                values.trim().trim_matches(['[', ']']).split(',').map(|value| value.trim().trim_matches(['"', '\'']));
            into.extend(values.filter(|value| !value.is_empty()).map(String::from));
        }
        let licence = (!licences.is_empty()).then(|| licences.join(", "));
        Self { licence, languages: languages.iter().map(|code| language(code)).collect() }
    }
}

/// Codes of ISO 639-1 and their names.
const LANGUAGES: [(&str, &str); 32] = [
    ("ar", "Arabic"),
    ("bg", "Bulgarian"),
    ("cs", "Czech"),
    ("da", "Danish"),
    ("de", "German"),
    ("el", "Greek"),
    ("en", "English"),
    ("es", "Spanish"),
    ("et", "Estonian"),
    ("fi", "Finnish"),
    ("fr", "French"),
    ("he", "Hebrew"),
    ("hi", "Hindi"),
    ("hr", "Croatian"),
    ("hu", "Hungarian"),
    ("id", "Indonesian"),
    ("it", "Italian"),
    ("ja", "Japanese"),
    ("ko", "Korean"),
    ("nl", "Dutch"),
    ("no", "Norwegian"),
    ("pl", "Polish"),
    ("pt", "Portuguese"),
    ("ro", "Romanian"),
    ("ru", "Russian"),
    ("sk", "Slovak"),
    ("sv", "Swedish"),
    ("th", "Thai"),
    ("tr", "Turkish"),
    ("uk", "Ukrainian"),
    ("vi", "Vietnamese"),
    ("zh", "Chinese"),
];

/// A language in words; a code that is not known stays as it is.
fn language(code: &str) -> String {
    let known = LANGUAGES.iter().find(|(known, _)| code.eq_ignore_ascii_case(known));
    known.map_or(code, |(_, name)| name).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_usual_forms_are_read() {
        let lines = "---\nlibrary_name: transformers\nlicense: apache-2.0\nlanguage:\n- en\n  - de\n- xx\ntags:\n- chat\n---\nlicense: no";
        let card =
            Card { licence: Some("apache-2.0".into()), languages: ["English", "German", "xx"].map(Into::into).into() };
        assert_eq!(Card::parse(lines), card);
        let flow = "---\r\nlanguage: [\"en\", 'de', xx]\r\nlicense: \"apache-2.0\"\r\n---\r\n";
        assert_eq!(Card::parse(flow), card);
        assert_eq!(Card::parse("---\nlanguage: fr\n").languages, ["French"]);
        for nothing in ["", "# A model\nlicense: mit", "---\n\n---\nlicense: mit", "---\nmodel:\n  license: mit\n---"] {
            assert_eq!(Card::parse(nothing), Card::default(), "{nothing}");
        }
    }

    #[test]
    fn a_folder_without_a_card_has_an_empty_one() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(Card::read(folder.path()), Card::default());
        std::fs::write(folder.path().join("README.md"), b"---\nlicense: mit\nodd: \xff\n---").unwrap();
        assert_eq!(Card::read(folder.path()).licence.as_deref(), Some("mit"));
    }
}
