//! Which of a camera's formats is best for reading text.

use cameras::{PixelFormat, Resolution, StreamConfig};

/// Size that is wanted: text of a page can be read, and decoding stays cheap.
pub(super) const WANTED: Resolution = Resolution { width: 1280, height: 720 };
/// Fewer pictures a second make aiming hard.
const SLOW: f64 = 10.0;
/// More are of no use.
const FAST: f64 = 30.0;

/// Something that a camera can do.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Offer {
    pub(super) size: Resolution,
    /// Most pictures a second; 0 if the camera does not say.
    pub(super) rate: f64,
    pub(super) format: PixelFormat,
}

/// What to try, the best first.
pub(super) fn candidates(offers: &[Offer]) -> Vec<StreamConfig> {
    let usable = |offer: &&Offer| offer.size.width > 0 && offer.size.height > 0;
    let mut offers: Vec<Offer> = offers.iter().filter(usable).copied().collect();
    if cfg!(windows) {
        offers = offers.into_iter().flat_map(converted).collect();
    }
    offers.sort_by(|a, b| badness(a).total_cmp(&badness(b)));
    let mut candidates: Vec<StreamConfig> = vec![];
    for offer in offers {
        let framerate = if offer.rate < 1.0 { FAST } else { offer.rate.min(FAST).floor() } as u32;
        let candidate = StreamConfig { resolution: offer.size, framerate, pixel_format: offer.format };
        let known = |c: &StreamConfig| (c.resolution, c.pixel_format) == (candidate.resolution, candidate.pixel_format);
        if !candidates.iter().any(known) {
            candidates.push(candidate);
        }
    }
    candidates
}

/// Media Foundation converts whatever the camera gives; it knows these from every camera, top row first.
fn converted(offer: Offer) -> impl Iterator<Item = Offer> {
    [PixelFormat::Nv12, PixelFormat::Yuyv, PixelFormat::Bgra8].into_iter().map(move |format| Offer { format, ..offer })
}

/// How far from what is wanted: the logarithm of the area's ratio counts twice where the picture is too small.
fn badness(offer: &Offer) -> f64 {
    let area = |size: Resolution| f64::from(size.width) * f64::from(size.height);
    let ratio = (area(offer.size) / area(WANTED)).ln();
    let size = if ratio < 0.0 { -2.0 * ratio } else { ratio };
    let slow = if offer.rate > 0.0 { (SLOW - offer.rate).max(0.0) * 0.4 } else { 0.0 };
    // Uncompressed pictures are sharper and cheaper, but not where USB makes them slow.
    let format = match offer.format {
        PixelFormat::Yuyv | PixelFormat::Nv12 if offer.rate >= 1.5 * SLOW => 0.0,
        PixelFormat::Mjpeg => 0.02,
        PixelFormat::Yuyv | PixelFormat::Nv12 => 0.04,
        PixelFormat::Rgb8 | PixelFormat::Rgba8 => 0.06,
        _ => 0.08,
    };
    size + slow + format
}

#[cfg(test)]
mod tests {
    use super::*;

    fn offer(width: u32, height: u32, rate: f64, format: PixelFormat) -> Offer {
        Offer { size: Resolution { width, height }, rate, format }
    }

    fn best(offers: &[Offer]) -> (u32, u32, u32, PixelFormat) {
        let best = candidates(offers)[0];
        (best.resolution.width, best.resolution.height, best.framerate, best.pixel_format)
    }

    #[cfg(not(windows))]
    #[test]
    fn an_ordinary_webcam_gives_compressed_pictures_of_720_lines() {
        let webcam = [
            offer(640, 480, 30.0, PixelFormat::Yuyv),
            offer(1280, 720, 10.0, PixelFormat::Yuyv),
            offer(1920, 1080, 5.0, PixelFormat::Yuyv),
            offer(640, 480, 30.0, PixelFormat::Mjpeg),
            offer(1920, 1080, 30.0, PixelFormat::Mjpeg),
            offer(1280, 720, 30.0, PixelFormat::Mjpeg),
        ];
        assert_eq!(best(&webcam), (1280, 720, 30, PixelFormat::Mjpeg));
        // And if that fails, the same size uncompressed.
        assert_eq!(candidates(&webcam)[1].pixel_format, PixelFormat::Yuyv);
        assert_eq!(candidates(&webcam)[1].resolution, WANTED);
    }

    #[cfg(not(windows))]
    #[test]
    fn fast_uncompressed_pictures_are_better() {
        let fast = [offer(1280, 720, 30.0, PixelFormat::Mjpeg), offer(1280, 720, 60.0, PixelFormat::Nv12)];
        assert_eq!(best(&fast), (1280, 720, 30, PixelFormat::Nv12));
    }

    #[test]
    fn too_large_is_better_than_too_small_and_slow_is_worst() {
        let sizes = |offers: &[Offer]| (best(offers).0, best(offers).1);
        let format = PixelFormat::Nv12;
        assert_eq!(sizes(&[offer(640, 480, 30.0, format), offer(1920, 1080, 30.0, format)]), (1920, 1080));
        assert_eq!(sizes(&[offer(1280, 960, 30.0, format), offer(3840, 2160, 30.0, format)]), (1280, 960));
        assert_eq!(sizes(&[offer(1280, 720, 2.0, format), offer(800, 600, 30.0, format)]), (800, 600));
        assert_eq!(sizes(&[offer(160, 120, 30.0, format)]), (160, 120));
        assert_eq!(sizes(&[offer(1280, 720, 0.0, format), offer(640, 480, 30.0, format)]), (1280, 720));
        assert!(candidates(&[]).is_empty());
        assert!(candidates(&[offer(0, 720, 30.0, format)]).is_empty());
    }

    #[test]
    fn nothing_is_tried_twice() {
        let twice = [offer(1280, 720, 15.0, PixelFormat::Nv12), offer(1280, 720, 30.0, PixelFormat::Nv12)];
        assert_eq!(candidates(&twice).iter().filter(|c| c.pixel_format == PixelFormat::Nv12).count(), 1);
    }
}
