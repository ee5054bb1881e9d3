//! The screen for reading: what the camera sees, the text as it is spoken, questions and answers, and every command as
//! a button.

use eframe::egui::accesskit::Role;
use eframe::egui::{Align, Response, Ui, UiBuilder, Vec2, vec2};

use super::Wish;
use super::files::Purpose;
use super::picker::{self, Subject};
use super::preview::{self, Outline};
use super::state::Desk;
use super::widgets::{self, Button, Item};
use crate::assistant::{Command, Screen, understand};
use crate::reading::Quad;
use crate::session::{CameraState, EarState, PageRow, Request};

/// Beside each other: what is seen and done on the left, what is read and answered on the right.
pub(super) fn show_wide(ui: &mut Ui, desk: &mut Desk<'_>) {
    let whole = ui.available_rect_before_wrap();
    let gap = 16.0;
    let width = ((whole.width() - gap) / 2.0).floor();
    let (mut left, mut right) = (whole, whole);
    left.set_width(width);
    right.min.x = whole.max.x - width;
    let height = whole.height();
    ui.scope_builder(UiBuilder::new().max_rect(left), |ui| {
        super::scrolled(ui, "left", |ui| {
            head(ui, desk);
            main_buttons(ui, desk);
            camera(ui, desk, height * 0.45);
            more_buttons(ui, desk);
        });
    });
    ui.scope_builder(UiBuilder::new().max_rect(right), |ui| {
        super::scrolled(ui, "right", |ui| {
            let moved = page(ui, desk, height * 0.4);
            questions(ui, desk, moved);
        });
    });
}

/// Below each other.
pub(super) fn show_narrow(ui: &mut Ui, desk: &mut Desk<'_>) {
    let height = ui.ctx().content_rect().height() * 0.6;
    head(ui, desk);
    main_buttons(ui, desk);
    camera(ui, desk, height);
    let moved = page(ui, desk, height);
    questions(ui, desk, moved);
    more_buttons(ui, desk);
}

fn head(ui: &mut Ui, desk: &mut Desk<'_>) {
    desk.title(ui, Screen::Reader.name());
    match &desk.view.camera {
        CameraState::Off => widgets::text(ui, "No camera is used. Open a picture, or choose a camera."),
        CameraState::Opening => widgets::text(ui, "The camera is being opened…"),
        CameraState::On { name, .. } => widgets::text(ui, format!("Camera: {name}")),
        CameraState::Lost(reason) => {
            widgets::coloured(ui, desk.palette.bad, format!("No picture from the camera: {reason}. I keep trying."))
        }
    };
    if let EarState::Lost(reason) = &desk.view.ear {
        widgets::coloured(ui, desk.palette.bad, format!("I cannot hear you: {reason}. You can type your question."));
    }
}

fn main_buttons(ui: &mut Ui, desk: &mut Desk<'_>) {
    let asking = desk.state.ask.asking();
    let buttons = vec![
        Button::new("Read now").large(),
        Button::toggle("Ask", asking).named("Ask aloud").large(),
        Button::new("Silence").large(),
    ];
    let responses = widgets::flow(ui, buttons);
    let [read, ask, silence] = responses.as_slice() else { return };
    if read.clicked() {
        desk.act(Command::Look);
    }
    ask_button(ui, ask, desk);
    if silence.clicked() {
        desk.act(Command::Stop);
    }
    level(ui, desk);
}

fn ask_button(ui: &Ui, ask: &Response, desk: &mut Desk<'_>) {
    let now = ui.input(|input| input.time);
    let by_pointer = desk.state.ask.pointer(ask.is_pointer_button_down_on(), now);
    // Enter and screen readers click without a pointer.
    let pointer = ui.input(|input| input.pointer.any_released() || input.pointer.any_down());
    let by_press = if ask.clicked() && !pointer { desk.state.ask.press() } else { None };
    if let Some(listen) = by_pointer.or(by_press) {
        desk.out.push(Request::HoldToAsk(listen));
    }
}

