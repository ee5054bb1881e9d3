//! A square picture as a vision tower reads it: patch by patch.

use crate::vision::RgbPicture;

/// Values of a square's pixels, patch by patch: `[patches, 3 * patch_size²]`, within a patch plane by plane and row by row.
/// `values` tell what a byte stands for, by colour. What is left of the square beside whole patches is dropped.
pub(super) fn patches(values: &[[f32; 256]; 3], square: &RgbPicture, patch_size: usize) -> Vec<f32> {
    let view = square.view();
    let side = view.width() / patch_size;
    let mut out = Vec::with_capacity((side * patch_size).pow(2) * 3);
    for (row, col) in (0..side * side).map(|n| (n / side, n % side)) {
        for (colour, values) in values.iter().enumerate() {
            for y in row * patch_size..(row + 1) * patch_size {
                let line = &view.row(y)[col * patch_size * 3..][..patch_size * 3];
                out.extend(line.as_chunks::<3>().0.iter().map(|rgb| values[usize::from(rgb[colour])]));
            }
        }
    }
    out
}
