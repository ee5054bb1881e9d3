//! What was read and asked since the program started; in memory only, unless the user saves it.

use std::collections::VecDeque;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use chrono::{DateTime, Local};

use crate::{files, places};

/// Readings that are kept; with the next one the oldest is forgotten.
const MOST_ENTRIES: usize = 100;
/// Questions and answers that are kept of one reading.
const MOST_TURNS: usize = 400;

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

/// Why nothing was saved, in a sentence fit to be spoken.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum HistoryError {
    /// Nothing was read yet, or all was forgotten.
    #[error("there is nothing to save yet")]
    Empty,
    /// That reading was forgotten.
    #[error("that text is no longer kept; read it again")]
    Forgotten,
    /// The user has no home.
    #[error("there is no folder for documents; name a file to save to")]
    NoFolder,
    /// The file could not be written.
    #[error("the text could not be saved as {}: {}", path.display(), files::reason(source))]
    Write {
        /// The file.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
}

/// The readings since the program started.
#[derive(Debug, Default)]
pub struct History {
    /// The oldest first.
    entries: VecDeque<Arc<Entry>>,
    /// Number of the newest entry there ever was.
    newest: u64,
}

impl History {
    /// Keeps the rows of a reading and returns its number. The same text once more, as a steady camera reads it, stays one entry.
    pub fn add(&mut self, rows: Vec<String>) -> u64 {
        self.add_at(rows, SystemTime::now())
    }

    fn add_at(&mut self, rows: Vec<String>, at: SystemTime) -> u64 {
        if let Some(newest) = self.entries.back().filter(|newest| !rows.is_empty() && newest.rows == rows) {
            return newest.id;
        }
        if self.entries.len() >= MOST_ENTRIES {
            self.entries.pop_front();
        }
        self.newest += 1;
        self.entries.push_back(Arc::new(Entry { id: self.newest, at, rows, dialogue: Vec::new() }));
        self.newest
    }

    /// Adds a question or an answer to a reading; one that was forgotten stays so.
    pub fn say(&mut self, id: u64, turn: Turn) {
        if let Some(entry) = self.entries.iter_mut().find(|entry| entry.id == id) {
            let dialogue = &mut Arc::make_mut(entry).dialogue;
            if dialogue.len() >= MOST_TURNS {
                dialogue.remove(0);
            }
            dialogue.push(turn);
        }
    }

    /// An earlier reading.
    pub fn get(&self, id: u64) -> Option<&Arc<Entry>> {
        self.entries.iter().find(|entry| entry.id == id)
    }

    /// All readings, the newest first; pictures without text only if something was said about them.
    pub fn entries(&self) -> Vec<Arc<Entry>> {
        self.entries.iter().rev().filter(|entry| entry.says_something()).cloned().collect()
    }

    /// Forgets all readings. Numbers are not used again.
    pub fn forget(&mut self) {
        self.entries.clear();
    }

    /// Saves one reading as a text file and returns where it is. `to` is a file or a folder; without it, the folder of the user's
    /// documents is taken. A file that is there already stays: the new one gets a number.
    ///
    /// # Errors
    /// [`HistoryError`].
    pub fn save(&self, id: u64, to: Option<&Path>) -> Result<PathBuf, HistoryError> {
        let entry = self.get(id).ok_or(HistoryError::Forgotten)?;
        write(to, entry.at, &entry.text())
    }

    /// Saves all readings as one text file, the oldest first; otherwise as [`History::save`].
    ///
    /// # Errors
    /// [`HistoryError`].
    pub fn save_all(&self, to: Option<&Path>) -> Result<PathBuf, HistoryError> {
        let entries = self.entries();
        let newest = entries.first().ok_or(HistoryError::Empty)?;
        let texts: Vec<String> = entries.iter().rev().map(|entry| entry.text()).collect();
        write(to, newest.at, &texts.join("\n\n"))
    }
}

impl Entry {
    fn says_something(&self) -> bool {
        !self.rows.is_empty() || !self.dialogue.is_empty()
    }

    /// The reading as it is saved: a line that says when, the rows, and what was said.
    fn text(&self) -> String {
        let mut text = format!("Read on {}\n\n", DateTime::<Local>::from(self.at).format("%-d %B %Y at %H:%M"));
        for row in &self.rows {
            text += &format!("{row}\n");
        }
        for (n, turn) in self.dialogue.iter().enumerate() {
            let (gap, who) = match turn.user {
                true => ("\n", "Question"),
                false if n == 0 => ("\n", "Answer"),
                false => ("", "Answer"),
            };
            text += &format!("{gap}{who}: {}\n", turn.text);
        }
        text
    }
}

