//! The window: a pure view of a session. [`draw`] shows a [`View`] and collects [`Request`]s; what it keeps between two
//! frames is what is being typed, where the focus and the scroll bars are, and textures.
//!
//! Every control has a name, a role and a state for screen readers, is reached with Tab in reading order, is at least 48
//! points large and readable at 100 to 300 %. [`keys`] says what the keys do, [`theme`] what it looks like.

mod announce;
mod app;
mod ask;
mod files;
mod help;
mod history;
mod keys;
mod languages;
mod models;
mod picker;
mod preview;
mod reader;
mod set_up;
mod settings;
mod state;
pub mod theme;
mod widgets;

use std::time::Duration;

use eframe::egui::accesskit::Role;
use eframe::egui::{CentralPanel, Context, Event, Frame, Margin, Panel, Response, ScrollArea, Ui, accesskit_root_id};

pub use app::{Host, Options, Wake, WindowError, run};
use keys::Wish;
use state::Desk;
pub use state::UiState;

use crate::assistant::{Command, Screen};
use crate::session::{CameraState, EarState, Request, View, Work};
use crate::settings::Settings;
use widgets::Button;

/// Steps of the size of everything.
const SCALE_STEP: f32 = 0.25;
/// Below this size of the window there is one page to scroll, and nothing stands still at its edges.
const ROOMY: [f32; 2] = [720.0, 600.0];

/// Draws the window and collects what the user wants.
pub fn draw(ui: &mut Ui, view: &View, state: &mut UiState, out: &mut Vec<Request>) {
    let ctx = ui.ctx().clone();
    let palette = theme::apply(&ctx, view.settings.theme, &mut state.worn);
    ui.set_style(ctx.global_style());
    set_scale(&ctx, view.settings.scale);
    ctx.accesskit_node_builder(accesskit_root_id(), |root| root.set_label("Sightread"));
    state.follow(&ctx, view);
    let mut desk = Desk { view, state, palette, out };
    take_keys(&ctx, &mut desk);
    take_files(&ctx, &mut desk);

    let room = ui.available_size();
    if room.x >= ROOMY[0] && room.y >= ROOMY[1] {
        let edge = Frame::new().inner_margin(Margin::symmetric(12, 8)).fill(palette.page);
        Panel::top("screens").frame(edge).resizable(false).show(ui, |ui| tabs(ui, &mut desk));
        Panel::bottom("status").frame(edge).resizable(false).show(ui, |ui| status(ui, &mut desk));
        CentralPanel::default_margins().frame(page(&desk)).show(ui, |ui| {
            if desk.view.screen == Screen::Reader && desk.state.picker.is_none() {
                reader::show_wide(ui, &mut desk);
            } else {
                scrolled(ui, &desk.page_name(), |ui| screen(ui, &mut desk));
            }
        });
    } else {
        CentralPanel::default_margins().frame(page(&desk)).show(ui, |ui| {
            scrolled(ui, &desk.page_name(), |ui| {
                screen(ui, &mut desk);
                status(ui, &mut desk);
                widgets::subheading(ui, "Screens");
                tabs(ui, &mut desk);
            });
        });
    }
    widgets::focus_ring(ui, &palette);
    desk.state.remember_focus(&ctx);
}

fn page(desk: &Desk<'_>) -> Frame {
    Frame::new().inner_margin(Margin::symmetric(12, 8)).fill(desk.palette.page)
}

fn set_scale(ctx: &Context, scale: f32) {
    let scale = if scale.is_finite() { scale.clamp(1.0, 3.0) } else { 1.0 };
    if (ctx.zoom_factor() - scale).abs() > 1e-3 {
        ctx.set_zoom_factor(scale);
    }
}

/// Everything below each other; each page remembers how far it was scrolled.
fn scrolled<R>(ui: &mut Ui, name: &str, contents: impl FnOnce(&mut Ui) -> R) -> R {
    let area = ScrollArea::vertical().id_salt(name).auto_shrink([false, false]);
    let shown = area.show(ui, |ui| {
        // Room for the focus ring beside what touches the edge.
        Frame::new().inner_margin(Margin { left: 6, right: 6, top: 6, bottom: 12 }).show(ui, contents).inner
    });
    if shown.content_size.y > shown.inner_rect.height() {
        // egui gives its bar a role but no name; the number is that of the vertical direction.
        let bar = shown.id.with(1_usize);
        ui.ctx().accesskit_node_builder(bar, |node| node.set_label(format!("Scroll bar, {name}")));
    }
    shown.inner
}

fn screen(ui: &mut Ui, desk: &mut Desk<'_>) {
    if desk.state.picker.is_some() {
        return picker::show(ui, desk);
    }
    match desk.view.screen {
        Screen::Reader => reader::show_narrow(ui, desk),
        Screen::History => history::show(ui, desk),
        Screen::Models => models::show(ui, desk),
        Screen::Settings => settings::show(ui, desk),
        Screen::SetUp => set_up::show(ui, desk),
        Screen::Help => help::show(ui, desk),
    }
}

