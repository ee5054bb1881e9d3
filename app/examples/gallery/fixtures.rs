//! Made-up views: what the window looks like in every state, without a camera, a voice or a model.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use image::{Rgb, RgbImage};
use sightread::assistant::Screen;
use sightread::camera::CameraInfo;
use sightread::history::{Entry, Turn};
use sightread::library::{ImportState, ModelEntry};
use sightread::reading::{Point, Quad};
use sightread::session::{CameraState, EarState, Page, PageRow, Preview, Status, View, Work};
use sightread::settings::Settings;
use sightread::setup::{Check, Outcome, Part};
use sightread::speech::listen::Level;
use sightread::speech::voice::VoiceInfo;

/// Rows of a label; the third is doubtful.
pub const ROWS: [&str; 7] = [
    "PARACETAMOL 500 mg",
    "20 film-coated tablets",
    "Take 1 or 2 tablets every 4 (not sure) hours",
    "Not more than 8 tablets in 24 hours",
    "Keep out of the sight and reach of children",
    "EXP 2027-04 LOT B7719",
    "Marketing authorisation holder: Example Ltd",
];

/// Every view by name.
pub fn all() -> Vec<(&'static str, View)> {
    vec![
        ("ready", ready()),
        ("read", read()),
        ("listening", listening()),
        ("lost", lost()),
        ("empty", base(Screen::Reader)),
        ("long", long()),
        ("scripts", scripts()),
        ("history", history()),
        ("models", models()),
        ("importing", importing()),
        ("stopped", stopped()),
        ("settings", settings()),
        ("set_up", set_up()),
        ("help", base(Screen::Help)),
    ]
}

/// A screen with nothing in it; everything was set up before.
pub fn base(screen: Screen) -> View {
    let settings = Settings { set_up: true, ..Settings::default() };
    View { version: 1, screen, settings: settings.into(), ..View::default() }
}

fn status(text: &str) -> Status {
    Status { number: 1, text: text.into(), urgent: false, announce: true }
}

/// A sheet of paper with lines on it, and where they are.
fn sheet(lines: u32) -> (Arc<RgbImage>, Vec<Quad>) {
    let (width, height) = (640, 480);
    let mut picture = RgbImage::from_fn(width, height, |x, y| {
        let paper = (60..580).contains(&x) && (30..450).contains(&y);
        if paper { Rgb([236, 232, 222]) } else { Rgb([92, 74, 60]) }
    });
    let step = 380 / lines.max(1);
    let mut quads = vec![];
    for line in 0..lines {
        let (x0, y0) = (90, 55 + line * step);
        let (x1, y1) = (x0 + 300 + 37 * (line % 4), y0 + (step / 2).max(6));
        for y in y0 + 2..y1 - 2 {
            for x in (x0..x1).filter(|x| x % 14 > 4) {
                picture.put_pixel(x, y, Rgb([40, 40, 48]));
            }
        }
        let point = |x: u32, y: u32| Point::new(x as f32, y as f32);
        quads.push(Quad([point(x0, y0), point(x1, y0), point(x1, y1), point(x0, y1)]));
    }
    (Arc::new(picture), quads)
}

fn with_camera(view: View) -> View {
    let (picture, regions) = sheet(3);
    let hint = Some("Text is cut off on the left. Move left.".into());
    View {
        preview: Some(Preview { picture, regions, hint, looks: 1 }),
        camera: CameraState::On { name: "HD Webcam C920".into(), torch: Some(false) },
        cameras: vec![
            CameraInfo { id: "usb:1".into(), name: "HD Webcam C920".into() },
            CameraInfo { id: "usb:2".into(), name: "Document camera".into() },
        ],
        ..view
    }
}

fn page(rows: &[&str]) -> Arc<Page> {
    let (picture, quads) = sheet(rows.len() as u32);
    let rows = rows.iter().zip(quads);
    let rows = rows.map(|(row, quad)| PageRow {
        text: (*row).into(),
        sure: !row.contains("not sure") && !row.contains("27-0"),
        quads: vec![quad],
    });
    Arc::new(Page { picture, rows: rows.collect(), warnings: vec!["The picture is blurred.".into()] })
}

fn turn(user: bool, text: &str) -> Turn {
    Turn { user, text: text.into() }
}

/// The camera gives pictures.
pub fn ready() -> View {
    View { status: status("The camera is ready."), ..with_camera(base(Screen::Reader)) }
}

/// A page was read, the third row is being spoken.
pub fn read() -> View {
    View {
        page: Some(page(&ROWS)),
        row: Some(2),
        speaking: Some("Take 1 or 2 tablets every 4, not sure, hours".into()),
        status: status("7 lines of text."),
        dialogue: vec![turn(true, "How many may I take a day?"), turn(false, "Not more than 8 tablets in 24 hours.")],
        ..with_camera(base(Screen::Reader))
    }
}

/// Somebody holds the key for asking.
pub fn listening() -> View {
    View { ear: EarState::Listening, level: Some(Level { loudness: -22.0, clipped: false }), speaking: None, ..read() }
}

