//! 300 broken and hostile picture files: each is decoded or refused in a sentence; none panics or takes much memory.

use std::io::Cursor;
use std::path::Path;

use image::{DynamicImage, ImageFormat, Rgb, RgbImage};
use sightread::picture::decode;

fn picture() -> DynamicImage {
    let stroke = |x: u32, y: u32| (20..200).contains(&x) && (30..50).contains(&y) && x % 7 < 3;
    RgbImage::from_fn(240, 90, |x, y| Rgb([if stroke(x, y) { 20 } else { 235 }; 3])).into()
}

/// As a phone saves it.
fn heic(picture: &DynamicImage) -> Vec<u8> {
    let (width, height, options) = (picture.width(), picture.height(), heifer::EncodeOptions::default());
    heifer::encode_rgb8(width, height, picture.to_rgb8().as_raw(), &options).unwrap()
}

fn encoded(picture: &DynamicImage, format: ImageFormat) -> Vec<u8> {
    let mut bytes = Cursor::new(vec![]);
    picture.write_to(&mut bytes, format).unwrap();
    bytes.into_inner()
}

/// A small generator, so that every run tests the same files.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 33) as usize) % limit.max(1)
    }
}

const FORMATS: [ImageFormat; 5] =
    [ImageFormat::Png, ImageFormat::Jpeg, ImageFormat::WebP, ImageFormat::Tiff, ImageFormat::Bmp];

/// Fifty files of every format: cut off, with flipped bytes, with holes, with a tail, empty.
fn broken_files() -> Vec<Vec<u8>> {
    let mut random = Random(1);
    let mut files = vec![];
    let mut originals: Vec<Vec<u8>> = FORMATS.iter().map(|&format| encoded(&picture(), format)).collect();
    originals.push(heic(&picture()));
    for whole in originals {
        for case in 0..50 {
            let mut bytes = whole.clone();
            match case % 4 {
                0 => bytes.truncate(random.below(whole.len())),
                1 => (0..=random.below(8)).for_each(|_| {
                    let at = random.below(whole.len());
                    bytes[at] ^= 1 << random.below(8);
                }),
                // Headers hold sizes and offsets: damage there does most harm.
                2 => (0..4).for_each(|_| bytes[random.below(64)] = random.below(256) as u8),
                _ => {
                    let at = random.below(whole.len());
                    let end = (at + random.below(200)).min(whole.len());
                    bytes[at..end].fill(0xff);
                }
            }
            files.push(bytes);
        }
    }
    files
}

/// The most memory this process ever held, on Linux.
fn peak_memory_mib() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    Some(line.trim().trim_end_matches(" kB").trim().parse::<u64>().ok()? / 1024)
}

#[test]
fn broken_files_are_read_or_refused_in_a_sentence() {
    let files = broken_files();
    assert_eq!(files.len(), 300);
    let mut refused = 0;
    for (at, bytes) in files.iter().enumerate() {
        match decode(bytes) {
            Ok(picture) => assert!(picture.width() > 0 && picture.height() > 0),
            Err(error) => {
                refused += 1;
                let sentence = error.to_string();
                assert!(sentence.contains("picture") && !sentence.contains('\n'), "file {at}: {sentence}");
            }
        }
    }
    println!("{refused} of {} refused", files.len());
    if let Some(peak) = peak_memory_mib() {
        println!("peak memory {peak} MiB");
        assert!(peak < 1536, "{peak} MiB");
    }
    assert!((100..300).contains(&refused));
}

#[test]
fn bombs_are_refused_before_memory_is_taken() {
    let mut png = encoded(&picture(), ImageFormat::Png);
    // Width and height stand at bytes 16 and 20; the checksum of the header chunk follows at 29.
    png[16..20].copy_from_slice(&60_000u32.to_be_bytes());
    png[20..24].copy_from_slice(&60_000u32.to_be_bytes());
    let mut bmp = encoded(&picture(), ImageFormat::Bmp);
    bmp[18..22].copy_from_slice(&60_000u32.to_le_bytes());
    bmp[22..26].copy_from_slice(&60_000u32.to_le_bytes());
    for bytes in [png, bmp] {
        let sentence = decode(&bytes).unwrap_err().to_string();
        assert!(sentence.contains("too large") || sentence.contains("damaged"), "{sentence}");
    }
    assert!(decode(&[]).unwrap_err().to_string().contains("empty"));
    assert!(decode(b"%PDF-1.7 no picture").unwrap_err().to_string().contains("no picture"));
}

#[test]
fn unusual_but_whole_pictures_are_read() {
    let picture = picture();
    let deep = encoded(&DynamicImage::ImageRgb16(picture.to_rgb16()), ImageFormat::Png);
    let grey = encoded(&DynamicImage::ImageLuma8(picture.to_luma8()), ImageFormat::Jpeg);
    for bytes in [deep, grey, heic(&picture)] {
        assert_eq!(decode(&bytes).unwrap().dimensions(), (240, 90));
    }
    for file in ["cmyk.jpg", "cmyk.tif", "animated.webp", "animated.png", "turned.jpg"] {
        let bytes = std::fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/pictures").join(file)).unwrap();
        let shown = decode(&bytes).unwrap();
        assert_eq!(shown.dimensions(), (64, 32), "{file}");
        let brightness = |x, y| shown.get_pixel(x, y).0.iter().map(|&v| u32::from(v)).sum::<u32>() / 3;
        assert!(brightness(14, 7) < 80 && brightness(50, 25) > 200, "{file}: the bar is in the upper left corner");
    }
    let clear = DynamicImage::ImageRgba8(image::RgbaImage::new(8, 8));
    let shown = decode(&encoded(&clear, ImageFormat::Png)).unwrap();
    assert_eq!(shown.get_pixel(4, 4).0, [255; 3], "what is transparent shows as white");
}
