//! Rotary position embedding (Su et al., 2021), rotating halves as Hugging Face checkpoints expect.

use std::sync::{PoisonError, RwLock};

use burn::tensor::{Device, Int, Tensor, TensorData};

use super::RopeParameters;
use super::rope::Frequencies;
use crate::checkpoint::CheckpointError;
use crate::cpu::flex;

/// Positions the table grows by.
const CHUNK: usize = 1024;

/// Turns element `i` and element `i + dh / 2` of every head, as a pair, by `position * inv_freq[i]`.
#[derive(Debug)]
pub struct Rotary {
    frequencies: Frequencies,
    table: RwLock<Table>,
}

/// Cosines and sines of the positions met so far.
#[derive(Debug, Clone)]
struct Table {
    /// `[positions, dh / 2]`
    cos: Tensor<2>,
    /// `[positions, dh / 2]`
    sin: Tensor<2>,
}

impl Rotary {
    /// - `rope_theta`: base of the frequencies, unless `parameters` name one.
    /// - `context`: `max_position_embeddings`.
    ///
    /// # Errors
    /// [`CheckpointError`] for scalings that are not supported or lack a value.
    pub fn new(
        parameters: &RopeParameters,
        rope_theta: f64,
        head_dim: usize,
        context: usize,
        device: &Device,
    ) -> Result<Self, CheckpointError> {
        let frequencies = parameters.frequencies(rope_theta, head_dim, context)?;
        Ok(Self::of(frequencies, context, device))
    }

    /// With the frequencies `inv_freq` `[dh / 2]`, in radians per position, that a checkpoint stores.
    pub fn with_frequencies(inv_freq: Vec<f32>, context: usize, device: &Device) -> Self {
        Self::of(Frequencies { inv_freq, attention_factor: 1.0 }, context, device)
    }

    fn of(frequencies: Frequencies, context: usize, device: &Device) -> Self {
        let table = RwLock::new(frequencies.table(CHUNK.min(context), device));
        Self { frequencies, table }
    }

    /// Splits `x` `[b, t, h * dh]` into heads and turns them: `[b, h, t, dh]`. The first of the `t` positions is `offset`.
    pub fn forward(&self, x: Tensor<3>, offset: usize) -> Tensor<4> {
        let rows = self.rows(offset, x.dims()[1], &x.device());
        self.turn(x, rows)
    }

    /// The same at any `positions`, one for each of the `t`: a picture's may all be the same.
    pub fn forward_at(&self, x: Tensor<3>, positions: &[usize]) -> Tensor<4> {
        let device = x.device();
        let Table { cos, sin } = self.rows(0, positions.iter().max().map_or(0, |last| last + 1), &device);
        let ids: Vec<i32> = positions.iter().map(|&p| p as i32).collect();
        let ids = Tensor::<1, Int>::from_data(TensorData::new(ids, [positions.len()]), &device);
        self.turn(x, Table { cos: cos.select(0, ids.clone()), sin: sin.select(0, ids) })
    }

    fn turn(&self, x: Tensor<3>, Table { cos, sin }: Table) -> Tensor<4> {
        let [b, t, width] = x.dims();
        let half = self.frequencies.inv_freq.len();
        let (h, dh) = (width / (2 * half), 2 * half);
        if flex::is_cpu(&x.device()) {
            return in_one_pass(x, cos, sin, [b, h, t, dh]);
        }
        let x = x.reshape([b, t, h, dh]).swap_dims(1, 2);
        let (first, second) = (x.clone().slice_dim(3, 0..half), x.slice_dim(3, half..dh));
        let (cos, sin) = (cos.unsqueeze::<4>(), sin.unsqueeze::<4>());
        let turned_first = first.clone() * cos.clone() - second.clone() * sin.clone();
        Tensor::cat(vec![turned_first, second * cos + first * sin], 3)
    }

    /// Cosines and sines of `t` positions from `offset` on; makes the table longer if it has to be.
    fn rows(&self, offset: usize, t: usize, device: &Device) -> Table {
        let rows = |table: &Table| Table {
            cos: table.cos.clone().slice_dim(0, offset..offset + t),
            sin: table.sin.clone().slice_dim(0, offset..offset + t),
        };
        let table = self.table.read().unwrap_or_else(PoisonError::into_inner);
        if table.cos.dims()[0] >= offset + t {
            return rows(&table);
        }
        drop(table);
        let mut table = self.table.write().unwrap_or_else(PoisonError::into_inner);
        *table = self.frequencies.table((offset + t).next_multiple_of(CHUNK), device);
        rows(&table)
    }
}

impl Frequencies {
    fn table(&self, positions: usize, device: &Device) -> Table {
        let half = self.inv_freq.len();
        let make = |f: fn(f32) -> f32| {
            let angles = (0..positions).flat_map(|p| self.inv_freq.iter().map(move |w| p as f32 * w));
            let values: Vec<f32> = angles.map(|a| f(a) * self.attention_factor).collect();
            Tensor::from_data(TensorData::new(values, [positions, half]), device)
        };
        Table { cos: make(f32::cos), sin: make(f32::sin) }
    }
}

/// The CPU way: reads each element once and writes it where it belongs.
fn in_one_pass(x: Tensor<3>, cos: Tensor<2>, sin: Tensor<2>, [b, h, t, dh]: [usize; 4]) -> Tensor<4> {
    let half = dh / 2;
    let mut out = vec![0.0; b * h * t * dh];
    let mut turn = |x: flex::Rows<'_>, cos: flex::Rows<'_>, sin: flex::Rows<'_>| {
        for n in 0..b * t {
            let (batch, position) = (n / t, n % t);
            let (cos, sin) = (cos.row(position), sin.row(position));
            for (head, x) in x.row(n).chunks_exact(dh).enumerate() {
                let out = &mut out[((batch * h + head) * t + position) * dh..][..dh];
                let (first, second) = x.split_at(half);
                let (out_first, out_second) = out.split_at_mut(half);
                for i in 0..half {
                    out_first[i] = first[i] * cos[i] - second[i] * sin[i];
                    out_second[i] = second[i] * cos[i] + first[i] * sin[i];
                }
            }
        }
    };
    flex::with_rows(x, |x| flex::with_rows(cos, |cos| flex::with_rows(sin, |sin| turn(x, cos, sin))));
    flex::from_values(out, [b, h, t, dh])
}

#[cfg(test)]
mod tests {
    use burn::tensor::Distribution;

    use super::*;

    #[test]
    fn any_positions_are_turned_as_they_are_one_after_the_other() {
        let device = Device::flex();
        let rotary = Rotary::with_frequencies(vec![1.0, 0.3, 0.01], 4096, &device);
        let x = Tensor::<3>::random([1, 5, 12], Distribution::Default, &device);
        let values = |x: Tensor<4>| x.into_data().try_into_vec::<f32>().unwrap();
        let apart = rotary.forward_at(x.clone(), &[0, 1, 1500, 1500, 2]);
        for (n, position) in [0, 1, 1500, 1500, 2].into_iter().enumerate() {
            let alone = rotary.forward(x.clone().narrow(1, n, 1), position);
            assert_eq!(values(apart.clone().narrow(2, n, 1)), values(alone));
        }
    }
}
