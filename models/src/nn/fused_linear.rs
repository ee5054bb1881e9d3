//! Linear layers that read the same input, computed in one product where that is possible.

use std::array;

use burn::tensor::{Device, Tensor};

use super::Linear;
use super::linear::load_bias;
use crate::checkpoint::{Checkpoint, CheckpointError, RowsI8};
use crate::int4::{PackedLinear, Precision};

/// `N` linear layers of one input: q, k and v, or gate and up.
///
/// A generated token passes through each layer as one row; starting a product costs about as much as a narrow product
/// itself, and 4-bit kernels round their input once per product. So a network that only runs joins the layers. The
/// quantizer replaces them one by one and loads them separate.
#[derive(Debug, Clone)]
pub struct FusedLinear<const N: usize> {
    widths: [usize; N],
    layers: Layers<N>,
}

/// Either way to load the layers, [`FusedLinear::load_separate`] or [`FusedLinear::load_joined`].
pub(crate) type LoadLayers<const N: usize> =
    fn(&Checkpoint, [String; N], usize, [usize; N], &Device) -> Result<FusedLinear<N>, CheckpointError>;

#[derive(Debug, Clone)]
enum Layers<const N: usize> {
    Separate([Linear; N]),
    Joined(Linear),
}

impl<const N: usize> FusedLinear<N> {
    /// Loads the layers one by one; [`FusedLinear::get_mut`] can replace them.
    ///
    /// # Errors
    /// As [`Linear::load`].
    pub fn load_separate(
        checkpoint: &Checkpoint,
        prefixes: [String; N],
        in_features: usize,
        widths: [usize; N],
        device: &Device,
    ) -> Result<Self, CheckpointError> {
        let layers = try_map(|n| Linear::load(checkpoint, &prefixes[n], in_features, widths[n], device))?;
        Ok(Self { widths, layers: Layers::Separate(layers) })
    }

    /// Loads the layers as one, where their packing allows it; else one by one.
    ///
    /// # Errors
    /// As [`Linear::load`].
    pub fn load_joined(
        checkpoint: &Checkpoint,
        prefixes: [String; N],
        in_features: usize,
        widths: [usize; N],
        device: &Device,
    ) -> Result<Self, CheckpointError> {
        let packed: [_; N] = try_map(|n| checkpoint.packed(&prefixes[n], in_features, widths[n]))?;
        let rows: [_; N] = try_map(|n| checkpoint.rows_i8(&prefixes[n], widths[n], in_features))?;
        let joined = if packed.iter().all(Option::is_some) {
            join_packed(&packed.into_iter().flatten().collect::<Vec<_>>())
                .map(|packed| Linear::from_packed(&prefixes[0], &packed, device))
        } else if rows.iter().all(Option::is_some) {
            Some(join_rows(checkpoint, &prefixes, rows.into_iter().flatten(), widths, device))
        } else if packed.iter().all(Option::is_none) && rows.iter().all(Option::is_none) {
            Some(join_floats(checkpoint, &prefixes, in_features, widths, device))
        } else {
            None
        };
        match joined {
            Some(linear) => Ok(Self { widths, layers: Layers::Joined(linear?) }),
            None => Self::load_separate(checkpoint, prefixes, in_features, widths, device),
        }
    }

    /// `x` `[.., in]` to `[.., width]` of every layer.
    pub fn forward<const D: usize>(&self, x: Tensor<D>) -> [Tensor<D>; N] {
        match &self.layers {
            Layers::Separate(layers) => layers.each_ref().map(|linear| linear.forward(x.clone())),
            Layers::Joined(linear) => {
                let y = linear.forward(x);
                let mut start = 0;
                self.widths.map(|width| {
                    start += width;
                    y.clone().slice_dim(D - 1, start - width..start)
                })
            }
        }
    }

