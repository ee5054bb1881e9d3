//! A file instead of a camera: a picture, or a film of JPEGs that starts over at its end.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use image::RgbImage;

use super::jpeg;
use super::mjpeg::{MjpegError, MjpegReader};
use super::pace::Pace;
use super::{CameraError, Frame, FrameSource};
use crate::picture::{self, PictureError};

/// Time from one picture of a film to the next: 15 a second.
const FILM: Duration = Duration::from_nanos(1_000_000_000 / 15);
/// Bytes between two pictures of a film: a boundary and the headers of a part.
const BETWEEN: usize = 1024;
/// Pictures that are passed over without decoding when the receiver was slow; beyond, the film just goes on.
const MOST_MISSED: u32 = 60;

/// Opens a picture or a film.
pub(super) fn open(path: &Path) -> Result<Box<dyn FrameSource>, CameraError> {
    if is_film(path)? { Ok(Box::new(Film::open(path)?)) } else { Ok(Box::new(Still::open(path)?)) }
}

/// Whether the file holds several pictures one after the other. Phones append smaller versions to a photo: that is no film.
fn is_film(path: &Path) -> Result<bool, CameraError> {
    let file = File::open(path).map_err(|error| unreadable(path, &error))?;
    let mut reader = MjpegReader::with_patience(file, BETWEEN);
    let Ok(first) = reader.next_jpeg() else { return Ok(false) };
    let several_in_one = first.windows(4).take(64 << 10).any(|window| window == b"MPF\0");
    Ok(!several_in_one && reader.another_begins(BETWEEN).map_err(|error| unreadable(path, &error))?)
}

/// The name of a file or folder for people.
pub(super) fn name_of(path: &Path) -> String {
    path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned()
}

pub(super) fn unreadable(path: &Path, reason: &dyn std::error::Error) -> CameraError {
    CameraError::Unreadable { path: path.into(), reason: reason.to_string() }
}

/// What changes when a file is written.
pub(super) type Stamp = (Option<SystemTime>, u64);

/// The file's stamp.
pub(super) fn stamp(path: &Path) -> Result<Stamp, CameraError> {
    let metadata = fs::metadata(path).map_err(|error| unreadable(path, &error))?;
    Ok((metadata.modified().ok(), metadata.len()))
}

/// Decodes a picture file.
pub(super) fn load(path: &Path) -> Result<Arc<RgbImage>, CameraError> {
    match picture::open(path) {
        Ok(picture) => Ok(Arc::new(picture)),
        Err(PictureError::Io { source, .. }) => Err(unreadable(path, &source)),
        Err(error) => Err(unreadable(path, &error)),
    }
}

/// A picture; when its file is written again, the new one.
struct Still {
    path: PathBuf,
    stamp: Stamp,
    picture: Arc<RgbImage>,
    pace: Pace,
}

impl Still {
    fn open(path: &Path) -> Result<Self, CameraError> {
        Ok(Self { path: path.into(), stamp: stamp(path)?, picture: load(path)?, pace: Pace::still() })
    }
}

impl FrameSource for Still {
    fn name(&self) -> String {
        name_of(&self.path)
    }

    fn next_frame(&mut self, timeout: Duration) -> Result<Frame, CameraError> {
        self.pace.wait(timeout)?;
        let stamp = stamp(&self.path)?;
        if stamp != self.stamp {
            self.stamp = stamp;
            // A file that is just being written is tried again when it has grown.
            if let Ok(picture) = load(&self.path) {
                self.picture = picture;
            }
        }
        Ok(Frame::now(Arc::clone(&self.picture)))
    }
}

/// A film.
struct Film {
    path: PathBuf,
    reader: MjpegReader<File>,
    pace: Pace,
}

impl Film {
    fn open(path: &Path) -> Result<Self, CameraError> {
        let reader = Self::from_start(path)?;
        Ok(Self { path: path.into(), reader, pace: Pace::new(FILM) })
    }

    fn from_start(path: &Path) -> Result<MjpegReader<File>, CameraError> {
        Ok(MjpegReader::new(File::open(path).map_err(|error| unreadable(path, &error))?))
    }

    /// The next picture, after the last one the first again.
    fn next_jpeg(&mut self) -> Result<Vec<u8>, CameraError> {
        match self.reader.next_jpeg() {
            Err(MjpegError::Ended) => self.reader = Self::from_start(&self.path)?,
            other => return other.map_err(|error| unreadable(&self.path, &error)),
        }
        self.reader.next_jpeg().map_err(|error| unreadable(&self.path, &error))
    }
}

impl FrameSource for Film {
    fn name(&self) -> String {
        name_of(&self.path)
    }

