//! Choosing one of many: a page with a field to narrow the list and one button for each choice. Speech services have
//! thousands of voices; no drop-down list is fit for that.

use eframe::egui::accesskit::Role;

use eframe::egui::{Response, Ui};

use super::languages;
use super::state::Desk;
use super::widgets::{self, Button};
use crate::camera::Source;
use crate::session::{Request, View};

/// More are not shown at once; the field narrows them.
const SHOWN: usize = 60;
/// With fewer there is nothing to narrow.
const FEW: usize = 10;

/// What is being chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Subject {
    Camera,
    Language,
    Voice,
}

/// A choice that is being made.
#[derive(Debug)]
pub(super) struct Picker {
    subject: Subject,
    narrow: String,
}

/// Something that can be chosen.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Value {
    Camera(Source),
    Language(String),
    Voice(String),
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Choice {
    text: String,
    value: Value,
}

impl Picker {
    /// Begins to choose.
    pub(super) fn new(subject: Subject) -> Self {
        Self { subject, narrow: String::new() }
    }

    /// The title of its page.
    pub(super) fn title(&self) -> &'static str {
        match self.subject {
            Subject::Camera => "Choose a camera",
            Subject::Language => "Choose a language",
            Subject::Voice => "Choose a voice",
        }
    }

    fn field(&self) -> &'static str {
        match self.subject {
            Subject::Camera => "Part of the camera's name",
            Subject::Language => "Part of the language's name",
            Subject::Voice => "Part of the voice's name",
        }
    }
}

/// All that can be chosen.
fn choices(subject: Subject, view: &View) -> Vec<Choice> {
    let choice = |text: String, value| Choice { text, value };
    let settings = &view.settings;
    match subject {
        Subject::Camera => {
            let fixed = [("The first camera that works", Source::Auto), ("No camera", Source::None)];
            let fixed = fixed.map(|(text, source)| choice(text.into(), Value::Camera(source)));
            let cameras = view.cameras.iter();
            let cameras = cameras.map(|c| choice(c.name.clone(), Value::Camera(Source::Device(c.id.clone()))));
            fixed.into_iter().chain(cameras).collect()
        }
        Subject::Language => {
            let mut tags: Vec<&str> = view.voices.iter().map(|voice| voice.language.as_str()).collect();
            tags.retain(|tag| !tag.is_empty());
            tags.sort_unstable();
            tags.dedup();
            let mut named: Vec<_> =
                tags.into_iter().map(|tag| choice(languages::name(tag), Value::Language(tag.into()))).collect();
            named.sort_by(|a, b| a.text.cmp(&b.text));
            let first = choice("The language of the system".into(), Value::Language(String::new()));
            [first].into_iter().chain(named).collect()
        }
        Subject::Voice => {
            let speaks = |tag: &str| {
                let primary = languages::primary;
                settings.language.is_empty() || primary(tag).eq_ignore_ascii_case(primary(&settings.language))
            };
            let voices = view.voices.iter().filter(|voice| speaks(&voice.language));
            let named = voices.map(|voice| {
                choice(
                    format!("{}, {}", voice.name, languages::name(&voice.language)),
                    Value::Voice(voice.name.clone()),
                )
            });
            let first = choice("The first voice of the language".into(), Value::Voice(String::new()));
            [first].into_iter().chain(named).collect()
        }
    }
}

/// Those in whose text every typed word occurs.
fn narrowed(choices: Vec<Choice>, typed: &str) -> Vec<Choice> {
    let typed = typed.to_lowercase();
    let words: Vec<&str> = typed.split_whitespace().collect();
    choices
        .into_iter()
        .filter(|choice| {
            let text = choice.text.to_lowercase();
            words.iter().all(|word| text.contains(word))
        })
        .collect()
}

