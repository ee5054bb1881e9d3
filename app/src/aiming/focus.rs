//! Whether a picture is out of focus, told without any text: blur makes even the strongest edges soft.

use image::GrayImage;

/// Pixels between which a soft edge has risen as far as a sharp one.
const FAR: usize = 8;
/// Only every so many rows are looked at.
const ROWS: usize = 2;
/// The share of differences that counts as the strongest.
const STRONGEST: f32 = 0.002;
/// An edge with less contrast, in grey levels, tells nothing.
const WEAK: u8 = 40;
/// An edge that rises less than this share of its height from one pixel to the next is soft.
const SOFT: f32 = 0.22;

/// Whether the strongest edges of a picture at most 1,000 pixels wide or high are soft, upright ones and level ones.
pub(super) fn is_soft(gray: &GrayImage) -> bool {
    rises(gray).is_some_and(|rises| rises.into_iter().all(|rise| rise < SOFT))
}

/// The share of their height by which the strongest edges rise from one pixel to the next, across and down; `None` if there
/// are no edges.
fn rises(gray: &GrayImage) -> Option<[f32; 2]> {
    let rows: Vec<&[u8]> = gray.as_raw().chunks_exact(gray.width().max(1) as usize).collect();
    let across = |far: usize| {
        let differences = rows.iter().step_by(ROWS).flat_map(|row| row.iter().zip(row.get(far..).unwrap_or_default()));
        strongest(differences.map(|(a, b)| a.abs_diff(*b)), far)
    };
    let down = |far: usize| {
        let pairs = rows.iter().zip(rows.get(far..).unwrap_or_default()).step_by(ROWS);
        strongest(pairs.flat_map(|(a, b)| a.iter().zip(*b)).map(|(a, b)| a.abs_diff(*b)), far)
    };
    let heights = [across(FAR), down(FAR)];
    let rise = |near: u8, far: u8| f32::from(near) / f32::from(far.max(1));
    (heights.into_iter().max()? >= WEAK).then(|| [rise(across(1), heights[0]), rise(down(1), heights[1])])
}

/// The difference over `far` pixels that [`STRONGEST`] of all reach; over fewer pixels as many fewer, since an edge is met as
/// often as it is far.
fn strongest(differences: impl Iterator<Item = u8>, far: usize) -> u8 {
    let mut counts = [0_u32; 256];
    for difference in differences {
        counts[usize::from(difference)] += 1;
    }
    let enough = (counts.iter().sum::<u32>() as f32 * STRONGEST * far as f32 / FAR as f32) as u32;
    let mut count = 0;
    let reached = (0..=255_u8).rev().find(|&difference| {
        count += counts[usize::from(difference)];
        count > enough
    });
    reached.unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use image::{GrayImage, Luma};
    use imageproc::filter::gaussian_blur_f32;

    use super::*;

    #[test]
    fn blurred_edges_are_soft_and_a_plain_wall_is_not() {
        let sheet = GrayImage::from_fn(1000, 600, |x, y| {
            Luma([if (300..700).contains(&x) && (100..500).contains(&y) { 220 } else { 90 }])
        });
        assert!(!is_soft(&sheet));
        assert!(!is_soft(&gaussian_blur_f32(&sheet, 0.8)));
        assert!(is_soft(&gaussian_blur_f32(&sheet, 3.0)));
        assert!(!is_soft(&GrayImage::from_pixel(1000, 600, Luma([120]))));
        assert!(!is_soft(&GrayImage::new(0, 0)));
    }
}
