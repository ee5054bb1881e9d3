//! Resizing with Lanczos' filter or a bicubic one, equal to Pillow's (`Image.resize(…, LANCZOS)` and `BICUBIC` on 8-bit
//! pictures) to the last bit.
//!
//! Vision towers were trained on pictures that Pillow resized, in integer arithmetic: weights are rounded to 22 bits behind
//! the point, and the picture is rounded to 8 bits between its two passes and again at the end
//! (`src/libImaging/Resample.c`). The order of the passes is that of Pillow 13; older ones always begin with the horizontal
//! one, which changes roundings only.

use std::f64::consts::PI;

use rayon::prelude::*;

use super::{RgbPicture, RgbView};

/// Bits behind the point of a weight; sums of 8-bit pixels times weights fit in 32 bits.
const PRECISION: u32 = 22;
const HALF: i32 = 1 << (PRECISION - 1);

/// How neighbouring pixels are weighted.
#[derive(Debug, Clone, Copy)]
struct Filter {
    /// It reaches so far to both sides, in pixels of whichever picture is smaller.
    reach: f64,
    /// Weight at a distance.
    weight: fn(f64) -> f64,
}

const LANCZOS: Filter = Filter { reach: 3.0, weight: lanczos };
const BICUBIC: Filter = Filter { reach: 2.0, weight: bicubic };

/// What one pixel of the result is made of.
struct Taps {
    /// The first pixel it reads.
    first: usize,
    /// Weights of that pixel and those that follow.
    weights: Vec<i32>,
}

/// `picture` at another size, by Lanczos' filter. Width and height are positive.
pub(crate) fn resize_lanczos(picture: RgbView<'_>, width: usize, height: usize) -> RgbPicture {
    resize(picture, width, height, LANCZOS)
}

/// `picture` at another size, by a bicubic filter. Width and height are positive.
pub(crate) fn resize_bicubic(picture: RgbView<'_>, width: usize, height: usize) -> RgbPicture {
    resize(picture, width, height, BICUBIC)
}

fn resize(picture: RgbView<'_>, width: usize, height: usize, filter: Filter) -> RgbPicture {
    if vertical_first(picture, width, height) {
        resize_width(resize_height(picture, height, filter).view(), width, filter)
    } else {
        resize_height(resize_width(picture, width, filter).view(), height, filter)
    }
}

/// Whether so many more rows than columns go that the horizontal pass has less to do behind the vertical one.
fn vertical_first(picture: RgbView<'_>, width: usize, height: usize) -> bool {
    let fewer = |from: usize, to: usize| from as i64 - to as i64;
    let rows = fewer(picture.height(), height);
    rows > 0 && rows > 2 * fewer(picture.width(), width)
}

fn resize_width(picture: RgbView<'_>, width: usize, filter: Filter) -> RgbPicture {
    let height = picture.height();
    let mut out = vec![0; width * height * 3];
    let rows = out.par_chunks_exact_mut(width * 3).enumerate();
    if width == picture.width() {
        rows.for_each(|(y, row)| row.copy_from_slice(picture.row(y)));
    } else {
        let taps = taps(picture.width(), width, filter);
        rows.for_each(|(y, row)| horizontal(picture.row(y), &taps, row));
    }
    RgbPicture::new(out, width, height)
}

fn resize_height(picture: RgbView<'_>, height: usize, filter: Filter) -> RgbPicture {
    let width = picture.width();
    let mut out = vec![0; width * height * 3];
    let rows = out.par_chunks_exact_mut(width * 3).enumerate();
    if height == picture.height() {
        rows.for_each(|(y, row)| row.copy_from_slice(picture.row(y)));
    } else {
        let taps = taps(picture.height(), height, filter);
        rows.zip(&taps).for_each(|((_, row), taps)| vertical(picture, taps, row));
    }
    RgbPicture::new(out, width, height)
}

