//! Cameras of the system through the crate `cameras`: Video4Linux, AVFoundation and Media Foundation.
//!
//! A driver may hang, and the crate waits for it without limit when a camera is closed; so everything here runs on a thread
//! that can be left behind.

mod choose;
mod closing;
mod explain;
mod lamp;
mod limit;
mod offers;
mod pixels;

use std::sync::Arc;
use std::time::{Duration, Instant};

use cameras::{Camera, Device, StreamConfig};

use self::explain::explain;
use self::lamp::Lamp;
use self::limit::within;
use self::pixels::Raw;
use super::{CameraError, CameraInfo, Frame, FrameSource};

/// Listing takes milliseconds, unless a driver hangs or macOS asks for permission.
const LIST_LIMIT: Duration = Duration::from_secs(if cfg!(target_os = "macos") { 130 } else { 10 });
/// Opening all cameras until one works.
const OPEN_LIMIT: Duration = Duration::from_secs(if cfg!(target_os = "macos") { 150 } else { 40 });
/// A camera that is opened gives its first picture within this time; slow ones take two seconds.
const FIRST_PICTURE: Duration = Duration::from_secs(5);
/// Pictures that the crate keeps. When so many wait, later ones were thrown away: those that wait are old.
const QUEUE: usize = 3;
/// Formats that are tried with one camera.
const MOST_FORMATS: usize = 5;
/// So many damaged pictures one after the other are a format that is not known here.
const MOST_DAMAGED: u32 = 30;

/// The cameras that could be opened.
pub(super) fn list() -> Result<Vec<CameraInfo>, CameraError> {
    Ok(within(LIST_LIMIT, devices)?.into_iter().map(|(info, _)| info).collect())
}

/// Opens the camera of that name or identifier, or the first one that works.
pub(super) fn open(wanted: Option<&str>) -> Result<Box<dyn FrameSource>, CameraError> {
    let wanted = wanted.map(str::to_string);
    let source = within(OPEN_LIMIT, move || {
        let devices = devices()?;
        match wanted {
            Some(wanted) => {
                let names = devices.iter().map(|(info, device)| (info, device.id.0.as_str()));
                let index = position(&wanted, names).ok_or(CameraError::Missing(wanted))?;
                devices.into_iter().nth(index).map_or(Err(CameraError::NotFound), |(_, device)| open_device(&device))
            }
            None => first_that_works(devices.iter().map(|(_, device)| move || open_device(device))),
        }
    })?;
    Ok(Box::new(source))
}

/// What the system has, in a steady order.
fn devices() -> Result<Vec<(CameraInfo, Device)>, CameraError> {
    let mut devices = cameras::devices().map_err(|error| explain(&error))?;
    devices.retain(|device| offers::may_be_camera(&device.id));
    devices.sort_by(|a, b| (a.id.0.len(), &a.id.0).cmp(&(b.id.0.len(), &b.id.0)));
    let infos = infos(devices.iter().map(|device| (device.id.0.as_str(), device.name.as_str())));
    Ok(infos.into_iter().zip(devices).collect())
}

/// Identifiers and names for people. On Linux the system's identifiers change with the order of plugging in, so that a name
/// is the better one where it is unique.
fn infos<'a>(devices: impl Iterator<Item = (&'a str, &'a str)> + Clone) -> Vec<CameraInfo> {
    let alone = |name: &str| devices.clone().filter(|(_, other)| *other == name).count() == 1;
    let info = |(id, name): (&str, &str)| match (alone(name), cfg!(target_os = "linux")) {
        (true, true) => CameraInfo { id: name.into(), name: name.into() },
        (true, false) => CameraInfo { id: id.into(), name: name.into() },
        (false, true) => CameraInfo { id: id.into(), name: format!("{name} ({id})") },
        (false, false) => CameraInfo { id: id.into(), name: name.into() },
    };
    devices.clone().map(info).collect()
}

/// Which one is meant: by its identifier or the system's, else by its name, else by a part of its name.
fn position<'a>(wanted: &str, cameras: impl Iterator<Item = (&'a CameraInfo, &'a str)> + Clone) -> Option<usize> {
    let lower = wanted.trim().to_lowercase();
    let named = |matches: &dyn Fn(String) -> bool| {
        cameras.clone().position(|(info, _)| !lower.is_empty() && matches(info.name.to_lowercase()))
    };
    cameras
        .clone()
        .position(|(info, system)| info.id == wanted || system == wanted)
        .or_else(|| named(&|name| name == lower))
        .or_else(|| named(&|name| name.contains(&lower)))
}

/// The first that can be opened; else the reason that most likely has a remedy.
fn first_that_works<T>(opens: impl Iterator<Item = impl FnOnce() -> Result<T, CameraError>>) -> Result<T, CameraError> {
    let mut reason = CameraError::NotFound;
    for open in opens {
        match open() {
            Ok(source) => return Ok(source),
            Err(error @ (CameraError::PermissionDenied | CameraError::InUse)) => reason = error,
            Err(error) if reason == CameraError::NotFound => reason = error,
            Err(_) => {}
        }
    }
    Err(reason)
}

/// Opens it in the best format in which it gives a picture.
fn open_device(device: &Device) -> Result<DeviceSource, CameraError> {
    let offers = offers::of(device)?;
    let mut reason = CameraError::Format;
    for config in choose::candidates(&offers).into_iter().take(MOST_FORMATS) {
        match open_as(device, config) {
            Ok(source) => return Ok(source),
            Err(error @ (CameraError::Format | CameraError::NoBandwidth | CameraError::Driver(_))) => reason = error,
            Err(error) => return Err(error),
        }
    }
    Err(reason)
}

