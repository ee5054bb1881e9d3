//! Why no picture comes.

use std::fmt;
use std::path::PathBuf;

/// Why no picture comes, each in a sentence fit to be spoken, with what to do.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum CameraError {
    /// No camera is wanted.
    Off,
    /// No camera is connected.
    NotFound,
    /// The wanted camera is not connected.
    Missing(String),
    /// The system does not let this program use it.
    PermissionDenied,
    /// Another program has it.
    InUse,
    /// It was pulled out.
    Unplugged,
    /// It gave nothing for too long.
    Stalled,
    /// Its driver hangs.
    Hangs,
    /// The connection cannot carry its pictures.
    NoBandwidth,
    /// Its pictures have a format that is not known here.
    Format,
    /// Anything else that the driver says.
    Driver(String),
    /// It has no lamp.
    NoTorch,
    /// The lamp does not obey.
    Torch(String),
    /// The program was built without cameras.
    NotBuilt,
    /// A file or folder cannot be read.
    Unreadable {
        /// The file or folder.
        path: PathBuf,
        /// The system's or the decoder's reason.
        reason: String,
    },
    /// There is no picture in the folder.
    NoPicture(PathBuf),
    /// The text is no address of a stream.
    BadAddress(String),
    /// Nobody answers at the address.
    Unreachable {
        /// The address, without a password.
        address: String,
        /// The network's reason.
        reason: String,
    },
    /// The address answers, but not with pictures.
    Refused {
        /// The address, without a password.
        address: String,
        /// The status of HTTP.
        status: u16,
    },
    /// What comes from the address is no MJPEG.
    NoStream(String),
    /// The stream broke off.
    Ended,
}

impl CameraError {
    /// What happened, a clause without a full stop.
    pub fn what(&self) -> String {
        match self {
            Self::Off => "no camera is chosen".into(),
            Self::NotFound => "there is no camera".into(),
            Self::Missing(name) => format!("the camera {name} is not there"),
            Self::PermissionDenied => "this program may not use the camera".into(),
            Self::InUse => "another program uses the camera".into(),
            Self::Unplugged => "the camera was unplugged".into(),
            Self::Stalled => "the camera gives no pictures".into(),
            Self::Hangs => "the camera does not answer".into(),
            Self::NoBandwidth => "the connection is too slow for the camera".into(),
            Self::Format => "the camera gives pictures in a format that I do not know".into(),
            Self::Driver(reason) => format!("the camera cannot be used ({reason})"),
            Self::NoTorch => "this camera has no lamp".into(),
            Self::Torch(reason) => format!("the lamp of the camera cannot be switched ({reason})"),
            Self::NotBuilt => "this program was built without cameras".into(),
            Self::Unreadable { path, reason } => format!("cannot read {} ({reason})", path.display()),
            Self::NoPicture(folder) => format!("there is no picture in the folder {}", folder.display()),
            Self::BadAddress(address) => format!("{address} is no address of a camera"),
            Self::Unreachable { address, reason } => format!("the camera at {address} does not answer ({reason})"),
            Self::Refused { address, status: 401 | 403 } => format!("the camera at {address} wants a password"),
            Self::Refused { address, status: 300..=399 } => format!("the camera at {address} sends me elsewhere"),
            Self::Refused { address, status } => {
                format!("the camera at {address} does not give pictures (status {status})")
            }
            Self::NoStream(address) => format!("what comes from {address} is no stream of pictures"),
            Self::Ended => "the camera's stream broke off".into(),
        }
    }

    /// What to do about it; empty where nothing can be done.
    pub fn remedy(&self) -> &'static str {
        match self {
            Self::Off => "choose one in the settings",
            Self::NotFound => "plug one in, or open a picture file",
            Self::Missing(_) => "plug it in, or choose another one in the settings",
            Self::PermissionDenied => permission_remedy(),
            Self::InUse => "close the other program",
            Self::Unplugged => "plug it in again",
            Self::Stalled | Self::Hangs => "check its cable, or unplug it and plug it in again",
            Self::NoBandwidth => "plug it straight into the computer, without a hub",
            Self::Format => "use another camera",
            Self::Driver(_) if cfg!(windows) => {
                "close other programs that use it, and look into Settings, Privacy and security, Camera"
            }
            Self::Driver(_) => "unplug it and plug it in again, or use another camera",
            Self::NoTorch => "",
            Self::Torch(_) => "use another light",
            Self::NotBuilt => "use a picture file, a folder or a network camera",
            Self::Unreadable { .. } => "check that it is there and that you may open it",
            Self::NoPicture(_) => "put one there",
            Self::BadAddress(_) => "write it as http://name/path",
            Self::Unreachable { .. } => "check that it is switched on and in the same network",
            Self::Refused { status: 401 | 403, .. } => "write it as http://user:password@name/path",
            Self::Refused { .. } | Self::NoStream(_) => "check the address of its video in its manual",
            Self::Ended => "check that it is switched on",
        }
    }
}

/// Where the system lets people decide about cameras.
fn permission_remedy() -> &'static str {
    if cfg!(target_os = "macos") {
        "allow it in System Settings, Privacy and Security, Camera, then start the program again"
    } else if cfg!(windows) {
        "allow it in Settings, Privacy and security, Camera"
    } else {
        "ask for your account to be put into the group \"video\", then log in again"
    }
}

impl fmt::Display for CameraError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.what())?;
        match self.remedy() {
            "" => Ok(()),
            remedy => write!(f, "; {remedy}"),
        }
    }
}

impl std::error::Error for CameraError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sentence_says_what_happened_and_what_to_do() {
        assert_eq!(CameraError::InUse.to_string(), "another program uses the camera; close the other program");
        assert_eq!(CameraError::NoTorch.to_string(), "this camera has no lamp");
        let refused = |status| CameraError::Refused { address: "http://cam".into(), status }.to_string();
        assert!(refused(401).contains("wants a password; write it as http://user:password@"), "{}", refused(401));
        assert!(refused(302).contains("sends me elsewhere; "), "{}", refused(302));
        assert!(refused(404).contains("status 404"), "{}", refused(404));
    }
}
