//! What the window keeps between two frames, and what a screen draws from.

use eframe::egui::{Context, Id};

use super::announce::Announcer;
use super::ask::AskButton;
use super::files::Files;
use super::keys::{Focus, Keys};
use super::models::ImportForm;
use super::picker::Picker;
use super::preview::Texture;
use super::theme::Palette;
use crate::assistant::{Command, Screen};
use crate::session::{Request, View};
use crate::settings::{Settings, Theme};

/// What is being typed, where the focus is, textures.
#[derive(Default)]
pub struct UiState {
    pub(super) worn: Option<Theme>,
    pub(super) keys: Keys,
    pub(super) ask: AskButton,
    pub(super) announcer: Announcer,
    pub(super) files: Files,
    pub(super) preview: Texture,
    pub(super) page: Texture,
    /// The question that is being typed.
    pub(super) question: String,
    /// The path of a picture that is being typed, where no file dialog can be shown.
    pub(super) path: String,
    pub(super) path_field: bool,
    /// A source of pictures that is being typed, and what is wrong with it.
    pub(super) source: String,
    pub(super) source_problem: Option<String>,
    pub(super) import: ImportForm,
    pub(super) picker: Option<Picker>,
    /// It was asked whether everything is to be forgotten.
    pub(super) forgetting: bool,
    /// The title of the screen is to get the focus.
    pub(super) focus_title: bool,
    pub(super) focus_question: bool,
    /// The row that was scrolled to, and how many turns there were.
    pub(super) seen_row: Option<usize>,
    pub(super) seen_turns: usize,
    screen: Option<Screen>,
    clip: u64,
    focused: Option<Id>,
    in_field: bool,
}

impl UiState {
    /// Follows what happened behind the window since the last frame.
    pub(super) fn follow(&mut self, ctx: &Context, view: &View) {
        if self.screen != Some(view.screen) {
            // The first screen is simply there; a screen that was opened begins with its title.
            self.focus_title |= self.screen.is_some();
            self.screen = Some(view.screen);
            self.picker = None;
            self.forgetting = false;
        }
        self.ask.follow(&view.ear);
        if let Some(clip) = &view.clipboard
            && clip.number != self.clip
        {
            self.clip = clip.number;
            ctx.copy_text(clip.text.clone());
        }
    }

    /// What has the keyboard. Escape takes the focus away before anybody is asked, so that what was is remembered.
    pub(super) fn focus(&self, ctx: &Context) -> Focus {
        let focused = ctx.memory(|memory| memory.focused());
        match focused.or(self.focused) {
            None => Focus::Nowhere,
            Some(_) if focused.is_none() && self.in_field => Focus::Field,
            Some(_) if focused.is_some() && ctx.text_edit_focused() => Focus::Field,
            Some(_) => Focus::Control,
        }
    }

    /// Escape leaves a text field, but whoever only silences the voice does not lose the place; arrows read lines and
    /// do not move the focus.
    pub(super) fn hold_focus(&self, ctx: &Context, focus: Focus) {
        if focus == Focus::Field {
            return;
        }
        ctx.memory_mut(|memory| {
            if memory.focused().is_none()
                && let Some(id) = self.focused
            {
                memory.request_focus(id);
            }
        });
        let arrows = [
            eframe::egui::Key::ArrowUp,
            eframe::egui::Key::ArrowDown,
            eframe::egui::Key::ArrowLeft,
            eframe::egui::Key::ArrowRight,
        ];
        let arrow = ctx.input(|input| {
            let raw = &input.raw.events;
            raw.iter().any(
                |event| matches!(event, eframe::egui::Event::Key { key, pressed: true, .. } if arrows.contains(key)),
            )
        });
        if arrow {
            ctx.memory_mut(|memory| memory.move_focus(eframe::egui::FocusDirection::None));
        }
    }

    /// To be called when everything is drawn.
    pub(super) fn remember_focus(&mut self, ctx: &Context) {
        self.focused = ctx.memory(|memory| memory.focused());
        self.in_field = ctx.text_edit_focused();
    }
}

/// What a screen draws from, and what it writes to.
pub(super) struct Desk<'a> {
    pub(super) view: &'a View,
    pub(super) state: &'a mut UiState,
    pub(super) palette: Palette,
    pub(super) out: &'a mut Vec<Request>,
}

impl Desk<'_> {
    /// Has the assistant do something.
    pub(super) fn act(&mut self, command: Command) {
        self.out.push(Request::Do(command));
    }

    /// Changes settings.
    pub(super) fn change(&mut self, change: impl FnOnce(&mut Settings)) {
        let mut settings = Settings::clone(&self.view.settings);
        change(&mut settings);
        if settings != *self.view.settings {
            self.out.push(Request::Change(Box::new(settings)));
        }
    }

    /// The page that is shown, for what is remembered of it.
    pub(super) fn page_name(&self) -> String {
        match &self.state.picker {
            Some(picker) => picker.title().into(),
            None => self.view.screen.name().into(),
        }
    }

    /// The title of the page; it gets the focus when the page was just opened.
    pub(super) fn title(&mut self, ui: &mut eframe::egui::Ui, text: &str) {
        let title = super::widgets::title(ui, text);
        if std::mem::take(&mut self.state.focus_title) {
            title.request_focus();
            title.scroll_to_me(None);
        }
    }
}