fn horizontal(row: &[u8], taps: &[Taps], out: &mut [u8]) {
    let pixels = row.as_chunks::<3>().0;
    for (out, Taps { first, weights }) in out.as_chunks_mut::<3>().0.iter_mut().zip(taps) {
        let mut sums = [HALF; 3];
        for (pixel, weight) in pixels.iter().skip(*first).zip(weights) {
            for (sum, value) in sums.iter_mut().zip(pixel) {
                *sum += i32::from(*value) * weight;
            }
        }
        *out = sums.map(to_byte);
    }
}

fn vertical(picture: RgbView<'_>, Taps { first, weights }: &Taps, out: &mut [u8]) {
    let mut sums = vec![HALF; out.len()];
    for (y, weight) in (*first..).zip(weights) {
        for (sum, value) in sums.iter_mut().zip(picture.row(y)) {
            *sum += i32::from(*value) * weight;
        }
    }
    out.iter_mut().zip(sums).for_each(|(out, sum)| *out = to_byte(sum));
}

fn to_byte(sum: i32) -> u8 {
    (sum >> PRECISION).clamp(0, 255) as u8
}

/// Taps of all `to` pixels of a line that had `from` pixels.
fn taps(from: usize, to: usize, filter: Filter) -> Vec<Taps> {
    let scale = from as f64 / to as f64;
    let stretch = scale.max(1.0);
    let (reach, shrink) = (filter.reach * stretch, 1.0 / stretch);
    let pixel = |n: usize| {
        let centre = (n as f64 + 0.5) * scale;
        let first = (centre - reach + 0.5).max(0.0) as usize;
        let end = ((centre + reach + 0.5) as usize).min(from);
        let weight = |x: usize| (filter.weight)((x as f64 - centre + 0.5) * shrink);
        let weights: Vec<f64> = (first..end).map(weight).collect();
        let sum: f64 = weights.iter().sum();
        let to_integer = |w: f64| (w / sum * f64::from(1 << PRECISION)).round() as i32;
        Taps { first, weights: weights.into_iter().map(to_integer).collect() }
    };
    (0..to).map(pixel).collect()
}

/// `sinc(x) sinc(x / 3)` within the filter's reach.
fn lanczos(x: f64) -> f64 {
    let sinc = |x: f64| if x == 0.0 { 1.0 } else { (PI * x).sin() / (PI * x) };
    let reach = LANCZOS.reach;
    if (-reach..reach).contains(&x) { sinc(x) * sinc(x / reach) } else { 0.0 }
}

/// Keys' cubic with a slope of -1/2 at distance 1 (Keys, 1981).
fn bicubic(x: f64) -> f64 {
    const A: f64 = -0.5;
    match x.abs() {
        x if x < 1.0 => ((A + 2.0) * x - (A + 3.0)) * x * x + 1.0,
        x if x < BICUBIC.reach => (((x - 5.0) * x + 8.0) * x - 4.0) * A,
        _ => 0.0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_even_picture_stays_even_and_the_same_size_changes_nothing() {
        let even = [70u8; 12 * 7 * 3];
        let view = RgbView::new(&even, 12, 7).unwrap();
        for (width, height) in [(5, 5), (30, 3), (12, 20), (1, 1)] {
            assert_eq!(resize_lanczos(view, width, height).pixels(), vec![70; width * height * 3]);
            assert_eq!(resize_bicubic(view, width, height).pixels(), vec![70; width * height * 3]);
        }
        let mixed: Vec<u8> = (0..12 * 7 * 3).map(|n| (n * 37 % 256) as u8).collect();
        assert_eq!(resize_lanczos(RgbView::new(&mixed, 12, 7).unwrap(), 12, 7).pixels(), mixed);
    }

    /// That the roundings of these sizes are Pillow's is in the parity fixtures.
    #[test]
    fn rows_go_first_where_twice_as_many_go_as_columns() {
        let pixels = vec![0; 1024 * 2048 * 3];
        let tall = RgbView::new(&pixels, 1024, 2048).unwrap();
        assert!(vertical_first(tall, 512, 512) && vertical_first(tall, 2000, 2047) && !vertical_first(tall, 280, 560));
        let wide = RgbView::new(&pixels, 2048, 1024).unwrap();
        assert!(!vertical_first(wide, 512, 512) && !vertical_first(wide, 4096, 2048));
    }
}
