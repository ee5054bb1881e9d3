//! The screen for models: those on this machine, and bringing new ones in.

use std::path::{Path, PathBuf};

use eframe::egui::accesskit::Role;
use eframe::egui::{Response, Ui};

use super::files::Purpose;
use super::state::Desk;
use super::widgets::{self, Button, Item};
use crate::assistant::Screen;
use crate::library::{ImportSource, ImportState, ModelEntry};
use crate::session::Request;
use crate::words;

/// What is being typed about a model to bring in.
#[derive(Debug, Default)]
pub(super) struct ImportForm {
    folder: String,
    repository: String,
    calibration: String,
    /// The network was allowed for the repository that stands in the field.
    network: bool,
    /// What was asked for last; to go on with it.
    last: Option<Request>,
    /// The system shows no file dialogs.
    pub(super) no_dialog: bool,
}

impl ImportForm {
    /// A file was chosen in a dialog.
    pub(super) fn chosen(&mut self, purpose: Purpose, path: &Path) {
        let path = path.to_string_lossy().into_owned();
        match purpose {
            Purpose::Model | Purpose::ModelFile => self.folder = path,
            Purpose::Calibration => self.calibration = path,
            Purpose::Picture => {}
        }
    }

    fn calibration(&self) -> Option<PathBuf> {
        let typed = self.calibration.trim();
        (!typed.is_empty()).then(|| typed.into())
    }
}

/// The page.
pub(super) fn show(ui: &mut Ui, desk: &mut Desk<'_>) {
    desk.title(ui, Screen::Models.name());
    if ui.add(Button::new("Look for models again")).clicked() {
        desk.out.push(Request::FindModels);
    }
    let view = desk.view;
    if view.models.is_empty() {
        widgets::text(ui, "No models were found yet.");
    }
    let palette = desk.palette;
    for model in view.models.iter() {
        widgets::card(ui, &palette, |ui| show_model(ui, desk, model));
    }
    show_import(ui, desk);
    form(ui, desk);
}

fn show_model(ui: &mut Ui, desk: &mut Desk<'_>, model: &ModelEntry) {
    let palette = desk.palette;
    widgets::subheading(ui, &model.name);
    widgets::group(ui, Role::List, &model.name, |ui| {
        for fact in facts(model) {
            widgets::item(ui, &palette, &Item { text: &fact, ..Item::default() });
        }
    });
    if let Some(problem) = &model.problem {
        widgets::coloured(ui, desk.palette.bad, format!("It cannot be used: {problem}"));
        return;
    }
    let chosen = &desk.view.settings.model;
    let used = *chosen == model.name || chosen.is_empty() && model.built_in;
    if !model.answers {
        return;
    }
    let text = if used { "In use" } else { "Use this model" };
    let button = Button::choice(text, used).named(format!("{text}: {}", model.name));
    if ui.add(button).clicked() && !used {
        let name = if model.built_in { String::new() } else { model.name.clone() };
        desk.out.push(Request::UseModel(name));
    }
}

/// What is known of a model, in words.
fn facts(model: &ModelEntry) -> Vec<String> {
    let or_unknown = |words: &[String]| if words.is_empty() { "not told".into() } else { words.join(", ") };
    let mut facts = vec![
        format!("Size: {}", words::size(model.bytes)),
        format!("Languages: {}", or_unknown(&model.languages)),
        format!("Abilities: {}", or_unknown(&model.abilities)),
        format!("Licence: {}", model.licence.as_deref().unwrap_or("not told")),
    ];
    facts.extend(model.quantization.as_ref().map(|how| format!("Quantized: {how}")));
    facts.push(if model.built_in {
        "Comes with the program".into()
    } else {
        format!("Folder: {}", model.folder.display())
    });
    facts
}

/// The import that runs or has ended.
fn show_import(ui: &mut Ui, desk: &mut Desk<'_>) {
    let Some(import) = &desk.view.import else { return };
    let palette = desk.palette;
    widgets::card(ui, &palette, |ui| {
        widgets::subheading(ui, &format!("Bringing in {}", import.name));
        match &import.ended {
            None => {
                let name = format!("{} {}", import.step, import.name);
                widgets::progress(ui, &palette, &name, import.share, &progress_words(import));
                if ui.add(Button::new("Stop")).clicked() {
                    desk.out.push(Request::StopImport);
                }
            }
            Some(Ok(sentence)) => {
                widgets::text(ui, sentence);
            }
            Some(Err(sentence)) => {
                widgets::coloured(ui, palette.bad, sentence);
                if let Some(last) = &desk.state.import.last {
                    widgets::text(ui, "What is done is kept.");
                    if ui.add(Button::new("Go on")).clicked() {
                        desk.out.push(last.clone());
                    }
                }
            }
        }
    });
}

