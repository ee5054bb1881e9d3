//! The screen for help: what the keys do, and what can be said.

use eframe::egui::Ui;
use eframe::egui::accesskit::Role;

use super::keys;
use super::state::Desk;
use super::widgets::{self, Button, Item};
use crate::assistant::{Command, Screen};

/// What can be said, and what it does. There are more ways to say each.
const SPOKEN: [(&str, &str); 15] = [
    ("look", "takes a new picture and reads it"),
    ("read it", "reads from the top"),
    ("next line", "the line below; also: previous line"),
    ("again", "says the last thing once more"),
    ("spell that", "spells the last thing"),
    ("slower", "and faster, louder, quieter"),
    ("what colour is it", "names the colour in the middle"),
    ("is the light on", "tells how light it is"),
    ("lamp on", "and lamp off: the lamp of the camera"),
    ("copy it", "puts the text into the clipboard"),
    ("save it", "saves the text as a file"),
    ("open settings", "and the other screens by their names"),
    ("help", "tells what can be said"),
    ("stop", "silence"),
    ("quit", "ends the program"),
];

/// The page.
pub(super) fn show(ui: &mut Ui, desk: &mut Desk<'_>) {
    desk.title(ui, Screen::Help.name());
    widgets::text(ui, "Press Space to read what the camera sees. Hold Space and ask. Any other key is silence.");
    if ui.add(Button::new("Speak the help")).clicked() {
        desk.act(Command::Help);
    }
    list(ui, desk, "Keys", &keys::HELP, |key, does| format!("{key}: {does}"));
    list(ui, desk, "What you can say", &SPOKEN, |words, does| format!("“{words}”: {does}"));
    widgets::text(ui, "Anything else that you say is a question about the picture.");
}

fn list(ui: &mut Ui, desk: &Desk<'_>, name: &str, rows: &[(&str, &str)], line: impl Fn(&str, &str) -> String) {
    widgets::subheading(ui, name);
    widgets::group(ui, Role::List, name, |ui| {
        ui.spacing_mut().item_spacing.y = 2.0;
        for (what, does) in rows {
            widgets::item(ui, &desk.palette, &Item { text: &line(what, does), ..Item::default() });
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::assistant::understand;

    #[test]
    fn everything_that_the_help_offers_is_understood() {
        for (words, _) in SPOKEN {
            let command = understand(words);
            assert!(!matches!(command, Command::Unclear | Command::Ask(_)), "{words:?} is {command:?}");
        }
    }
}
