//! Calibration text: a plain text cut into sequences, or a file with one JSON object `{"text": …}` a line.

use std::fs;
use std::path::Path;

use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use serde::Deserialize;
use tokenizers::Tokenizer;

use crate::PipelineError;

/// Token sequences for calibration, and others that only measure.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CalibrationSet {
    /// Sequences that Hessians are made of.
    pub sequences: Vec<Vec<u32>>,
    /// Sequences that errors are measured on.
    pub held_out: Vec<Vec<u32>>,
}

/// How much text to take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CalibrationSize {
    /// Sequences for calibration.
    pub sequences: usize,
    /// Sequences held out.
    pub held_out: usize,
    /// Tokens of a sequence; entries of a JSON-lines file may be shorter.
    pub seq_len: usize,
}

/// Sequences of a JSON-lines file shorter than this say nothing about a layer.
const SHORTEST: usize = 4;
/// Which sequences are taken does not change from run to run.
const SHUFFLE_SEED: u64 = 0x5eed;

#[derive(Deserialize)]
struct Entry {
    text: String,
}

impl CalibrationSet {
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
        Self::choose(all, size).ok_or_else(|| wrong("it is too short; give more text or a smaller --seq-len".into()))
    }

    /// Shuffles, sets the held-out sequences aside first, and takes what is asked for of the rest.
    fn choose(mut all: Vec<Vec<u32>>, size: CalibrationSize) -> Option<Self> {
        all.shuffle(&mut ChaCha8Rng::seed_from_u64(SHUFFLE_SEED));
        let held_out = size.held_out.min(all.len() / 2);
        let mut sequences = all.split_off(held_out);
        sequences.truncate(size.sequences);
        (!sequences.is_empty() && (held_out > 0 || size.held_out == 0)).then_some(Self { sequences, held_out: all })
    }

    /// Tokens of the calibration sequences.
    pub fn tokens(&self) -> usize {
        self.sequences.iter().map(Vec::len).sum()
    }

    /// Length of the longest sequence.
    pub fn longest(&self) -> usize {
        self.sequences.iter().chain(&self.held_out).map(Vec::len).max().unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn size(sequences: usize, held_out: usize) -> CalibrationSize {
        CalibrationSize { sequences, held_out, seq_len: 4 }
    }

    #[test]
    fn held_out_sequences_are_never_among_the_others() {
        let all: Vec<Vec<u32>> = (0..50).map(|i| vec![i; 4]).collect();
        let set = CalibrationSet::choose(all.clone(), size(30, 8)).expect("enough");
        assert_eq!((set.sequences.len(), set.held_out.len(), set.tokens()), (30, 8, 120));
        assert!(set.held_out.iter().all(|s| !set.sequences.contains(s)));
        assert_eq!(CalibrationSet::choose(all.clone(), size(30, 8)), Some(set));
        assert_eq!(CalibrationSet::choose(all, size(100, 8)).map(|s| s.sequences.len()), Some(42));
    }

    #[test]
    fn too_little_text_is_refused() {
        assert_eq!(CalibrationSet::choose(Vec::new(), size(4, 0)), None);
        assert_eq!(CalibrationSet::choose(vec![vec![1; 4]], size(4, 2)), None);
    }
}
