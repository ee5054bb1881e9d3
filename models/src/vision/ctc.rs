//! From the classes of time steps to characters: greedy CTC decoding that keeps the runner-up choices.

/// One character of a line.
#[derive(Debug, Clone, PartialEq)]
pub struct CharRead {
    /// The most probable character.
    pub ch: char,
    /// Its probability at the time step where it is most certain, 0 to 1.
    pub confidence: f32,
    /// The runner-up choices at that step, most probable first, with their probabilities; without the blank.
    pub alternatives: Vec<(char, f32)>,
    /// First time step of the character. A step is [`super::Recognizer::PIXELS_PER_STEP`] pixels of the crop wide.
    pub t_start: usize,
    /// One past its last time step.
    pub t_end: usize,
    /// Largest probability of a space at the time steps since the character before: a space that was almost read.
    pub space_before: f32,
}

/// One line of text.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct LineRead {
    /// The characters from left to right, blanks between words included.
    pub chars: Vec<CharRead>,
    /// Mean of the characters' confidences, 0 if there are none (what PaddleOCR calls the score of a line).
    pub confidence: f32,
    /// Time steps of the whole crop, padding included.
    pub steps: usize,
}

impl LineRead {
    /// The characters as one string.
    pub fn text(&self) -> String {
        self.chars.iter().map(|c| c.ch).collect()
    }
}

/// The classes of the recogniser: 0 is the CTC blank, class `i + 1` is character `i`.
pub(super) struct Alphabet {
    characters: Vec<char>,
}

impl Alphabet {
    pub fn new(characters: &str) -> Self {
        Self { characters: characters.chars().collect() }
    }

    pub fn characters(&self) -> &[char] {
        &self.characters
    }

    /// Characters and the blank.
    pub fn classes(&self) -> usize {
        self.characters.len() + 1
    }

    /// Decodes `probabilities [steps, classes]`: the best class of every step, repetitions merged, blanks dropped.
    pub fn decode(&self, probabilities: &[f32], runners_up: usize) -> LineRead {
        let steps: Vec<&[f32]> = probabilities.chunks_exact(self.classes()).collect();
        let best: Vec<usize> = steps.iter().map(|step| argmax(step)).collect();
        let space = self.characters.iter().position(|&c| c == ' ').map(|i| i + 1);
        let mut chars: Vec<CharRead> = Vec::new();
        let mut t_end = 0;
        for run in best.chunk_by(|a, b| a == b) {
            let t_start = t_end;
            t_end += run.len();
            let class = run[0];
            let Some(&ch) = class.checked_sub(1).and_then(|i| self.characters.get(i)) else { continue };
            // The step at which the network is most certain of the character speaks for the run.
            let Some(peak) = steps[t_start..t_end].iter().max_by(|a, b| a[class].total_cmp(&b[class])) else {
                continue;
            };
            let alternatives = self.runners_up(peak, class, runners_up);
            let since = chars.last().map_or(t_start, |before| before.t_end);
            let space_before =
                space.map_or(0.0, |space| steps[since..t_start].iter().map(|s| s[space]).fold(0.0, f32::max));
            chars.push(CharRead { ch, confidence: peak[class], alternatives, t_start, t_end, space_before });
        }
        let confidence = chars.iter().map(|c| c.confidence).sum::<f32>() / chars.len().max(1) as f32;
        LineRead { chars, confidence, steps: steps.len() }
    }

    /// The `count` most probable characters of a step besides class `best`.
    fn runners_up(&self, step: &[f32], best: usize, count: usize) -> Vec<(char, f32)> {
        let mut others: Vec<(char, f32)> = self
            .characters
            .iter()
            .zip(&step[1..])
            .enumerate()
            .filter(|(i, _)| i + 1 != best)
            .map(|(_, (&ch, &p))| (ch, p))
            .collect();
        if count < others.len() {
            others.select_nth_unstable_by(count, |a, b| b.1.total_cmp(&a.1));
            others.truncate(count);
        }
        others.sort_by(|a, b| b.1.total_cmp(&a.1));
        others
    }
}

fn argmax(values: &[f32]) -> usize {
    values.iter().enumerate().max_by(|a, b| a.1.total_cmp(b.1)).map_or(0, |(i, _)| i)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Five classes: blank, a, b, c, space.
    fn decode(steps: &[[f32; 5]]) -> LineRead {
        Alphabet::new("abc ").decode(steps.as_flattened(), 2)
    }

    #[test]
    fn merges_repetitions_but_not_across_a_blank() {
        let a = [0.1, 0.8, 0.05, 0.03, 0.02];
        let a_surer = [0.05, 0.9, 0.02, 0.02, 0.01];
        let blank = [0.9, 0.05, 0.03, 0.01, 0.01];
        let read = decode(&[blank, a, a_surer, blank, a, blank]);
        assert_eq!(read.text(), "aa");
        assert_eq!((read.chars[0].t_start, read.chars[0].t_end), (1, 3));
        assert_eq!((read.chars[1].t_start, read.chars[1].t_end), (4, 5));
        assert_eq!(read.chars[0].confidence, 0.9);
        assert!((read.confidence - 0.85).abs() < 1e-6);
        assert_eq!(read.steps, 6);
    }

    #[test]
    fn keeps_the_runners_up_without_the_blank() {
        let read = decode(&[[0.3, 0.05, 0.4, 0.2, 0.05]]);
        assert_eq!(read.text(), "b");
        assert_eq!(read.chars[0].alternatives[0], ('c', 0.2));
        assert_eq!(read.chars[0].alternatives.len(), 2);
    }

    #[test]
    fn nothing_but_blanks_is_an_empty_line() {
        let read = decode(&[[1.0, 0.0, 0.0, 0.0, 0.0]; 3]);
        assert_eq!((read.text().as_str(), read.confidence, read.steps), ("", 0.0, 3));
    }
}
