//! Arithmetic of heights and widths, in the `f64` steps of transformers' processor.

/// Height and width.
pub(super) type Size = (usize, usize);

/// `size` with its longer side as long as `longest`, its shorter one even.
pub(super) fn scale_to((height, width): Size, longest: usize) -> Size {
    let aspect_ratio = width as f64 / height as f64;
    let even = |side: f64| (side as usize).next_multiple_of(2).max(1);
    if width >= height {
        (even(longest as f64 / aspect_ratio), longest)
    } else {
        (longest, even(longest as f64 * aspect_ratio))
    }
}

/// `size` with both sides rounded up to whole tiles, the longer one first.
pub(super) fn whole_tiles((height, width): Size, tile: usize) -> Size {
    let aspect_ratio = width as f64 / height as f64;
    let round_up = |side: usize| side.max(1).next_multiple_of(tile);
    if width >= height {
        let width = round_up(width);
        (round_up((width as f64 / aspect_ratio) as usize), width)
    } else {
        let height = round_up(height);
        (height, round_up((height as f64 * aspect_ratio) as usize))
    }
}

/// Rows and columns of tiles that a picture has pixels for: at most `most_per_side` in each direction, `most` in all.
pub(super) fn tiles_without_enlarging((height, width): Size, tile: usize, most_per_side: usize, most: usize) -> Size {
    let per_side = |pixels: usize| (pixels / tile).clamp(1, most_per_side.max(1));
    let (mut rows, mut cols) = (per_side(height), per_side(width));
    while rows * cols > most.max(1) {
        // Where a tile covers fewer pixels already, less is lost.
        let rows_are_finer = height * cols <= width * rows;
        if rows > 1 && (rows_are_finer || cols == 1) {
            rows -= 1;
        } else {
            cols -= 1;
        }
    }
    (rows, cols)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What transformers' `get_number_of_image_patches` makes of these sizes at 512 and 2048 is in the parity fixtures; here
    /// are the ends.
    #[test]
    fn the_thinnest_picture_keeps_a_pixel_and_gets_a_row_of_tiles() {
        assert_eq!(scale_to((1, 5000), 2048), (1, 2048));
        assert_eq!(whole_tiles((1, 2048), 512), (512, 2048));
        assert_eq!(scale_to((5000, 1), 2048), (2048, 1));
        assert_eq!(whole_tiles((2048, 1), 512), (2048, 512));
    }

    #[test]
    fn a_picture_is_never_enlarged_and_never_has_more_tiles_than_allowed() {
        let grid = |size, most| tiles_without_enlarging(size, 512, 4, most);
        assert_eq!(grid((480, 640), usize::MAX), (1, 1));
        assert_eq!(grid((960, 1280), usize::MAX), (1, 2));
        assert_eq!(grid((3024, 4032), usize::MAX), (4, 4));
        assert_eq!(grid((3024, 4032), 6), (2, 3));
        assert_eq!(grid((3024, 4032), 0), (1, 1));
        assert_eq!(grid((400, 4000), 3), (1, 3));
        for (height, width, most) in (1..40).flat_map(|h| (1..40).map(move |w| (h * 97, w * 89, (h * w) % 17))) {
            let (rows, cols) = grid((height, width), most);
            assert!(rows * cols <= most.max(1) && rows * cols >= 1);
            assert!(rows == 1 || rows * 512 <= height);
            assert!(cols == 1 || cols * 512 <= width);
        }
    }
}
