//! Attention heads: cut out of a tensor's width and put together again.

use burn::tensor::Tensor;

/// `x` `[b, t, d]` to `[b, h, t, d / h]`.
pub(crate) fn split_heads(x: Tensor<3>, heads: usize) -> Tensor<4> {
    let [b, t, d] = x.dims();
    x.reshape([b, t, heads, d / heads]).swap_dims(1, 2)
}

/// `x` `[b, h, t, dh]` to `[b, t, h * dh]`.
pub(crate) fn merge_heads(x: Tensor<4>) -> Tensor<3> {
    let [b, h, t, dh] = x.dims();
    x.swap_dims(1, 2).reshape([b, t, h * dh])
}
