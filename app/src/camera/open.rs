//! Opens whatever a [`Source`] names.

use super::{CameraError, CameraInfo, FrameSource, Source};
use super::{file, folder, stream};

/// Opens a source. A camera that is opened has given its first picture.
///
/// Blocks for as long as a driver or a network takes, on macOS also while the system asks for permission; never call it
/// from a thread that draws.
///
/// # Errors
/// [`CameraError`].
pub fn open(source: &Source) -> Result<Box<dyn FrameSource>, CameraError> {
    match source {
        Source::None => Err(CameraError::Off),
        Source::Auto => open_camera(None),
        Source::Device(wanted) => open_camera(Some(wanted)),
        Source::File(path) => file::open(path),
        Source::Folder(path) => Ok(Box::new(folder::Folder::open(path)?)),
        Source::Stream(address) => Ok(Box::new(stream::Stream::open(address)?)),
    }
}

/// The cameras that could be opened; none is no error.
///
/// Blocks as [`open`] does.
///
/// # Errors
/// [`CameraError`].
pub fn list() -> Result<Vec<CameraInfo>, CameraError> {
    #[cfg(feature = "camera")]
    return super::device::list();
    #[cfg(not(feature = "camera"))]
    Err(CameraError::NotBuilt)
}

fn open_camera(wanted: Option<&str>) -> Result<Box<dyn FrameSource>, CameraError> {
    #[cfg(feature = "camera")]
    return super::device::open(wanted);
    #[cfg(not(feature = "camera"))]
    {
        let _ = wanted;
        Err(CameraError::NotBuilt)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_source_is_off() {
        assert_eq!(open(&Source::None).err(), Some(CameraError::Off));
    }

    #[cfg(not(feature = "camera"))]
    #[test]
    fn a_program_without_cameras_says_so() {
        assert_eq!(open(&Source::Auto).err(), Some(CameraError::NotBuilt));
        assert_eq!(open(&Source::Device("any".into())).err(), Some(CameraError::NotBuilt));
        assert_eq!(list(), Err(CameraError::NotBuilt));
    }

    #[cfg(feature = "camera")]
    #[test]
    fn a_camera_that_is_not_there_is_named() {
        let name = "A camera that nobody has";
        assert_eq!(open(&Source::Device(name.into())).err(), Some(CameraError::Missing(name.into())));
    }
}
