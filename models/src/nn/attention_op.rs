//! Attention with grouped queries over a KV cache.

use burn::tensor::{Bool, Device, Tensor, activation::softmax};

use super::attention_cpu::{Attention, Dims, Heads};
use crate::cpu::{Isa, flex};

/// `softmax(q k^T / sqrt(dh) + causal mask) v`, every query head reading the key/value head of its group.
///
/// - `q` `[b, h, t, dh]`: queries of the positions `offset .. offset + t`.
/// - `k`, `v` `[b, h_kv, s, dh]`: everything cached so far, these positions included (`s >= offset + t`). Query head `n`
///   reads key/value head `n / (h / h_kv)`, as Hugging Face's `repeat_kv` does. Slices of a larger cache are read in
///   place on the CPU.
/// - `offset`: how many positions were cached before the first query. Query `i` sees the keys `0 ..= offset + i`.
///
/// Returns `[b, h, t, dh]`.
///
/// # Panics
/// If the shapes do not fit each other.
pub fn attention(q: Tensor<4>, k: Tensor<4>, v: Tensor<4>, offset: usize) -> Tensor<4> {
    run(q, k, v, Some(offset))
}

/// The same without a mask: every query sees every key, as in a vision encoder.
///
/// # Panics
/// If the shapes do not fit each other.
pub fn full_attention(q: Tensor<4>, k: Tensor<4>, v: Tensor<4>) -> Tensor<4> {
    run(q, k, v, None)
}

/// Whether attention on `device` holds the scores of all queries of a sequence at once; on the CPU it holds those of a few.
pub fn holds_all_scores(device: &Device) -> bool {
    !flex::is_cpu(device)
}

fn run(q: Tensor<4>, k: Tensor<4>, v: Tensor<4>, causal_offset: Option<usize>) -> Tensor<4> {
    let [b, h, t, dh] = q.dims();
    let [b_kv, h_kv, s, dh_kv] = k.dims();
    assert_eq!((b, dh), (b_kv, dh_kv), "batch and width of queries and keys");
    assert_eq!(k.dims(), v.dims(), "shapes of keys and values");
    assert!(h_kv > 0 && h.is_multiple_of(h_kv), "{h} query heads over {h_kv} key/value heads");
    assert!(s > 0 && causal_offset.is_none_or(|offset| offset + t <= s), "keys of every query position");
    if flex::is_cpu(&q.device()) {
        by_kernel(Dims { b, h, h_kv, t, s, dh }, q, k, v, causal_offset)
    } else {
        by_tensor_ops(q, k, v, causal_offset)
    }
}

/// One pass over the memory of the tensors; see [`super::attention_cpu`].
fn by_kernel(dims: Dims, q: Tensor<4>, k: Tensor<4>, v: Tensor<4>, causal_offset: Option<usize>) -> Tensor<4> {
    let operands = [q, k, v].map(|operand| {
        let operand = flex::primitive(operand);
        let in_rows = dims.dh == 1 || operand.layout().strides()[3] == 1;
        if in_rows && operand.layout().strides().iter().all(|&s| s >= 0) { operand } else { operand.to_contiguous() }
    });
    let [q, k, v] = operands.each_ref().map(|operand| {
        let layout = operand.layout();
        let strides = layout.strides();
        Heads {
            values: &operand.storage::<f32>()[layout.start_offset()..],
            strides: std::array::from_fn(|n| strides[n] as usize),
        }
    });
    let Dims { b, h, t, dh, .. } = dims;
    let mut out = vec![0.0; b * h * t * dh];
    Attention { dims, q, k, v, causal_offset }.run(Isa::chosen(), &mut out);
    flex::from_values(out, [b, h, t, dh])
}

/// Out of burn's own operations: any device, `[b, h, t, s]` scores in memory.
fn by_tensor_ops(q: Tensor<4>, k: Tensor<4>, v: Tensor<4>, causal_offset: Option<usize>) -> Tensor<4> {
    let [b, h, t, dh] = q.dims();
    let [_, h_kv, s, _] = k.dims();
    let repeats = h / h_kv;
    // The query heads of one group become rows of one matrix, so that keys and values are never repeated in memory.
    let q = q.mul_scalar((dh as f32).powf(-0.5)).reshape([b, h_kv, repeats * t, dh]);
    let mut scores = q.matmul(k.swap_dims(2, 3));
    if let Some(offset) = causal_offset.filter(|offset| t > 1 || s > offset + t) {
        let hidden = Tensor::<2, Bool>::tril_mask([t, s], offset as i64, &scores.device());
        let hidden = hidden.reshape([1, 1, 1, t, s]).expand([b, h_kv, repeats, t, s]);
        let masked = scores.reshape([b, h_kv, repeats, t, s]).mask_fill(hidden, f32::NEG_INFINITY);
        scores = masked.reshape([b, h_kv, repeats * t, s]);
    }
    softmax(scores, 3).matmul(v).reshape([b, h, t, dh])
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::tensor::{Device, Distribution};

    /// The kernel, checked against f64 where it is defined, and the tensor operations give the same.
    #[test]
    fn kernel_and_tensor_operations_agree_also_on_slices_of_a_cache() {
        let device = Device::flex();
        let random = |shape: [usize; 4]| Tensor::<4>::random(shape, Distribution::Uniform(-2.0, 2.0), &device);
        for (b, h, h_kv, t, offset, dh) in [(1, 9, 3, 1, 40, 64), (2, 4, 2, 37, 5, 16), (1, 3, 3, 70, 0, 24)] {
            let s = offset + t;
            let q = random([b, t, h, dh]).swap_dims(1, 2);
            let k = random([b, h_kv, s + 9, dh]).slice([0..b, 0..h_kv, 0..s, 0..dh]);
            let v = random([b, s + 9, h_kv, dh]).slice([0..b, 4..s + 4, 0..h_kv, 0..dh]).swap_dims(1, 2);
            for causal in [Some(offset), None] {
                let kernel = run(q.clone(), k.clone(), v.clone(), causal);
                let plain = by_tensor_ops(q.clone(), k.clone(), v.clone(), causal);
                let difference = (kernel - plain).abs().max().into_scalar::<f32>();
                assert!(difference < 1e-5, "{difference} at t {t}, offset {offset}, causal {causal:?}");
            }
        }
    }
}
