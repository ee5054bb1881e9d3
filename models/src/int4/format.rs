//! One packed linear layer as the folder stores it: GPTQ v2, as GPTQModel, transformers and vLLM read it.
//!
//! # Widths
//!
//! The format stores eight input columns (`qweight`) or eight output columns (`qzeros`) in one word. Its readers in
//! Python neither write nor accept a partly filled word, so both widths must be multiples of 8; a layer of any other
//! width is refused with [`PackError::Width`] and stays in full precision. The input width need not be a multiple of
//! the group size: the last group is then shorter.

use half::f16;

/// Bits of one code.
pub const BITS: u32 = 4;
/// Codes in one stored 32-bit word.
pub const PER_WORD: usize = 8;
/// The largest code, 15.
pub const MAX_CODE: u8 = (1 << BITS) - 1;

/// A linear layer `y = x W^T (+ bias)` with 4-bit codes: `W[o, i] = scale[g, o] * (code[o, i] - zero[g, o])`, `g = g_idx[i]`.
///
/// Field names, element types and shapes are those of the GPTQ v2 checkpoint format (zero points stored as they are).
/// The fields are public because readers of checkpoints fill them; whoever does calls [`PackedLinear::validate`].
#[derive(Debug, Clone, PartialEq)]
pub struct PackedLinear {
    /// Width of the input.
    pub in_features: usize,
    /// Width of the output.
    pub out_features: usize,
    /// Input columns that share a scale; equals `in_features` for per-channel scales.
    pub group_size: usize,
    /// `[in / 8, out]`, eight codes of one output column in one word, the first in the lowest bits.
    pub qweight: Vec<i32>,
    /// `[groups, out / 8]`, eight zero points of neighbouring output columns in one word.
    pub qzeros: Vec<i32>,
    /// `[groups, out]`.
    pub scales: Vec<f16>,
    /// `[in]`, the group of every input column (act-order makes it other than `i / group_size`).
    pub g_idx: Vec<i32>,
    /// `[out]`, if the layer has one.
    pub bias: Option<Vec<f32>>,
}

/// Why codes could not be packed or a stored layer is not valid.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PackError {
    /// Lengths do not fit the widths.
    #[error("packed layer: {what} has {found} elements, expected {expected}")]
    Length {
        /// Which array.
        what: &'static str,
        /// Elements found.
        found: usize,
        /// Elements expected.
        expected: usize,
    },
    /// A width that the format cannot hold.
    #[error("packed layer: {0}")]
    Width(String),
    /// A code, zero point or group index out of range.
    #[error("packed layer: {what} {value} is out of range")]
    Range {
        /// Which value.
        what: &'static str,
        /// The value.
        value: i64,
    },
    /// A scale or bias that is infinite or not a number.
    #[error("packed layer: {0} contains a value that is not a finite number")]
    NotFinite(&'static str),
    /// A device this build has no kernels for.
    #[error("packed layer: this build has no kernels for the device {0}, use the CPU")]
    Device(String),
}

/// The three widths every array of a packed layer follows from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PackedShape {
    /// Width of the input.
    pub in_features: usize,
    /// Width of the output.
    pub out_features: usize,
    /// Input columns that share a scale.
    pub group_size: usize,
}

impl PackedShape {
    /// Number of groups along the input, the last one possibly shorter than `group_size`.
    pub fn groups(&self) -> usize {
        self.in_features.div_ceil(self.group_size.max(1))
    }

    /// Refuses widths the format cannot hold.
    ///
    /// # Errors
    /// [`PackError::Width`] for a zero width, a width that is no multiple of 8, a group size of zero or above
    /// `in_features`, or a product of widths that does not fit in memory addresses.
    pub fn check(&self) -> Result<(), PackError> {
        let Self { in_features, out_features, group_size } = *self;
        if in_features == 0 || out_features == 0 || in_features % PER_WORD != 0 || out_features % PER_WORD != 0 {
            return Err(PackError::Width(format!(
                "the widths {in_features} in, {out_features} out are not positive multiples of 8, keep this layer in full precision"
            )));
        }
        if group_size == 0 || group_size > in_features {
            return Err(PackError::Width(format!(
                "a group size of {group_size} does not fit an input width of {in_features}"
            )));
        }
        if in_features > i32::MAX as usize
            || in_features.checked_mul(out_features).is_none_or(|n| n > isize::MAX as usize / 8)
        {
            return Err(PackError::Width(format!("the widths {in_features} in, {out_features} out are too large")));
        }
        Ok(())
    }
}

