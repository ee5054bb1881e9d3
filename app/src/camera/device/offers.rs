//! What a camera can do.

use cameras::{Device, DeviceId};

use super::choose::Offer;
use crate::camera::CameraError;

#[cfg(not(target_os = "linux"))]
mod system {
    use super::*;
    use crate::camera::device::explain::explain;

    pub(super) fn may_be_camera(_: &DeviceId) -> bool {
        true
    }

    pub(super) fn of(device: &Device) -> Result<Vec<Offer>, CameraError> {
        let capabilities = cameras::probe(device).map_err(|error| explain(&error))?;
        let offer = |format: &cameras::FormatDescriptor| Offer {
            size: format.resolution,
            rate: format.framerate_range.max,
            format: format.pixel_format,
        };
        Ok(capabilities.formats.iter().map(offer).collect())
    }
}

/// Video4Linux is asked directly: the crate takes formats that it does not know for MJPEG, and lists every one of a range
/// of sizes, which may be millions.
#[cfg(target_os = "linux")]
mod system {
    use std::panic::catch_unwind;

    use cameras::{PixelFormat, Resolution};
    use v4l::frameinterval::FrameIntervalEnum;
    use v4l::framesize::{FrameSizeEnum, Stepwise};
    use v4l::video::Capture;
    use v4l::{Device as Node, FourCC};

    use super::*;
    use crate::camera::device::choose::WANTED;
    use crate::camera::device::explain::system;

    /// Nodes of one webcam carry other things than pictures; those that may not be opened count, so that it can be said why.
    pub(super) fn may_be_camera(id: &DeviceId) -> bool {
        match offers(id) {
            Ok(offers) => !offers.is_empty(),
            Err(reason) => matches!(reason, CameraError::PermissionDenied | CameraError::InUse),
        }
    }

    pub(super) fn of(device: &Device) -> Result<Vec<Offer>, CameraError> {
        offers(&device.id)
    }

    fn offers(id: &DeviceId) -> Result<Vec<Offer>, CameraError> {
        // The crate panics on texts of a driver that are no UTF-8.
        catch_unwind(|| ask(id)).unwrap_or_else(|_| Err(CameraError::Driver("its driver gives nonsense".into())))
    }

    fn ask(id: &DeviceId) -> Result<Vec<Offer>, CameraError> {
        let node = Node::with_path(&id.0).map_err(|error| system(&error))?;
        let mut offers = vec![];
        for description in node.enum_formats().map_err(|error| system(&error))? {
            let Some(format) = known(description.fourcc) else { continue };
            // A driver that does not list sizes takes the nearest to the one that is asked for.
            let sizes = node.enum_framesizes(description.fourcc).map(|sizes| sizes.into_iter().map(|size| size.size));
            let sizes: Vec<Resolution> = sizes.map_or(vec![WANTED], |sizes| sizes.map(size).collect());
            for size in sizes {
                let rates = node.enum_frameintervals(description.fourcc, size.width, size.height);
                let rate = rates.unwrap_or_default().iter().map(|rate| fastest(&rate.interval)).fold(0.0, f64::max);
                offers.push(Offer { size, rate, format });
            }
        }
        Ok(offers)
    }

    /// The formats that the crate asks a driver for.
    fn known(code: FourCC) -> Option<PixelFormat> {
        Some(match &code.repr {
            b"MJPG" => PixelFormat::Mjpeg,
            b"YUYV" => PixelFormat::Yuyv,
            b"NV12" => PixelFormat::Nv12,
            b"RGB3" => PixelFormat::Rgb8,
            b"AB24" => PixelFormat::Rgba8,
            b"BA24" => PixelFormat::Bgra8,
            _ => return None,
        })
    }

    /// Of a range of sizes, the nearest to the wanted one.
    fn size(size: FrameSizeEnum) -> Resolution {
        match size {
            FrameSizeEnum::Discrete(size) => Resolution { width: size.width, height: size.height },
            FrameSizeEnum::Stepwise(Stepwise {
                min_width,
                max_width,
                step_width,
                min_height,
                max_height,
                step_height,
            }) => Resolution {
                width: step(WANTED.width, min_width, max_width, step_width),
                height: step(WANTED.height, min_height, max_height, step_height),
            },
        }
    }

    fn step(wanted: u32, min: u32, max: u32, step: u32) -> u32 {
        let wanted = wanted.min(max).max(min);
        wanted - (wanted - min).checked_rem(step).unwrap_or(0)
    }

    fn fastest(interval: &FrameIntervalEnum) -> f64 {
        let shortest = match interval {
            FrameIntervalEnum::Discrete(interval) => interval,
            FrameIntervalEnum::Stepwise(range) => &range.min,
        };
        f64::from(shortest.denominator) / f64::from(shortest.numerator.max(1))
    }

    #[cfg(test)]
    mod tests {
        use super::*;

        #[test]
        fn the_nearest_size_of_a_range_is_taken() {
            assert_eq!(step(1280, 32, 2592, 2), 1280);
            assert_eq!(step(1280, 1, 8192, 1), 1280);
            assert_eq!(step(720, 16, 576, 16), 576);
            assert_eq!(step(720, 1000, 2000, 8), 1000);
            assert_eq!(step(1280, 48, 1928, 100), 1248);
            assert_eq!(step(720, 100, 1000, 0), 720);
        }

        #[test]
        fn only_formats_that_can_be_asked_for_are_known() {
            assert_eq!(known(FourCC::new(b"MJPG")), Some(PixelFormat::Mjpeg));
            assert_eq!(known(FourCC::new(b"GREY")), None);
            assert_eq!(known(FourCC::new(b"H264")), None);
        }

        #[test]
        fn a_node_that_is_not_there_is_no_camera() {
            let id = DeviceId("/dev/video_that_nobody_has".into());
            assert!(!may_be_camera(&id));
            assert_eq!(offers(&id), Err(CameraError::Unplugged));
        }
    }
}

/// Whether the device gives pictures at all.
pub(super) fn may_be_camera(id: &DeviceId) -> bool {
    system::may_be_camera(id)
}

/// Sizes, rates and formats of a camera.
///
/// # Errors
/// It cannot be asked.
pub(super) fn of(device: &Device) -> Result<Vec<Offer>, CameraError> {
    system::of(device)
}
