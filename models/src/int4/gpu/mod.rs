//! Matrix products with 4- and 8-bit weights through wgpu (or any other runtime of CubeCL).

mod kernel;
mod op;

use burn::tensor::{Device, Int, Tensor, TensorData};

use super::PackedLinear;

/// Codes of a matrix on the GPU: `W[o, i] = scale[g, o] * code[i, o] - offset[g, o]`, columns ordered by group.
#[derive(Debug, Clone)]
pub(super) struct GpuMatrix {
    in_features: usize,
    /// `[columns * bits / 32, out]`, the codes of 8 or 4 input columns in one word: neighbouring threads take
    /// neighbouring outputs and read neighbouring words.
    codes: Tensor<2, Int>,
    /// `[groups, out]`
    scales: Tensor<2>,
    /// `[groups, out]`: scale times zero point.
    offsets: Tensor<2>,
    /// The input column behind every stored column, unless that is the identity.
    columns: Option<Tensor<1, Int>>,
    bias: Option<Tensor<2>>,
    bits: u32,
    /// Words of one group, along the input.
    group_words: usize,
}

impl GpuMatrix {
    /// Uploads a valid packed layer, columns put in the order of their groups.
    ///
    /// Every group is padded to a whole number of words with codes equal to the zero point, which stand for 0.
    pub fn from_packed(packed: &PackedLinear, device: &Device) -> Self {
        let (out, groups) = (packed.out_features, packed.groups());
        let group_words = packed.group_size.div_ceil(8);
        let zeros = packed.zeros();

        let words = groups * group_words;
        let mut codes = vec![0u32; words * out];
        let mut columns = vec![0i32; words * 8];
        let mut filled = vec![0; groups];
        let mut put = |word: usize, nibble: usize, code_of: &dyn Fn(usize) -> u32| {
            for (o, packed) in codes[word * out..][..out].iter_mut().enumerate() {
                *packed |= code_of(o) << (4 * nibble);
            }
        };
        for (i, &g) in packed.g_idx.iter().enumerate() {
            let g = g as usize;
            let at = g * group_words * 8 + filled[g];
            filled[g] += 1;
            columns[at] = i as i32;
            let stored = &packed.qweight[i / 8 * out..][..out];
            put(at / 8, at % 8, &|o| stored[o].cast_unsigned() >> (4 * (i % 8)) & 15);
        }
        for (g, &filled) in filled.iter().enumerate() {
            for at in g * group_words * 8 + filled..(g + 1) * group_words * 8 {
                put(at / 8, at % 8, &|o| u32::from(zeros[g * out + o]));
            }
        }

        let scales: Vec<f32> = packed.scales.iter().map(|s| s.to_f32()).collect();
        let offsets = scales.iter().zip(&zeros).map(|(s, &z)| s * f32::from(z)).collect();
        let identity =
            columns.len() == packed.in_features && columns.iter().enumerate().all(|(at, &i)| at == i as usize);
        Self {
            in_features: packed.in_features,
            codes: words_tensor(codes, [words, out], device),
            scales: Tensor::from_data(TensorData::new(scales, [groups, out]), device),
            offsets: Tensor::from_data(TensorData::new(offsets, [groups, out]), device),
            columns: (!identity).then(|| Tensor::from_data(&columns[..], device)),
            bias: packed.bias.as_ref().map(|b| Tensor::from_data(TensorData::new(b.clone(), [1, out]), device)),
            bits: 4,
            group_words,
        }
    }

    /// Uploads signed 8-bit codes `[rows, width]`, stored with 128 added and padded with zeros.
    pub fn from_rows8(codes: &[i8], scales: &[f32], width: usize, device: &Device) -> Self {
        let rows = scales.len();
        let words = width.div_ceil(4);
        let mut packed = vec![0x8080_8080u32; words * rows];
        for (o, row) in codes.chunks_exact(width).enumerate() {
            for (i, &code) in row.iter().enumerate() {
                // Flipping the top bit of a byte adds 128 to it.
                packed[i / 4 * rows + o] ^= u32::from(code.cast_unsigned()) << (8 * (i % 4));
            }
        }
        let columns: Vec<i32> = (0..words * 4).map(|i| if i < width { i as i32 } else { 0 }).collect();
        let offsets = scales.iter().map(|s| s * 128.0).collect();
        Self {
            in_features: width,
            codes: words_tensor(packed, [words, rows], device),
            scales: Tensor::from_data(TensorData::new(scales.to_vec(), [1, rows]), device),
            offsets: Tensor::from_data(TensorData::new(offsets, [1, rows]), device),
            columns: (columns.len() != width).then(|| Tensor::from_data(&columns[..], device)),
            bias: None,
            bits: 8,
            group_words: words,
        }
    }

    /// `x` `[m, in]` to `[m, out]`.
    pub fn forward(&self, x: Tensor<2>) -> Tensor<2> {
        let x = match &self.columns {
            Some(columns) => x.select(1, columns.clone()),
            None => x,
        };
        let y =
            op::product(x, self.codes.clone(), self.scales.clone(), self.offsets.clone(), self.bits, self.group_words);
        match &self.bias {
            Some(bias) => y + bias.clone(),
            None => y,
        }
    }

    /// The weights of some outputs, `[outputs, in]`: rows of an embedding. Only for a matrix with one scale per output.
    pub fn columns(&self, outputs: Tensor<1, Int>) -> Tensor<2> {
        let n = outputs.dims()[0];
        let words = self.codes.clone().select(1, outputs.clone()).swap_dims(0, 1);
        let [_, word_count] = words.dims();
        let codes: Vec<_> =
            (0..4).map(|byte| words.clone().bitwise_right_shift_scalar(8 * byte).bitwise_and_scalar(255)).collect();
        let codes =
            Tensor::stack::<3>(codes, 2).reshape([n, word_count * 4]).slice([0..n, 0..self.in_features]).float();
        let scales = self.scales.clone().select(1, outputs.clone()).swap_dims(0, 1);
        let offsets = self.offsets.clone().select(1, outputs).swap_dims(0, 1);
        codes * scales - offsets
    }

    /// Bytes held on the device.
    pub fn bytes(&self) -> usize {
        let words = self.codes.shape().num_elements() + 2 * self.scales.shape().num_elements();
        let columns = self.columns.as_ref().map_or(0, |c| c.dims()[0]);
        4 * (words + columns + self.bias.as_ref().map_or(0, |b| b.dims()[1]))
    }
}

/// Words as the integers tensors are made of: same bits.
fn words_tensor(words: Vec<u32>, shape: [usize; 2], device: &Device) -> Tensor<2, Int> {
    let words: Vec<i32> = words.into_iter().map(u32::cast_signed).collect();
    Tensor::from_data(TensorData::new(words, shape), device)
}
