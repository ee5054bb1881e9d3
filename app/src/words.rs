//! Numbers and reasons in words fit to be spoken.

use std::fmt::Display;
use std::time::Duration;

/// A reason as a sentence: with a capital letter and a full stop.
pub(crate) fn sentence(reason: &impl Display) -> String {
    let reason = capital(reason.to_string().trim());
    if reason.ends_with(['.', '!', '?']) { reason } else { reason + "." }
}

/// With a capital letter.
pub(crate) fn capital(words: &str) -> String {
    let mut letters = words.chars();
    letters.next().map(char::to_uppercase).into_iter().flatten().chain(letters).collect()
}

/// "88 megabytes".
pub(crate) fn size(bytes: u64) -> String {
    match bytes {
        0..1_000_000 => format!("{} kilobytes", bytes.div_ceil(1000)),
        1_000_000..10_000_000_000 => format!("{} megabytes", bytes / 1_000_000),
        _ => format!("{} gigabytes", bytes / 1_000_000_000),
    }
}

/// "about 3 minutes", as exact as an estimate is.
pub(crate) fn about(time: Duration) -> String {
    let minutes = (time.as_secs_f64() / 60.0).round() as u64;
    match (time.as_secs(), minutes) {
        (0..45, _) => "less than a minute".into(),
        (_, ..2) => "about a minute".into(),
        (_, 2..100) => format!("about {minutes} minutes"),
        (_, minutes) => format!("about {} hours", (minutes + 30) / 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reasons_become_sentences() {
        assert_eq!(sentence(&"the disk is full"), "The disk is full.");
        assert_eq!(sentence(&"it is damaged; is it? "), "It is damaged; is it?");
        assert_eq!(sentence(&"éa"), "Éa.");
    }

    #[test]
    fn numbers_are_rounded_as_people_say_them() {
        assert_eq!(size(20_500), "21 kilobytes");
        assert_eq!(size(88_123_456), "88 megabytes");
        assert_eq!(size(12_345_000_000), "12 gigabytes");
        let about = |seconds| about(Duration::from_secs(seconds));
        assert_eq!(about(20), "less than a minute");
        assert_eq!(about(80), "about a minute");
        assert_eq!(about(89 * 60), "about 89 minutes");
        assert_eq!(about(130 * 60), "about 2 hours");
    }
}
