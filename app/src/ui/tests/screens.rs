//! The other screens.

use super::*;
use crate::camera::Source;
use crate::library::ImportSource;
use crate::settings::Output;

fn type_into(window: &mut Window, field: &str, text: &str) {
    window.get_by_label(field).focus();
    window.run();
    window.event(Event::Text(text.into()));
    window.run();
}

#[test]
fn readings_are_opened_again_saved_and_forgotten() {
    let mut window = window(fixtures::history());
    let of = |window: &Window, begin: &str| {
        let found = window.get_all_by_label_contains(begin).find(|node| name(node).contains("EXIT A1"));
        found.map(|node| name(&node)).expect("the second reading")
    };
    let open = of(&window, "Open again");
    assert_eq!(press(&mut window, &open), [Request::Recall(1), act(Command::Open(Screen::Reader))]);
    let save = of(&window, "Save as text");
    assert_eq!(press(&mut window, &save), [Request::Save { id: 1, to: None }]);
    assert_eq!(press(&mut window, "Forget all readings…"), [], "it asks first");
    assert_eq!(press(&mut window, "Keep it"), []);
    press(&mut window, "Forget all readings…");
    assert_eq!(press(&mut window, "Forget everything"), [Request::ForgetHistory]);
    assert!(window.query_by_label("Forget everything").is_none());
}

#[test]
fn models_are_told_and_chosen() {
    let mut window = window(fixtures::models());
    window.get_by_label("In use: starter");
    window.get_by_label("Size: 412 megabytes");
    window.get_by_label("It cannot be used: the file model.safetensors is damaged; bring the model in again");
    assert!(window.query_by_label("Use this model: cogvlm2").is_none());
    let used = press(&mut window, "Use this model: smolvlm-500m");
    assert_eq!(used, [Request::UseModel("smolvlm-500m".into())]);
    assert_eq!(press(&mut window, "Look for models again"), [Request::FindModels]);
}

#[test]
fn a_folder_is_brought_in_and_an_import_is_stopped_and_gone_on_with() {
    let mut window = window(fixtures::models());
    type_into(&mut window, "Folder or file", "/models/new");
    type_into(&mut window, "Text file or JSON lines", "/texts/mine.txt");
    let import = Request::Import {
        from: ImportSource::Folder("/models/new".into()),
        calibration: Some("/texts/mine.txt".into()),
    };
    assert_eq!(press(&mut window, "Bring it in"), std::slice::from_ref(&import));
    window.state_mut().view = fixtures::importing();
    window.run();
    assert_eq!(press(&mut window, "Stop"), [Request::StopImport]);
    window.state_mut().view = fixtures::stopped();
    window.run();
    window.get_by_label("It was stopped. What is done is kept.");
    assert_eq!(press(&mut window, "Go on"), [import]);
}

#[test]
fn nothing_is_downloaded_before_the_network_was_allowed() {
    let mut window = window(fixtures::models());
    assert_eq!(press(&mut window, "Download it"), []);
    type_into(&mut window, "Repository", "me/model");
    assert_eq!(press(&mut window, "Download it"), []);
    window.get_by_label("Nothing is downloaded before you allow the network.");
    press(&mut window, "Yes, use the network for this");
    let from = ImportSource::Repository("me/model".into());
    assert_eq!(press(&mut window, "Download it"), [Request::Import { from, calibration: None }]);
    assert_eq!(press(&mut window, "Download it"), [], "allowed once, not for ever");
}

#[test]
fn every_setting_can_be_changed() {
    let mut window = window(fixtures::settings());
    let mut change = |name: &str| changed(&press(&mut window, name));
    assert_eq!(change("High contrast").theme, Theme::HighContrast);
    assert_eq!(change("Larger").scale, 1.25);
    assert!(change("Full screen").full_screen);
    assert_eq!(change("Screen reader").output, Output::ScreenReader);
    assert!(change("Listen for commands all the time").hands_free);
    assert!(change("I wear headphones: listen while speaking").headphones);
    assert!(!change("Read by itself when a text is steady and complete").auto_capture);
    assert!(!change("Say how to aim the camera").guidance);
    assert_eq!(press(&mut window, "Slower"), [act(Command::Slower)]);
    assert_eq!(press(&mut window, "Louder"), [act(Command::Louder)]);
    assert_eq!(press(&mut window, "Choose a model…"), [act(Command::Open(Screen::Models))]);
}

#[test]
fn a_source_of_pictures_is_typed_and_a_wrong_one_explained() {
    let mut window = window(fixtures::settings());
    type_into(&mut window, "Other source", "folder:/scans");
    assert_eq!(changed(&press(&mut window, "Use this source")).camera, Source::Folder("/scans".into()));
    type_into(&mut window, "Other source", "ftp:x");
    assert_eq!(press(&mut window, "Use this source"), []);
    window.get_by_label_contains("ftp:x names no camera");
}

#[test]
fn one_of_thousands_of_voices_is_found_by_typing() {
    let mut window = window(with(fixtures::settings(), |settings| settings.language = "de".into()));
    assert_eq!(press(&mut window, "Voice: the first of the language"), []);
    window.get_by_label_contains("251 fit; the first 60 are shown");
    type_into(&mut window, "Part of the voice's name", "2978");
    let chosen = changed(&press(&mut window, "Voice 2978, German (de)"));
    assert_eq!(chosen.voice, "Voice 2978");
    window.get_by_label("Voice: the first of the language");
    press(&mut window, "Language: German (de)");
    let chosen = changed(&press(&mut window, "French (fr-FR)"));
    assert_eq!((chosen.language.as_str(), chosen.voice.as_str()), ("fr-FR", ""));
}

#[test]
fn a_camera_is_chosen_by_its_name() {
    let mut window = window(fixtures::ready());
    press(&mut window, "Choose a camera…");
    assert_eq!(press(&mut window, "Look for cameras again"), [Request::FindCameras]);
    let chosen = changed(&press(&mut window, "Document camera"));
    assert_eq!(chosen.camera, Source::Device("usb:2".into()));
    press(&mut window, "Choose a camera…");
    assert_eq!(press(&mut window, "Back"), []);
    window.get_by_label("Read now");
}

#[test]
fn the_first_run_check_tells_what_to_do() {
    let mut window = window(fixtures::set_up());
    window.get_by_label("Camera: works");
    window.get_by_label("Microphone: a problem");
    window.get_by_label("What to do: Plug it in, or turn it up in the sound settings of the system.");
    window.get_by_label("Voice: being checked…");
    assert_eq!(press(&mut window, "Check again"), [Request::Check]);
    let test = press(&mut window, "Test reading");
    let [Request::TakePicture(sample)] = test.as_slice() else { panic!("no picture") };
    assert!(crate::picture::decode(sample).is_ok());
    let finished = press(&mut window, "Finish");
    assert!(changed(&finished[..1]).set_up);
    assert_eq!(finished[1..], [act(Command::Open(Screen::Reader))]);
}

#[test]
fn help_lists_every_key_and_speaks() {
    let mut window = window(fixtures::base(Screen::Help));
    for (key, does) in super::super::keys::HELP {
        window.get_by_label(&format!("{key}: {does}"));
    }
    assert_eq!(press(&mut window, "Speak the help"), [act(Command::Help)]);
}
