//! Sentiment of sentences, by which of two words the model finds more likely to follow.

use std::path::Path;

use rayon::prelude::*;
use sightread_models::checkpoint::Checkpoint;
use sightread_models::text::{TextError, TextModel};

use super::{EvalError, encode, log_probabilities, read, tokenizer};

/// What stands before and after a sentence, and the words for label 0 and 1.
const BEFORE: &str = "Review: ";
const AFTER: &str = "\nSentiment:";
const WORDS: [&str; 2] = [" negative", " positive"];

/// How many sentences were told right.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Accuracy {
    /// Told right.
    pub right: usize,
    /// Told at all.
    pub sentences: usize,
}

impl Accuracy {
    /// As a fraction.
    pub fn fraction(self) -> f64 {
        self.right as f64 / self.sentences.max(1) as f64
    }
}

/// Measures accuracy on a file with a heading line and lines `label<TAB>sentence` with labels 0 (negative) and 1
/// (positive), on at most `limit` sentences. `on_sentence` hears the accuracy so far.
///
/// # Errors
/// [`EvalError`] if the file is missing or not of this kind, or the model fails.
pub fn sentiment(
    model: &TextModel,
    checkpoint: &Checkpoint,
    tsv: &Path,
    limit: Option<usize>,
    mut on_sentence: impl FnMut(Accuracy),
) -> Result<Accuracy, EvalError> {
    let tokenizer = tokenizer(checkpoint)?;
    let text = read(tsv)?;
    let words = [encode(tokenizer, WORDS[0])?, encode(tokenizer, WORDS[1])?];
    let is_right = |(number, line): &(usize, &str)| -> Result<bool, EvalError> {
        let wrong =
            || EvalError::Data { path: tsv.into(), reason: format!("line {} is no label and sentence", number + 1) };
        let (label, sentence) = line.split_once('\t').ok_or_else(wrong)?;
        let label: usize = label.parse().ok().filter(|&label| label < WORDS.len()).ok_or_else(wrong)?;
        let prompt = encode(tokenizer, &format!("{BEFORE}{sentence}{AFTER}"))?;
        let [negative, positive] = likelihoods(model, &prompt, [&words[0], &words[1]])?;
        Ok(usize::from(positive > negative) == label)
    };
    let lines: Vec<(usize, &str)> = text.lines().enumerate().skip(1).take(limit.unwrap_or(usize::MAX)).collect();
    let mut accuracy = Accuracy { right: 0, sentences: 0 };
    // Short sentences do not keep all cores busy one by one.
    for some in lines.chunks(4 * rayon::current_num_threads()) {
        let right: Vec<bool> = some.par_iter().map(is_right).collect::<Result<_, _>>()?;
        accuracy.right += right.iter().filter(|&&right| right).count();
        accuracy.sentences += right.len();
        on_sentence(accuracy);
    }
    match accuracy.sentences {
        0 => Err(EvalError::Data { path: tsv.into(), reason: "it holds no sentence".into() }),
        _ => Ok(accuracy),
    }
}

/// `ln p(word | prompt)` of each word; the prompt is read once.
fn likelihoods(model: &TextModel, prompt: &[u32], words: [&[u32]; 2]) -> Result<[f64; 2], EvalError> {
    let mut cache = model.cache();
    let first = model.next_logits(model.forward(prompt, &mut cache)?)?;
    let mut sums = [0.0; 2];
    for (sum, word) in sums.iter_mut().zip(words) {
        let (&start, rest) = word.split_first().ok_or(TextError::EmptyPrompt)?;
        *sum = log_probabilities(&first, &[start])[0];
        for (token, next) in word.iter().zip(rest) {
            let logits = model.next_logits(model.forward(&[*token], &mut cache)?)?;
            *sum += log_probabilities(&logits, &[*next])[0];
        }
        cache.truncate(prompt.len());
    }
    Ok(sums)
}