fn open_as(device: &Device, config: StreamConfig) -> Result<DeviceSource, CameraError> {
    let camera = cameras::open(device, config).map_err(|error| explain(&error))?;
    let mut source = DeviceSource {
        name: device.name.clone(),
        id: device.id.0.clone(),
        open: Some(Open { camera, lamp: None }),
        first: None,
        damaged: 0,
    };
    match source.receive(FIRST_PICTURE) {
        Ok(first) => source.first = Some(first),
        Err(CameraError::Stalled) if source.damaged > 0 => return Err(CameraError::Format),
        Err(CameraError::InUse) if closing::one_hangs() => return Err(CameraError::Hangs),
        Err(reason) => return Err(reason),
    }
    if let Some(open) = &mut source.open {
        open.lamp = Lamp::find(&device.id);
    }
    Ok(source)
}

/// A camera that is open.
struct DeviceSource {
    name: String,
    id: String,
    /// `None` only while it is being closed.
    open: Option<Open>,
    /// The picture that opening waited for.
    first: Option<Frame>,
    /// Damaged pictures since the last good one.
    damaged: u32,
}

/// What a driver holds.
struct Open {
    camera: Camera,
    lamp: Option<Lamp>,
}

impl Drop for DeviceSource {
    fn drop(&mut self) {
        closing::close(self.open.take());
    }
}

impl DeviceSource {
    /// The newest picture, or the next one. Damaged ones are left out, and older ones are thrown away without decoding them.
    fn receive(&mut self, timeout: Duration) -> Result<Frame, CameraError> {
        let Some(Open { camera, .. }) = &self.open else { return Err(CameraError::Ended) };
        let until = Instant::now() + timeout;
        while self.damaged < MOST_DAMAGED {
            let mut waiting = vec![];
            while let Some(next) = cameras::try_next_frame(camera) {
                waiting.push(next.map_err(|error| explain(&error))?);
                if waiting.len() > QUEUE {
                    break;
                }
            }
            let newest = if waiting.len() < QUEUE { waiting.pop() } else { None };
            let frame = match newest {
                Some(frame) => frame,
                None => cameras::next_frame(camera, until.saturating_duration_since(Instant::now()))
                    .map_err(|error| explain(&error))?,
            };
            let at = Instant::now();
            if let Some(picture) = Raw::of(&frame).to_rgb() {
                self.damaged = 0;
                return Ok(Frame { picture: Arc::new(picture), at });
            }
            self.damaged += 1;
        }
        Err(CameraError::Format)
    }

    fn is_there(&self) -> bool {
        cameras::devices().is_ok_and(|devices| devices.iter().any(|device| device.id.0 == self.id))
    }
}

impl FrameSource for DeviceSource {
    fn name(&self) -> String {
        self.name.clone()
    }

    fn next_frame(&mut self, timeout: Duration) -> Result<Frame, CameraError> {
        if let Some(first) = self.first.take() {
            return Ok(first);
        }
        match self.receive(timeout) {
            // Not every system tells that a camera was pulled out.
            Err(CameraError::Stalled | CameraError::Ended) if !self.is_there() => Err(CameraError::Unplugged),
            other => other,
        }
    }

    fn has_torch(&self) -> bool {
        self.open.as_ref().is_some_and(|open| open.lamp.is_some())
    }

    fn set_torch(&mut self, on: bool) -> Result<(), CameraError> {
        let lamp = self.open.as_mut().and_then(|open| open.lamp.as_mut());
        lamp.ok_or(CameraError::NoTorch)?.switch(on)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DEVICES: [(&str, &str); 3] =
        [("/dev/video0", "HD Webcam"), ("/dev/video2", "Document Camera"), ("/dev/video4", "HD Webcam")];

    #[test]
    fn a_camera_is_found_by_identifier_name_or_part_of_its_name() {
        let infos = infos(DEVICES.into_iter());
        let find = |wanted: &str| position(wanted, infos.iter().zip(DEVICES.map(|(system, _)| system)));
        for (index, (info, (system, _))) in infos.iter().zip(DEVICES).enumerate() {
            assert_eq!(find(&info.id), Some(index));
            assert_eq!(find(system), Some(index));
        }
        assert_eq!(find("document camera"), Some(1));
        assert_eq!(find("webcam"), Some(0));
        assert_eq!(find(" "), None);
        assert_eq!(find("phone"), None);
    }

    #[test]
    fn identifiers_are_names_where_the_system_has_no_steady_ones() {
        let infos = infos(DEVICES.into_iter());
        let steady = if cfg!(target_os = "linux") { "Document Camera" } else { "/dev/video2" };
        assert_eq!(infos[1], CameraInfo { id: steady.into(), name: "Document Camera".into() });
        assert_eq!(infos[2].id, "/dev/video4");
    }

    #[test]
    fn the_first_camera_that_works_is_taken() {
        let tried = |results: Vec<Result<u8, CameraError>>| first_that_works(results.into_iter().map(|r| move || r));
        assert_eq!(tried(vec![Err(CameraError::InUse), Ok(2), Ok(3)]), Ok(2));
        assert_eq!(tried(vec![]), Err(CameraError::NotFound));
        assert_eq!(tried(vec![Err(CameraError::Format), Err(CameraError::InUse)]), Err(CameraError::InUse));
        assert_eq!(tried(vec![Err(CameraError::Format), Err(CameraError::Stalled)]), Err(CameraError::Format));
    }
}
