//! The outline of a JPEG: where it ends and whether it is whole, found without decoding it.

use image::RgbImage;

use crate::picture::{self, PictureError};

/// First bytes of every JPEG: start of image, and the first byte of the next marker.
pub(super) const START: [u8; 3] = [0xFF, SOI, 0xFF];
/// Pixels of the largest picture that a camera may give.
const MAX_PIXELS: u64 = 40_000_000;

/// Start of image.
const SOI: u8 = 0xD8;
/// End of image.
const EOI: u8 = 0xD9;
/// Huffman tables.
const DHT: u8 = 0xC4;
/// Start of scan: what follows its header is entropy-coded.
const SOS: u8 = 0xDA;

/// What a [`Walker`] has found.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// Nothing is wrong so far, and more bytes are needed.
    More,
    /// The picture ends before this byte.
    Whole(usize),
    /// It is damaged; another one may begin at this byte or later.
    Broken(usize),
}

/// Walks along the markers of a JPEG (ITU-T T.81, annex B) while its bytes arrive. A thumbnail in its header is passed over.
#[derive(Debug)]
pub(super) struct Walker {
    at: usize,
    in_scan: bool,
    scans: u32,
    has_tables: bool,
    pixels: u64,
}

impl Walker {
    pub(super) fn new() -> Self {
        Self { at: 2, in_scan: false, scans: 0, has_tables: false, pixels: 0 }
    }

    /// Goes on. `bytes` begin with [`START`] and are those of the last call and more.
    pub(super) fn advance(&mut self, bytes: &[u8]) -> Step {
        loop {
            let step = if self.in_scan { self.pass_scan(bytes) } else { self.pass_segment(bytes) };
            if let Some(step) = step {
                return step;
            }
        }
    }

    /// Passes entropy-coded bytes until a marker.
    fn pass_scan(&mut self, bytes: &[u8]) -> Option<Step> {
        let rest = bytes.get(self.at..).unwrap_or_default();
        let Some(marker) = rest.iter().position(|&byte| byte == 0xFF) else {
            self.at = bytes.len().max(self.at);
            return Some(Step::More);
        };
        self.at += marker;
        match bytes.get(self.at + 1) {
            None => return Some(Step::More),
            Some(0x00 | 0xD0..=0xD7) => self.at += 2,
            Some(0xFF) => self.at += 1,
            Some(&EOI) => return Some(Step::Whole(self.at + 2)),
            Some(&SOI) => return Some(Step::Broken(self.at)),
            Some(_) => self.in_scan = false,
        }
        None
    }

    /// Passes one segment of a header.
    fn pass_segment(&mut self, bytes: &[u8]) -> Option<Step> {
        let rest = bytes.get(self.at..).unwrap_or_default();
        match *rest {
            [0xFF, 0xFF, ..] => self.at += 1,
            [0xFF, 0x01 | 0xD0..=0xD7, ..] => self.at += 2,
            [0xFF, EOI, ..] if self.scans > 0 => return Some(Step::Whole(self.at + 2)),
            [0xFF, 0x00 | EOI, ..] => return Some(Step::Broken(self.at + 2)),
            [0xFF, SOI, ..] => return Some(Step::Broken(self.at)),
            [0xFF, marker, high, low, ..] => {
                let length = usize::from(u16::from_be_bytes([high, low]));
                if length < 2 {
                    return Some(Step::Broken(self.at + 2));
                }
                let Some(content) = rest.get(4..2 + length) else { return Some(Step::More) };
                self.note(marker, content);
                self.at += 2 + length;
            }
            [] | [0xFF] | [0xFF, _] | [0xFF, _, _] => return Some(Step::More),
            [_, ..] => return Some(Step::Broken(self.at)),
        }
        None
    }

    fn note(&mut self, marker: u8, content: &[u8]) {
        match (marker, content) {
            (DHT, _) => self.has_tables = true,
            (SOS, _) => {
                self.in_scan = true;
                self.scans += 1;
            }
            (0xC0..=0xCF, &[_, h0, h1, w0, w1, ..]) if !matches!(marker, 0xC8 | 0xCC) => {
                self.pixels = u64::from(u16::from_be_bytes([h0, h1])) * u64::from(u16::from_be_bytes([w0, w1]));
            }
            _ => {}
        }
    }
}

/// Decodes a picture from a camera's stream; bytes after its end are left out.
///
/// # Errors
/// [`PictureError`]; also for a picture that breaks off, which a decoder would fill up with grey.
pub(super) fn decode(bytes: &[u8]) -> Result<RgbImage, PictureError> {
    let mut walker = Walker::new();
    if !bytes.starts_with(&START) {
        return Err(PictureError::UnknownFormat);
    }
    let Step::Whole(length) = walker.advance(bytes) else {
        return Err(PictureError::Damaged("it is not whole".into()));
    };
    if walker.pixels > MAX_PIXELS {
        return Err(PictureError::TooLarge(format!("{} megapixels", walker.pixels / 1_000_000)));
    }
    let bytes = bytes.get(..length).unwrap_or(bytes);
    if walker.has_tables { picture::decode(bytes) } else { picture::decode(&with_usual_tables(bytes)) }
}

