//! Names of languages for people.

/// Languages that speech services speak, by their code in ISO 639.
#[rustfmt::skip]
const NAMES: [(&str, &str); 132] = [
    ("af", "Afrikaans"), ("am", "Amharic"), ("an", "Aragonese"), ("ar", "Arabic"), ("as", "Assamese"),
    ("az", "Azerbaijani"), ("ba", "Bashkir"), ("be", "Belarusian"), ("bg", "Bulgarian"), ("bn", "Bengali"),
    ("bpy", "Bishnupriya Manipuri"), ("br", "Breton"), ("bs", "Bosnian"), ("ca", "Catalan"), ("chr", "Cherokee"),
    ("cmn", "Chinese, Mandarin"), ("cs", "Czech"), ("cv", "Chuvash"), ("cy", "Welsh"), ("da", "Danish"),
    ("de", "German"), ("el", "Greek"), ("en", "English"), ("eo", "Esperanto"), ("es", "Spanish"),
    ("et", "Estonian"), ("eu", "Basque"), ("fa", "Persian"), ("fi", "Finnish"), ("fil", "Filipino"),
    ("fo", "Faroese"), ("fr", "French"), ("ga", "Irish"), ("gd", "Scottish Gaelic"), ("gl", "Galician"),
    ("gn", "Guarani"), ("grc", "Greek, ancient"), ("gu", "Gujarati"), ("ha", "Hausa"), ("hak", "Chinese, Hakka"),
    ("haw", "Hawaiian"), ("he", "Hebrew"), ("hi", "Hindi"), ("hr", "Croatian"), ("ht", "Haitian Creole"),
    ("hu", "Hungarian"), ("hy", "Armenian"), ("ia", "Interlingua"), ("id", "Indonesian"), ("ig", "Igbo"),
    ("io", "Ido"), ("is", "Icelandic"), ("it", "Italian"), ("iw", "Hebrew"), ("ja", "Japanese"),
    ("jbo", "Lojban"), ("jv", "Javanese"), ("ka", "Georgian"), ("kk", "Kazakh"), ("kl", "Greenlandic"),
    ("km", "Khmer"), ("kn", "Kannada"), ("ko", "Korean"), ("kok", "Konkani"), ("ku", "Kurdish"),
    ("ky", "Kyrgyz"), ("la", "Latin"), ("lb", "Luxembourgish"), ("lfn", "Lingua Franca Nova"), ("ln", "Lingala"),
    ("lo", "Lao"), ("lt", "Lithuanian"), ("ltg", "Latgalian"), ("lv", "Latvian"), ("mg", "Malagasy"),
    ("mi", "Maori"), ("mk", "Macedonian"), ("ml", "Malayalam"), ("mn", "Mongolian"), ("mr", "Marathi"),
    ("ms", "Malay"), ("mt", "Maltese"), ("mto", "Totontepec Mixe"), ("my", "Burmese"), ("nb", "Norwegian Bokmål"),
    ("nci", "Nahuatl, classical"), ("ne", "Nepali"), ("nl", "Dutch"), ("nn", "Norwegian Nynorsk"), ("no", "Norwegian"),
    ("nog", "Nogai"), ("om", "Oromo"), ("or", "Odia"), ("pa", "Punjabi"), ("pap", "Papiamento"),
    ("piqd", "Klingon"), ("pl", "Polish"), ("ps", "Pashto"), ("pt", "Portuguese"), ("py", "Pyash"),
    ("qdb", "Lang Belta"), ("qu", "Quechua"), ("quc", "Kiche"), ("qya", "Quenya"), ("ro", "Romanian"),
    ("ru", "Russian"), ("sd", "Sindhi"), ("shn", "Shan"), ("si", "Sinhala"), ("sjn", "Sindarin"),
    ("sk", "Slovak"), ("sl", "Slovenian"), ("smj", "Lule Sami"), ("so", "Somali"), ("sq", "Albanian"),
    ("sr", "Serbian"), ("sv", "Swedish"), ("sw", "Swahili"), ("ta", "Tamil"), ("te", "Telugu"),
    ("th", "Thai"), ("tk", "Turkmen"), ("tn", "Setswana"), ("tr", "Turkish"), ("tt", "Tatar"),
    ("ug", "Uyghur"), ("uk", "Ukrainian"), ("ur", "Urdu"), ("uz", "Uzbek"), ("vi", "Vietnamese"),
    ("yue", "Chinese, Cantonese"), ("zh", "Chinese"),
];

/// The first part of a tag like `en-GB`.
pub(super) fn primary(tag: &str) -> &str {
    tag.split(['-', '_']).next().unwrap_or(tag)
}

/// A language as people call it: "English (en-GB)"; the tag alone where it is unknown.
pub(super) fn name(tag: &str) -> String {
    let code = primary(tag).to_ascii_lowercase();
    match NAMES.binary_search_by_key(&code.as_str(), |(code, _)| code) {
        Ok(at) => format!("{} ({tag})", NAMES[at].1),
        Err(_) => tag.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn languages_have_names_and_unknown_ones_their_tag() {
        assert!(NAMES.is_sorted_by_key(|(code, _)| code), "it is searched by halves");
        assert_eq!(name("en-GB"), "English (en-GB)");
        assert_eq!(name("pt_BR"), "Portuguese (pt_BR)");
        assert_eq!(name("zh"), "Chinese (zh)");
        assert_eq!(name("xx-variant"), "xx-variant");
        assert_eq!(name(""), "");
    }
}
