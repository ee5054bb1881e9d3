//! The screen for reading.

use std::sync::Arc;

use eframe::egui::OutputCommand;

use super::*;
use crate::session::{Clip, Work};

#[test]
fn every_button_does_what_it_is_called() {
    let mut window = window(fixtures::read());
    for (name, command) in [
        ("Read now", Command::Look),
        ("Silence", Command::Stop),
        ("Read from the top", Command::Read),
        ("Repeat", Command::Again),
        ("Spell", Command::Spell),
        ("Previous line", Command::PreviousLine),
        ("Next line", Command::NextLine),
        ("Slower", Command::Slower),
        ("Faster", Command::Faster),
        ("Quieter", Command::Quieter),
        ("Louder", Command::Louder),
        ("Copy text", Command::Copy),
        ("Save text", Command::Save),
        ("Colour", Command::Colour),
        ("Light", Command::Light),
        ("Lamp", Command::Torch(true)),
    ] {
        assert_eq!(press(&mut window, name), [act(command)], "{name}");
    }
    for screen in Screen::ALL.into_iter().filter(|screen| *screen != Screen::Reader) {
        assert_eq!(press(&mut window, screen.name()), [act(Command::Open(screen))]);
    }
}

#[test]
fn what_is_under_way_is_told_in_words() {
    let mut window = window(fixtures::base(Screen::Reader));
    window.get_by_label("Ready.");
    for (work, words) in [
        (Work::Starting, "Starting…"),
        (Work::Reading, "Reading…"),
        (Work::Understanding, "Understanding what you said…"),
        (Work::Answering, "Answering…"),
    ] {
        window.state_mut().view.work = Some(work);
        window.run();
        window.get_by_label(words);
    }
    window.state_mut().view = fixtures::read();
    window.run();
    window.get_by_label("Speaking.");
    window.get_by_label("Speaking: Take 1 or 2 tablets every 4, not sure, hours");
    window.get_by_label("Text is cut off on the left. Move left.");
    window.get_by_label("The picture is blurred.");
}

#[test]
fn a_lost_camera_and_a_lost_microphone_are_told() {
    let window = window(fixtures::lost());
    window.get_by_label("No picture from the camera: it was unplugged; plug it in again. I keep trying.");
    window.get_by_label("I cannot hear you: there is no microphone; plug one in. You can type your question.");
    assert!(window.query_by_label("Lamp").is_none(), "there is no lamp");
}

#[test]
fn a_question_is_typed_and_sent_with_enter_or_the_button() {
    let mut window = window(fixtures::read());
    for typed in ["When does it expire?", "next line", "Who?"] {
        window.get_by_label("Your question").focus();
        window.run();
        window.event(Event::Text(typed.into()));
        let sent = key(&mut window, Key::Enter);
        let expected = if typed == "next line" { Command::NextLine } else { Command::Ask(typed.into()) };
        assert_eq!(sent, [act(expected)]);
        assert_eq!(window.state().ui.question, "");
    }
    window.get_by_label("Your question").focus();
    window.run();
    window.event(Event::Text("What is it?".into()));
    window.run();
    assert_eq!(press(&mut window, "Ask this"), [act(Command::Ask("What is it?".into()))]);
    assert_eq!(press(&mut window, "Ask this"), [], "nothing is no question");
    window.get_by_label("You: How many may I take a day?");
    window.get_by_label("Sightread: Not more than 8 tablets in 24 hours.");
}

#[test]
fn what_is_to_be_copied_reaches_the_clipboard_once() {
    let mut window = window(fixtures::read());
    window.state_mut().view.clipboard = Some(Arc::new(Clip { number: 7, text: "EXIT A1".into() }));
    let mut copied = vec![];
    for _ in 0..3 {
        window.step();
        copied.extend(window.output().platform_output.commands.clone());
    }
    let [OutputCommand::CopyText(text)] = copied.as_slice() else { panic!("{copied:?}") };
    assert_eq!(text, "EXIT A1");
}

#[test]
fn a_path_can_be_typed_where_no_dialog_can_be_shown() {
    let mut window = window(fixtures::read());
    assert!(window.query_by_label("Path of the picture").is_none());
    window.state_mut().ui.path_field = true;
    window.run();
    window.get_by_label("Path of the picture").focus();
    window.run();
    window.event(Event::Text("/tmp/letter.jpg".into()));
    assert_eq!(key(&mut window, Key::Enter), [Request::OpenPicture("/tmp/letter.jpg".into())]);
    assert!(window.query_by_label("Path of the picture").is_none());
}

#[test]
fn a_picture_that_is_pasted_is_read() {
    let mut window = window(fixtures::ready());
    let image = eframe::egui::ColorImage::filled([4, 4], eframe::egui::Color32::RED);
    window.event(Event::PasteImage(Arc::new(image)));
    window.run();
    let requests = asked(&mut window);
    let [Request::TakePicture(bytes)] = requests.as_slice() else { panic!("{requests:?}") };
    assert!(crate::picture::decode(bytes).is_ok());
}