fn write(to: Option<&Path>, at: SystemTime, text: &str) -> Result<PathBuf, HistoryError> {
    // Without a colon, which some systems do not have in names.
    let name = DateTime::<Local>::from(at).format("Sightread %Y-%m-%d %H.%M.%S.txt").to_string();
    let path = match to {
        Some(folder) if folder.is_dir() => folder.join(name),
        Some(file) => file.into(),
        None => places::documents().ok_or(HistoryError::NoFolder)?.join(name),
    };
    files::add(&path, text.as_bytes()).map_err(|source| HistoryError::Write { path, source })
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::time::Duration;

    use super::*;

    fn rows(text: &str) -> Vec<String> {
        vec!["Corner Shop".into(), text.into()]
    }

    fn noon() -> SystemTime {
        use chrono::TimeZone;
        Local.with_ymd_and_hms(2026, 3, 9, 12, 5, 7).unwrap().into()
    }

    fn turn(user: bool, text: &str) -> Turn {
        Turn { user, text: text.into() }
    }

    #[test]
    fn readings_are_kept_and_found_again() {
        let mut history = History::default();
        let first = history.add(rows("Milk  1.20"));
        assert_eq!(history.add(rows("Milk  1.20")), first, "the same text once more");
        let second = history.add(rows("Bread  2.40"));
        let seen = history.get(first).unwrap().clone();
        history.say(first, turn(true, "How much is the milk?"));
        assert_eq!(seen.dialogue, [], "what was handed out does not change");
        assert_eq!(history.get(first).unwrap().dialogue, [turn(true, "How much is the milk?")]);
        let ids = |history: &History| history.entries().iter().map(|entry| entry.id).collect::<Vec<_>>();
        assert_eq!(ids(&history), [second, first]);

        let (blank, coloured) = (history.add(vec![]), history.add(vec![]));
        assert_ne!(blank, coloured);
        history.say(coloured, turn(false, "It is blue."));
        assert_eq!(ids(&history), [coloured, second, first]);

        history.forget();
        assert_eq!((ids(&history), history.get(first)), (vec![], None));
        history.say(first, turn(false, "1.20"));
        assert!(history.add(rows("Milk  1.20")) > coloured, "numbers are not used again");
    }

    #[test]
    fn the_oldest_is_forgotten_first() {
        let mut history = History::default();
        for n in 0..MOST_ENTRIES + 3 {
            history.add(rows(&n.to_string()));
        }
        assert_eq!((history.entries().len(), history.get(3)), (MOST_ENTRIES, None));
        let newest = history.entries()[0].id;
        for n in 0..MOST_TURNS + 1 {
            history.say(newest, turn(true, &n.to_string()));
        }
        let dialogue = &history.get(newest).unwrap().dialogue;
        assert_eq!((dialogue.len(), dialogue[0].text.as_str()), (MOST_TURNS, "1"));
    }

    #[test]
    fn a_saved_reading_is_a_plain_text_and_replaces_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let mut history = History::default();
        assert!(matches!(history.save_all(Some(folder.path())), Err(HistoryError::Empty)));
        let id = history.add_at(rows("Crème  1,20 € (not sure)"), noon());
        history.say(id, turn(true, "What is the price?"));
        history.say(id, turn(false, "1,20 €."));
        history.say(id, turn(true, "And the shop?"));

        let saved = history.save(id, Some(folder.path())).unwrap();
        assert_eq!(saved.file_name().unwrap(), "Sightread 2026-03-09 12.05.07.txt");
        let text = "Read on 9 March 2026 at 12:05\n\nCorner Shop\nCrème  1,20 € (not sure)\n\n\
            Question: What is the price?\nAnswer: 1,20 €.\n\nQuestion: And the shop?\n";
        assert_eq!(fs::read_to_string(&saved).unwrap(), text);
        let again = history.save(id, Some(folder.path())).unwrap();
        assert_eq!(again.file_name().unwrap(), "Sightread 2026-03-09 12.05.07 2.txt");
        assert_eq!(history.save(id, Some(&saved)).unwrap().file_name().unwrap(), "Sightread 2026-03-09 12.05.07 3.txt");

        history.add_at(rows("Bread"), noon() + Duration::from_secs(60));
        let all = history.save_all(Some(&folder.path().join("new folder/all.txt"))).unwrap();
        let both = format!("{text}\n\nRead on 9 March 2026 at 12:06\n\nCorner Shop\nBread\n");
        assert_eq!(fs::read_to_string(all).unwrap(), both);
    }

    #[test]
    fn what_cannot_be_saved_gets_a_sentence() {
        let folder = tempfile::tempdir().unwrap();
        let mut history = History::default();
        let id = history.add_at(rows("Bread"), noon());
        let file = folder.path().join("file");
        fs::write(&file, "").unwrap();
        let error = history.save(id, Some(&file.join("below.txt"))).unwrap_err().to_string();
        assert!(error.ends_with("below.txt: a file of that name is in the way"), "{error}");
        assert!(matches!(history.save(id + 1, None), Err(HistoryError::Forgotten)));
    }
}
