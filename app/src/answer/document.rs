//! The text of a picture as questions see it: rows from top to bottom.

/// One row of the picture: text boxes side by side, joined by `" | "` where they stand apart.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Row {
    /// The text as it was read.
    pub text: String,
    /// Letter height in pixels, 0 if unknown.
    pub height: f32,
    /// Whether every character was read surely.
    pub sure: bool,
    /// Indices of the reading's lines that the row is made of.
    pub lines: Vec<usize>,
}

/// All rows of a picture.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Document {
    /// From top to bottom in reading order.
    pub rows: Vec<Row>,
    /// The text without layout marks and white space: what answers are checked against.
    flat: Flat,
}

/// Letter height, as a multiple of the median, from which a row counts as big.
const BIG: f32 = 1.5;

impl Document {
    /// A document of these rows; rows without text are left out.
    pub fn new(rows: Vec<Row>) -> Self {
        let rows: Vec<Row> = rows.into_iter().filter(|row| !row.text.trim().is_empty()).collect();
        let flat = Flat::new(rows.iter().map(|row| row.text.as_str()));
        Self { rows, flat }
    }

    /// A document of bare lines, as a test or a plain text file has them.
    pub fn from_lines<'a>(lines: impl IntoIterator<Item = &'a str>) -> Self {
        let row = |(at, text): (usize, &str)| Row { text: text.into(), height: 0.0, sure: true, lines: vec![at] };
        Self::new(lines.into_iter().enumerate().map(row).collect())
    }

    /// The lines of the language model's prompt (`models/starter/recipe/PROMPT.md`): big rows begin with `"# "`.
    pub fn prompt_lines(&self) -> Vec<String> {
        let mut heights: Vec<f32> = self.rows.iter().map(|row| row.height).collect();
        heights.sort_by(f32::total_cmp);
        let median = heights.get(heights.len() / 2).copied().unwrap_or(0.0);
        let mark =
            |row: &Row| if self.rows.len() > 1 && median > 0.0 && row.height >= BIG * median { "# " } else { "" };
        let line = |row: &Row| {
            let words: Vec<&str> = row.text.split_whitespace().collect();
            format!("{}{}", mark(row), words.join(" "))
        };
        self.rows.iter().map(line).collect()
    }

    /// Whether `text` was read: it stands in the picture, white space and layout marks aside.
    pub fn contains(&self, text: &str) -> bool {
        self.flat.find(text).is_some()
    }

    /// Whether `text` was read and is not cut out of a longer word or number on either side.
    pub fn contains_whole(&self, text: &str) -> bool {
        self.flat.find_whole(text)
    }

    /// The rows on which `text` stands, its first occurrence.
    pub fn rows_of(&self, text: &str) -> Vec<usize> {
        self.flat.find(text).map_or(vec![], |chars| {
            let mut rows: Vec<usize> = self.flat.row[chars].to_vec();
            rows.dedup();
            rows
        })
    }
}

/// All characters of all rows but white space and `|`, with the row each stands on.
#[derive(Debug, Clone, PartialEq, Default)]
struct Flat {
    chars: Vec<char>,
    row: Vec<usize>,
    /// Whether white space, a cell border or the beginning of a row stood before the character.
    starts_word: Vec<bool>,
}

impl Flat {
    fn new<'a>(rows: impl Iterator<Item = &'a str>) -> Self {
        let mut flat = Self::default();
        for (row, text) in rows.enumerate() {
            let mut starts = true;
            for c in text.chars() {
                if is_layout(c) {
                    starts = true;
                } else {
                    flat.chars.push(c);
                    flat.row.push(row);
                    flat.starts_word.push(starts);
                    starts = false;
                }
            }
        }
        flat
    }

    fn occurrences<'a>(&'a self, needle: &'a [char]) -> impl Iterator<Item = std::ops::Range<usize>> + 'a {
        let windows = self.chars.windows(needle.len().max(1)).enumerate();
        windows.filter(move |(_, window)| *window == needle).map(|(at, window)| at..at + window.len())
    }

    fn find(&self, text: &str) -> Option<std::ops::Range<usize>> {
        let needle: Vec<char> = text.chars().filter(|&c| !is_layout(c)).collect();
        self.occurrences(&needle).next()
    }

    fn find_whole(&self, text: &str) -> bool {
        let needle: Vec<char> = text.chars().filter(|&c| !is_layout(c)).collect();
        let edge = |at: usize| {
            let (Some(&before), Some(&after)) = (at.checked_sub(1).and_then(|b| self.chars.get(b)), self.chars.get(at))
            else {
                return true;
            };
            let glued = |c: char| c.is_alphanumeric();
            self.starts_word[at]
                || !(glued(before) && glued(after) || continues_number(before, after, self.chars.get(at + 1)))
        };
        self.occurrences(&needle).any(|chars| edge(chars.start) && edge(chars.end))
    }
}

/// Whether a number goes on across the border of `before` and `after`: `12|.50`, `12.|50`.
fn continues_number(before: char, after: char, next: Option<&char>) -> bool {
    let separator = |c: char| matches!(c, '.' | ',' | ':' | '/' | '-');
    before.is_ascii_digit() && separator(after) && next.is_some_and(char::is_ascii_digit)
        || separator(before) && after.is_ascii_digit()
}

fn is_layout(c: char) -> bool {
    c.is_whitespace() || c == '|'
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_found_across_rows_and_cells_and_points_at_its_rows() {
        let document = Document::from_lines(["Milk | £1.20", "Fish", "Fingers 10 pk"]);
        assert!(document.contains("Milk £1.20"));
        assert_eq!(document.rows_of("Fish Fingers"), [1, 2]);
        assert!(!document.contains("Fish Finger 10"));
    }

    #[test]
    fn a_part_of_a_number_is_not_whole() {
        let document = Document::from_lines(["Total | £13.20", "Tel 555-0111"]);
        assert!(document.contains_whole("£13.20") && document.contains_whole("13.20"));
        for part in ["£13", "13.2", "3.20", "20", "555", "0111", "Tot"] {
            assert!(!document.contains_whole(part), "{part}");
        }
    }

    #[test]
    fn big_rows_are_marked_but_never_a_row_alone() {
        let row = |text: &str, height| Row { text: text.into(), height, ..Row::default() };
        let sign = Document::new(vec![row("EXIT", 90.0), row("this way", 20.0), row("push  hard", 20.0)]);
        assert_eq!(sign.prompt_lines(), ["# EXIT", "this way", "push hard"]);
        assert_eq!(Document::new(vec![row("EXIT", 90.0)]).prompt_lines(), ["EXIT"]);
    }
}
