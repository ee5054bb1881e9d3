//! The screen for what was read and asked before.

use chrono::{DateTime, Local};
use eframe::egui::accesskit::Role;
use eframe::egui::{Response, Ui};

use super::state::Desk;
use super::widgets::{self, Button, Item};
use crate::assistant::{Command, Screen};
use crate::history::Entry;
use crate::session::Request;

/// Rows of a reading that are shown; the rest is behind "Open again".
const ROWS: usize = 4;

/// The page.
pub(super) fn show(ui: &mut Ui, desk: &mut Desk<'_>) {
    let view = desk.view;
    desk.title(ui, Screen::History.name());
    if view.history.is_empty() {
        widgets::text(ui, "Nothing has been read yet. What you read is kept here until the program ends.");
        return;
    }
    widgets::text(ui, "Kept in memory until the program ends, unless you save it.");
    forget(ui, desk);
    let now = Local::now();
    for entry in &view.history {
        widgets::card(ui, &desk.palette.clone(), |ui| show_entry(ui, desk, entry, now));
    }
}

fn forget(ui: &mut Ui, desk: &mut Desk<'_>) {
    if !desk.state.forgetting {
        desk.state.forgetting = ui.add(Button::new("Forget all readings…")).clicked();
        return;
    }
    widgets::text(ui, "Forget everything that was read? This cannot be undone.");
    let buttons = widgets::flow(ui, vec![Button::new("Forget everything"), Button::new("Keep it")]);
    if buttons.first().is_some_and(Response::clicked) {
        desk.out.push(Request::ForgetHistory);
    }
    desk.state.forgetting = !buttons.iter().any(Response::clicked);
}

fn show_entry(ui: &mut Ui, desk: &mut Desk<'_>, entry: &Entry, now: DateTime<Local>) {
    let title = title(entry, now);
    widgets::subheading(ui, &title);
    let palette = desk.palette;
    widgets::group(ui, Role::List, &title, |ui| {
        for row in entry.rows.iter().take(ROWS) {
            widgets::item(ui, &palette, &Item { text: row, ..Item::default() });
        }
        if entry.rows.len() > ROWS {
            let more = format!("and {} more lines", entry.rows.len() - ROWS);
            widgets::item(ui, &palette, &Item { text: &more, ..Item::default() });
        }
        for turn in &entry.dialogue {
            let text = format!("{}: {}", if turn.user { "You" } else { "Sightread" }, turn.text);
            widgets::item(ui, &palette, &Item { text: &text, ..Item::default() });
        }
    });
    let buttons = vec![
        Button::new("Open again").named(format!("Open again: {title}")),
        Button::new("Save as text").named(format!("Save as text: {title}")),
    ];
    match widgets::flow(ui, buttons).iter().position(Response::clicked) {
        Some(0) => {
            desk.out.push(Request::Recall(entry.id));
            desk.act(Command::Open(Screen::Reader));
        }
        Some(_) => desk.out.push(Request::Save { id: entry.id, to: None }),
        None => {}
    }
}

/// When it was, and how it begins.
fn title(entry: &Entry, now: DateTime<Local>) -> String {
    let at = DateTime::<Local>::from(entry.at);
    let format = if at.date_naive() == now.date_naive() { "%H:%M" } else { "%-d %B, %H:%M" };
    let when = at.format(format);
    let first = entry.rows.iter().find(|row| !row.trim().is_empty());
    first.map_or_else(|| format!("{when}: no text"), |row| format!("{when}: {}", beginning(row)))
}

fn beginning(row: &str) -> String {
    const LONGEST: usize = 40;
    match row.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", row[..end].trim_end()),
        None => row.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::TimeZone;

    #[test]
    fn a_reading_is_called_by_its_time_and_its_first_words() {
        let at = |day, hour, minute| Local.with_ymd_and_hms(2026, 3, day, hour, minute, 7).unwrap();
        let entry = |rows: &[&str]| Entry {
            id: 1,
            at: at(9, 14, 5).into(),
            rows: rows.iter().map(|row| (*row).into()).collect(),
            dialogue: vec![],
        };
        let now = at(9, 16, 0);
        assert_eq!(title(&entry(&[" ", "EXIT A1"]), now), "14:05: EXIT A1");
        assert_eq!(title(&entry(&[]), now), "14:05: no text");
        let long = "é".repeat(60);
        assert_eq!(title(&entry(&[&long]), at(10, 1, 0)), format!("9 March, 14:05: {}…", "é".repeat(40)));
    }
}
