//! The camera.

use std::time::{Duration, Instant};

use image::RgbImage;

use super::{Outcome, within};
use crate::camera::{self, CameraError, Source};

/// Drivers, networks and the system's question for permission take their time.
const LIMIT: Duration = Duration::from_secs(20);
/// The next picture of a camera that works.
const NEXT_PICTURE: Duration = Duration::from_secs(5);
/// Cameras begin with dark pictures, until they have found the exposure.
const EXPOSURE: Duration = Duration::from_secs(2);
/// A picture whose mean is below this, of 255, is black.
const BLACK: f32 = 6.0;

/// Opens the camera and looks at its first pictures.
pub(super) fn check(source: &Source) -> Outcome {
    if *source == Source::None {
        return Outcome::Works("none is wanted".into());
    }
    let source = source.clone();
    match within(LIMIT, move || look(&source)) {
        Some(Ok(outcome)) => outcome,
        Some(Err(error)) => Outcome::problem(error.what(), error.remedy()),
        None => Outcome::problem(CameraError::Hangs.what(), CameraError::Hangs.remedy()),
    }
}

fn look(source: &Source) -> Result<Outcome, CameraError> {
    let mut camera = camera::open(source)?;
    let name = camera.name();
    let until = Instant::now() + EXPOSURE;
    loop {
        let picture = camera.next_frame(NEXT_PICTURE)?.picture;
        if !is_black(&picture) {
            return Ok(Outcome::Works(format!("{name} gives pictures of {} by {}", picture.width(), picture.height())));
        }
        if Instant::now() >= until {
            let remedy = "open the cover of its lens, or turn on the light";
            return Ok(Outcome::problem(format!("{name} gives black pictures"), remedy));
        }
    }
}

fn is_black(picture: &RgbImage) -> bool {
    // Every so many values are enough for a mean.
    let values: Vec<u8> = picture.as_raw().iter().step_by(97).copied().collect();
    values.iter().map(|value| f32::from(*value)).sum::<f32>() / (values.len().max(1) as f32) < BLACK
}

#[cfg(test)]
mod tests {
    use image::Rgb;

    use super::*;

    fn checked(picture: Option<RgbImage>) -> Outcome {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("picture.png");
        if let Some(picture) = picture {
            picture.save(&path).unwrap();
        }
        check(&Source::File(path))
    }

    #[test]
    fn pictures_work_and_black_ones_do_not() {
        let grey = |value| RgbImage::from_pixel(320, 200, Rgb([value; 3]));
        match checked(Some(grey(120))) {
            Outcome::Works(found) => assert!(found.ends_with("gives pictures of 320 by 200"), "{found}"),
            other => panic!("{other:?}"),
        }
        match checked(Some(grey(2))) {
            Outcome::Problem { what, remedy } => {
                assert!(what.ends_with("gives black pictures") && remedy.starts_with("Open the cover"), "{what}");
            }
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn what_is_not_there_is_told_with_a_remedy() {
        match checked(None) {
            Outcome::Problem { what, remedy } => {
                assert!(
                    what.contains("cannot read") && remedy.starts_with("Check that it is there"),
                    "{what}; {remedy}"
                );
            }
            other => panic!("{other:?}"),
        }
        assert_eq!(check(&Source::None), Outcome::Works("none is wanted".into()));
    }
}