    fn next_frame(&mut self, timeout: Duration) -> Result<Frame, CameraError> {
        let until = Instant::now() + timeout;
        loop {
            let missed = self.pace.wait(until.saturating_duration_since(Instant::now()))?;
            for _ in 0..missed.min(MOST_MISSED) {
                self.next_jpeg()?;
            }
            // A damaged picture is left out.
            if let Ok(picture) = jpeg::decode(&self.next_jpeg()?) {
                return Ok(Frame::now(Arc::new(picture)));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::camera::jpeg::tests::{sample, shade};

    const SOON: Duration = Duration::from_secs(20);

    fn write(name: &str, bytes: &[u8]) -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(name);
        fs::write(&path, bytes).unwrap();
        (folder, path)
    }

    fn near(frame: &Frame, wanted: u8) -> bool {
        shade(&frame.picture).abs_diff(wanted) < 6
    }

    #[test]
    fn a_picture_is_given_again_and_again_without_decoding_it() {
        let (_folder, path) = write("page.jpg", &sample(64, 48, 100));
        let mut source = open(&path).unwrap();
        assert_eq!(source.name(), "page.jpg");
        let (first, second) = (source.next_frame(SOON).unwrap(), source.next_frame(SOON).unwrap());
        assert_eq!(first.picture.dimensions(), (64, 48));
        assert!(Arc::ptr_eq(&first.picture, &second.picture));
        assert!(second.at > first.at);
        assert_eq!(source.next_frame(Duration::ZERO).err(), Some(CameraError::Stalled));
        assert!(!source.has_torch());
        assert_eq!(source.set_torch(true), Err(CameraError::NoTorch));
    }

    #[test]
    fn a_picture_that_is_written_again_is_shown() {
        let (_folder, path) = write("page.jpg", &sample(64, 48, 40));
        let mut source = open(&path).unwrap();
        assert!(near(&source.next_frame(SOON).unwrap(), 40));
        fs::write(&path, sample(60, 40, 200)).unwrap();
        let until = Instant::now() + SOON;
        while !near(&source.next_frame(SOON).unwrap(), 200) {
            assert!(Instant::now() < until);
        }
        fs::remove_file(&path).unwrap();
        assert!(matches!(source.next_frame(SOON), Err(CameraError::Unreadable { .. })));
    }

    #[test]
    fn a_film_runs_and_starts_over() {
        let film = [20, 90, 160].map(|shade| sample(64, 48, shade)).concat();
        let (_folder, path) = write("film.mjpeg", &film);
        let mut source = open(&path).unwrap();
        let shades: Vec<u8> = (0..9).map(|_| shade(&source.next_frame(SOON).unwrap().picture)).collect();
        for wanted in [20u8, 90, 160] {
            assert!(shades.iter().any(|shade| shade.abs_diff(wanted) < 6), "{shades:?}");
        }
        assert!(shades.windows(2).any(|pair| pair[0] > pair[1]), "it starts over: {shades:?}");
    }

    #[test]
    fn a_film_goes_on_while_nobody_looks() {
        let film: Vec<u8> = (0..60).flat_map(|number| sample(64, 48, 4 * number)).collect();
        let (_folder, path) = write("film.mjpeg", &film);
        let mut source = open(&path).unwrap();
        let first = shade(&source.next_frame(SOON).unwrap().picture);
        std::thread::sleep(8 * FILM);
        let later = shade(&source.next_frame(SOON).unwrap().picture);
        assert!(later > first + 4 * 6, "{first} {later}");
    }

    #[test]
    fn a_damaged_picture_of_a_film_is_left_out() {
        let (dark, bright) = (sample(64, 48, 20), sample(64, 48, 200));
        let film = [&dark, &bright[..bright.len() / 2], &dark, &dark].concat();
        let (_folder, path) = write("film.mjpeg", &film);
        let mut source = open(&path).unwrap();
        for _ in 0..6 {
            assert!(near(&source.next_frame(SOON).unwrap(), 20));
        }
    }

    #[test]
    fn a_photo_with_a_smaller_version_behind_it_is_no_film() {
        let (photo, small) = (sample(64, 48, 200), sample(32, 24, 20));
        let index = b"\xFF\xE2\x00\x08MPF\0\0\0";
        let both = [&photo[..2], &index[..], &photo[2..], &small].concat();
        let (_folder, path) = write("photo.jpg", &both);
        let mut source = open(&path).unwrap();
        for _ in 0..2 {
            assert!(near(&source.next_frame(SOON).unwrap(), 200));
        }
    }

    #[test]
    fn what_is_no_picture_says_so() {
        let (folder, path) = write("notes.jpg", b"dear diary");
        let error = open(&path).err().unwrap();
        assert!(matches!(&error, CameraError::Unreadable { reason, .. } if reason.contains("no picture")), "{error}");
        assert!(matches!(open(&folder.path().join("gone.jpg")), Err(CameraError::Unreadable { .. })));
        assert!(matches!(open(folder.path()), Err(CameraError::Unreadable { .. })));
    }
}
