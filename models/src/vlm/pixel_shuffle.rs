//! Neighbouring patches side by side.

use burn::tensor::Tensor;

/// `[b, side², d]` to `[b, (side / scale)², scale² d]`: the patches of a square one after the other, row by row.
pub(super) fn pixel_shuffle(x: Tensor<3>, scale: usize) -> Tensor<3> {
    let [b, patches, d] = x.dims();
    let squares = patches.isqrt() / scale;
    x.reshape([b, squares, scale, squares, scale, d]).permute([0, 1, 3, 2, 4, 5]).reshape([
        b,
        squares * squares,
        scale * scale * d,
    ])
}

#[cfg(test)]
mod tests {
    use burn::tensor::{Device, TensorData};

    use super::*;

    #[test]
    fn a_square_of_patches_becomes_one_position() {
        // Four by four patches of width 1, numbered.
        let x: Vec<f32> = (0..16).map(|n| n as f32).collect();
        let x = Tensor::<3>::from_data(TensorData::new(x, [1, 16, 1]), &Device::flex());
        let shuffled: Vec<f32> = pixel_shuffle(x, 2).into_data().try_into_vec().unwrap();
        assert_eq!(shuffled, [0, 1, 4, 5, 2, 3, 6, 7, 8, 9, 12, 13, 10, 11, 14, 15].map(|n| n as f32));
    }
}
