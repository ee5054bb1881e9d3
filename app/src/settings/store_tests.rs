use super::*;
use crate::camera::Source;
use crate::settings::{Output, Theme};

fn folder_with(text: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join(FILE), text).unwrap();
    folder
}

fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> =
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

fn chosen() -> Settings {
    Settings {
        camera: Source::Device("HD Webcam".into()),
        output: Output::Both,
        rate: -30,
        volume: 70,
        language: "en-GB".into(),
        theme: Theme::HighContrast,
        scale: 1.5,
        set_up: true,
        ..Settings::default()
    }
}

#[test]
fn what_is_saved_is_there_again() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path().join("not there yet");
    let (mut store, settings, messages) = Store::open_in(&folder);
    assert_eq!((settings, messages), (Settings::default(), vec![]));
    store.save(&chosen()).unwrap();
    let (_, settings, messages) = Store::open_in(&folder);
    assert_eq!((settings, messages), (chosen(), vec![]));
    assert_eq!(names(&folder), [FILE]);
}

#[test]
fn values_out_of_range_are_brought_into_range() {
    let folder = folder_with(r#"{"version": 1, "rate": 99999999999, "volume": 3.7, "scale": 1e300}"#);
    let (mut store, settings, messages) = Store::open_in(folder.path());
    assert_eq!((settings.rate, settings.volume, settings.scale), (100, 20, 3.0));
    assert_eq!(messages, Vec::<String>::new());

    let strange = Settings { rate: -1000, volume: 1000, scale: f32::NAN, ..Settings::default() };
    store.save(&strange).unwrap();
    let (_, settings, _) = Store::open_in(folder.path());
    assert_eq!((settings.rate, settings.volume, settings.scale), (-100, 100, 1.0));
}

#[test]
fn one_field_that_is_not_understood_does_not_cost_the_others() {
    let folder = folder_with(
        r#"{"version": 1, "theme": "plaid", "rate": "fast", "volume": 60, "camera": "periscope", "hands_free": true}"#,
    );
    let (_, settings, messages) = Store::open_in(folder.path());
    assert_eq!(settings, Settings { volume: 60, hands_free: true, ..Settings::default() });
    assert_eq!(
        messages,
        ["The settings theme, rate, camera were not understood and are as they come with the program."]
    );
    let folder = folder_with(r#"{"version": 1, "full_screen": "yes"}"#);
    let (_, _, messages) = Store::open_in(folder.path());
    assert_eq!(messages, ["The setting full screen was not understood and is as it comes with the program."]);
}

#[test]
fn fields_that_are_not_known_are_kept() {
    let folder = folder_with(r#"{"version": 1, "note": "of my daughter", "rate": 10}"#);
    let (mut store, settings, messages) = Store::open_in(folder.path());
    assert_eq!((settings.rate, messages.len()), (10, 0));
    store.save(&Settings { rate: 20, ..settings }).unwrap();
    let text = fs::read_to_string(folder.path().join(FILE)).unwrap();
    assert!(text.contains("of my daughter") && text.contains("\"rate\": 20"), "{text}");
}

#[test]
fn an_old_file_is_understood_and_written_anew() {
    let folder = folder_with(r#"{"high_contrast": true, "scale": 150}"#);
    let (mut store, settings, messages) = Store::open_in(folder.path());
    assert_eq!((settings.theme, settings.scale, messages.len()), (Theme::HighContrast, 1.5, 0));
    assert_eq!(settings.version, VERSION);
    store.save(&settings).unwrap();
    let text = fs::read_to_string(folder.path().join(FILE)).unwrap();
    assert!(text.contains("\"version\": 1") && !text.contains("\"high_contrast\":"), "{text}");
}

#[test]
fn the_file_of_a_later_version_is_kept_before_it_is_replaced() {
    let newer = r#"{"version": 7, "volume": 50, "theme": {"name": "plaid"}, "wings": 2}"#;
    let folder = folder_with(newer);
    let (mut store, settings, messages) = Store::open_in(folder.path());
    assert_eq!((settings.volume, settings.theme), (50, Theme::System));
    assert_eq!(messages.len(), 2);
    assert!(messages[0].contains("later version") && messages[0].contains("settings.version-7.json"), "{messages:?}");
    assert_eq!(names(folder.path()), [FILE], "looking changes nothing");

    store.save(&settings).unwrap();
    store.save(&settings).unwrap();
    assert_eq!(names(folder.path()), [FILE, "settings.version-7.json"]);
    assert_eq!(fs::read_to_string(folder.path().join("settings.version-7.json")).unwrap(), newer);
    let (_, settings, messages) = Store::open_in(folder.path());
    assert_eq!((settings.volume, settings.version, messages.len()), (50, VERSION, 0));
}

#[test]
fn a_damaged_file_is_set_aside() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(FILE);
    let mut damaged =
        vec![Vec::new(), b"{\"rate\": ".to_vec(), b"[1, 2]".to_vec(), vec![0xff; 100], b"{\"rate\": 1e999}".to_vec()];
    damaged.push(vec![b' '; LARGEST as usize + 1]);
    for (n, contents) in damaged.iter().enumerate() {
        fs::write(&path, contents).unwrap();
        let (_, settings, messages) = Store::open_in(folder.path());
        assert_eq!(settings, Settings::default());
        let kept = format!("settings.damaged-{}.json", n + 1);
        assert!(messages.len() == 1 && messages[0].contains(&format!("set aside as {kept}.")), "{messages:?}");
        assert_eq!(&fs::read(folder.path().join(kept)).unwrap(), contents);
        assert!(!path.exists());
    }
    // Something that is no file at all.
    fs::create_dir(&path).unwrap();
    let (mut store, _, messages) = Store::open_in(folder.path());
    assert!(messages[0].contains("it is no settings file"), "{messages:?}");
    store.save(&chosen()).unwrap();
    assert_eq!(Store::open_in(folder.path()).1, chosen());
}

#[test]
fn a_byte_order_mark_is_no_damage() {
    let folder = folder_with("\u{feff}{\"version\": 1, \"rate\": 5}");
    assert_eq!(Store::open_in(folder.path()).1.rate, 5);
}

#[test]
fn a_file_that_disappears_is_written_again() {
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("config");
    let (mut store, ..) = Store::open_in(&config);
    store.save(&chosen()).unwrap();
    fs::remove_dir_all(&config).unwrap();
    store.save(&chosen()).unwrap();
    assert_eq!(Store::open_in(&config).1, chosen());
}

#[test]
fn what_cannot_be_written_gets_a_sentence() {
    let folder = tempfile::tempdir().unwrap();
    let in_the_way = folder.path().join("file");
    fs::write(&in_the_way, "").unwrap();
    let (mut store, settings, _) = Store::open_in(&in_the_way);
    let error = store.save(&settings).unwrap_err().to_string();
    assert!(error.starts_with("the settings hold until the program ends, but"), "{error}");
    assert!(error.ends_with("a file of that name is in the way"), "{error}");

    let mut nowhere = Store { folder: None, others: Map::new(), newer: None };
    let error = nowhere.save(&settings).unwrap_err().to_string();
    assert!(error.contains("set SIGHTREAD_CONFIG to one"), "{error}");
}