impl PackedLinear {
    /// Packs codes, scales and zero points.
    ///
    /// - `codes` `[out, in]`, each 0..=15, in the order of the input columns (also with act-order).
    /// - `scales` `[groups, out]`: rounded to f16 by the caller *before* choosing codes, so that the packed weights are
    ///   the ones the caller measured.
    /// - `zeros` `[groups, out]`, each 0..=15; 8 everywhere for a symmetric grid.
    /// - `g_idx` `[in]`, or `None` for `i / group_size`.
    /// - `bias` `[out]`.
    ///
    /// # Errors
    /// [`PackError`] if widths, lengths or values are not what the format can hold; see [`PackedShape::check`].
    pub fn from_codes(
        shape: PackedShape,
        codes: &[u8],
        scales: &[f16],
        zeros: &[u8],
        g_idx: Option<&[i32]>,
        bias: Option<&[f32]>,
    ) -> Result<Self, PackError> {
        shape.check()?;
        let PackedShape { in_features, out_features, group_size } = shape;
        expect_len("codes", codes.len(), in_features * out_features)?;
        expect_len("zero points", zeros.len(), shape.groups() * out_features)?;
        expect_codes("code", codes)?;
        expect_codes("zero point", zeros)?;

        let mut qweight = vec![0u32; in_features / PER_WORD * out_features];
        for (o, row) in codes.chunks_exact(in_features).enumerate() {
            for (word, eight) in row.chunks_exact(PER_WORD).enumerate() {
                qweight[word * out_features + o] = pack_word(eight);
            }
        }
        let packed = Self {
            in_features,
            out_features,
            group_size,
            qweight: qweight.into_iter().map(u32::cast_signed).collect(),
            qzeros: zeros.chunks_exact(PER_WORD).map(|eight| pack_word(eight).cast_signed()).collect(),
            scales: scales.to_vec(),
            g_idx: match g_idx {
                Some(g_idx) => g_idx.to_vec(),
                None => (0..in_features).map(|i| (i / group_size) as i32).collect(),
            },
            bias: bias.map(<[f32]>::to_vec),
        };
        packed.validate()?;
        Ok(packed)
    }

    /// The widths.
    pub fn shape(&self) -> PackedShape {
        PackedShape { in_features: self.in_features, out_features: self.out_features, group_size: self.group_size }
    }

    /// Number of groups along the input.
    pub fn groups(&self) -> usize {
        self.shape().groups()
    }

    /// Checks what a reader filled in: widths, lengths, group indices and finite numbers.
    ///
    /// # Errors
    /// [`PackError`] naming the first thing that is wrong. A group that more than `group_size` columns claim is wrong too.
    pub fn validate(&self) -> Result<(), PackError> {
        let shape = self.shape();
        shape.check()?;
        let groups = shape.groups();
        expect_len("qweight", self.qweight.len(), self.in_features / PER_WORD * self.out_features)?;
        expect_len("qzeros", self.qzeros.len(), groups * self.out_features / PER_WORD)?;
        expect_len("scales", self.scales.len(), groups * self.out_features)?;
        expect_len("g_idx", self.g_idx.len(), self.in_features)?;
        if !self.scales.iter().all(|s| s.is_finite()) {
            return Err(PackError::NotFinite("scales"));
        }
        if let Some(bias) = &self.bias {
            expect_len("bias", bias.len(), self.out_features)?;
            if !bias.iter().all(|b| b.is_finite()) {
                return Err(PackError::NotFinite("bias"));
            }
        }
        let mut columns = vec![0usize; groups];
        for &g in &self.g_idx {
            let count = usize::try_from(g).ok().and_then(|g| columns.get_mut(g));
            let count = count.ok_or(PackError::Range { what: "group index", value: i64::from(g) })?;
            *count += 1;
        }
        match columns.iter().position(|&n| n > self.group_size) {
            Some(g) => {
                let (found, expected) = (columns[g], self.group_size);
                Err(PackError::Length { what: "a group of input columns", found, expected })
            }
            None => Ok(()),
        }
    }

