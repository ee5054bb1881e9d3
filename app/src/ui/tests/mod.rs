//! The window without a window: every screen is drawn, read like a screen reader reads it, and pressed.

mod accessible;
mod contrast;
mod keyboard;
mod layout;
mod reader;
mod screens;

use eframe::egui::{Event, Key, Modifiers, accesskit::Action};
use egui_kittest::kittest::{NodeT, Queryable};
use egui_kittest::{Harness, Node};

use super::fixtures;
use super::{UiState, draw};
use crate::assistant::{Command, Screen};
use crate::session::{Request, View};
use crate::settings::{Settings, Theme};

/// A view, the window's state, and what was asked for.
struct Stage {
    view: View,
    ui: UiState,
    out: Vec<Request>,
}

type Window = Harness<'static, Stage>;

/// A large window with a view.
fn window(view: View) -> Window {
    sized(view, [1024.0, 768.0])
}

fn sized(view: View, size: [f32; 2]) -> Window {
    let stage = Stage { view, ui: UiState::default(), out: vec![] };
    // Nobody has every font.
    let builder = Harness::builder().with_size(size).with_max_steps(8).allow_missing_glyphs();
    let mut window = builder.build_ui_state(|ui, stage| draw(ui, &stage.view, &mut stage.ui, &mut stage.out), stage);
    window.run();
    window
}

fn with(view: View, change: impl FnOnce(&mut Settings)) -> View {
    let mut settings = Settings::clone(&view.settings);
    change(&mut settings);
    View { settings: settings.into(), ..view }
}

/// What was asked for since the last time.
fn asked(window: &mut Window) -> Vec<Request> {
    std::mem::take(&mut window.state_mut().out)
}

/// Presses the control of that name as a screen reader does; what is asked for then.
fn press(window: &mut Window, name: &str) -> Vec<Request> {
    asked(window);
    window.get_by_label(name).click_accesskit();
    window.run();
    asked(window)
}

fn key(window: &mut Window, key: Key) -> Vec<Request> {
    key_with(window, key, Modifiers::NONE)
}

fn key_with(window: &mut Window, key: Key, modifiers: Modifiers) -> Vec<Request> {
    asked(window);
    for pressed in [true, false] {
        window.event(Event::Key { key, physical_key: None, pressed, repeat: false, modifiers });
    }
    window.run();
    asked(window)
}

fn act(command: Command) -> Request {
    Request::Do(command)
}

/// The settings that were asked for.
fn changed(requests: &[Request]) -> Settings {
    let [Request::Change(settings)] = requests else { panic!("{requests:?} is no change") };
    Settings::clone(settings)
}

/// All nodes that a screen reader can come to.
fn nodes(window: &Window) -> Vec<Node<'_>> {
    window.root().children_recursive().collect()
}

fn can(node: &Node<'_>, action: Action) -> bool {
    node.accesskit_node().data().supports_action(action)
}

fn name(node: &Node<'_>) -> String {
    // The name of a plain text is its value.
    let node = node.accesskit_node();
    node.label().or_else(|| node.value()).unwrap_or_default()
}
