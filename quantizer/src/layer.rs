//! A quantized layer: codes and the grid they are on.

use half::f16;
use rayon::prelude::*;
use sightread_models::int4::{PackError, PackedLinear, PackedShape};

use crate::grid::Grid;
use crate::matrix::Matrix;

/// 4-bit weights of one linear layer.
#[derive(Debug, Clone, PartialEq)]
pub struct QuantizedLayer {
    /// Width of the output.
    pub out_features: usize,
    /// Width of the input.
    pub in_features: usize,
    /// `[out, in]`, each 0 to 15.
    pub codes: Vec<u8>,
    /// The steps the codes count.
    pub grid: Grid,
}

impl QuantizedLayer {
    /// The weights that the codes stand for, `[out, in]`: exactly those that the packed layer has.
    pub fn dequantize(&self) -> Matrix {
        let mut weights = Matrix::zeros(self.out_features, self.in_features);
        let rows = weights.data_mut().par_chunks_mut(self.in_features).zip(self.codes.par_chunks(self.in_features));
        rows.enumerate().for_each(|(r, (row, codes))| {
            let groups = row.chunks_mut(self.grid.group_size()).zip(codes.chunks(self.grid.group_size()));
            for ((weights, codes), step) in groups.zip(self.grid.row(r)) {
                weights.iter_mut().zip(codes).for_each(|(w, &c)| *w = step.value(c));
            }
        });
        weights
    }

    /// In the layout that is stored.
    ///
    /// # Errors
    /// [`PackError`] if the format cannot hold the layer's widths.
    pub fn pack(&self, bias: Option<&[f32]>) -> Result<PackedLinear, PackError> {
        let shape = PackedShape {
            in_features: self.in_features,
            out_features: self.out_features,
            group_size: self.grid.group_size(),
        };
        let (groups, out) = (self.grid.groups(), self.out_features);
        let transposed = || (0..groups).flat_map(|g| (0..out).map(move |o| (g, o))).map(|(g, o)| self.grid.row(o)[g]);
        let scales: Vec<f16> = transposed().map(|step| f16::from_f32(step.scale)).collect();
        let zeros: Vec<u8> = transposed().map(|step| step.zero).collect();
        PackedLinear::from_codes(shape, &self.codes, &scales, &zeros, None, bias)
    }
}