    /// Whether the columns are in an order other than that of their groups.
    pub fn has_act_order(&self) -> bool {
        !self.g_idx.is_sorted()
    }

    /// The codes, `[out, in]`, one byte each.
    pub fn codes(&self) -> Vec<u8> {
        let mut codes = vec![0u8; self.in_features * self.out_features];
        for (word, row) in self.qweight.chunks_exact(self.out_features).enumerate() {
            for (o, &packed) in row.iter().enumerate() {
                let first = o * self.in_features + word * PER_WORD;
                unpack_word(packed.cast_unsigned(), &mut codes[first..first + PER_WORD]);
            }
        }
        codes
    }

    /// The zero points, `[groups, out]`, one byte each.
    pub fn zeros(&self) -> Vec<u8> {
        let mut zeros = vec![0u8; self.qzeros.len() * PER_WORD];
        for (&packed, eight) in self.qzeros.iter().zip(zeros.chunks_exact_mut(PER_WORD)) {
            unpack_word(packed.cast_unsigned(), eight);
        }
        zeros
    }

    /// The weights the codes stand for, `[out, in]`.
    ///
    /// The layer must be valid (see [`PackedLinear::validate`]).
    pub fn dequantize(&self) -> Vec<f32> {
        let zeros = self.zeros();
        let mut weights = Vec::with_capacity(self.in_features * self.out_features);
        for (o, row) in self.codes().chunks_exact(self.in_features).enumerate() {
            weights.extend(row.iter().zip(&self.g_idx).map(|(&code, &g)| {
                let at = g as usize * self.out_features + o;
                self.scales[at].to_f32() * (f32::from(code) - f32::from(zeros[at]))
            }));
        }
        weights
    }

    /// Bytes of all arrays as stored.
    pub fn stored_bytes(&self) -> usize {
        let bias = self.bias.as_ref().map_or(0, Vec::len);
        4 * (self.qweight.len() + self.qzeros.len() + self.g_idx.len() + bias) + 2 * self.scales.len()
    }
}

fn pack_word(eight: &[u8]) -> u32 {
    eight.iter().rev().fold(0, |word, &code| word << BITS | u32::from(code))
}

fn unpack_word(word: u32, eight: &mut [u8]) {
    for (k, code) in eight.iter_mut().enumerate() {
        *code = (word >> (BITS * k as u32)) as u8 & MAX_CODE;
    }
}

fn expect_len(what: &'static str, found: usize, expected: usize) -> Result<(), PackError> {
    if found == expected { Ok(()) } else { Err(PackError::Length { what, found, expected }) }
}

