//! Whether a picture is out of focus, told without any text: blur makes even the strongest edges soft.

use image::GrayImage;

/// Pixels between which a soft edge has risen as far as a sharp one.
const FAR: usize = 8;
/// Of the rows across, and of the columns down, one in so many is looked at.
const EVERY: usize = 2;
/// The share of differences from one pixel to the next that counts as the strongest.
const STRONGEST: f32 = 0.001;
/// An edge with less contrast, in grey levels, tells nothing.
const WEAK: u8 = 40;

/// The share of their height by which the strongest edges rise from one pixel to the next, in a picture at most 1,000 pixels
/// wide or high: the mean of upright and level ones. `None` if there are no edges.
pub(super) fn focus(gray: &GrayImage) -> Option<f32> {
    let rows: Vec<&[u8]> = gray.as_raw().chunks_exact(gray.width().max(1) as usize).collect();
    let across = |far: usize| {
        let pairs = rows.iter().step_by(EVERY).flat_map(|row| row.iter().zip(row.get(far..).unwrap_or_default()));
        strongest(pairs.map(|(a, b)| a.abs_diff(*b)), far)
    };
    let down = |far: usize| {
        let pairs = rows.iter().zip(rows.get(far..).unwrap_or_default());
        strongest(pairs.flat_map(|(a, b)| a.iter().zip(*b).step_by(EVERY)).map(|(a, b)| a.abs_diff(*b)), far)
    };
    let heights = [across(FAR), down(FAR)];
    if heights.into_iter().max()? < WEAK {
        return None;
    }
    let rise = |near: u8, far: u8| f32::from(near) / f32::from(far.max(1));
    Some((rise(across(1), heights[0]) + rise(down(1), heights[1])) / 2.0)
}

/// The difference that the strongest reach: of an edge, as many pixels as they are `far` apart show all of it.
fn strongest(differences: impl Iterator<Item = u8>, far: usize) -> u8 {
    let mut counts = [0_u32; 256];
    for difference in differences {
        counts[usize::from(difference)] += 1;
    }
    let enough = (counts.iter().sum::<u32>() as f32 * STRONGEST * far as f32) as u32;
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
    fn blur_makes_edges_soft_and_a_plain_wall_has_none() {
        let sheet = GrayImage::from_fn(1000, 600, |x, y| {
            Luma([if (300..700).contains(&x) && (100..500).contains(&y) { 220 } else { 90 }])
        });
        let of_blur = |blur: f32| focus(&gaussian_blur_f32(&sheet, blur)).unwrap();
        assert!(focus(&sheet).unwrap() > 0.9);
        assert!(of_blur(0.8) > 0.4, "{}", of_blur(0.8));
        assert!(of_blur(3.0) < 0.25, "{}", of_blur(3.0));
        assert_eq!(focus(&GrayImage::from_pixel(1000, 600, Luma([120]))), None);
        assert_eq!(focus(&GrayImage::new(0, 0)), None);
    }
}
