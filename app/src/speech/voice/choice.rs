//! Which voice is wanted, and what that means among the voices that there are.

use serde::Serialize;

/// A voice that can be chosen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct VoiceInfo {
    /// Its name, as [`crate::settings::Settings::voice`] keeps it.
    pub name: String,
    /// Its language (`en-GB`).
    pub language: String,
}

impl VoiceInfo {
    /// Whether it speaks this language: `en` is spoken by `en-GB` too, `en-GB` is not spoken by `en-US`.
    pub fn speaks(&self, language: &str) -> bool {
        nearness(&self.language, &tag(language)).is_some_and(|nearness| nearness < Nearness::Related)
    }
}

/// The voice that the user wants: by name, else any of a language, else the system's own.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct VoiceChoice {
    language: String,
    name: String,
}

impl VoiceChoice {
    /// A voice of this name, else one for this language (`en-GB`); what is empty does not matter.
    pub fn new(language: &str, name: &str) -> Self {
        // They come from files and go to a service line by line: a line end would be a command.
        let clean = |text: &str| text.chars().filter(|c| !c.is_control()).collect::<String>().trim().to_string();
        Self { language: tag(&clean(language)), name: clean(name) }
    }

    /// The language; empty for the system's.
    pub fn language(&self) -> &str {
        &self.language
    }

    /// The name; empty for any.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether it is the system's own voice, whichever that is.
    pub fn is_system(&self) -> bool {
        self.language.is_empty() && self.name.is_empty()
    }

    /// What to ask the service for, which has these voices; and a sentence if that is not what was wanted.
    // Without sound there is nobody to ask.
    #[cfg_attr(not(feature = "sound"), allow(dead_code))]
    pub(super) fn among(&self, voices: &[VoiceInfo]) -> (Self, Option<String>) {
        if let Some(voice) = self.named(voices) {
            return (Self { language: tag(&voice.language), name: voice.name.clone() }, None);
        }
        let nearest = voices.iter().filter_map(|voice| nearness(&voice.language, &self.language)).min();
        let (found, instead) = match nearest {
            // The service knows best which of its voices speaks a language without a country.
            Some(Nearness::Same | Nearness::Within) => {
                (Self { name: String::new(), ..self.clone() }, format!("a voice for {}", self.language))
            }
            Some(Nearness::Related) => {
                let primary = primary(&self.language).to_string();
                let instead = format!("a voice for {primary}");
                (Self { language: primary, name: String::new() }, instead)
            }
            None => (Self::default(), "the system's own voice".to_string()),
        };
        let missing = match (self.name.as_str(), nearest) {
            ("", None) if !self.language.is_empty() => format!("There is no voice for {}.", self.language),
            ("", _) => return (found, None),
            (name, _) => format!("There is no voice called {name}."),
        };
        (found, Some(format!("{missing} I use {instead}.")))
    }

    /// The voice of that name; of several the one with the wanted language.
    fn named<'a>(&self, voices: &'a [VoiceInfo]) -> Option<&'a VoiceInfo> {
        let wanted = self.name.to_lowercase();
        let named = voices.iter().filter(|voice| !wanted.is_empty() && voice.name.to_lowercase() == wanted);
        named.min_by_key(|voice| {
            (voice.name != self.name, nearness(&voice.language, &self.language).unwrap_or(Nearness::Related))
        })
    }
}

/// How near the language of a voice is to a wanted one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Nearness {
    /// `en-GB` to `en-GB`.
    Same,
    /// `en-GB` to `en`.
    Within,
    /// `en-US` to `en-GB`.
    Related,
}

/// How near the tag `spoken` is to the wanted one, if they have anything to do with each other.
fn nearness(spoken: &str, wanted: &str) -> Option<Nearness> {
    let (spoken, wanted) = (tag(spoken).to_lowercase(), wanted.to_lowercase());
    if wanted.is_empty() || primary(&spoken) != primary(&wanted) {
        return None;
    }
    Some(match spoken.strip_prefix(&wanted) {
        Some("") => Nearness::Same,
        Some(rest) if rest.starts_with('-') => Nearness::Within,
        _ => Nearness::Related,
    })
}

/// `en` of `en-GB`.
fn primary(tag: &str) -> &str {
    tag.split('-').next().unwrap_or_default()
}

/// A language tag of what may be the name of a locale: `en-GB` of `en_GB.UTF-8`.
fn tag(language: &str) -> String {
    let without_encoding = language.split(['.', '@']).next().unwrap_or_default();
    without_encoding.trim().replace('_', "-")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn voices() -> Vec<VoiceInfo> {
        let all = [
            ("English (Caribbean)", "en-029"),
            ("English (Great Britain)", "en-GB"),
            ("English (Scotland)", "en-GB-SCOTLAND"),
            ("German", "de"),
            ("Anna", "de-DE"),
            ("Anna", "de-AT"),
        ];
        all.map(|(name, language)| VoiceInfo { name: name.into(), language: language.into() }).into()
    }

    fn among(language: &str, name: &str) -> (String, String, Option<String>) {
        let (found, missing) = VoiceChoice::new(language, name).among(&voices());
        (found.language, found.name, missing)
    }

    #[test]
    fn a_name_comes_before_a_language_and_a_language_before_the_systems_own() {
        let found = |language: &str, name: &str| (language.to_string(), name.to_string(), None);
        assert_eq!(among("", "English (Scotland)"), found("en-GB-SCOTLAND", "English (Scotland)"));
        assert_eq!(among("de", "english (great britain)"), found("en-GB", "English (Great Britain)"));
        assert_eq!(among("de-AT", "Anna"), found("de-AT", "Anna"));
        assert_eq!(among("", "Anna"), found("de-DE", "Anna"));
        assert_eq!(among("en", ""), found("en", ""));
        assert_eq!(among("en_GB.UTF-8", ""), found("en-GB", ""));
        assert_eq!(among("EN-gb", ""), found("EN-gb", ""));
        assert_eq!(among("en-AU", ""), found("en", ""), "another country is better than another language");
        assert_eq!(among("", ""), found("", ""));
    }

    #[test]
    fn what_is_missing_is_told_with_what_is_used_instead() {
        let told = |language, name| among(language, name).2.unwrap();
        assert_eq!(told("", "Zoe"), "There is no voice called Zoe. I use the system's own voice.");
        assert_eq!(told("en-AU", "Zoe"), "There is no voice called Zoe. I use a voice for en.");
        assert_eq!(told("en-GB", "Zoe"), "There is no voice called Zoe. I use a voice for en-GB.");
        assert_eq!(told("xx", ""), "There is no voice for xx. I use the system's own voice.");
        assert_eq!(among("xx", "Zoe").0, "", "a language without a voice is not asked for");
        // `eng` begins with `en`.
        assert!(among("eng", "").2.is_some());
    }

    #[test]
    fn no_control_character_reaches_a_service() {
        let choice = VoiceChoice::new("en\0-GB\n", " Anna\r\nSTOP ALL\r\n");
        assert_eq!((choice.language(), choice.name()), ("en-GB", "AnnaSTOP ALL"));
        assert!(VoiceChoice::new("\0", "\n ").is_system());
    }

    #[test]
    fn a_language_is_spoken_by_its_countries_but_not_by_others() {
        let british = &voices()[1];
        assert!(british.speaks("en") && british.speaks("en-gb") && british.speaks("en_GB.UTF-8"));
        assert!(!british.speaks("en-US") && !british.speaks("e") && !british.speaks(""));
    }
}