fn expect_codes(what: &'static str, codes: &[u8]) -> Result<(), PackError> {
    match codes.iter().find(|&&c| c > MAX_CODE) {
        Some(&c) => Err(PackError::Range { what, value: i64::from(c) }),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Widths, and the seed of everything else.
    fn layer(shape: PackedShape, seed: u64, act_order: bool) -> (Vec<u8>, Vec<f16>, Vec<u8>, Vec<i32>, PackedLinear) {
        let mut state = seed;
        let mut next = move || {
            state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
            (state >> 33) as u32
        };
        let grid = shape.groups() * shape.out_features;
        let codes: Vec<u8> = (0..shape.in_features * shape.out_features).map(|_| (next() % 16) as u8).collect();
        let zeros: Vec<u8> = (0..grid).map(|_| (next() % 16) as u8).collect();
        let scales: Vec<f16> = (0..grid).map(|_| f16::from_f32(next() as f32 / 2f32.powi(36))).collect();
        let mut g_idx: Vec<i32> = (0..shape.in_features).map(|i| (i / shape.group_size) as i32).collect();
        if act_order {
            for i in (1..g_idx.len()).rev() {
                g_idx.swap(i, next() as usize % (i + 1));
            }
        }
        let packed = PackedLinear::from_codes(shape, &codes, &scales, &zeros, Some(&g_idx), None).expect("valid");
        (codes, scales, zeros, g_idx, packed)
    }

    proptest! {
        #[test]
        fn codes_come_back_and_dequantize_follows_the_definition(
            in8 in 1usize..12, out8 in 1usize..6, group in 1usize..96, seed: u64, act_order: bool,
        ) {
            let (in_features, out_features) = (in8 * 8, out8 * 8);
            let shape = PackedShape { in_features, out_features, group_size: group.min(in_features) };
            let (codes, scales, zeros, g_idx, packed) = layer(shape, seed, act_order);
            prop_assert_eq!(&packed.codes(), &codes);
            prop_assert_eq!(&packed.zeros(), &zeros);
            let weights = packed.dequantize();
            for o in 0..out_features {
                for i in 0..in_features {
                    let at = g_idx[i] as usize * out_features + o;
                    let expected = scales[at].to_f32() * (i32::from(codes[o * in_features + i]) - i32::from(zeros[at])) as f32;
                    prop_assert_eq!(weights[o * in_features + i], expected);
                }
            }
        }
    }

    /// The bit order GPTQModel writes: code of input column `8 w + k` sits in bits `4 k` of word `w`.
    #[test]
    fn bit_order_is_that_of_gptq() {
        let shape = PackedShape { in_features: 8, out_features: 8, group_size: 8 };
        let codes: Vec<u8> = (0..64).map(|n| if n < 8 { n as u8 } else { 0 }).collect();
        let zeros = [0, 1, 2, 3, 4, 5, 6, 15];
        let packed = PackedLinear::from_codes(shape, &codes, &[f16::ONE; 8], &zeros, None, None).expect("valid");
        assert_eq!(packed.qweight[0], 0x7654_3210);
        assert_eq!(packed.qweight[1..], [0; 7]);
        assert_eq!(packed.qzeros[0].cast_unsigned(), 0xf654_3210);
    }

    #[test]
    fn what_the_format_cannot_hold_is_refused() {
        let shape = PackedShape { in_features: 16, out_features: 8, group_size: 8 };
        let (.., good) = layer(shape, 1, false);
        let width =
            |in_features, out_features, group_size| PackedShape { in_features, out_features, group_size }.check();
        for wrong in [
            width(12, 8, 4),
            width(8, 12, 4),
            width(0, 8, 1),
            width(8, 8, 0),
            width(8, 8, 9),
            width(1 << 40, 1 << 40, 8),
        ] {
            assert!(matches!(wrong, Err(PackError::Width(_))), "{wrong:?}");
        }
        let broken = |change: fn(&mut PackedLinear)| {
            let mut layer = good.clone();
            change(&mut layer);
            layer.validate().expect_err("must be refused")
        };
        assert!(matches!(broken(|l| l.qweight.truncate(3)), PackError::Length { what: "qweight", .. }));
        assert!(matches!(broken(|l| l.qzeros.push(0)), PackError::Length { what: "qzeros", .. }));
        assert!(matches!(broken(|l| l.scales[3] = f16::NAN), PackError::NotFinite("scales")));
        assert!(matches!(broken(|l| l.g_idx[0] = 2), PackError::Range { value: 2, .. }));
        assert!(matches!(broken(|l| l.g_idx[0] = -1), PackError::Range { value: -1, .. }));
        assert!(matches!(broken(|l| l.g_idx[8] = 0), PackError::Length { found: 9, expected: 8, .. }));
        assert!(matches!(broken(|l| l.bias = Some(vec![f32::INFINITY; 8])), PackError::NotFinite("bias")));
        let codes = [16u8; 128];
        let refused = PackedLinear::from_codes(shape, &codes, &[f16::ONE; 16], &[8; 16], None, None);
        assert!(matches!(refused, Err(PackError::Range { what: "code", value: 16 })));
    }
}