/// The page.
pub(super) fn show(ui: &mut Ui, desk: &mut Desk<'_>) {
    let Some(picker) = &mut desk.state.picker else { return };
    let (subject, title, field) = (picker.subject, picker.title(), picker.field());
    let settings = &desk.view.settings;
    let chosen = match subject {
        Subject::Camera => Value::Camera(settings.camera.clone()),
        Subject::Language => Value::Language(settings.language.clone()),
        Subject::Voice => Value::Voice(settings.voice.clone()),
    };
    desk.title(ui, title);
    let mut back = ui.add(Button::new("Back")).clicked();
    if subject == Subject::Camera && ui.add(Button::new("Look for cameras again")).clicked() {
        desk.out.push(Request::FindCameras);
    }
    let all = choices(subject, desk.view);
    if all.len() > FEW
        && let Some(picker) = &mut desk.state.picker
    {
        widgets::field(ui, field, &mut picker.narrow, "");
    }
    let typed = desk.state.picker.as_ref().map(|picker| picker.narrow.clone()).unwrap_or_default();
    let total = all.len();
    let fitting = narrowed(all, &typed);
    if fitting.len() > SHOWN {
        widgets::text(ui, format!("{} fit; the first {SHOWN} are shown. Type a part of the name.", fitting.len()));
    } else if total > FEW {
        widgets::text(ui, format!("{} of {total} fit.", fitting.len()));
    }
    let pressed = widgets::group(ui, Role::RadioGroup, title, |ui| {
        let mut pressed = None;
        for choice in fitting.into_iter().take(SHOWN) {
            if ui.add(Button::choice(&*choice.text, choice.value == chosen)).clicked() {
                pressed = Some(choice.value);
            }
        }
        pressed
    });
    if let Some(value) = pressed {
        back = true;
        desk.change(|settings| match value {
            Value::Camera(source) => settings.camera = source,
            Value::Language(tag) => {
                // A voice of another language would not speak this one.
                settings.voice.clear();
                settings.language = tag;
            }
            Value::Voice(name) => settings.voice = name,
        });
    }
    if back {
        desk.state.picker = None;
        desk.state.focus_title = true;
    }
}

/// A button that opens the page.
pub(super) fn button(ui: &mut Ui, desk: &mut Desk<'_>, subject: Subject, text: String) -> Response {
    let response = ui.add(Button::new(text));
    if response.clicked() {
        open(desk, subject);
    }
    response
}

/// Opens the page.
pub(super) fn open(desk: &mut Desk<'_>, subject: Subject) {
    desk.state.picker = Some(Picker::new(subject));
    desk.state.focus_title = true;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::Settings;
    use crate::speech::voice::VoiceInfo;

    fn view(language: &str, voices: &[(&str, &str)]) -> View {
        let voice = |(name, language): &(&str, &str)| VoiceInfo { name: (*name).into(), language: (*language).into() };
        let settings = Settings { language: language.into(), ..Settings::default() };
        View {
            settings: settings.into(),
            voices: voices.iter().map(voice).collect::<Vec<_>>().into(),
            ..View::default()
        }
    }

    fn texts(choices: &[Choice]) -> Vec<&str> {
        choices.iter().map(|choice| choice.text.as_str()).collect()
    }

    #[test]
    fn languages_are_offered_once_by_name_and_voices_for_the_language() {
        let voices = [("Alan", "en-GB"), ("Amy", "en-US"), ("Anna", "de"), ("Ben", "en-GB"), ("?", "")];
        let languages = choices(Subject::Language, &view("", &voices));
        assert_eq!(texts(&languages)[1..], ["English (en-GB)", "English (en-US)", "German (de)"]);
        let of_german = choices(Subject::Voice, &view("de-DE", &voices));
        assert_eq!(texts(&of_german), ["The first voice of the language", "Anna, German (de)"]);
        assert_eq!(choices(Subject::Voice, &view("", &voices)).len(), 6, "all, as long as no language is chosen");
    }

    #[test]
    fn every_typed_word_narrows() {
        let voices = [("Alan", "en-GB"), ("Amy", "en-US"), ("Ben", "en-GB")];
        let all = choices(Subject::Voice, &view("en", &voices));
        assert_eq!(texts(&narrowed(all.clone(), " gb ALAN")), ["Alan, English (en-GB)"]);
        assert_eq!(narrowed(all.clone(), "").len(), 4);
        assert_eq!(narrowed(all, "zzz"), []);
    }
}
