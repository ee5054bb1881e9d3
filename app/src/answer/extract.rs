//! Exact extractors: amounts, phone numbers, addresses on the net and dates, found by their form and quoted as read.

use std::sync::LazyLock;

use regex::Regex;

use super::document::Document;

/// What is looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// An amount of money.
    Price,
    /// The amount to pay.
    Total,
    /// A telephone number.
    Phone,
    /// An e-mail address.
    Email,
    /// A web address.
    Website,
    /// Any date.
    Date,
    /// The date until which something is good.
    Expiry,
    /// How much of a medicine to take and how often, as whole rows.
    Dose,
    /// How strong a medicine is, as whole rows.
    Strength,
}

/// Something found, quoted as it was read.
#[derive(Debug, Clone, PartialEq)]
pub struct Found {
    /// The text.
    pub text: String,
    /// The row it stands on.
    pub row: usize,
}

/// A regular expression that is part of the program.
pub(crate) fn pattern(regex: &str) -> Regex {
    Regex::new(regex).unwrap_or_else(|e| unreachable!("constant pattern: {e}"))
}

/// Months in the languages whose letters the recogniser knows best, by their first letters.
const MONTH: &str = r"(?:jan|feb|mar|apr|may|jun|jul|aug|sep|sept|oct|nov|dec|januar|februar|m[aä]rz|mai|juni|juli|okt|dez|enero|abr|ago|dic|janv|f[eé]vr|avril|juin|juil|ao[uû]t|d[eé]c)[a-zé]*\.?";

static AMOUNT: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"(?ix) (?: [$£€¥₹] \s? | \b (?:usd|eur|gbp|chf|rs\.?|rm|kr\.?) \s? )? -? \b \d{1,3} (?: [,.\ ']\d{3} )* [.,] \s? \d{2} \b (?: \s? (?:[$£€¥₹]|usd|eur|gbp|chf|kr)\b? )? | [$£€¥₹] \s? \d+ (?:[.,]\d+)? | \b \d+ \s? [€£] | \b \d{1,3} \s? (?:p|c|¢) \b",
    )
});
static TOTAL_WORD: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"(?i)\b(grand total|total due|amount due|balance due|to pay|total|t0tal|tota1|summe|gesamt|gesamtbetrag|somme|totale|importe|amount payable|balance)\b",
    )
});
static NOT_THE_TOTAL: LazyLock<Regex> = LazyLock::new(|| {
    pattern(r"(?i)sub.?total|total (?:items?|savings?|discount|tax|vat|qty|fat|carb|sugar)|items? total|zwischensumme")
});
static PHONE: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"(?x) (?: \+ \d{1,3} [\s.-]? )? (?: \(\d{1,5}\) [\s.-]? )? \d{2,5} (?: [\s./-] \d{2,8} ){1,4} | \+? \b 0? \d{8,13} \b | \b 1-8\d\d-[\dA-Z-]{7,9} \b",
    )
});
static EMAIL: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"(?i)[a-z0-9._%+-]+\s?@\s?[a-z0-9-]+(?:\.[a-z0-9-]+)*\.\s?[a-z]{2,}"));
static WEBSITE: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"(?i)\b(?:https?://)?(?:www\.\s?[a-z0-9-]+(?:\.[a-z0-9-]+)+|[a-z0-9-]+(?:\.[a-z0-9-]+)*\.(?:com|org|net|edu|gov|info|biz|eu|co\.uk|uk|de|fr|es|it|nl|ch|at|pl|se|no|dk|ie|ca|au|in|io))\b(?:/[^\s|]*)?",
    )
});
static DATE: LazyLock<Regex> = LazyLock::new(|| {
    pattern(&format!(
        r"(?ix) \b \d{{1,2}} \s? [./-] \s? \d{{1,2}} \s? [./-] \s? (?:\d{{4}}|\d{{2}}) \b | \b \d{{4}} [./-] \d{{1,2}} [./-] \d{{1,2}} \b | \b \d{{1,2}} (?:st|nd|rd|th|\.)? \s? (?:of\s)? {MONTH} ,? \s? (?:\d{{4}}|\d{{2}})? \b | \b {MONTH} \s? \d{{1,2}} (?:st|nd|rd|th)? ,? \s? \d{{4}} \b | \b {MONTH} \s? (?:20\d\d|\d\d) \b | \b (?:0?[1-9]|1[0-2]) \s? [/.-] \s? 20\d\d \b"
    ))
});
static EXPIRY_WORD: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"(?i)\b(exp|exp\.|expiry|expires?|expiration|use by|use before|best before|best by|bb|bbe|best if used by|sell by|mhd|mindestens haltbar|verwendbar bis|verw\.? bis|a consommer|caducidad|cad)\b|^exp|exp(?:iry)?(?:\s?date)?[:.]?\s?\d",
    )
});
static SHORT_DATE: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"\b(?:0?[1-9]|1[0-2])\s?[/.-]\s?\d{2}\b|\b\d{1,2}\s?[./]\s?\d{1,2}\b|\b\d{6}\b"));
/// What is counted when a medicine is taken.
const FORM: &str = r"(?:tablets?|capsules?|pills?|drops?|puffs?|teaspoons?|sachets?)";

