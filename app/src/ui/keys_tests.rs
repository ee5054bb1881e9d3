use super::*;

fn key(key: Key, pressed: bool, repeat: bool, modifiers: Modifiers) -> Event {
    Event::Key { key, physical_key: None, pressed, repeat, modifiers }
}

fn down(k: Key) -> Event {
    key(k, true, false, Modifiers::NONE)
}

fn up(k: Key) -> Event {
    key(k, false, false, Modifiers::NONE)
}

/// What a single press means, and whether the event is left to the widgets.
fn press(k: Key, modifiers: Modifiers, focus: Focus) -> (Vec<Wish>, bool) {
    let mut events = vec![key(k, true, false, modifiers)];
    let wishes = Keys::default().take(&mut events, 0.0, focus);
    (wishes, !events.is_empty())
}

fn only(k: Key, modifiers: Modifiers) -> Wish {
    let (wishes, left) = press(k, modifiers, Focus::Nowhere);
    assert!(!left, "{k:?} does not reach the widgets");
    let [wish] = wishes.as_slice() else { panic!("{k:?} means {wishes:?}") };
    wish.clone()
}

const CTRL: Modifiers = Modifiers { ctrl: true, command: true, ..Modifiers::NONE };

#[test]
fn every_key_of_the_help_means_what_it_says() {
    let command = |k| match only(k, Modifiers::NONE) {
        Wish::Do(command) => command,
        other => panic!("{k:?} is {other:?}"),
    };
    assert_eq!(command(Key::ArrowDown), Command::NextLine);
    assert_eq!(command(Key::ArrowUp), Command::PreviousLine);
    assert_eq!(command(Key::R), Command::Again);
    assert_eq!(command(Key::S), Command::Spell);
    assert_eq!(command(Key::Plus), Command::Faster);
    assert_eq!(command(Key::Equals), Command::Faster);
    assert_eq!(command(Key::Minus), Command::Slower);
    assert_eq!(command(Key::PageUp), Command::Louder);
    assert_eq!(command(Key::PageDown), Command::Quieter);
    assert_eq!(command(Key::C), Command::Colour);
    assert_eq!(command(Key::L), Command::Light);
    assert_eq!(command(Key::F1), Command::Help);
    for (k, screen) in [Key::F2, Key::F3, Key::F4, Key::F5, Key::F6, Key::F7].into_iter().zip(Screen::ALL) {
        assert_eq!(command(k), Command::Open(screen));
    }
    for k in [Key::Escape, Key::X, Key::ArrowLeft, Key::Home, Key::F9, Key::Enter, Key::Num1] {
        assert_eq!(command(k), Command::Stop, "{k:?} silences");
    }
    assert_eq!(only(Key::T, Modifiers::NONE), Wish::TurnLamp);
    assert_eq!(only(Key::Q, Modifiers::NONE), Wish::TypeQuestion);
    assert_eq!(only(Key::F11, Modifiers::NONE), Wish::TurnFullScreen);
    assert_eq!(only(Key::O, CTRL), Wish::OpenPicture);
    assert_eq!(only(Key::S, CTRL), Wish::Do(Command::Save));
    assert_eq!(only(Key::ArrowUp, CTRL), Wish::Do(Command::Louder));
    assert_eq!(only(Key::ArrowDown, CTRL), Wish::Do(Command::Quieter));
    assert_eq!(only(Key::Plus, CTRL), Wish::Scale(1));
    assert_eq!(only(Key::Num0, CTRL), Wish::Scale(0));
    assert_eq!(only(Key::Q, CTRL), Wish::Quit);
    assert_eq!(only(Key::Num4, Modifiers::ALT), Wish::Do(Command::Open(Screen::Settings)));
    assert_eq!(Keys::default().take(&mut vec![Event::Copy], 0.0, Focus::Control), [Wish::Do(Command::Copy)]);
}

#[test]
fn space_reads_when_it_was_pressed_briefly() {
    let mut keys = Keys::default();
    assert_eq!(keys.take(&mut vec![down(Key::Space), Event::Text(" ".into())], 1.0, Focus::Control), []);
    assert!(keys.due(1.1).is_some_and(|wait| (wait - 0.3).abs() < 1e-9));
    assert_eq!(keys.take(&mut vec![up(Key::Space)], 1.2, Focus::Control), [Wish::Do(Command::Look)]);
    assert_eq!(keys.due(1.2), None);
    assert_eq!(keys.take(&mut vec![], 9.0, Focus::Control), [], "it is over");
}