/// The camera and the microphone are gone.
pub fn lost() -> View {
    View {
        camera: CameraState::Lost("it was unplugged; plug it in again".into()),
        ear: EarState::Lost("there is no microphone; plug one in".into()),
        work: Some(Work::Answering),
        status: Status { urgent: true, ..status("The camera is lost.") },
        ..base(Screen::Reader)
    }
}

/// Texts that are longer than any line, words that are longer than any window.
pub fn long() -> View {
    let word = "Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft";
    let sentence = "Before you start to take this medicine, read all of this leaflet carefully, because it contains \
        important information for you; keep it, since you may need to read it again. "
        .repeat(3);
    let rows: Vec<String> = (1..=60).map(|n| format!("{n}. {}", if n % 3 == 0 { &sentence } else { word })).collect();
    let rows: Vec<&str> = rows.iter().map(String::as_str).collect();
    View {
        page: Some(page(&rows)),
        row: Some(41),
        speaking: Some(sentence.clone()),
        status: status(&sentence),
        dialogue: vec![turn(true, word), turn(false, &sentence)],
        camera: CameraState::On { name: word.into(), torch: None },
        ..base(Screen::Reader)
    }
}

/// Scripts other than Latin.
pub fn scripts() -> View {
    let rows = [
        "安全须知：请勿靠近",
        "日本語のテキスト",
        "مرحبا بالعالم",
        "שלום עולם",
        "Привет, мир",
        "Γειά σου Κόσμε",
        "हिन्दी पाठ",
        "한국어",
    ];
    View { page: Some(page(&rows)), row: Some(2), status: status("8 lines of text."), ..base(Screen::Reader) }
}

/// Two readings.
pub fn history() -> View {
    let entry = |id, ago, rows: &[&str], dialogue| {
        let rows = rows.iter().map(|row| (*row).into()).collect();
        Arc::new(Entry { id, at: SystemTime::now() - Duration::from_secs(ago), rows, dialogue })
    };
    let asked = vec![turn(true, "When does it expire?"), turn(false, "April 2027.")];
    View {
        history: vec![entry(2, 310, &ROWS, asked), entry(1, 7300, &["EXIT A1", "Mind the gap"], vec![])],
        ..base(Screen::History)
    }
}

/// Three models, one of which cannot be used.
pub fn models() -> View {
    let model = |name: &str, bytes, problem: Option<&str>| ModelEntry {
        name: name.into(),
        folder: format!("/home/me/.local/share/sightread/models/{name}").into(),
        bytes,
        languages: vec!["English".into(), "French".into()],
        abilities: vec!["reads text".into(), "answers questions about the text".into()],
        answers: true,
        quantization: Some("4 bit by RPIQ".into()),
        licence: Some("Apache-2.0".into()),
        problem: problem.map(Into::into),
        built_in: name == "starter",
    };
    let damaged = "the file model.safetensors is damaged; bring the model in again";
    let models = vec![
        model("starter", 98_000_000, None),
        model("smolvlm-500m", 412_000_000, None),
        model("cogvlm2", 11_300_000_000, Some(damaged)),
    ];
    View { models: models.into(), ..base(Screen::Models) }
}

/// A model is being quantized.
pub fn importing() -> View {
    let import = ImportState {
        name: "smolvlm-2.2b".into(),
        step: "Quantizing".into(),
        share: Some(0.45),
        left: Some(Duration::from_secs(190)),
        ended: None,
    };
    View { import: Some(import), ..models() }
}

/// An import was stopped.
pub fn stopped() -> View {
    let import = ImportState {
        name: "smolvlm-2.2b".into(),
        step: "Quantizing".into(),
        share: Some(0.45),
        left: None,
        ended: Some(Err("It was stopped. What is done is kept.".into())),
    };
    View { import: Some(import), ..models() }
}

/// Thousands of voices to choose from.
pub fn settings() -> View {
    let tags = ["en-GB", "en-US", "de", "fr-FR", "pt-BR", "zh", "ar", "hi", "ru", "xx", "cmn", "es-419"];
    let voice = |at: usize| VoiceInfo { name: format!("Voice {at}"), language: tags[at % tags.len()].into() };
    View { voices: (0..3000).map(voice).collect::<Vec<_>>().into(), ..with_camera(base(Screen::Settings)) }
}

/// The first-run check, with every outcome.
pub fn set_up() -> View {
    let works = |part, what: &str| Check { part, outcome: Outcome::Works(what.into()) };
    let problem = Outcome::Problem {
        what: "the microphone gives no sound".into(),
        remedy: "Plug it in, or turn it up in the sound settings of the system".into(),
    };
    let checks = vec![
        works(Part::Camera, "HD Webcam C920 gives pictures, 30 a second"),
        Check { part: Part::Microphone, outcome: problem },
        works(Part::Speaker, "Sound comes out of Built-in Audio"),
        Check { part: Part::Voice, outcome: Outcome::Running },
        works(Part::Model, "The reading model and the speech model are whole"),
    ];
    let settings = Settings::default();
    View { checks, settings: settings.into(), ..base(Screen::SetUp) }
}
