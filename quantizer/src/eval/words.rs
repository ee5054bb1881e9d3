//! Words as they are compared: the rule of `tests/peers/words.py`, so that one program's digits are no error beside another's
//! letters.

const ONES: [&str; 20] = [
    "zero",
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
    "thirteen",
    "fourteen",
    "fifteen",
    "sixteen",
    "seventeen",
    "eighteen",
    "nineteen",
];
const TENS: [&str; 10] = ["", "", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"];
/// Larger numbers stay digits.
const LARGEST: usize = 9999;

/// The words of `text`: lower case, letters, digits and apostrophes inside; whole numbers up to 9999 in letters.
pub fn words(text: &str) -> Vec<String> {
    let text = text.to_lowercase().replace('’', "'");
    let pieces = text.split(|c: char| !c.is_alphanumeric() && c != '\'').map(|word| word.trim_matches('\''));
    pieces.filter(|word| !word.is_empty()).flat_map(spelled).collect()
}

/// A whole number in English words, anything else as it is.
fn spelled(word: &str) -> Vec<String> {
    let is_number = word.bytes().all(|b| b.is_ascii_digit());
    match word.parse::<usize>().ok().filter(|&n| is_number && n <= LARGEST) {
        Some(number) => number_words(number).into_iter().map(String::from).collect(),
        None => vec![word.into()],
    }
}

fn number_words(number: usize) -> Vec<&'static str> {
    match number {
        0..20 => vec![ONES[number]],
        20..100 => {
            let ten = [TENS[number / 10]];
            let one = if number.is_multiple_of(10) { None } else { Some(ONES[number % 10]) };
            ten.into_iter().chain(one).collect()
        }
        _ => {
            let (unit, name) = if number < 1000 { (100, "hundred") } else { (1000, "thousand") };
            let rest = if number.is_multiple_of(unit) { Vec::new() } else { number_words(number % unit) };
            number_words(number / unit).into_iter().chain([name]).chain(rest).collect()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::words;

    #[test]
    fn digits_and_letters_are_the_same_words() {
        let same = |a: &str, b: &str| assert_eq!(words(a), words(b));
        same("Read line 24, please.", "read line twenty four please");
        same("In 1999: 305!", "in one thousand nine hundred ninety nine three hundred five");
        same("What’s 'this'?", "what's this");
        same("twenty-four", "24");
        assert_eq!(words("01632960188"), ["01632960188"]);
        assert!(words(" ... ").is_empty());
    }
}
