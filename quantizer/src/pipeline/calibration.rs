//! Calibration data: a plain text cut into sequences, a file with one JSON object `{"text": …}` a line, recordings, or
//! pictures.

use std::fs;
use std::path::Path;

use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use serde::Deserialize;
use tokenizers::Tokenizer;

use crate::PipelineError;
use crate::pictures::{self, Captioned};
use crate::recordings::{self, Recording};

/// Sequences for calibration, and others that only measure.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CalibrationSet<S> {
    /// Sequences that Hessians are made of.
    pub sequences: Vec<S>,
    /// Sequences that errors are measured on.
    pub held_out: Vec<S>,
}

/// How much text to take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CalibrationSize {
    /// Sequences for calibration.
    pub sequences: usize,
    /// Sequences held out.
    pub held_out: usize,
    /// Tokens of a sequence; entries of a JSON-lines file may be shorter. Recordings are as long as they are, and so are
    /// pictures.
    pub seq_len: usize,
    /// Which sequences calibrate: another number, another random choice. Those held out are always the same.
    pub selection: u64,
}

/// Sequences of a JSON-lines file shorter than this say nothing about a layer.
const SHORTEST: usize = 4;
/// Which sequences are taken does not change from run to run.
const SHUFFLE_SEED: u64 = 0x5eed;

#[derive(Deserialize)]
struct Entry {
    text: String,
}

impl CalibrationSet<Vec<u32>> {
    /// Reads a text file or, if its name ends in `.jsonl`, one entry a line.
    ///
    /// If there are fewer sequences than asked for, all are used; the held-out share stays.
    ///
    /// # Errors
    /// [`PipelineError::Calibration`] if the file is missing, not text, or too short for one sequence of each kind.
    pub fn read(path: &Path, tokenizer: &Tokenizer, size: CalibrationSize) -> Result<Self, PipelineError> {
        let wrong = |reason: String| PipelineError::Calibration { path: path.into(), reason };
        let text = fs::read_to_string(path).map_err(|e| wrong(e.to_string()))?;
        let tokens = |text: &str| {
            let encoding = tokenizer.encode_fast(text, false).map_err(|e| wrong(e.to_string()))?;
            Ok::<_, PipelineError>(encoding.get_ids().to_vec())
        };
        let all = if path.extension().is_some_and(|e| e.eq_ignore_ascii_case("jsonl")) {
            let lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
            let entries = lines.map(|(number, line)| {
                let entry: Entry =
                    serde_json::from_str(line).map_err(|e| wrong(format!("line {}: {e}", number + 1)))?;
                let mut ids = tokens(&entry.text)?;
                ids.truncate(size.seq_len);
                Ok(ids)
            });
            let entries = entries
                .filter(|ids: &Result<Vec<u32>, PipelineError>| !ids.as_ref().is_ok_and(|ids| ids.len() < SHORTEST));
            entries.collect::<Result<Vec<_>, PipelineError>>()?
        } else {
            tokens(&text)?.chunks_exact(size.seq_len.max(1)).map(<[u32]>::to_vec).collect()
        };
        Self::choose(all, size)
            .ok_or_else(|| wrong("it is too short; give more text or ask for shorter sequences".into()))
    }
}

impl CalibrationSet<Recording> {
    /// Reads recordings from a list ([`recordings::read`]).
    ///
    /// # Errors
    /// [`PipelineError::Calibration`] if the list or a recording cannot be read, or there are too few.
    pub fn read_recordings(list: &Path, size: CalibrationSize) -> Result<Self, PipelineError> {
        let wrong = |reason: String| PipelineError::Calibration { path: list.into(), reason };
        Self::choose(recordings::read(list).map_err(wrong)?, size)
            .ok_or_else(|| wrong("it names too few recordings".into()))
    }
}

