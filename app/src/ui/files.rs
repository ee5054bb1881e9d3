//! Files from outside: the system's file dialog on a thread of its own, what was dropped, what was pasted.

use std::io::Cursor;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, TryRecvError, channel};
use std::time::{Duration, Instant};

use eframe::egui::{ColorImage, Context};
use image::{ImageFormat, RgbImage};

/// A dialog that is gone so soon was never seen by anybody: the system cannot show one.
const UNSEEN: Duration = Duration::from_millis(700);

/// What a file is wanted for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    /// A picture to read.
    Picture,
    /// The folder of a model.
    Model,
    /// A model in a file.
    ModelFile,
    /// Text to calibrate on.
    Calibration,
}

/// How a dialog ended.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Chosen {
    /// This was chosen.
    File(Purpose, PathBuf),
    /// The system shows no file dialogs; a path has to be typed.
    NoDialog(Purpose),
}

type Show = fn(Purpose) -> Option<PathBuf>;

/// The file dialog, if one is open.
pub(super) struct Files {
    open: Option<(Purpose, Instant, Receiver<Option<PathBuf>>)>,
    show: Show,
}

impl Default for Files {
    fn default() -> Self {
        Self { open: None, show: dialog }
    }
}

impl Files {
    /// Opens the dialog, unless one is open.
    pub(super) fn choose(&mut self, purpose: Purpose, ctx: &Context) {
        if self.open.is_some() {
            return;
        }
        let (done, answer) = channel();
        let (show, ctx) = (self.show, ctx.clone());
        let spawned = std::thread::Builder::new().name("file dialog".into()).spawn(move || {
            // The window may be gone by then.
            let _ = done.send(show(purpose));
            ctx.request_repaint();
        });
        // Without the thread the sender is gone, which counts as no dialog.
        drop(spawned);
        self.open = Some((purpose, Instant::now(), answer));
    }

    /// How the dialog ended, if it just did.
    pub(super) fn poll(&mut self) -> Option<Chosen> {
        let (purpose, since, answer) = self.open.as_ref()?;
        let (purpose, unseen) = (*purpose, since.elapsed() < UNSEEN);
        let chosen = match answer.try_recv() {
            Err(TryRecvError::Empty) => return None,
            Ok(Some(path)) => Some(Chosen::File(purpose, path)),
            Ok(None) if !unseen => None,
            Ok(None) | Err(TryRecvError::Disconnected) => Some(Chosen::NoDialog(purpose)),
        };
        self.open = None;
        chosen
    }
}

/// The system's dialog; waits until it is closed.
fn dialog(purpose: Purpose) -> Option<PathBuf> {
    let dialog = rfd::FileDialog::new();
    match purpose {
        Purpose::Picture => dialog
            .set_title("Open a picture")
            .add_filter("Pictures", &["jpg", "jpeg", "png", "webp", "heic", "heif", "tif", "tiff", "bmp"])
            .add_filter("All files", &["*"])
            .pick_file(),
        Purpose::Model => dialog.set_title("Choose the folder of a model").pick_folder(),
        Purpose::ModelFile => dialog.set_title("Choose a model").add_filter("GGUF", &["gguf"]).pick_file(),
        Purpose::Calibration => dialog
            .set_title("Choose a text to calibrate on")
            .add_filter("Text", &["txt", "jsonl"])
            .add_filter("All files", &["*"])
            .pick_file(),
    }
}

/// The path that a pasted text names, if there is such a file.
pub(super) fn path_in(text: &str) -> Option<PathBuf> {
    let line = text.lines().find(|line| !line.trim().is_empty())?.trim();
    let path = match line.strip_prefix("file://") {
        Some(address) => PathBuf::from(decoded(address)),
        None => PathBuf::from(line),
    };
    (path.is_absolute() && Path::is_file(&path)).then_some(path)
}

/// An address with its `%20`s undone.
fn decoded(address: &str) -> String {
    let mut bytes = vec![];
    let mut rest = address.as_bytes();
    while let [first, tail @ ..] = rest {
        let hex = tail.get(..2).filter(|_| *first == b'%').and_then(|two| std::str::from_utf8(two).ok());
        match hex.and_then(|two| u8::from_str_radix(two, 16).ok()) {
            Some(byte) => {
                bytes.push(byte);
                rest = &tail[2..];
            }
            None => {
                bytes.push(*first);
                rest = tail;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// A pasted picture as a file of BMP, which takes no time to make.
pub(super) fn encoded(image: &ColorImage) -> Option<Vec<u8>> {
    let [width, height] = image.size.map(|side| u32::try_from(side).ok());
    let pixels = image.pixels.iter().flat_map(|p| [p.r(), p.g(), p.b()]).collect();
    let picture = RgbImage::from_raw(width?, height?, pixels)?;
    let mut bytes = Cursor::new(vec![]);
    picture.write_to(&mut bytes, ImageFormat::Bmp).ok()?;
    Some(bytes.into_inner())
}

#[cfg(test)]
mod tests {
    use super::*;
    use eframe::egui::Color32;

    fn outcome(show: Show) -> Option<Chosen> {
        let mut files = Files { show, ..Files::default() };
        files.choose(Purpose::Picture, &Context::default());
        for _ in 0..500 {
            let chosen = files.poll();
            if chosen.is_some() || files.open.is_none() {
                return chosen;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        panic!("the dialog never ends");
    }

    #[test]
    fn a_dialog_ends_with_a_file_or_without_or_never_was_there() {
        assert_eq!(
            outcome(|p| Some("a.jpg".into()).filter(|_| p == Purpose::Picture)),
            Some(Chosen::File(Purpose::Picture, "a.jpg".into()))
        );
        assert_eq!(outcome(|_| None), Some(Chosen::NoDialog(Purpose::Picture)));
        let cancelled: Show = |_| {
            std::thread::sleep(UNSEEN * 2);
            None
        };
        assert_eq!(outcome(cancelled), None);
    }

    #[test]
    fn a_pasted_text_may_name_a_file() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("my photo é.jpg");
        std::fs::write(&path, b"x").expect("a file");
        let plain = path.to_string_lossy().into_owned();
        assert_eq!(path_in(&plain), Some(path.clone()));
        let address = format!("file://{}\r\n", plain.replace(' ', "%20").replace('é', "%C3%A9"));
        assert_eq!(path_in(&address), Some(path));
        for other in ["", "hello", "/no/such/file.jpg", "file:///%zz", "relative.jpg"] {
            assert_eq!(path_in(other), None, "{other}");
        }
    }

    #[test]
    fn a_pasted_picture_can_be_opened() {
        let image = ColorImage::filled([3, 2], Color32::from_rgb(200, 10, 30));
        let bytes = encoded(&image).expect("bytes");
        let picture = crate::picture::decode(&bytes).expect("a picture");
        assert_eq!((picture.dimensions(), picture.get_pixel(2, 1).0), ((3, 2), [200, 10, 30]));
    }
}
