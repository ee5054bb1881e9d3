//! The status line: words for eyes, and a live region for screen readers.

use eframe::egui::accesskit::{Live, Role};
use eframe::egui::{Label, Ui};

use crate::session::Status;

/// Remembers what was announced last.
#[derive(Debug, Default)]
pub struct Announcer {
    number: u64,
    text: String,
    /// The same words are said once more.
    again: bool,
}

impl Announcer {
    /// The name of the live region. Screen readers speak when it changes; words that are said twice differ by a space at
    /// their end that nobody hears.
    fn name(&mut self, status: &Status) -> String {
        if status.number != self.number {
            self.again = status.text == self.text && !self.again;
            self.number = status.number;
            self.text.clone_from(&status.text);
        }
        match status.text.as_str() {
            // A thing without a name would be read as its role alone.
            "" => "No message".into(),
            text if self.again => format!("{text}\u{a0}"),
            text => text.into(),
        }
    }

    /// Shows the newest message.
    pub(super) fn show(&mut self, ui: &mut Ui, status: &Status) {
        let name = self.name(status);
        let response = ui.add(Label::new(&status.text).wrap());
        ui.ctx().accesskit_node_builder(response.id, |node| {
            node.set_role(Role::Status);
            node.clear_value();
            node.set_label(name);
            node.set_live(match (status.announce, status.urgent) {
                (false, _) => Live::Off,
                (true, false) => Live::Polite,
                (true, true) => Live::Assertive,
            });
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_words_said_again_are_another_name() {
        let mut announcer = Announcer::default();
        let mut say =
            |number, text: &str| announcer.name(&Status { number, text: text.into(), urgent: false, announce: true });
        let first = say(1, "I see no text.");
        assert_eq!(first, "I see no text.");
        assert_eq!(say(1, "I see no text."), first, "a frame later it is the same message");
        let second = say(2, "I see no text.");
        assert_ne!(second, first);
        assert_eq!(second.trim_end_matches('\u{a0}'), first);
        assert_eq!(say(3, "I see no text."), first);
        assert_eq!(say(4, "Reading."), "Reading.");
    }
}