impl CalibrationSet<Captioned> {
    /// Reads pictures from a list ([`pictures::read`]).
    ///
    /// # Errors
    /// [`PipelineError::Calibration`] if the list or a picture cannot be read, or there are too few.
    pub fn read_pictures(list: &Path, size: CalibrationSize) -> Result<Self, PipelineError> {
        let wrong = |reason: String| PipelineError::Calibration { path: list.into(), reason };
        let chosen = Self::choose(pictures::list(list).map_err(wrong)?, size);
        chosen.ok_or_else(|| wrong("it names too few pictures".into()))
    }
}

impl<S> CalibrationSet<S> {
    /// What `prepare` makes of every sequence, up to the first that it cannot.
    pub(super) fn try_map<T, E>(&self, prepare: impl Fn(&S) -> Result<T, E>) -> Result<CalibrationSet<T>, E> {
        let all = |sequences: &[S]| sequences.iter().map(&prepare).collect::<Result<Vec<_>, E>>();
        Ok(CalibrationSet { sequences: all(&self.sequences)?, held_out: all(&self.held_out)? })
    }

    /// Shuffles, sets the held-out sequences aside first, and takes what is asked for of the rest. `None` if there is too
    /// little for one sequence of each kind.
    fn choose(mut all: Vec<S>, size: CalibrationSize) -> Option<Self> {
        all.shuffle(&mut ChaCha8Rng::seed_from_u64(SHUFFLE_SEED));
        let held_out = size.held_out.min(all.len() / 2);
        let mut sequences = all.split_off(held_out);
        if size.selection > 0 {
            sequences.shuffle(&mut ChaCha8Rng::seed_from_u64(size.selection));
        }
        sequences.truncate(size.sequences);
        (!sequences.is_empty() && (held_out > 0 || size.held_out == 0)).then_some(Self { sequences, held_out: all })
    }

    /// Without any sequence, for round to nearest.
    pub fn empty() -> Self {
        Self { sequences: Vec::new(), held_out: Vec::new() }
    }

    /// Calibration sequences, then those held out.
    pub fn all(&self) -> impl Iterator<Item = &S> {
        self.sequences.iter().chain(&self.held_out)
    }

    /// Sequence `n` of all.
    pub fn get(&self, n: usize) -> Option<&S> {
        self.sequences.get(n).or_else(|| self.held_out.get(n.checked_sub(self.sequences.len())?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn size(sequences: usize, held_out: usize) -> CalibrationSize {
        CalibrationSize { sequences, held_out, seq_len: 4, selection: 0 }
    }

    #[test]
    fn held_out_sequences_are_never_among_the_others() {
        let all: Vec<Vec<u32>> = (0..50).map(|i| vec![i; 4]).collect();
        let set = CalibrationSet::choose(all.clone(), size(30, 8)).expect("enough");
        assert_eq!((set.sequences.len(), set.held_out.len()), (30, 8));
        assert!(set.all().enumerate().all(|(n, sequence)| set.get(n) == Some(sequence)) && set.get(38).is_none());
        assert!(set.held_out.iter().all(|s| !set.sequences.contains(s)));
        assert_eq!(CalibrationSet::choose(all.clone(), size(30, 8)), Some(set));
        assert_eq!(CalibrationSet::choose(all, size(100, 8)).map(|s| s.sequences.len()), Some(42));
    }

    #[test]
    fn another_selection_has_other_sequences_and_the_same_held_out() {
        let all: Vec<Vec<u32>> = (0..50).map(|i| vec![i; 4]).collect();
        let choose = |selection| {
            let size = CalibrationSize { selection, ..size(10, 8) };
            CalibrationSet::choose(all.clone(), size).expect("enough")
        };
        let [first, second, third] = [0, 1, 2].map(choose);
        assert!(first.sequences != second.sequences && second.sequences != third.sequences);
        assert!(first.held_out == second.held_out && second.held_out == third.held_out);
        assert!(second.sequences.iter().all(|s| !second.held_out.contains(s)));
        assert_eq!(choose(1), second);
    }

    #[test]
    fn too_little_text_is_refused() {
        assert_eq!(CalibrationSet::<()>::choose(Vec::new(), size(4, 0)), None);
        assert_eq!(CalibrationSet::choose(vec![vec![1; 4]], size(4, 2)), None);
    }
}