    /// One of the layers to replace, or `None` if they are joined.
    pub fn get_mut(&mut self, n: usize) -> Option<&mut Linear> {
        match &mut self.layers {
            Layers::Separate(layers) => layers.get_mut(n),
            Layers::Joined(_) => None,
        }
    }

    /// As [`Linear::with_precision`].
    #[must_use]
    pub fn with_precision(self, precision: Precision) -> Self {
        let layers = match self.layers {
            Layers::Separate(layers) => Layers::Separate(layers.map(|linear| linear.with_precision(precision))),
            Layers::Joined(linear) => Layers::Joined(linear.with_precision(precision)),
        };
        Self { layers, ..self }
    }

    /// Bytes the weights take in memory.
    pub fn bytes(&self) -> usize {
        match &self.layers {
            Layers::Separate(layers) => layers.iter().map(Linear::bytes).sum(),
            Layers::Joined(linear) => linear.bytes(),
        }
    }
}

/// One layer whose outputs are those of all `parts`, or `None` if they differ in the order or size of their groups.
fn join_packed(parts: &[PackedLinear]) -> Option<PackedLinear> {
    let first = parts.first()?;
    if parts.iter().any(|p| p.group_size != first.group_size || p.g_idx != first.g_idx) {
        return None;
    }
    Some(PackedLinear {
        in_features: first.in_features,
        out_features: parts.iter().map(|p| p.out_features).sum(),
        group_size: first.group_size,
        qweight: join_columns(parts.iter().map(|p| (p.qweight.as_slice(), p.out_features))),
        // Widths are multiples of 8 (checked when they were read), so no word of zero points is shared.
        qzeros: join_columns(parts.iter().map(|p| (p.qzeros.as_slice(), p.out_features / 8))),
        scales: join_columns(parts.iter().map(|p| (p.scales.as_slice(), p.out_features))),
        g_idx: first.g_idx.clone(),
        bias: join_biases(parts.iter().map(|p| (p.bias.clone(), p.out_features))),
    })
}