#[test]
fn space_asks_as_long_as_it_is_held() {
    let mut keys = Keys::default();
    keys.take(&mut vec![down(Key::Space)], 1.0, Focus::Nowhere);
    let repeat = key(Key::Space, true, true, Modifiers::NONE);
    assert_eq!(keys.take(&mut vec![repeat.clone()], 1.3, Focus::Nowhere), []);
    assert_eq!(keys.take(&mut vec![], 1.41, Focus::Nowhere), [Wish::Listen(true)]);
    assert_eq!(keys.take(&mut vec![repeat], 1.5, Focus::Nowhere), [], "only once");
    assert_eq!(keys.take(&mut vec![up(Key::Space)], 3.0, Focus::Nowhere), [Wish::Listen(false)]);
}

#[test]
fn repeats_that_let_the_key_go_in_between_do_not_confuse_it() {
    let mut keys = Keys::default();
    keys.take(&mut vec![down(Key::Space)], 1.0, Focus::Nowhere);
    assert_eq!(keys.take(&mut vec![up(Key::Space), down(Key::Space)], 1.2, Focus::Nowhere), []);
    let later = keys.take(&mut vec![up(Key::Space), down(Key::Space)], 1.5, Focus::Nowhere);
    assert_eq!(later, [Wish::Listen(true)]);
    assert_eq!(keys.take(&mut vec![up(Key::Space)], 2.0, Focus::Nowhere), [Wish::Listen(false)]);
}

#[test]
fn a_key_of_its_own_asks_at_once_and_a_second_held_key_changes_nothing() {
    let mut keys = Keys::default();
    assert_eq!(keys.take(&mut vec![down(Key::A)], 1.0, Focus::Nowhere), [Wish::Listen(true)]);
    assert_eq!(keys.take(&mut vec![down(Key::Space), up(Key::Space)], 1.1, Focus::Nowhere), []);
    assert_eq!(keys.take(&mut vec![up(Key::A)], 1.2, Focus::Nowhere), [Wish::Listen(false)]);
}

#[test]
fn a_window_that_loses_the_keyboard_listens_no_longer() {
    let mut keys = Keys::default();
    keys.take(&mut vec![down(Key::A)], 1.0, Focus::Nowhere);
    let gone = keys.take(&mut vec![Event::WindowFocused(false)], 1.1, Focus::Nowhere);
    assert_eq!(gone, [Wish::Listen(false)]);
    keys.take(&mut vec![down(Key::Space)], 2.0, Focus::Nowhere);
    assert_eq!(keys.take(&mut vec![Event::WindowFocused(false)], 2.1, Focus::Nowhere), [], "no reading by accident");
    assert_eq!(keys.take(&mut vec![up(Key::Space)], 2.2, Focus::Nowhere), []);
}

#[test]
fn silence_ends_listening_too() {
    let mut keys = Keys::default();
    keys.take(&mut vec![down(Key::A)], 1.0, Focus::Nowhere);
    let wishes = keys.take(&mut vec![down(Key::Escape)], 1.1, Focus::Nowhere);
    assert_eq!(wishes, [Wish::Listen(false), Wish::Do(Command::Stop)]);
}

#[test]
fn a_text_field_keeps_the_keys_that_type() {
    for k in
        [Key::Space, Key::A, Key::R, Key::Minus, Key::ArrowUp, Key::ArrowLeft, Key::Enter, Key::Backspace, Key::Tab]
    {
        assert_eq!(press(k, Modifiers::NONE, Focus::Field), (vec![], true), "{k:?}");
    }
    for k in [Key::A, Key::X, Key::C, Key::Z] {
        assert_eq!(press(k, CTRL, Focus::Field), (vec![], true), "Control and {k:?}");
    }
    assert_eq!(press(Key::Escape, Modifiers::NONE, Focus::Field), (vec![Wish::Do(Command::Stop)], false));
    assert_eq!(press(Key::F1, Modifiers::NONE, Focus::Field), (vec![Wish::Do(Command::Help)], false));
    assert_eq!(press(Key::PageUp, Modifiers::NONE, Focus::Field), (vec![Wish::Do(Command::Louder)], false));
    assert_eq!(press(Key::S, CTRL, Focus::Field), (vec![Wish::Do(Command::Save)], false));
    let mut events = vec![key(Key::Num2, true, false, Modifiers::ALT), Event::Text("2".into())];
    let wishes = Keys::default().take(&mut events, 0.0, Focus::Field);
    assert_eq!(wishes, [Wish::Do(Command::Open(Screen::History))]);
    assert_eq!(events, [], "and types no 2");
}

#[test]
fn enter_presses_the_control_that_has_the_focus_and_space_does_not() {
    assert_eq!(press(Key::Enter, Modifiers::NONE, Focus::Control), (vec![], true));
    assert_eq!(press(Key::Tab, Modifiers::SHIFT, Focus::Control), (vec![], true));
    assert!(!press(Key::Space, Modifiers::NONE, Focus::Control).1);
    let mut events = vec![key(Key::Enter, true, true, Modifiers::NONE)];
    assert_eq!(Keys::default().take(&mut events, 0.0, Focus::Control), []);
    assert_eq!(events, [], "a finger that lies on Enter presses once");
}
