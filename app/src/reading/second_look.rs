//! A second look at lines that were read doubtfully: the same box cut tighter, wider and stretched, and what the looks
//! agree on.
//!
//! Small print is read better when it is stretched, and a crop that holds bits of the neighbouring lines when it is cut
//! tighter; which of them helps is not known beforehand, so the reading that is both confident and most like the others
//! wins. Where a look reads another character, the winner's character loses that look's share of its confidence: a digit
//! on which the looks differ is never spoken as sure.

use sightread_models::vision::{CharRead, LineRead};

/// How much the likeness to the other looks counts against a look's own confidence.
const AGREEMENT: f32 = 1.0;

/// Which of `reads` to believe, with its characters' confidence shared among all. `None` without any.
pub fn consensus(reads: &[&LineRead]) -> Option<(usize, LineRead)> {
    let texts: Vec<Vec<char>> = reads.iter().map(|read| letters(read)).collect();
    let score = |at: usize| {
        let alike = reads.iter().zip(&texts).map(|(other, text)| other.confidence * likeness(&texts[at], text));
        reads[at].confidence + AGREEMENT * alike.sum::<f32>() / reads.len() as f32
    };
    let best = (0..reads.len()).max_by(|&a, &b| score(a).total_cmp(&score(b)))?;
    let mut winner = reads[best].clone();
    let mut agreed = vec![0.0; texts[best].len()];
    let mut all = 0.0;
    for (read, text) in reads.iter().zip(&texts) {
        // A look that failed has no say.
        let weight = read.confidence.powi(2);
        all += weight;
        for (share, same) in agreed.iter_mut().zip(matches(&texts[best], text)) {
            *share += if same { weight } else { 0.0 };
        }
    }
    let mut shares = agreed.into_iter().map(|share| share / f32::max(all, f32::MIN_POSITIVE));
    for c in winner.chars.iter_mut().filter(|c| !c.ch.is_whitespace()) {
        c.confidence *= shares.next().unwrap_or(1.0);
    }
    Some((best, winner))
}

/// The characters but for white space, which is a matter of its own.
fn letters(read: &LineRead) -> Vec<char> {
    read.chars.iter().map(|c: &CharRead| c.ch).filter(|c| !c.is_whitespace()).collect()
}

/// 1 for equal texts, 0 for texts that share nothing.
fn likeness(a: &[char], b: &[char]) -> f32 {
    let longer = a.len().max(b.len());
    if longer == 0 {
        return 1.0;
    }
    1.0 - distances(a, b)[a.len() * (b.len() + 1) + b.len()] as f32 / longer as f32
}

/// Edit distances of all prefixes: `[a.len() + 1, b.len() + 1]`.
fn distances(a: &[char], b: &[char]) -> Vec<u32> {
    let width = b.len() + 1;
    let mut table = vec![0; (a.len() + 1) * width];
    for i in 0..=a.len() {
        for j in 0..=b.len() {
            table[i * width + j] = match (i, j) {
                (0, _) => j as u32,
                (_, 0) => i as u32,
                _ => {
                    let both = table[(i - 1) * width + j - 1] + u32::from(a[i - 1] != b[j - 1]);
                    both.min(table[(i - 1) * width + j] + 1).min(table[i * width + j - 1] + 1)
                }
            };
        }
    }
    table
}

/// For every character of `a`, whether an alignment with the fewest edits puts the same character of `b` beside it.
fn matches(a: &[char], b: &[char]) -> Vec<bool> {
    let table = distances(a, b);
    let width = b.len() + 1;
    let (mut i, mut j) = (a.len(), b.len());
    let mut same = vec![false; a.len()];
    while i > 0 && j > 0 {
        let here = table[i * width + j];
        let edit = u32::from(a[i - 1] != b[j - 1]);
        if here == table[(i - 1) * width + j - 1] + edit {
            same[i - 1] = edit == 0;
            (i, j) = (i - 1, j - 1);
        } else if here == table[(i - 1) * width + j] + 1 {
            i -= 1;
        } else {
            j -= 1;
        }
    }
    same
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str, confidence: f32) -> LineRead {
        let char =
            |(at, ch)| CharRead { ch, confidence, alternatives: vec![], t_start: at, t_end: at + 1, space_before: 0.0 };
        LineRead { chars: text.chars().enumerate().map(char).collect(), confidence, steps: text.len() }
    }

    #[test]
    fn the_reading_that_others_confirm_wins_over_a_confident_loner() {
        let reads = [read("$11.23", 0.91), read("$1.63", 0.8), read("$1.63", 0.83), read("$163", 0.85)];
        let (best, winner) = consensus(&reads.iter().collect::<Vec<_>>()).unwrap();
        assert_eq!((best, winner.text().as_str()), (2, "$1.63"));
    }

    #[test]
    fn a_digit_on_which_looks_differ_is_not_sure() {
        let reads = [read("EXP 03 2024", 0.95), read("EXP 08 2024", 0.95), read("EXP 03 2024", 0.95)];
        let (_, winner) = consensus(&reads.iter().collect::<Vec<_>>()).unwrap();
        let confidence = |at: usize| winner.chars[at].confidence;
        assert!(winner.chars[5].ch == '3' && confidence(5) < 0.7, "{}", confidence(5));
        assert!(confidence(4) > 0.9 && confidence(7) > 0.9);
    }

    #[test]
    fn failed_looks_do_no_harm() {
        let reads = [read("", 0.0), read("Milk", 0.9), read("", 0.0)];
        let (best, winner) = consensus(&reads.iter().collect::<Vec<_>>()).unwrap();
        assert_eq!((best, winner.text().as_str()), (1, "Milk"));
        assert!(winner.chars.iter().all(|c| c.confidence > 0.89));
        assert!(consensus(&[]).is_none());
        assert_eq!(consensus(&[&read("", 0.0)]).unwrap().0, 0);
    }
}