/// Puts row-major matrices of as many rows side by side.
fn join_columns<'a, T: Copy + 'a>(matrices: impl Iterator<Item = (&'a [T], usize)> + Clone) -> Vec<T> {
    let rows = matrices.clone().next().map_or(0, |(values, width)| values.len() / width.max(1));
    let row = |r: usize| matrices.clone().flat_map(move |(values, width)| values.iter().skip(r * width).take(width));
    (0..rows).flat_map(row).copied().collect()
}

/// The biases one after the other, zeros for layers that have none (Whisper's keys); `None` if none has one.
fn join_biases(biases: impl Iterator<Item = (Option<Vec<f32>>, usize)> + Clone) -> Option<Vec<f32>> {
    let any = biases.clone().any(|(bias, _)| bias.is_some());
    any.then(|| biases.flat_map(|(bias, width)| bias.unwrap_or_else(|| vec![0.0; width])).collect())
}

/// Layers of 8-bit rows as one.
fn join_rows<const N: usize>(
    checkpoint: &Checkpoint,
    prefixes: &[String; N],
    rows: impl Iterator<Item = RowsI8>,
    widths: [usize; N],
    device: &Device,
) -> Result<Linear, CheckpointError> {
    let (codes, scales): (Vec<_>, Vec<_>) = rows.unzip();
    let bias = load_biases(checkpoint, prefixes, widths)?;
    Linear::from_rows_i8(&prefixes[0], &(codes.concat(), scales.concat()), bias, device)
}

/// The `f32` layers as one.
fn join_floats<const N: usize>(
    checkpoint: &Checkpoint,
    prefixes: &[String; N],
    in_features: usize,
    widths: [usize; N],
    device: &Device,
) -> Result<Linear, CheckpointError> {
    let mut weight = Vec::new();
    for (prefix, width) in prefixes.iter().zip(widths) {
        weight.extend(checkpoint.tensor(&format!("{prefix}.weight"), &[width, in_features])?);
    }
    let bias = load_biases(checkpoint, prefixes, widths)?;
    Ok(Linear::from_rows(weight, widths.iter().sum(), bias, device))
}

/// The biases of all layers as one, if any has one.
fn load_biases<const N: usize>(
    checkpoint: &Checkpoint,
    prefixes: &[String; N],
    widths: [usize; N],
) -> Result<Option<Vec<f32>>, CheckpointError> {
    let biases: [_; N] = try_map(|n| load_bias(checkpoint, &prefixes[n], widths[n]))?;
    Ok(join_biases(biases.into_iter().zip(widths)))
}

/// `[f(0), f(1), …]`, or the first error.
fn try_map<T, const N: usize>(
    mut f: impl FnMut(usize) -> Result<T, CheckpointError>,
) -> Result<[T; N], CheckpointError> {
    let mut error = None;
    let results = array::from_fn::<_, N, _>(|n| match &error {
        Some(_) => None,
        None => f(n).map_err(|e| error = Some(e)).ok(),
    });
    match error {
        Some(error) => Err(error),
        None => {
            let all: Vec<T> = results.into_iter().flatten().collect();
            Ok(all.try_into().unwrap_or_else(|_| unreachable!("N results when there was no error")))
        }
    }
}

#[cfg(test)]
mod tests {
    use burn::tensor::TensorData;
    use half::f16;

    use super::*;
    use crate::int4::PackedShape;

    fn part(seed: usize, out_features: usize, g_idx: Option<&[i32]>) -> PackedLinear {
        let shape = PackedShape { in_features: 16, out_features, group_size: 8 };
        let byte = |i: usize| ((i * 7 + seed * 5) % 16) as u8;
        let codes: Vec<u8> = (0..16 * out_features).map(byte).collect();
        let zeros: Vec<u8> = (0..2 * out_features).map(byte).collect();
        let scales: Vec<f16> = (0..2 * out_features).map(|i| f16::from_f32(0.01 * (i + seed + 1) as f32)).collect();
        PackedLinear::from_codes(shape, &codes, &scales, &zeros, g_idx, None).unwrap()
    }

    #[test]
    fn joined_layers_are_the_layers_one_after_the_other() {
        let device = Device::flex();
        let parts = [part(0, 24, None), part(1, 8, None), part(2, 16, None)];
        let joined = Linear::from_packed("joined", &join_packed(&parts).unwrap(), &device).unwrap();
        let fused = FusedLinear { widths: [24, 8, 16], layers: Layers::Joined(joined) };
        let x: Vec<f32> = (0..48).map(|i| (i as f32 * 0.7).sin()).collect();
        let x = Tensor::<2>::from_data(TensorData::new(x, [3, 16]), &device);
        for (y, part) in fused.forward(x.clone()).into_iter().zip(&parts) {
            let alone = Linear::from_packed("part", part, &device).unwrap().forward(x.clone());
            assert_eq!(y.into_data().try_to_vec::<f32>().unwrap(), alone.into_data().try_to_vec::<f32>().unwrap());
        }
    }

    #[test]
    fn a_layer_without_bias_beside_others_has_zeros() {
        let biases = [(Some(vec![1.0, 2.0]), 2), (None, 3), (Some(vec![3.0]), 1)];
        assert_eq!(join_biases(biases.into_iter()), Some(vec![1.0, 2.0, 0.0, 0.0, 0.0, 3.0]));
        assert_eq!(join_biases([(None, 3), (None, 1)].into_iter()), None);
    }

    #[test]
    fn layers_of_different_column_order_stay_separate() {
        let g_idx: Vec<i32> = (0..16).map(|i| i % 2).collect();
        assert!(join_packed(&[part(0, 8, None), part(1, 8, Some(&g_idx))]).is_none());
        assert!(join_packed(&[part(0, 8, Some(&g_idx)), part(1, 8, Some(&g_idx))]).is_some());
    }
}