/// How loud it is at the microphone, for eyes only: in words it is part of what is under way.
fn level(ui: &mut Ui, desk: &Desk<'_>) {
    let listens = matches!(desk.view.ear, EarState::Listening | EarState::Hearing);
    let Some(level) = desk.view.level.filter(|_| listens) else { return };
    let (_, rect) = ui.allocate_space(vec2(ui.available_width(), 12.0));
    let mut filled = rect;
    // From a quiet room to a loud voice.
    filled.set_width(rect.width() * ((level.loudness + 60.0) / 60.0).clamp(0.0, 1.0));
    ui.painter().rect_filled(rect, 4.0, desk.palette.button);
    ui.painter().rect_filled(filled, 4.0, desk.palette.chosen);
}

/// What the camera sees.
fn camera(ui: &mut Ui, desk: &mut Desk<'_>, height: f32) {
    let Some(preview) = &desk.view.preview else { return };
    let found = match preview.regions.len() {
        0 => "no text".to_string(),
        1 => "1 text region".to_string(),
        n => format!("{n} text regions"),
    };
    let colour = desk.palette.focus;
    let lines = preview.regions.iter().map(|quad| Outline { quad, colour, filled: false });
    let name = format!("Camera picture, {found}");
    preview::show(ui, &mut desk.state.preview, &preview.picture, room(ui, height), &name, lines);
    if let Some(hint) = &preview.hint {
        widgets::coloured(ui, desk.palette.warn, hint);
    }
}

fn room(ui: &Ui, height: f32) -> Vec2 {
    vec2(ui.available_width(), height.max(100.0))
}

fn more_buttons(ui: &mut Ui, desk: &mut Desk<'_>) {
    let torch = match &desk.view.camera {
        CameraState::On { torch, .. } => *torch,
        _ => None,
    };
    widgets::subheading(ui, "Reading aloud");
    press(
        ui,
        desk,
        &[
            ("Read from the top", Command::Read),
            ("Repeat", Command::Again),
            ("Spell", Command::Spell),
            ("Previous line", Command::PreviousLine),
            ("Next line", Command::NextLine),
            ("Slower", Command::Slower),
            ("Faster", Command::Faster),
            ("Quieter", Command::Quieter),
            ("Louder", Command::Louder),
        ],
    );
    widgets::subheading(ui, "The picture");
    let open = ui.add(Button::new("Open picture…"));
    if open.clicked() {
        desk.state.files.choose(Purpose::Picture, ui.ctx());
    }
    path_field(ui, desk);
    press(
        ui,
        desk,
        &[
            ("Copy text", Command::Copy),
            ("Save text", Command::Save),
            ("Colour", Command::Colour),
            ("Light", Command::Light),
        ],
    );
    if let Some(on) = torch
        && ui.add(Button::toggle("Lamp", on)).clicked()
    {
        super::grant(Wish::TurnLamp, ui.ctx(), desk);
    }
    picker::button(ui, desk, Subject::Camera, "Choose a camera…".into());
}

fn press(ui: &mut Ui, desk: &mut Desk<'_>, commands: &[(&str, Command)]) {
    let buttons = commands.iter().map(|(text, _)| Button::new(*text)).collect();
    let responses = widgets::flow(ui, buttons);
    for (response, (_, command)) in responses.iter().zip(commands) {
        if response.clicked() {
            desk.act(command.clone());
        }
    }
}

/// For systems that show no file dialog.
fn path_field(ui: &mut Ui, desk: &mut Desk<'_>) {
    if !desk.state.path_field {
        return;
    }
    widgets::text(ui, "This system shows no file dialog. Type where the picture is, or drop it on this window.");
    let field = widgets::field(ui, "Path of the picture", &mut desk.state.path, "/home/me/letter.jpg");
    let open = ui.add(Button::new("Open this picture")).clicked();
    let path = desk.state.path.trim();
    if (open || widgets::entered(&field)) && !path.is_empty() {
        desk.out.push(Request::OpenPicture(path.into()));
        desk.state.path_field = false;
    }
}

