//! Which source is wanted, as text.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Which source is wanted; as text in the settings and on the command line.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Source {
    /// The first camera that works (`auto`).
    #[default]
    Auto,
    /// No camera is opened (`none`).
    None,
    /// The camera of that name or identifier (`camera:NAME`).
    Device(String),
    /// A picture, or a file of MJPEG (`file:PATH`).
    File(PathBuf),
    /// The pictures of a folder, one after the other, and those that are added (`folder:PATH`).
    Folder(PathBuf),
    /// An MJPEG stream (`http://…`).
    Stream(String),
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Auto => f.write_str("auto"),
            Self::None => f.write_str("none"),
            Self::Device(id) => write!(f, "camera:{id}"),
            Self::File(path) => write!(f, "file:{}", path.display()),
            Self::Folder(path) => write!(f, "folder:{}", path.display()),
            Self::Stream(address) => f.write_str(address),
        }
    }
}

impl From<Source> for String {
    fn from(source: Source) -> Self {
        source.to_string()
    }
}

impl FromStr for Source {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        // Names and paths are kept to the letter: they may end in a space.
        Ok(match text.trim_start().split_once(':') {
            None if text.trim() == "auto" => Self::Auto,
            None if text.trim() == "none" => Self::None,
            Some(("camera", id)) if !id.is_empty() => Self::Device(id.into()),
            Some(("file", path)) if !path.is_empty() => Self::File(path.into()),
            Some(("folder", path)) if !path.is_empty() => Self::Folder(path.into()),
            Some((http, rest)) if http.eq_ignore_ascii_case("http") && has_host(rest) => {
                Self::Stream(text.trim().into())
            }
            Some((https, _)) if https.eq_ignore_ascii_case("https") => {
                return Err(format!("{} is an encrypted address; use the camera's address with http", text.trim()));
            }
            _ => {
                return Err(format!(
                    "{text} names no camera; write auto, none, camera:NAME, file:PATH, folder:PATH or an http address"
                ));
            }
        })
    }
}

/// Whether it goes on as an address does after `http:`.
fn has_host(rest: &str) -> bool {
    rest.strip_prefix("//").is_some_and(|host| !host.trim().is_empty() && !host.starts_with('/'))
}

impl TryFrom<String> for Source {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn texts_name_sources() {
        let parse = |text: &str| text.parse::<Source>();
        assert_eq!(parse(" auto "), Ok(Source::Auto));
        assert_eq!(parse("none"), Ok(Source::None));
        assert_eq!(parse("camera:HD Webcam: front"), Ok(Source::Device("HD Webcam: front".into())));
        assert_eq!(parse(r"file:C:\scans\1.jpg"), Ok(Source::File(r"C:\scans\1.jpg".into())));
        assert_eq!(parse("folder:/home/me/Photos "), Ok(Source::Folder("/home/me/Photos ".into())));
        assert_eq!(parse("http://10.0.0.5:8080/video\n"), Ok(Source::Stream("http://10.0.0.5:8080/video".into())));
        for wrong in ["", "webcam", "camera:", "file:", "folder:", "http:", "http://", "http:///video", "ftp://host/a"]
        {
            assert!(parse(wrong).is_err_and(|error| error.contains("write auto")), "{wrong}");
        }
        assert!(parse("https://host/video").is_err_and(|error| error.contains("with http")));
    }

    #[test]
    fn settings_keep_it_as_one_text() {
        let json = serde_json::to_string(&Source::Device("HD \"Pro\"".into())).unwrap();
        assert_eq!(json, r#""camera:HD \"Pro\"""#);
        assert_eq!(serde_json::from_str::<Source>(&json).unwrap(), Source::Device("HD \"Pro\"".into()));
        assert!(serde_json::from_str::<Source>("\"bicycle\"").is_err());
    }

    proptest! {
        #[test]
        fn every_source_comes_back_from_its_text(kind in 0..6, name in ".+", host in "[a-z0-9.]{1,20}(:[0-9]{1,4})?", path in "(/[a-zA-Z0-9?=&]{0,9}){0,3}") {
            let source = match kind {
                0 => Source::Auto,
                1 => Source::None,
                2 => Source::Device(name),
                3 => Source::File(name.into()),
                4 => Source::Folder(name.into()),
                _ => Source::Stream(format!("http://{host}{path}")),
            };
            prop_assert_eq!(source.to_string().parse::<Source>(), Ok(source));
        }

        #[test]
        fn what_is_understood_is_understood_again(text in "(camera|file|folder|http|auto|none)?:?.*") {
            if let Ok(source) = text.parse::<Source>() {
                prop_assert_eq!(source.to_string().parse::<Source>(), Ok(source));
            }
        }
    }
}