fn tabs(ui: &mut Ui, desk: &mut Desk<'_>) {
    let buttons = Screen::ALL.map(|screen| Button::tab(screen.name(), screen == desk.view.screen)).into();
    let pressed = widgets::group(ui, Role::TabList, "Screens", |ui| {
        widgets::flow(ui, buttons).iter().position(Response::clicked)
    });
    if let Some(screen) = pressed.and_then(|at| Screen::ALL.get(at)) {
        desk.state.picker = None;
        desk.state.focus_title = true;
        desk.act(Command::Open(*screen));
    }
}

/// What is under way, the newest message and the sentence that is being spoken.
fn status(ui: &mut Ui, desk: &mut Desk<'_>) {
    let view = desk.view;
    ui.horizontal_wrapped(|ui| {
        ui.spacing_mut().interact_size.y = 0.0;
        ui.strong(under_way(view));
        desk.state.announcer.show(ui, &view.status);
    });
    if let Some(reason) = &view.voice_lost {
        let palette = desk.palette;
        widgets::coloured(ui, palette.bad, format!("I cannot speak: {reason}. I go on in writing and keep trying."));
    }
    if let Some(sentence) = &view.speaking
        && *sentence != view.status.text
    {
        widgets::text(ui, format!("Speaking: {sentence}"));
    }
}

/// What is being done, in words.
fn under_way(view: &View) -> &'static str {
    match (&view.ear, view.work) {
        (EarState::Hearing, _) => "I hear you…",
        (_, Some(Work::Starting)) => "Starting…",
        (_, Some(Work::Reading)) => "Reading…",
        (_, Some(Work::Understanding)) => "Understanding what you said…",
        (_, Some(Work::Answering)) => "Answering…",
        (EarState::Listening, None) => "Listening…",
        _ if view.speaking.is_some() => "Speaking.",
        _ => "Ready.",
    }
}

fn take_keys(ctx: &Context, desk: &mut Desk<'_>) {
    let now = ctx.input(|input| input.time);
    let focus = desk.state.focus(ctx);
    let state = &mut *desk.state;
    let wishes = ctx.input_mut(|input| state.keys.take(&mut input.events, now, focus));
    state.hold_focus(ctx, focus);
    if let Some(wait) = state.keys.due(now) {
        ctx.request_repaint_after(Duration::from_secs_f64(wait));
    }
    for wish in wishes {
        grant(wish, ctx, desk);
    }
}

fn grant(wish: Wish, ctx: &Context, desk: &mut Desk<'_>) {
    match wish {
        Wish::Do(Command::Open(screen)) => {
            desk.state.picker = None;
            desk.state.focus_title = true;
            desk.act(Command::Open(screen));
        }
        Wish::Do(command) => desk.act(command),
        Wish::Listen(on) => desk.out.push(Request::HoldToAsk(on)),
        Wish::TurnLamp => {
            let on = matches!(desk.view.camera, CameraState::On { torch: Some(true), .. });
            desk.act(Command::Torch(!on));
        }
        Wish::OpenPicture => desk.state.files.choose(files::Purpose::Picture, ctx),
        Wish::TypeQuestion => {
            desk.state.picker = None;
            desk.state.focus_question = true;
            if desk.view.screen != Screen::Reader {
                desk.act(Command::Open(Screen::Reader));
            }
        }
        Wish::Scale(step) => desk.change(|settings| settings.scale = scaled(settings.scale, step)),
        Wish::TurnFullScreen => desk.change(|settings| settings.full_screen = !settings.full_screen),
        Wish::Quit => desk.out.push(Request::Quit),
    }
}

fn scaled(scale: f32, step: i8) -> f32 {
    if step == 0 { Settings::default().scale } else { (scale + f32::from(step) * SCALE_STEP).clamp(1.0, 3.0) }
}

/// Files that were chosen, dropped or pasted.
fn take_files(ctx: &Context, desk: &mut Desk<'_>) {
    if let Some(chosen) = desk.state.files.poll() {
        match chosen {
            files::Chosen::File(files::Purpose::Picture, path) => desk.out.push(Request::OpenPicture(path)),
            files::Chosen::File(purpose, path) => desk.state.import.chosen(purpose, &path),
            files::Chosen::NoDialog(files::Purpose::Picture) => desk.state.path_field = true,
            files::Chosen::NoDialog(_) => desk.state.import.no_dialog = true,
        }
    }
    let in_field = ctx.text_edit_focused();
    ctx.input(|input| {
        let dropped = input.raw.dropped_files.iter().map(|file| Request::OpenPicture(file.path().into()));
        desk.out.extend(dropped);
        let pasted = input.events.iter().filter_map(|event| match event {
            Event::PasteImage(image) => files::encoded(image).map(Request::TakePicture),
            Event::Paste(text) if !in_field => files::path_in(text).map(Request::OpenPicture),
            _ => None,
        });
        desk.out.extend(pasted);
    });
}

#[cfg(test)]
#[path = "../../examples/gallery/fixtures.rs"]
mod fixtures;
#[cfg(test)]
mod tests;
