//! The screen for the first run: five checks, each with a sentence and what to do, and a test reading. It stands in
//! nobody's way: every key works while it is open.

use eframe::egui::accesskit::Role;
use eframe::egui::{Response, Ui};

use super::state::Desk;
use super::widgets::{self, Button};
use crate::assistant::{Command, Screen};
use crate::session::Request;
use crate::setup::{Check, Outcome};
use crate::words::sentence;

/// The receipt of the test reading.
const SAMPLE: &[u8] = include_bytes!("../../../assets/samples/receipt.jpg");

/// The page.
pub(super) fn show(ui: &mut Ui, desk: &mut Desk<'_>) {
    let view = desk.view;
    desk.title(ui, Screen::SetUp.name());
    widgets::text(ui, "Five things are checked: camera, microphone, loudspeaker, voice and model.");
    if view.checks.is_empty() {
        widgets::text(ui, "Nothing has been checked yet.");
    }
    let palette = desk.palette;
    widgets::group(ui, Role::List, "Checks", |ui| {
        for check in &view.checks {
            widgets::card(ui, &palette, |ui| show_check(ui, desk, check));
        }
    });
    let check = if view.checks.is_empty() { "Check now" } else { "Check again" };
    let texts = [check, "Test reading", "Finish"];
    match widgets::flow(ui, texts.map(Button::new).into()).iter().position(Response::clicked) {
        Some(0) => desk.out.push(Request::Check),
        Some(1) => desk.out.push(Request::TakePicture(SAMPLE.to_vec())),
        Some(_) => {
            desk.change(|settings| settings.set_up = true);
            desk.act(Command::Open(Screen::Reader));
        }
        None => {}
    }
    test_reading(ui, desk);
}

fn show_check(ui: &mut Ui, desk: &Desk<'_>, check: &Check) {
    let name = check.part.name();
    match &check.outcome {
        Outcome::Running => {
            widgets::subheading(ui, &format!("{name}: being checked…"));
        }
        Outcome::Works(found) => {
            widgets::subheading(ui, &format!("{name}: works"));
            widgets::text(ui, sentence(found));
        }
        Outcome::Problem { what, remedy } => {
            widgets::subheading(ui, &format!("{name}: a problem"));
            widgets::coloured(ui, desk.palette.bad, sentence(what));
            widgets::text(ui, format!("What to do: {}", sentence(remedy)));
        }
    }
}

/// What came of the test reading, for those who watch.
fn test_reading(ui: &mut Ui, desk: &Desk<'_>) {
    widgets::text(ui, "The test reading reads a receipt that comes with the program, aloud.");
    let Some(page) = desk.view.page.as_ref().filter(|page| !page.rows.is_empty()) else { return };
    widgets::subheading(ui, "Read last");
    let palette = desk.palette;
    widgets::group(ui, Role::List, "Read last", |ui| {
        for (at, row) in page.rows.iter().enumerate() {
            let current = (desk.view.row == Some(at)).then_some("the current line");
            widgets::item(ui, &palette, &widgets::Item { text: &row.text, current, note: None });
        }
    });
}
