//! What was read and asked since the program started; in memory only, unless the user saves it.

use std::time::SystemTime;

/// A picture's text and what was said about it.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// Counts up from 1.
    pub id: u64,
    /// When it was read.
    pub at: SystemTime,
    /// Rows of text.
    pub rows: Vec<String>,
    /// Questions and answers.
    pub dialogue: Vec<Turn>,
}

/// One thing that was said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Turn {
    /// Whether the user said it, not the program.
    pub user: bool,
    /// The words.
    pub text: String,
}
