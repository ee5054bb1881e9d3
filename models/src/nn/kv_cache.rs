//! Keys and values of the positions a decoder layer has seen.

use burn::tensor::Tensor;

/// Positions by which a full cache grows.
const CHUNK: usize = 256;

/// The cache of one layer. Grows in chunks and is written in place, so a new token costs no copy of the old ones.
#[derive(Debug, Clone, Default)]
pub struct KvCache {
    /// Keys and values, `[b, h_kv, capacity, dh]`.
    buffers: Option<[Tensor<4>; 2]>,
    len: usize,
}

impl KvCache {
    /// Positions held.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether nothing is held.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Forgets all positions from `len` on, so that another text can follow the same beginning.
    pub fn truncate(&mut self, len: usize) {
        self.len = self.len.min(len);
    }

    /// Appends keys and values `[b, h_kv, t, dh]`; returns all that are held and, behind them, unwritten positions:
    /// `[b, h_kv, capacity, dh]` each.
    pub fn append(&mut self, k: Tensor<4>, v: Tensor<4>) -> [Tensor<4>; 2] {
        let [b, h, t, dh] = k.dims();
        let end = self.len + t;
        let buffers = match self.buffers.take() {
            Some(buffers) if buffers[0].dims()[2] >= end => buffers,
            old => {
                let capacity = end.next_multiple_of(CHUNK);
                let len = self.len;
                let grown = |old: Option<Tensor<4>>, device: &burn::tensor::Device| {
                    let new = Tensor::zeros([b, h, capacity, dh], device);
                    match old {
                        Some(old) if len > 0 => new.slice_assign([0..b, 0..h, 0..len, 0..dh], old.narrow(2, 0, len)),
                        _ => new,
                    }
                };
                let device = k.device();
                let [old_k, old_v] = old.map_or([None, None], |buffers| buffers.map(Some));
                [grown(old_k, &device), grown(old_v, &device)]
            }
        };
        let at = [0..b, 0..h, self.len..end, 0..dh];
        let [keys, values] = buffers;
        let buffers = [keys.slice_assign(at.clone(), k), values.slice_assign(at, v)];
        self.len = end;
        self.buffers.insert(buffers).clone()
    }
}
