//! Everything without a mouse.

use super::*;
use crate::session::EarState;

const CTRL: Modifiers = Modifiers { ctrl: true, command: true, ..Modifiers::NONE };

fn focused(window: &Window) -> Option<String> {
    nodes(window).iter().find(|node| node.is_focused()).map(name)
}

#[test]
fn tab_reaches_every_control_in_the_order_of_reading() {
    for (view_name, view) in fixtures::all() {
        for size in [[1024.0, 768.0], [800.0, 480.0]] {
            let mut window = sized(view.clone(), size);
            let all: Vec<_> = nodes(&window).iter().filter(|node| can(node, Action::Focus)).map(name).collect();
            let mut reached = vec![];
            for _ in &all {
                key(&mut window, Key::Tab);
                reached.extend(focused(&window));
            }
            assert_eq!(reached, all, "{view_name} at {size:?}");
            key_with(&mut window, Key::Tab, Modifiers::SHIFT);
            assert_eq!(focused(&window), all.iter().rev().nth(1).cloned(), "{view_name}: and back");
        }
    }
}

#[test]
fn enter_presses_what_has_the_focus_and_space_reads() {
    let mut window = window(fixtures::read());
    window.get_by_label("Spell").focus();
    window.run();
    assert_eq!(key(&mut window, Key::Enter), [act(Command::Spell)]);
    assert_eq!(key(&mut window, Key::Space), [act(Command::Look)]);
    assert_eq!(focused(&window).as_deref(), Some("Spell"));
}

#[test]
fn space_that_is_held_asks_while_it_is_held() {
    let mut window = window(fixtures::read());
    window.key_down(Key::Space);
    window.run();
    // A frame of the tests is a quarter of a second.
    window.run_steps(3);
    assert_eq!(asked(&mut window), [Request::HoldToAsk(true)]);
    window.key_up(Key::Space);
    window.run();
    assert_eq!(asked(&mut window), [Request::HoldToAsk(false)]);
}

#[test]
fn arrows_read_lines_and_leave_the_focus_where_it_is() {
    let mut window = window(fixtures::read());
    window.get_by_label("Repeat").focus();
    window.run();
    assert_eq!(key(&mut window, Key::ArrowDown), [act(Command::NextLine)]);
    assert_eq!(key(&mut window, Key::ArrowUp), [act(Command::PreviousLine)]);
    assert_eq!(key(&mut window, Key::ArrowRight), [act(Command::Stop)]);
    assert_eq!(focused(&window).as_deref(), Some("Repeat"));
}

#[test]
fn silence_does_not_lose_the_place() {
    let mut window = window(fixtures::read());
    window.get_by_label("Repeat").focus();
    window.run();
    assert_eq!(key(&mut window, Key::Escape), [act(Command::Stop)]);
    assert_eq!(focused(&window).as_deref(), Some("Repeat"));
}

#[test]
fn a_text_field_types_and_escape_leaves_it() {
    let mut window = window(fixtures::read());
    assert_eq!(key(&mut window, Key::Q), []);
    assert_eq!(focused(&window).as_deref(), Some("Your question"));
    for typed in ["W", "h", "o", " "] {
        window.event(Event::Text(typed.into()));
    }
    assert_eq!(key(&mut window, Key::Space), [], "a space is a space there");
    assert_eq!(window.state().ui.question, "Who ");
    assert_eq!(key(&mut window, Key::Escape), [act(Command::Stop)]);
    assert_ne!(focused(&window).as_deref(), Some("Your question"));
    assert_eq!(key(&mut window, Key::Space), [act(Command::Look)]);
}

#[test]
fn keys_open_screens_and_the_title_gets_the_focus() {
    let mut window = window(fixtures::read());
    assert_eq!(key(&mut window, Key::F5), [act(Command::Open(Screen::Settings))]);
    window.state_mut().view.screen = Screen::Settings;
    window.run();
    assert_eq!(focused(&window).as_deref(), Some("Settings"));
    key(&mut window, Key::Tab);
    assert_eq!(focused(&window).as_deref(), Some("As the system"), "the first control of the screen");
}

#[test]
fn keys_change_the_size_and_the_lamp() {
    let mut window = window(with(fixtures::ready(), |settings| settings.scale = 1.5));
    assert_eq!(changed(&key_with(&mut window, Key::Plus, CTRL)).scale, 1.75);
    assert_eq!(changed(&key_with(&mut window, Key::Num0, CTRL)).scale, 1.0);
    assert!(changed(&key(&mut window, Key::F11)).full_screen);
    assert_eq!(key(&mut window, Key::T), [act(Command::Torch(true))]);
    assert_eq!(key_with(&mut window, Key::Q, CTRL), [Request::Quit]);
}

#[test]
fn the_button_for_asking_is_held_or_pressed_twice() {
    let mut window = window(fixtures::ready());
    assert_eq!(press(&mut window, "Ask aloud"), [Request::HoldToAsk(true)]);
    assert_eq!(press(&mut window, "Ask aloud"), [Request::HoldToAsk(false)]);
    let at = window.get_by_label("Ask aloud").rect().center();
    window.hover_at(at);
    window.drag_at(at);
    window.run_steps(4);
    assert_eq!(asked(&mut window), [Request::HoldToAsk(true)]);
    window.run_steps(3);
    window.drop_at(at);
    window.run();
    assert_eq!(asked(&mut window), [Request::HoldToAsk(false)]);
    window.get_by_label("Ask aloud").click();
    window.run();
    assert_eq!(asked(&mut window), [Request::HoldToAsk(true)], "a brief press leaves it on");
    window.state_mut().view.ear = EarState::Listening;
    window.run();
    window.get_by_label("Listening…");
    window.state_mut().view.ear = EarState::Off;
    window.run();
    assert!(!window.state().ui.ask.asking(), "the question is over");
}

#[test]
fn no_key_is_blocked_by_the_first_run_check() {
    let mut window = window(fixtures::set_up());
    assert_eq!(key(&mut window, Key::Space), [act(Command::Look)]);
    assert_eq!(key(&mut window, Key::F1), [act(Command::Help)]);
}
