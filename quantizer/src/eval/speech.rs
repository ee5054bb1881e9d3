//! Word error rate of recordings: how many words a recogniser gets wrong, adds and leaves out, for each word that was said.

use std::path::Path;

use rayon::prelude::*;
use sightread_models::speech::{TranscribeOptions, Transcriber};

use super::EvalError;
use super::words::words;
use crate::recordings::{self, Recording};

/// Words said and understood wrongly so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct WordErrors {
    /// Insertions, deletions and substitutions.
    pub errors: usize,
    /// Words said.
    pub words: usize,
    /// Recordings.
    pub recordings: usize,
    /// Recordings without an error.
    pub right: usize,
}

impl WordErrors {
    /// Errors for each word said.
    pub fn rate(self) -> f64 {
        self.errors as f64 / self.words.max(1) as f64
    }

    fn plus(self, errors: usize, words: usize) -> Self {
        Self {
            errors: self.errors + errors,
            words: self.words + words,
            recordings: self.recordings + 1,
            right: self.right + usize::from(errors == 0),
        }
    }
}

/// Transcribes the recordings of a list ([`recordings::read`]), `limit` at most, as the app does: greedily, the language
/// known. `on_recordings` hears the result so far.
///
/// # Errors
/// [`EvalError`] if the list or a recording cannot be read, or the model fails.
pub fn word_errors(
    model: &Transcriber,
    list: &Path,
    limit: Option<usize>,
    mut on_recordings: impl FnMut(WordErrors),
) -> Result<WordErrors, EvalError> {
    let wrong = |reason: String| EvalError::Data { path: list.into(), reason };
    let mut all = recordings::read(list).map_err(wrong)?;
    all.truncate(limit.unwrap_or(usize::MAX));
    let measure = |Recording { samples, text, language }: &Recording| -> Result<(usize, usize), EvalError> {
        let options = TranscribeOptions { beam: 1, language: Some(language.clone()), ..TranscribeOptions::default() };
        let (said, understood) = (words(text), words(&model.transcribe(samples, &options)?.text));
        Ok((edits(&said, &understood), said.len()))
    };
    let mut sum = WordErrors::default();
    // Short recordings do not keep all cores busy one by one.
    for some in all.chunks(4 * rayon::current_num_threads()) {
        let measured: Vec<(usize, usize)> = some.par_iter().map(measure).collect::<Result<_, _>>()?;
        sum = measured.into_iter().fold(sum, |sum, (errors, words)| sum.plus(errors, words));
        on_recordings(sum);
    }
    if sum.words == 0 { Err(wrong("nothing is said in it".into())) } else { Ok(sum) }
}

/// Insertions, deletions and substitutions that make `understood` out of `said`.
fn edits(said: &[String], understood: &[String]) -> usize {
    let mut row: Vec<usize> = (0..=understood.len()).collect();
    for (i, word) in said.iter().enumerate() {
        let (mut diagonal, mut left) = (i, i + 1);
        for (other, cell) in understood.iter().zip(row.iter_mut().skip(1)) {
            let best = (diagonal + usize::from(word != other)).min(*cell + 1).min(left + 1);
            diagonal = std::mem::replace(cell, best);
            left = best;
        }
        if let Some(first) = row.first_mut() {
            *first = i + 1;
        }
    }
    row.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn edits_are_the_fewest() {
        let count = |a: &str, b: &str| edits(&words(a), &words(b));
        assert_eq!(count("what is the dose", "what is the dose"), 0);
        assert_eq!(count("what is the dose", "what's the those"), 3);
        assert_eq!(count("read it", ""), 2);
        assert_eq!(count("", "read it"), 2);
        assert_eq!(count("a b c d", "b c d e"), 2);
    }
}
