//! Causal attention with grouped queries over a KV cache.

use burn::tensor::{Bool, Tensor, activation::softmax};

/// `softmax(q k^T / sqrt(dh) + causal mask) v`, every query head reading the key/value head of its group.
///
/// - `q` `[b, h, t, dh]`: queries of the positions `offset .. offset + t`.
/// - `k`, `v` `[b, h_kv, s, dh]`: everything cached so far, these positions included (`s >= offset + t`). Query head `n`
///   reads key/value head `n / (h / h_kv)`, as Hugging Face's `repeat_kv` does.
/// - `offset`: how many positions were cached before the first query. Query `i` sees the keys `0 ..= offset + i`.
///
/// Returns `[b, h, t, dh]`.
pub fn attention(q: Tensor<4>, k: Tensor<4>, v: Tensor<4>, offset: usize) -> Tensor<4> {
    by_tensor_ops(q, k, v, offset)
}

/// The same out of burn's own operations: any device, `[b, h, t, s]` scores in memory.
fn by_tensor_ops(q: Tensor<4>, k: Tensor<4>, v: Tensor<4>, offset: usize) -> Tensor<4> {
    let [b, h, t, dh] = q.dims();
    let [_, h_kv, s, _] = k.dims();
    let repeats = h / h_kv;
    // The query heads of one group become rows of one matrix, so that keys and values are never repeated in memory.
    let q = q.mul_scalar((dh as f32).powf(-0.5)).reshape([b, h_kv, repeats * t, dh]);
    let mut scores = q.matmul(k.swap_dims(2, 3));
    if t > 1 || s > offset + t {
        let hidden = Tensor::<2, Bool>::tril_mask([t, s], offset as i64, &scores.device());
        let hidden = hidden.reshape([1, 1, 1, t, s]).expand([b, h_kv, repeats, t, s]);
        let masked = scores.reshape([b, h_kv, repeats, t, s]).mask_fill(hidden, f32::NEG_INFINITY);
        scores = masked.reshape([b, h_kv, repeats * t, s]);
    }
    softmax(scores, 3).matmul(v).reshape([b, h, t, dh])
}
