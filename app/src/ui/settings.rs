//! The screen for everything that can be chosen. A choice counts at once.

use eframe::egui::{Response, Ui};

use super::languages;
use super::picker::{self, Subject};
use super::state::Desk;
use super::widgets::{self, Button};
use crate::assistant::{Command, Screen};
use crate::camera::Source;
use crate::session::View;
use crate::settings::{Output, Settings, Theme};

const OUTPUTS: [(Output, &str); 4] = [
    (Output::Auto, "As it fits"),
    (Output::OwnVoice, "Own voice"),
    (Output::ScreenReader, "Screen reader"),
    (Output::Both, "Both"),
];

const THEMES: [(Theme, &str); 4] = [
    (Theme::System, "As the system"),
    (Theme::Light, "Light"),
    (Theme::Dark, "Dark"),
    (Theme::HighContrast, "High contrast"),
];

/// The page.
pub(super) fn show(ui: &mut Ui, desk: &mut Desk<'_>) {
    desk.title(ui, Screen::Settings.name());
    look(ui, desk);
    voice(ui, desk);
    listening(ui, desk);
    camera(ui, desk);
    others(ui, desk);
}

fn look(ui: &mut Ui, desk: &mut Desk<'_>) {
    let settings = &desk.view.settings;
    if let Some(theme) = widgets::choices(ui, "Colours", &THEMES, settings.theme) {
        desk.change(|settings| settings.theme = theme);
    }
    let percent = (settings.scale * 100.0).round();
    let step = steps(ui, "Size", &format!("Everything is shown at {percent} percent."), ["Smaller", "Larger"]);
    if let Some(step) = step {
        desk.change(|settings| settings.scale = super::scaled(settings.scale, step));
    }
    let mut full = settings.full_screen;
    if widgets::switch(ui, &mut full, "Full screen") {
        desk.change(|settings| settings.full_screen = full);
    }
}

fn voice(ui: &mut Ui, desk: &mut Desk<'_>) {
    let view = desk.view;
    let settings = &view.settings;
    if let Some(output) = widgets::choices(ui, "Who speaks", &OUTPUTS, settings.output) {
        desk.change(|settings| settings.output = output);
    }
    widgets::text(ui, who_speaks(view));
    let pace = format!("{} on a scale from −100 to 100.", signed(settings.rate));
    match steps(ui, "Pace of the voice", &pace, ["Slower", "Faster"]) {
        Some(..0) => desk.act(Command::Slower),
        Some(_) => desk.act(Command::Faster),
        None => {}
    }
    let loud = format!("{} percent.", settings.volume);
    match steps(ui, "Loudness of the voice", &loud, ["Quieter", "Louder"]) {
        Some(..0) => desk.act(Command::Quieter),
        Some(_) => desk.act(Command::Louder),
        None => {}
    }
    widgets::subheading(ui, "Language and voice");
    if view.voices.is_empty() {
        widgets::text(ui, "The speech service has not told its voices yet.");
    }
    let language =
        if settings.language.is_empty() { "that of the system".into() } else { languages::name(&settings.language) };
    picker::button(ui, desk, Subject::Language, format!("Language: {language}"));
    let voice = if settings.voice.is_empty() { "the first of the language" } else { &settings.voice };
    picker::button(ui, desk, Subject::Voice, format!("Voice: {voice}"));
}

/// What the choice of who speaks comes to now.
fn who_speaks(view: &View) -> &'static str {
    match (view.settings.output, view.screen_reader) {
        (Output::Auto, true) => {
            "A screen reader runs: it says names and short messages; what is read, the own voice says."
        }
        (Output::Auto, false) => "No screen reader runs: the own voice says everything.",
        (Output::OwnVoice, _) => "The own voice says everything.",
        (Output::ScreenReader, true) => "Only the screen reader speaks.",
        (Output::ScreenReader, false) => "Only a screen reader is to speak, but none runs.",
        (Output::Both, _) => "Everything is said by both, twice.",
    }
}

fn listening(ui: &mut Ui, desk: &mut Desk<'_>) {
    widgets::subheading(ui, "Listening");
    toggle(ui, desk, "Listen for commands all the time", |settings| &mut settings.hands_free);
    toggle(ui, desk, "I wear headphones: listen while speaking", |settings| &mut settings.headphones);
}

fn camera(ui: &mut Ui, desk: &mut Desk<'_>) {
    widgets::subheading(ui, "Camera");
    let name = source_name(&desk.view.settings.camera, desk.view);
    picker::button(ui, desk, Subject::Camera, format!("Camera: {name}"));
    toggle(ui, desk, "Read by itself when a text is steady and complete", |settings| &mut settings.auto_capture);
    toggle(ui, desk, "Say how to aim the camera", |settings| &mut settings.guidance);
    widgets::text(ui, "Pictures can also come from a file, a folder or an address on your network.");
    let field = widgets::field(ui, "Other source", &mut desk.state.source, "folder:/home/me/scans");
    if field.changed() {
        desk.state.source_problem = None;
    }
    let pressed = ui.add(Button::new("Use this source")).clicked();
    if (pressed || widgets::entered(&field)) && !desk.state.source.trim().is_empty() {
        match desk.state.source.parse::<Source>() {
            Ok(source) => {
                desk.state.source.clear();
                desk.change(|settings| settings.camera = source);
            }
            Err(problem) => desk.state.source_problem = Some(problem),
        }
    }
    if let Some(problem) = &desk.state.source_problem {
        widgets::coloured(ui, desk.palette.bad, problem);
    }
}

/// A source of pictures as people call it.
fn source_name(source: &Source, view: &View) -> String {
    match source {
        Source::Auto => "the first that works".into(),
        Source::None => "none".into(),
        Source::Device(id) => {
            view.cameras.iter().find(|camera| camera.id == *id).map_or_else(|| id.clone(), |camera| camera.name.clone())
        }
        Source::File(path) => format!("file {}", path.display()),
        Source::Folder(path) => format!("folder {}", path.display()),
        Source::Stream(address) => address.clone(),
    }
}

fn others(ui: &mut Ui, desk: &mut Desk<'_>) {
    let model = &desk.view.settings.model;
    let model = if model.is_empty() { "the one that comes with the program" } else { model };
    widgets::subheading(ui, "Model");
    widgets::text(ui, format!("Questions are answered by {model}."));
    let buttons = widgets::flow(ui, vec![Button::new("Choose a model…"), Button::new("Check everything…")]);
    match buttons.iter().position(Response::clicked) {
        Some(0) => desk.act(Command::Open(Screen::Models)),
        Some(_) => desk.act(Command::Open(Screen::SetUp)),
        None => {}
    }
}

/// A value with a button for less and one for more: −1 or 1 if one was pressed.
fn steps(ui: &mut Ui, name: &str, value: &str, buttons: [&str; 2]) -> Option<i8> {
    widgets::subheading(ui, name);
    widgets::text(ui, value);
    match widgets::flow(ui, buttons.map(Button::new).into()).iter().position(Response::clicked) {
        Some(0) => Some(-1),
        Some(_) => Some(1),
        None => None,
    }
}

fn signed(value: i32) -> String {
    if value < 0 { format!("−{}", value.unsigned_abs()) } else { value.to_string() }
}

fn toggle(ui: &mut Ui, desk: &mut Desk<'_>, name: &str, of: impl Fn(&mut Settings) -> &mut bool) {
    let mut settings = Settings::clone(&desk.view.settings);
    let mut on = *of(&mut settings);
    if widgets::switch(ui, &mut on, name) {
        desk.change(|settings| *of(settings) = on);
    }
}
