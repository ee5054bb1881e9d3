//! What a screen reader finds.

use eframe::egui::accesskit::{Live, Role, Toggled};

use super::*;
use crate::session::Status;

/// Roles that say nothing by themselves.
fn is_container(role: Role) -> bool {
    matches!(role, Role::GenericContainer | Role::Pane | Role::TextRun | Role::Window)
}

#[test]
fn everything_has_a_name() {
    for (view_name, view) in fixtures::all() {
        let window = window(view);
        let mut named = 0;
        for node in nodes(&window) {
            let role = node.accesskit_node().role();
            if is_container(role) {
                assert!(!can(&node, Action::Focus), "{view_name}: a {role:?} without a name can have the focus");
                continue;
            }
            assert!(!name(&node).trim().is_empty(), "{view_name}: {role:?} at {:?} has no name", node.rect());
            named += 1;
        }
        assert!(named > 10, "{view_name}: only {named}");
    }
}

#[test]
fn the_window_the_screens_and_the_titles_are_told() {
    let window = window(fixtures::settings());
    assert_eq!(window.root().accesskit_node().label().as_deref(), Some("Sightread"));
    let tab = |name| window.get_by_role_and_label(Role::Tab, name).accesskit_node().is_selected();
    assert_eq!([tab("Settings"), tab("Reader")], [Some(true), Some(false)]);
    let title = window.get_by_role_and_label(Role::Heading, "Settings");
    assert_eq!(title.accesskit_node().data().level(), Some(1));
    let colours = window.get_by_role_and_label(Role::RadioGroup, "Colours");
    let choice = colours.get_by_role_and_label(Role::RadioButton, "As the system");
    assert_eq!(choice.accesskit_node().toggled(), Some(Toggled::True));
    let switch = window.get_by_role_and_label(Role::CheckBox, "Full screen");
    assert_eq!(switch.accesskit_node().toggled(), Some(Toggled::False));
}

#[test]
fn messages_are_announced_by_their_urgency_and_only_where_the_voice_does_not_say_them() {
    let mut window = window(fixtures::ready());
    let mut say = |status: Status| {
        window.state_mut().view.status = status;
        window.run();
        let node = window.get_by_role(Role::Status);
        (name(&node), node.accesskit_node().live())
    };
    let status = |number, text: &str| Status { number, text: text.into(), urgent: false, announce: true };
    assert_eq!(say(status(2, "Read.")), ("Read.".into(), Live::Polite));
    let again = say(status(3, "Read."));
    assert_ne!(again.0, "Read.", "the same words once more are another name");
    assert_eq!(say(Status { urgent: true, ..status(4, "Lost.") }), ("Lost.".into(), Live::Assertive));
    assert_eq!(say(Status { announce: false, ..status(5, "Hello.") }), ("Hello.".into(), Live::Off));
}

#[test]
fn pictures_tell_what_is_on_them_and_rows_which_one_is_spoken() {
    let window = window(fixtures::read());
    window.get_by_role_and_label(Role::Image, "Camera picture, 3 text regions");
    window.get_by_role_and_label(Role::Image, "Picture that was read, 7 lines of text");
    let rows = window.get_by_role_and_label(Role::List, "Text");
    let rows: Vec<_> = rows.get_all_by_role(Role::ListItem).collect();
    assert_eq!(rows.iter().map(name).collect::<Vec<_>>()[..2], fixtures::ROWS[..2]);
    assert_eq!(name(&rows[5]), format!("{}. not sure", fixtures::ROWS[5]), "doubt is told in words");
    let selected: Vec<_> = rows.iter().map(|row| row.accesskit_node().is_selected() == Some(true)).collect();
    assert_eq!(selected.iter().position(|selected| *selected), Some(2));
    assert_eq!(rows[2].accesskit_node().description().as_deref(), Some("the current line"));
}

#[test]
fn progress_has_a_value() {
    let window = window(fixtures::importing());
    let bar = window.get_by_role_and_label(Role::ProgressIndicator, "Quantizing smolvlm-2.2b");
    assert_eq!(bar.accesskit_node().numeric_value(), Some(45.0));
    window.get_by_label("Quantizing… 45 percent, about 3 minutes left");
}