fn progress_words(import: &ImportState) -> String {
    let mut told = format!("{}…", import.step);
    if let Some(share) = import.share {
        told += &format!(" {} percent", (share.clamp(0.0, 1.0) * 100.0).round());
    }
    if let Some(left) = import.left {
        told += &format!(", {} left", words::about(left));
    }
    told
}

/// Where a new model is to be taken from.
fn form(ui: &mut Ui, desk: &mut Desk<'_>) {
    widgets::subheading(ui, "Bring in a model from this machine");
    widgets::text(ui, "A folder in the layout of Hugging Face, or a GGUF file. It is quantized to 4 bit if it is not.");
    if desk.state.import.no_dialog {
        widgets::text(ui, "This system shows no file dialog. Type where it is.");
    }
    let form = &mut desk.state.import;
    let mut wanted = None;
    let folder = widgets::field(ui, "Folder or file", &mut form.folder, "/home/me/models/smollm2");
    let text = ["Choose a folder…", "Choose a file…", "Bring it in"];
    let pressed = widgets::flow(ui, text.map(Button::new).into()).iter().position(Response::clicked);
    if (pressed == Some(2) || widgets::entered(&folder)) && !form.folder.trim().is_empty() {
        wanted = Some(ImportSource::Folder(form.folder.trim().into()));
    }

    widgets::subheading(ui, "Download a model");
    widgets::text(ui, "A repository of huggingface.co. This is the only part of the program that uses the network.");
    let repository = widgets::field(ui, "Repository", &mut form.repository, "HuggingFaceTB/SmolLM2-360M-Instruct");
    if repository.changed() {
        form.network = false;
    }
    widgets::switch(ui, &mut form.network, "Yes, use the network for this");
    let download = ui.add(Button::new("Download it")).clicked() || widgets::entered(&repository);
    let named = !form.repository.trim().is_empty();
    if download && named && form.network {
        wanted = Some(ImportSource::Repository(form.repository.trim().into()));
    } else if named && !form.network {
        widgets::coloured(ui, desk.palette.warn, "Nothing is downloaded before you allow the network.");
    }

    widgets::subheading(ui, "Text to calibrate on");
    widgets::text(ui, "May be left empty: the text that comes with the program is used then.");
    let form = &mut desk.state.import;
    widgets::field(ui, "Text file or JSON lines", &mut form.calibration, "");
    let calibrate = ui.add(Button::new("Choose a text…")).clicked();

    if let Some(from) = wanted {
        let request = Request::Import { from, calibration: form.calibration() };
        form.last = Some(request.clone());
        form.network = false;
        desk.out.push(request);
    }
    let purpose = match pressed {
        Some(0) => Some(Purpose::Model),
        Some(1) => Some(Purpose::ModelFile),
        _ => calibrate.then_some(Purpose::Calibration),
    };
    if let Some(purpose) = purpose {
        desk.state.files.choose(purpose, ui.ctx());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn progress_is_told_in_words() {
        let mut import = ImportState {
            name: "m".into(),
            step: "Quantizing".into(),
            share: Some(0.456),
            left: Some(Duration::from_secs(170)),
            ended: None,
        };
        assert_eq!(progress_words(&import), "Quantizing… 46 percent, about 3 minutes left");
        import.left = Some(Duration::from_secs(3));
        import.share = None;
        assert_eq!(progress_words(&import), "Quantizing…, less than a minute left");
    }

    #[test]
    fn what_is_not_known_is_said() {
        let model = ModelEntry {
            name: "m".into(),
            folder: "/models/m".into(),
            bytes: 1_340_000_000,
            languages: vec![],
            abilities: vec!["reads text".into(), "understands speech".into()],
            answers: false,
            quantization: None,
            licence: None,
            problem: None,
            built_in: false,
        };
        let expected = [
            "Size: 1340 megabytes",
            "Languages: not told",
            "Abilities: reads text, understands speech",
            "Licence: not told",
            "Folder: /models/m",
        ];
        assert_eq!(facts(&model), expected);
    }
}