/// Cameras may leave out the Huffman tables where they are those of annex K; this segment of AVI files tells decoders so.
fn with_usual_tables(bytes: &[u8]) -> Vec<u8> {
    let mark = b"\xFF\xE0\0\x10AVI1\0\0\0\0\0\0\0\0\0";
    let (start, rest) = bytes.split_at(2.min(bytes.len()));
    [start, mark, rest].concat()
}

#[cfg(test)]
pub(super) mod tests {
    use image::codecs::jpeg::JpegEncoder;
    use proptest::prelude::*;

    use super::*;

    /// A JPEG of one shade with a pattern, so that its scan is not tiny.
    pub(in crate::camera) fn sample(width: u32, height: u32, shade: u8) -> Vec<u8> {
        let picture =
            RgbImage::from_fn(width, height, |x, y| [shade, ((x * 7) ^ (y * 5)) as u8 & 0x1F, shade / 2].into());
        let mut bytes = vec![];
        JpegEncoder::new_with_quality(&mut bytes, 90).encode_image(&picture).unwrap();
        bytes
    }

    /// The shade that [`sample`] was given, roughly.
    pub(in crate::camera) fn shade(picture: &RgbImage) -> u8 {
        let sum: u64 = picture.pixels().map(|pixel| u64::from(pixel.0[0])).sum();
        (sum / u64::from(picture.width() * picture.height())) as u8
    }

    fn walk(bytes: &[u8]) -> Step {
        Walker::new().advance(bytes)
    }

    /// Takes the segments of that marker out of a JPEG's header.
    fn without(marker: u8, jpeg: &[u8]) -> Vec<u8> {
        let (mut out, mut at) = (jpeg[..2].to_vec(), 2);
        loop {
            let length = 2 + usize::from(u16::from_be_bytes([jpeg[at + 2], jpeg[at + 3]]));
            if jpeg[at + 1] != marker {
                out.extend(&jpeg[at..at + length]);
            }
            if jpeg[at + 1] == SOS {
                out.extend(&jpeg[at + length..]);
                return out;
            }
            at += length;
        }
    }

    #[test]
    fn the_end_is_found_whatever_follows() {
        let jpeg = sample(64, 48, 200);
        assert_eq!(walk(&jpeg), Step::Whole(jpeg.len()));
        let padded = [&jpeg[..], &[0; 100], &jpeg].concat();
        assert_eq!(walk(&padded), Step::Whole(jpeg.len()));
        assert_eq!(decode(&padded).unwrap().dimensions(), (64, 48));
    }

    #[test]
    fn a_thumbnail_in_the_header_does_not_end_it() {
        let (thumbnail, jpeg) = (sample(16, 16, 20), sample(64, 48, 200));
        let length = u16::try_from(thumbnail.len() + 2).unwrap().to_be_bytes();
        let with = [&jpeg[..2], &[0xFF, 0xE1], &length, &thumbnail, &jpeg[2..]].concat();
        assert_eq!(walk(&with), Step::Whole(with.len()));
    }

    #[test]
    fn bytes_may_come_one_by_one() {
        let jpeg = sample(40, 40, 90);
        let mut walker = Walker::new();
        for end in 3..jpeg.len() {
            assert_eq!(walker.advance(&jpeg[..end]), Step::More, "{end}");
        }
        assert_eq!(walker.advance(&jpeg), Step::Whole(jpeg.len()));
    }

    #[test]
    fn a_picture_that_breaks_off_is_damaged() {
        let jpeg = sample(64, 48, 200);
        let half = &jpeg[..jpeg.len() / 2];
        assert_eq!(walk(half), Step::More);
        assert!(matches!(decode(half), Err(PictureError::Damaged(_))));
        let next = [half, &jpeg].concat();
        assert_eq!(walk(&next), Step::Broken(half.len()));
    }

    #[test]
    fn usual_tables_may_be_left_out() {
        let jpeg = sample(64, 48, 200);
        let lean = without(DHT, &jpeg);
        assert!(lean.len() < jpeg.len() - 200);
        assert_eq!(decode(&lean).unwrap(), decode(&jpeg).unwrap());
    }

    #[test]
    fn a_small_file_cannot_claim_a_huge_picture() {
        let mut jpeg = sample(64, 48, 200);
        let frame = jpeg.windows(2).position(|pair| pair == [0xFF, 0xC0]).unwrap();
        jpeg[frame + 5..frame + 9].fill(0xFF);
        assert!(matches!(decode(&jpeg), Err(PictureError::TooLarge(_))));
    }

    proptest! {
        #[test]
        fn hostile_bytes_do_no_harm(noise in prop::collection::vec(any::<u8>(), 0..400), at in 0usize..2000, flip in any::<u8>()) {
            let _ = decode(&noise);
            let mut jpeg = sample(32, 32, 128);
            let at = at % jpeg.len();
            jpeg[at] ^= flip;
            let _ = decode(&jpeg);
            let headed = [&START[..], &noise].concat();
            if let Step::Whole(end) | Step::Broken(end) = walk(&headed) {
                prop_assert!((2..=headed.len()).contains(&end));
            }
        }
    }
}