/// The picture that was read and its text; whether it was scrolled to another row.
fn page(ui: &mut Ui, desk: &mut Desk<'_>, height: f32) -> bool {
    let view = desk.view;
    widgets::subheading(ui, "Text");
    let Some(page) = &view.page else {
        widgets::text(ui, "Nothing has been read yet. Press Space, or the button Read now.");
        return false;
    };
    for warning in &page.warnings {
        widgets::coloured(ui, desk.palette.warn, warning);
    }
    let spoken = |at: usize| view.row == Some(at);
    let palette = desk.palette;
    let lines = page.rows.iter().enumerate().flat_map(|(at, row)| {
        let outline = move |quad: &'_ Quad| (*quad, spoken(at));
        row.quads.iter().map(outline)
    });
    let lines: Vec<(Quad, bool)> = lines.collect();
    let outlines = lines.iter().map(|(quad, filled)| Outline {
        quad,
        colour: if *filled { palette.mark } else { palette.focus },
        filled: *filled,
    });
    let name = match page.rows.len() {
        1 => "Picture that was read, 1 line of text".into(),
        n => format!("Picture that was read, {n} lines of text"),
    };
    preview::show(ui, &mut desk.state.page, &page.picture, room(ui, height), &name, outlines);
    if page.rows.is_empty() {
        widgets::text(ui, "There is no text in this picture.");
    }
    let moved = std::mem::replace(&mut desk.state.seen_row, view.row) != view.row;
    widgets::group(ui, Role::List, "Text", |ui| {
        ui.spacing_mut().item_spacing.y = 2.0;
        for (at, row) in page.rows.iter().enumerate() {
            let current = spoken(at).then_some("the current line");
            let item = Item { text: &row.text, current, note: doubt(row) };
            let response = widgets::item(ui, &palette, &item);
            if current.is_some() && moved {
                response.scroll_to_me(Some(Align::Center));
            }
        }
    });
    moved && view.row.is_some()
}

/// Doubt in words, unless the row's own words tell it.
fn doubt(row: &PageRow) -> Option<&'static str> {
    (!row.sure && !row.text.contains("not sure")).then_some("not sure")
}

fn questions(ui: &mut Ui, desk: &mut Desk<'_>, moved: bool) {
    let view = desk.view;
    widgets::subheading(ui, "Questions and answers");
    let turns = view.dialogue.len();
    let more = turns > std::mem::replace(&mut desk.state.seen_turns, turns);
    widgets::group(ui, Role::List, "Questions and answers", |ui| {
        for (at, turn) in view.dialogue.iter().enumerate() {
            let text = format!("{}: {}", if turn.user { "You" } else { "Sightread" }, turn.text);
            let response = widgets::item(ui, &desk.palette, &Item { text: &text, ..Item::default() });
            // One place at a time can be scrolled to, and what is being spoken goes first.
            if more && !moved && at + 1 == turns {
                response.scroll_to_me(None);
            }
        }
    });
    let field = widgets::field(ui, "Your question", &mut desk.state.question, "What is the total?");
    if std::mem::take(&mut desk.state.focus_question) {
        field.request_focus();
    }
    let pressed = ui.add(Button::new("Ask this")).clicked();
    if (pressed || widgets::entered(&field)) && !desk.state.question.trim().is_empty() {
        let typed = std::mem::take(&mut desk.state.question);
        desk.act(typed_command(typed.trim()));
    }
}

/// Typed words are meant: what is no command is a question, however short.
fn typed_command(typed: &str) -> Command {
    match understand(typed) {
        Command::Unclear => Command::Ask(typed.into()),
        command => command,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn typed_words_are_a_command_or_a_question() {
        assert_eq!(typed_command("next line"), Command::NextLine);
        assert_eq!(typed_command("total?"), Command::Ask("total?".into()));
        assert_eq!(typed_command("Who?"), Command::Ask("Who?".into()));
    }

    #[test]
    fn doubt_is_told_once() {
        let row = |text: &str, sure| PageRow { text: text.into(), sure, quads: vec![] };
        assert_eq!(doubt(&row("400 mg", true)), None);
        assert_eq!(doubt(&row("4O0 mg", false)), Some("not sure"));
        assert_eq!(doubt(&row("4O0 (not sure) mg", false)), None);
    }
}
