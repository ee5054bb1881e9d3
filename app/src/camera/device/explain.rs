//! What the crate's errors mean for people.

use cameras::Error;

#[cfg(target_os = "linux")]
use self::linux::of_number;
#[cfg(target_os = "linux")]
pub(super) use self::linux::system;

use crate::camera::CameraError;

/// What Linux's numbers mean. The crate hands on most of them as text only.
#[cfg(target_os = "linux")]
mod linux {
    use super::*;

    pub(super) fn of_number(number: i32) -> Option<CameraError> {
        const EPERM: i32 = 1;
        const ENOENT: i32 = 2;
        const ENXIO: i32 = 6;
        const EACCES: i32 = 13;
        const EBUSY: i32 = 16;
        const ENODEV: i32 = 19;
        const EINVAL: i32 = 22;
        const ENOSPC: i32 = 28;
        const EPROTO: i32 = 71;
        Some(match number {
            EPERM | EACCES => CameraError::PermissionDenied,
            ENOENT | ENXIO | ENODEV => CameraError::Unplugged,
            EBUSY => CameraError::InUse,
            EINVAL => CameraError::Format,
            // USB has no room left for the stream, or garbles it.
            ENOSPC | EPROTO => CameraError::NoBandwidth,
            _ => return None,
        })
    }

    /// What an error of the system itself means.
    pub(in crate::camera::device) fn system(error: &std::io::Error) -> CameraError {
        let known = error.raw_os_error().and_then(of_number);
        known.unwrap_or_else(|| CameraError::Driver(error.to_string()))
    }
}

/// Other systems write no numbers into their texts that are the same everywhere.
#[cfg(not(target_os = "linux"))]
fn of_number(_: i32) -> Option<CameraError> {
    None
}

/// English words of Windows and macOS; in other languages the reason stays as the system words it.
fn of_words(message: &str) -> Option<CameraError> {
    let message = message.to_lowercase();
    let has = |words: &[&str]| words.iter().any(|word| message.contains(word));
    if has(&["access is denied", "not authorized", "permission"]) {
        Some(CameraError::PermissionDenied)
    } else if has(&["preempted", "lack of hardware resources", "in use", "being used"]) {
        Some(CameraError::InUse)
    } else if has(&["no longer present", "device removed", "has been invalidated", "disconnected"]) {
        Some(CameraError::Unplugged)
    } else if has(&["setcurrentmediatype", "no enumerable video media types"]) {
        Some(CameraError::Format)
    } else {
        None
    }
}

pub(super) fn explain(error: &Error) -> CameraError {
    match error {
        Error::PermissionDenied => CameraError::PermissionDenied,
        Error::DeviceNotFound(_) => CameraError::Unplugged,
        Error::DeviceInUse => CameraError::InUse,
        Error::FormatNotSupported | Error::MjpegDecode(_) => CameraError::Format,
        Error::Timeout => CameraError::Stalled,
        Error::StreamEnded => CameraError::Ended,
        Error::BackendNotImplemented { .. } => CameraError::NotBuilt,
        Error::Backend { message, .. } => os_error(message)
            .and_then(of_number)
            .or_else(|| of_words(message))
            .unwrap_or_else(|| CameraError::Driver(message.trim().trim_end_matches('.').into())),
        other => CameraError::Driver(other.to_string()),
    }
}

/// The number at the end of the text that Rust makes of a system's error.
fn os_error(message: &str) -> Option<i32> {
    message.rsplit_once("(os error ")?.1.strip_suffix(')')?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn backend(message: &str) -> CameraError {
        explain(&Error::Backend { platform: "test", message: message.into() })
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn numbers_of_linux_are_understood() {
        let of = |number: i32| backend(&std::io::Error::from_raw_os_error(number).to_string());
        assert_eq!(of(13), CameraError::PermissionDenied);
        assert_eq!(of(16), CameraError::InUse);
        assert_eq!(of(19), CameraError::Unplugged);
        assert_eq!(of(22), CameraError::Format);
        assert_eq!(of(28), CameraError::NoBandwidth);
        assert_eq!(of(5), CameraError::Driver("Input/output error (os error 5)".into()));
    }

    #[test]
    fn words_of_other_systems_are_understood() {
        assert_eq!(backend("Access is denied."), CameraError::PermissionDenied);
        assert_eq!(
            backend("The video recording device is preempted by another immersive application."),
            CameraError::InUse
        );
        assert_eq!(backend("The video recording device is no longer present."), CameraError::Unplugged);
        assert_eq!(backend("Zugriff verweigert. "), CameraError::Driver("Zugriff verweigert".into()));
    }

    #[test]
    fn every_kind_has_its_own_sentence() {
        assert_eq!(explain(&Error::PermissionDenied), CameraError::PermissionDenied);
        assert_eq!(explain(&Error::DeviceNotFound("x".into())), CameraError::Unplugged);
        assert_eq!(explain(&Error::DeviceInUse), CameraError::InUse);
        assert_eq!(explain(&Error::FormatNotSupported), CameraError::Format);
        assert_eq!(explain(&Error::Timeout), CameraError::Stalled);
        assert_eq!(explain(&Error::StreamEnded), CameraError::Ended);
    }
}
