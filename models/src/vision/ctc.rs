//! What the recogniser read in one line.

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
