//! Keys and values of the positions a decoder layer has seen.

use std::ops::Range;

use burn::tensor::{Int, Tensor, TensorData};

/// Positions by which a full cache grows.
const CHUNK: usize = 256;

/// The cache of one layer. Grows in chunks and is written in place, so a new token costs no copy of the old ones.
#[derive(Debug, Clone, Default)]
pub struct KvCache {
    /// Keys and values, `[b, h_kv, capacity, dh]`.
    buffers: Option<[Tensor<4>; 2]>,
    len: usize,
    picture: Range<usize>,
}

impl KvCache {
    /// An empty cache for a sequence in which the positions `picture` are those of a picture.
    pub fn with_picture(picture: Range<usize>) -> Self {
        Self { picture, ..Self::default() }
    }

    /// Positions of the sequence, held or still to come, that are those of a picture; none unless the cache was made for one.
    /// Only models that treat them otherwise than those of text ask for them (CogVLM).
    pub fn picture(&self) -> Range<usize> {
        self.picture.clone()
    }

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

    /// Makes row `i` of the batch a copy of row `rows[i]`, as beam search does when its best beginnings change.
    pub fn select(&mut self, rows: &[usize]) {
        let changes = |[keys, _]: &mut [Tensor<4>; 2]| !rows.iter().copied().eq(0..keys.dims()[0]);
        if let Some([keys, values]) = self.buffers.take_if(changes) {
            let ids: Vec<i32> = rows.iter().map(|&row| row as i32).collect();
            let ids = Tensor::<1, Int>::from_data(TensorData::new(ids, [rows.len()]), &keys.device());
            self.buffers = Some([keys.select(0, ids.clone()), values.select(0, ids)]);
        }
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

#[cfg(test)]
mod tests {
    use burn::tensor::{Device, Distribution};

    use super::*;
    use crate::cpu::flex;

    #[test]
    fn what_was_appended_reads_back_also_after_growing_and_truncating() {
        let device = Device::flex();
        let all = Tensor::<4>::random([1, 2, 700, 4], Distribution::Default, &device);
        let part = |from: usize, to: usize| all.clone().slice_dim(2, from..to);
        let values = |t: Tensor<4>| t.into_data().try_into_vec::<f32>().unwrap();
        let mut cache = KvCache::default();
        let mut len = 0;
        for t in [3, 1, 1, 250, 1, 300, 100] {
            let [k, v] = cache.append(part(len, len + t), part(len, len + t) * 2.0);
            len += t;
            assert_eq!(cache.len(), len);
            assert_eq!(values(k.narrow(2, 0, len)), values(part(0, len)));
            assert_eq!(values(v.narrow(2, 0, len)), values(part(0, len) * 2.0));
        }
        cache.truncate(5);
        let [k, _] = cache.append(part(600, 602), part(600, 602));
        assert_eq!(values(k.narrow(2, 0, 7)), values(Tensor::cat(vec![part(0, 5), part(600, 602)], 2)));
    }

    #[test]
    fn selected_rows_go_on_by_themselves() {
        let row = |x: f32| Tensor::<4>::full([1, 2, 1, 4], x, &Device::flex());
        let rows = |all: &[f32]| Tensor::cat(all.iter().map(|&x| row(x)).collect(), 0);
        let mut cache = KvCache::default();
        cache.append(rows(&[1.0, 2.0]), rows(&[3.0, 4.0]));
        cache.select(&[1, 1, 0]);
        let [k, v] = cache.append(rows(&[5.0, 6.0, 7.0]), rows(&[5.0, 6.0, 7.0]));
        let firsts =
            |t: Tensor<4>, at: usize| t.slice([0..3, 0..1, at..at + 1, 0..1]).into_data().try_into_vec().unwrap();
        assert_eq!((firsts(k.clone(), 0), firsts(k, 1)), (vec![2.0f32, 2.0, 1.0], vec![5.0f32, 6.0, 7.0]));
        assert_eq!(firsts(v, 0), vec![4.0f32, 4.0, 3.0]);
    }

    #[test]
    fn a_new_position_is_written_in_place() {
        let step = || Tensor::<4>::ones([1, 2, 1, 4], &Device::flex());
        let mut cache = KvCache::default();
        let mut append = || {
            let [k, _] = cache.append(step(), step());
            flex::with_values(k, <[f32]>::as_ptr)
        };
        let first = append();
        assert!((1..CHUNK).all(|_| append() == first));
    }
}
