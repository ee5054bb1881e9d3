//! Text as it is best heard: a voice that says "em gee" for a dose, or a telephone number as a hundred thousands, is not
//! understood. Only what can mean one thing is put in words; on the screen it stays as it was read.

use std::borrow::Cow;
use std::sync::LazyLock;

use regex::{Captures, Regex};

use crate::answer::pattern;

const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];
/// Fewer digits may be anything.
const DIGITS_OF_A_TELEPHONE: usize = 9;

/// `text` with telephone numbers digit by digit, and dates, amounts and units in words.
pub fn aloud(text: &str) -> String {
    let text = replace(&TELEPHONE, text, telephone);
    let text = replace(&MONTH_AND_YEAR, &text, |found| {
        Some(format!("{}{} {}", found.get(1)?.as_str(), month(found.get(2)?.as_str())?, found.get(3)?.as_str()))
    });
    let text = replace(&DAY_FIRST, &text, |found| {
        let (day, year) = (found.get(1)?.as_str(), found.get(3)?.as_str());
        Some(format!("{day} {} {year}", month(found.get(2)?.as_str())?))
    });
    let text = replace(&MONEY, &text, money);
    replace(&UNIT, &text, unit).into_owned()
}

/// All matches that `put` has words for.
fn replace<'a>(pattern: &Regex, text: &'a str, put: impl Fn(&Captures<'_>) -> Option<String>) -> Cow<'a, str> {
    pattern.replace_all(text, |found: &Captures<'_>| put(found).unwrap_or_else(|| found[0].to_string()))
}

static TELEPHONE: LazyLock<Regex> = LazyLock::new(|| pattern(r"(?:\+|\b0)\d[\d ()]{6,}\d\b"));
static MONTH_AND_YEAR: LazyLock<Regex> = LazyLock::new(|| pattern(r"(^|[^\d/.])(0[1-9]|1[0-2])/((?:19|20)\d\d)\b"));
/// A first number above 12 is a day; which of two smaller ones is cannot be known.
static DAY_FIRST: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"\b(1[3-9]|2\d|3[01])[/.](0?[1-9]|1[0-2])[/.]((?:19|20)\d\d)\b"));
static MONEY: LazyLock<Regex> = LazyLock::new(|| pattern(r"([£€$])\s?(\d+)(?:\.(\d\d))?\b"));
static UNIT: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"(\d+(?:[.,]\d+)?)\s?(mcg|µg|μg|mg|kg|ml|kJ|kcal|mm|cm|km|g|l)\b"));

fn telephone(found: &Captures<'_>) -> Option<String> {
    let number = found.get(0)?.as_str();
    if number.chars().filter(char::is_ascii_digit).count() < DIGITS_OF_A_TELEPHONE {
        return None;
    }
    let digit = |c: char| if c == '+' { "plus".into() } else { c.to_string() };
    let digits = |group: &str| group.chars().map(digit).collect::<Vec<String>>().join(" ");
    let groups: Vec<String> = number.split([' ', '(', ')']).filter(|group| !group.is_empty()).map(digits).collect();
    Some(groups.join(", "))
}

fn month(number: &str) -> Option<&'static str> {
    MONTHS.get(number.parse::<usize>().ok()?.checked_sub(1)?).copied()
}

fn money(found: &Captures<'_>) -> Option<String> {
    let (sign, whole) = (found.get(1)?.as_str(), found.get(2)?.as_str());
    let [one, several, hundredth, hundredths] = match sign {
        "£" => ["pound", "pounds", "penny", "pence"],
        "€" => ["euro", "euros", "cent", "cents"],
        _ => ["dollar", "dollars", "cent", "cents"],
    };
    let name = if whole == "1" { one } else { several };
    let rest = found.get(3).and_then(|rest| rest.as_str().parse::<u32>().ok()).unwrap_or(0);
    Some(match rest {
        0 => format!("{whole} {name}"),
        1 => format!("{whole} {name} and 1 {hundredth}"),
        _ => format!("{whole} {name} and {rest} {hundredths}"),
    })
}

fn unit(found: &Captures<'_>) -> Option<String> {
    let (amount, unit) = (found.get(1)?.as_str(), found.get(2)?.as_str());
    let name = match unit {
        "mcg" | "µg" | "μg" => "microgram",
        "mg" => "milligram",
        "g" => "gram",
        "kg" => "kilogram",
        "ml" => "millilitre",
        "l" => "litre",
        "mm" => "millimetre",
        "cm" => "centimetre",
        "km" => "kilometre",
        "kJ" => "kilojoule",
        "kcal" => "kilocalorie",
        _ => return None,
    };
    Some(format!("{amount} {name}{}", if amount == "1" { "" } else { "s" }))
}

#[cfg(test)]
mod tests {
    use super::aloud;

    #[test]
    fn what_means_one_thing_is_put_in_words() {
        for (read, said) in [
            ("Tel. 01632 960 471", "Tel. 0 1 6 3 2, 9 6 0, 4 7 1"),
            ("+44 (0)1632 960188.", "plus 4 4, 0, 1 6 3 2, 9 6 0 1 8 8."),
            ("EXP 09/2027", "EXP September 2027"),
            ("17/04/2026 16:42", "17 April 2026 16:42"),
            ("TOTAL £20.62", "TOTAL 20 pounds and 62 pence"),
            ("€1 or $3.00, £2.01, $0.05", "1 euro or 3 dollars, 2 pounds and 1 penny, 0 dollars and 5 cents"),
            ("Paracetamol 500 mg", "Paracetamol 500 milligrams"),
            ("50mcg in 1 ml, 0.512 kg", "50 micrograms in 1 millilitre, 0.512 kilograms"),
        ] {
            assert_eq!(aloud(read), said);
        }
    }

    #[test]
    fn what_may_mean_several_things_stays_as_it_was_read() {
        for text in [
            "04/05/2026",
            "13/2027",
            "1/2 tablet",
            "LOT 0471 221",
            "page 10 g1",
            "5 lines",
            "Room 12",
            "16:42",
            "2 gates",
            "01/02/2027",
        ] {
            assert_eq!(aloud(text), text);
        }
    }
}