static DIRECTIONS: LazyLock<Regex> = LazyLock::new(|| {
    pattern(&format!(r"(?i)\btake\b|\b\d+\s?(?:-\s?\d+\s?)?{FORM}\b|\b(?:once|twice|times|daily)\b|\bevery\s\d+"))
});
static STRENGTH: LazyLock<Regex> = LazyLock::new(|| {
    pattern(r"(?i)\b\d+(?:[.,]\d+)?\s?(?:mg|mcg|µg|ug|g|ml|iu|i\.e\.|%)(?:\s?/\s?\d*\s?(?:ml|g))?(?:\b|$)")
});
/// Words and amounts of which a wrong part would harm. Grams, millilitres and "daily" are not among them: they stand on food and doors.
static TAKING: LazyLock<Regex> = LazyLock::new(|| {
    pattern(&format!(r"(?i)\b\d+(?:[.,]\d+)?\s?(?:mg|mcg|µg|ug|iu)\b|\b(?:take|{FORM})\b|\bevery\s\d+"))
});

/// Whether `text` says how much of a medicine there is or how to take it.
pub fn speaks_of_a_dose(text: &str) -> bool {
    TAKING.is_match(text)
}

/// Everything of `kind` in `document`, in reading order.
pub fn extract(document: &Document, kind: Kind) -> Vec<Found> {
    match kind {
        Kind::Price => find(document, &AMOUNT),
        Kind::Phone => find(document, &PHONE).into_iter().filter(|found| is_phone(document, found)).collect(),
        Kind::Email => find(document, &EMAIL),
        Kind::Website => {
            let emails = find(document, &EMAIL);
            let in_email = |found: &Found| emails.iter().any(|e| e.row == found.row && e.text.contains(&found.text));
            find(document, &WEBSITE).into_iter().filter(|found| !in_email(found)).collect()
        }
        Kind::Date => find(document, &DATE),
        Kind::Total => total(document).into_iter().collect(),
        Kind::Expiry => expiry(document),
        Kind::Dose => whole_rows(document, &DIRECTIONS),
        Kind::Strength => whole_rows(document, &STRENGTH),
    }
}

fn whole_rows(document: &Document, regex: &Regex) -> Vec<Found> {
    let rows = document.rows.iter().enumerate().filter(|(_, row)| regex.is_match(&row.text));
    rows.map(|(at, row)| Found { text: row.text.clone(), row: at }).collect()
}

fn find(document: &Document, regex: &Regex) -> Vec<Found> {
    let in_row = |(at, row): (usize, &super::document::Row)| {
        regex.find_iter(&row.text).map(|m| Found { text: m.as_str().trim().into(), row: at }).collect::<Vec<_>>()
    };
    document.rows.iter().enumerate().flat_map(in_row).collect()
}

/// Enough digits, and neither a date nor an amount.
fn is_phone(document: &Document, found: &Found) -> bool {
    let digits = found.text.chars().filter(char::is_ascii_digit).count();
    let row = &document.rows[found.row].text;
    let named = ["tel", "phone", "call", "fon", "mob", "fax"].iter().any(|word| row.to_lowercase().contains(word));
    let plus = found.text.starts_with(['+', '0', '(']);
    let other = DATE.is_match(&found.text) || AMOUNT.is_match(&found.text);
    (if named || plus { 6..=15 } else { 10..=13 }).contains(&digits)
        && !other
        && (named || found.text.contains([' ', '-', '(', '+', '.', '/']))
}

/// The amount on the row that names a total, or on the row after it; the last such row of a receipt counts.
fn total(document: &Document) -> Option<Found> {
    let amount_on = |at: usize| {
        let row = document.rows.get(at)?;
        AMOUNT.find_iter(&row.text).last().map(|m| Found { text: m.as_str().trim().into(), row: at })
    };
    let named = document
        .rows
        .iter()
        .enumerate()
        .filter(|(_, row)| TOTAL_WORD.is_match(&row.text) && !NOT_THE_TOTAL.is_match(&row.text));
    let candidates: Vec<Found> = named.filter_map(|(at, _)| amount_on(at).or_else(|| amount_on(at + 1))).collect();
    // Cash given or change may carry the word too, but the total is what most rows agree on, else the first.
    let agreed = |found: &&Found| candidates.iter().filter(|other| other.text == found.text).count();
    candidates.iter().rev().max_by_key(agreed).cloned()
}

