//! A folder instead of a camera: its pictures one after the other, and those that a scanner or a phone adds.
//!
//! Every picture is shown once, for long enough to be read by itself; the last one stays until another is added or written
//! again. Nothing starts over: a folder of photos would be read aloud without end.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use image::RgbImage;

use super::file::{Stamp, load, name_of, stamp, unreadable};
use super::pace::Pace;
use super::{CameraError, Frame, FrameSource};
use crate::picture;

/// How long a picture stays at least.
const TURN: Duration = Duration::from_secs(2);
/// How often the folder is looked through.
const LOOK: Duration = Duration::from_millis(500);
/// A file that was written so shortly ago may not be whole yet.
const FRESH: Duration = Duration::from_millis(700);

/// The pictures of a folder.
pub(super) struct Folder {
    path: PathBuf,
    /// Files that had their turn, and those that are no pictures, as they were then.
    done: HashMap<PathBuf, Stamp>,
    current: Option<Arc<RgbImage>>,
    /// When the next one may be shown.
    turn: Instant,
    pace: Pace,
}

impl Folder {
    pub(super) fn open(path: &Path) -> Result<Self, CameraError> {
        picture::in_folder(path).map_err(|error| unreadable(path, &error))?;
        Ok(Self { path: path.into(), done: HashMap::new(), current: None, turn: Instant::now(), pace: Pace::still() })
    }

    /// Shows the next picture if there is one.
    fn turn(&mut self) -> Result<(), CameraError> {
        let files = picture::in_folder(&self.path).map_err(|error| unreadable(&self.path, &error))?;
        let mut coming = false;
        for file in files {
            // It may be gone already.
            let Ok(stamp) = stamp(&file) else { continue };
            if is_fresh(stamp) {
                coming = true;
                continue;
            }
            if self.done.get(&file) == Some(&stamp) {
                continue;
            }
            self.done.insert(file.clone(), stamp);
            // A damaged one is left out.
            if let Ok(picture) = load(&file) {
                self.current = Some(picture);
                self.turn = Instant::now() + TURN;
                return Ok(());
            }
        }
        self.turn = Instant::now() + LOOK;
        if coming || self.current.is_some() { Ok(()) } else { Err(CameraError::NoPicture(self.path.clone())) }
    }
}

/// Whether the file may not be whole yet.
fn is_fresh((written, _): Stamp) -> bool {
    // Clocks of other machines may be ahead: what was written in the future is taken as whole.
    written.and_then(|written| SystemTime::now().duration_since(written).ok()).is_some_and(|age| age < FRESH)
}

impl FrameSource for Folder {
    fn name(&self) -> String {
        name_of(&self.path)
    }

    fn next_frame(&mut self, timeout: Duration) -> Result<Frame, CameraError> {
        let until = Instant::now() + timeout;
        loop {
            self.pace.wait(until.saturating_duration_since(Instant::now()))?;
            if Instant::now() >= self.turn {
                self.turn()?;
            }
            if let Some(picture) = &self.current {
                return Ok(Frame::now(Arc::clone(picture)));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::camera::jpeg::tests::{sample, shade};

    const SOON: Duration = Duration::from_secs(30);

    /// Writes a file that looks as if it had been there for a while.
    fn put(folder: &Path, name: &str, bytes: &[u8]) {
        let path = folder.join(name);
        fs::write(&path, bytes).unwrap();
        let hour_ago = SystemTime::now() - Duration::from_secs(3600);
        fs::File::options().append(true).open(path).unwrap().set_modified(hour_ago).unwrap();
    }

    /// The shades of the next `count` different pictures.
    fn shades(source: &mut Folder, count: usize) -> Vec<u8> {
        let (mut shades, until) = (vec![], Instant::now() + SOON);
        while shades.len() < count {
            assert!(Instant::now() < until, "{shades:?}");
            source.turn = source.turn.min(Instant::now() + Duration::from_millis(150));
            let shade = shade(&source.next_frame(SOON).unwrap().picture) / 10 * 10;
            if shades.last() != Some(&shade) {
                shades.push(shade);
            }
        }
        shades
    }

    #[test]
    fn pictures_are_shown_in_the_order_of_their_names_and_added_ones_after_them() {
        let folder = tempfile::tempdir().unwrap();
        put(folder.path(), "b.jpg", &sample(64, 48, 105));
        put(folder.path(), "a.jpg", &sample(64, 48, 45));
        put(folder.path(), "notes.txt", b"dear diary");
        put(folder.path(), "damaged.jpg", b"no picture");
        let mut source = Folder::open(folder.path()).unwrap();
        assert_eq!(shades(&mut source, 2), [40, 100]);
        put(folder.path(), "0.jpg", &sample(64, 48, 205));
        assert_eq!(shades(&mut source, 2), [100, 200]);
        put(folder.path(), "b.jpg", &sample(64, 40, 155));
        assert_eq!(shades(&mut source, 2), [200, 150]);
    }

    #[test]
    fn the_last_picture_stays() {
        let folder = tempfile::tempdir().unwrap();
        put(folder.path(), "a.jpg", &sample(64, 48, 45));
        let mut source = Folder::open(folder.path()).unwrap();
        let first = source.next_frame(SOON).unwrap();
        for _ in 0..5 {
            source.turn = Instant::now();
            assert!(Arc::ptr_eq(&source.next_frame(SOON).unwrap().picture, &first.picture));
        }
    }

    #[test]
    fn an_empty_folder_waits_for_its_first_picture() {
        let folder = tempfile::tempdir().unwrap();
        let mut source = Folder::open(folder.path()).unwrap();
        assert_eq!(source.next_frame(SOON).err(), Some(CameraError::NoPicture(folder.path().into())));
        put(folder.path(), "a.jpg", &sample(64, 48, 45));
        assert_eq!(shades(&mut source, 1), [40]);
    }

    #[test]
    fn a_file_that_is_being_written_is_waited_for() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.jpg");
        fs::write(&path, sample(64, 48, 45)).unwrap();
        let (written, length) = stamp(&path).unwrap();
        let at = |age: Duration| (written.map(|_| SystemTime::now() - age), length);
        assert!(is_fresh(at(Duration::ZERO)));
        assert!(!is_fresh(at(2 * FRESH)));
        assert!(!is_fresh((Some(SystemTime::now() + SOON), length)));
        assert!(!is_fresh((None, length)));
        // In the end it is shown.
        let mut source = Folder::open(folder.path()).unwrap();
        assert_eq!(shades(&mut source, 1), [40]);
    }

    #[test]
    fn a_folder_that_is_not_there_says_so() {
        let folder = tempfile::tempdir().unwrap();
        let gone = folder.path().join("gone");
        assert!(matches!(Folder::open(&gone), Err(CameraError::Unreadable { .. })));
        let mut source = Folder::open(folder.path()).unwrap();
        folder.close().unwrap();
        assert!(matches!(source.next_frame(SOON), Err(CameraError::Unreadable { .. })));
    }
}