/// Rows that name an expiry, quoted whole with the date that follows them.
fn expiry(document: &Document) -> Vec<Found> {
    let date_on = |at: usize| {
        let text = &document.rows.get(at)?.text;
        let date = DATE.find(text).or_else(|| SHORT_DATE.find(text))?;
        Some(Found { text: date.as_str().trim().into(), row: at })
    };
    let named = document.rows.iter().enumerate().filter(|(_, row)| EXPIRY_WORD.is_match(&row.text));
    let mut found: Vec<Found> = vec![];
    for (at, row) in named {
        let after_word = EXPIRY_WORD.find(&row.text).map_or("", |word| &row.text[word.start()..]);
        let same_row = DATE.find(after_word).or_else(|| SHORT_DATE.find(after_word));
        let same_row = same_row.map(|date| Found { text: date.as_str().trim().into(), row: at });
        found.extend(same_row.or_else(|| date_on(at + 1)).or_else(|| date_on(at.checked_sub(1)?)));
    }
    found.dedup();
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(lines: &[&str], kind: Kind) -> Vec<String> {
        let document = Document::from_lines(lines.iter().copied());
        extract(&document, kind).into_iter().map(|found| found.text).collect()
    }

    #[test]
    fn the_total_is_not_the_subtotal_nor_the_cash() {
        let receipt = [
            "Milk | £1.20",
            "SUBTOTAL | £11.00",
            "VAT 20% | £2.20",
            "TOTAL | £13.20",
            "CASH | £20.00",
            "CHANGE | £6.80",
        ];
        assert_eq!(texts(&receipt, Kind::Total), ["£13.20"]);
        assert_eq!(texts(&["Total", "12,50 €"], Kind::Total), ["12,50 €"]);
        assert!(texts(&["Total fat 12 g"], Kind::Total).is_empty());
    }

    #[test]
    fn prices_in_many_forms() {
        for price in ["£1.20", "$1,299.00", "12,50 €", "€5", "99p", "EUR 4.10", "1.99"] {
            assert_eq!(texts(&[&format!("Tea | {price}")], Kind::Price), [price]);
        }
        assert!(texts(&["Version 2", "12 March 2024", "500 g"], Kind::Price).is_empty());
    }

    #[test]
    fn phones_are_neither_dates_nor_amounts() {
        for phone in ["020 7946 0958", "+44 20 7946 0958", "(555) 010-9999", "0800 123 456", "030/1234567"] {
            assert_eq!(texts(&[&format!("Tel. {phone}")], Kind::Phone), [phone]);
        }
        assert!(texts(&["12.03.2024", "£1,234.50", "Order 1234567"], Kind::Phone).is_empty());
    }

    #[test]
    fn addresses_on_the_net() {
        let card = ["Write to info@example.co.uk", "www.example.co.uk", "or shop.example.com/sale"];
        assert_eq!(texts(&card, Kind::Email), ["info@example.co.uk"]);
        assert_eq!(texts(&card, Kind::Website), ["www.example.co.uk", "shop.example.com/sale"]);
    }

    #[test]
    fn dates_and_expiry() {
        for date in ["12/03/2024", "2024-03-12", "12 March 2024", "March 12, 2024", "12.03.24", "03/2027", "MAR 2027"] {
            assert_eq!(texts(&[date], Kind::Date), [date]);
        }
        assert_eq!(texts(&["Lot 5X", "EXP 03/2027"], Kind::Expiry), ["03/2027"]);
        assert_eq!(texts(&["Best before end", "12 AUG 26"], Kind::Expiry), ["12 AUG 26"]);
        assert_eq!(texts(&["MFG 01/2024 EXP 01/2027"], Kind::Expiry), ["01/2027"]);
        assert!(texts(&["Printed 12/03/2024"], Kind::Expiry).is_empty());
    }

    #[test]
    fn a_dose_is_its_whole_line() {
        let leaflet = ["Ibuprofen 400 mg", "Take one tablet every 6 hours", "Keep dry"];
        assert_eq!(texts(&leaflet, Kind::Dose), leaflet[1..2]);
        assert_eq!(texts(&leaflet, Kind::Strength), leaflet[..1]);
    }
}
