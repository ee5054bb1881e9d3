//! A matrix of 4- or 8-bit codes as the kernels want it in memory.
//!
//! Sixteen output rows lie side by side in a *tile*, so that one vector holds the same four input columns of all of them:
//!
//! ```text
//! 8 bit: 64 bytes = row 0: k k+1 k+2 k+3 | row 1: k … k+3 | … | row 15: k … k+3
//! 4 bit: 64 bytes = the same, low nibbles for columns k … k+3, high nibbles for k+4 … k+7
//! ```
//!
//! A dot product of four bytes with four bytes per lane (`vpdpbusd`, `sdot`) then works on sixteen rows at once and
//! needs no sum across lanes. Columns are ordered by group, groups are cut into *blocks* of at most [`MAX_BLOCK`]
//! columns (one activation scale each), and blocks are padded to a multiple of 8 with code 0 against activation 0.

use crate::int4::{PackError, PackedLinear};

/// Output rows of one tile.
pub const TILE: usize = 16;
/// Longest run of columns that shares one activation scale.
pub const MAX_BLOCK: usize = 64;
/// Marks a padding column, one with no input behind it.
const PADDING: u32 = u32::MAX;

/// How the columns of one matrix are cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Blocks {
    /// Groups, each with its own weight scale and zero point.
    pub groups: usize,
    /// Blocks in one group.
    pub per_group: usize,
    /// Columns in one block, padding included: a multiple of 8.
    pub len: usize,
}

impl Blocks {
    fn new(groups: usize, group_size: usize) -> Self {
        let per_group = group_size.div_ceil(MAX_BLOCK);
        Self { groups, per_group, len: group_size.div_ceil(per_group).next_multiple_of(8) }
    }

    /// Blocks of all groups.
    pub fn count(&self) -> usize {
        self.groups * self.per_group
    }

    /// Columns of all blocks, padding included.
    pub fn columns(&self) -> usize {
        self.count() * self.len
    }

    /// Columns of one group, padding included.
    fn group_columns(&self) -> usize {
        self.per_group * self.len
    }
}

/// `W[o, i] = scale[g, o] * (code[o, i] - zero[g, o])` in tiles.
#[derive(Debug)]
pub struct Tiles {
    /// Width of the output.
    pub out_features: usize,
    /// Width of the input.
    pub in_features: usize,
    /// How the columns are cut.
    pub blocks: Blocks,
    /// Bits of one code, 4 or 8.
    pub bits: u32,
    /// Input column behind every padded column; `None` when that is the identity.
    columns: Option<Vec<u32>>,
    /// `[tile, block, len * bits / 8, TILE]` bytes, as above.
    codes: Vec<Line>,
    /// `[tile, group, TILE]`
    scales: Vec<[f32; TILE]>,
    /// `[tile, group, TILE]`; empty for 8 bit, where it is 128 everywhere.
    zeros: Vec<[u8; TILE]>,
}

/// One vector of codes on a cache line of its own.
#[derive(Debug, Clone, Copy)]
#[repr(C, align(64))]
pub struct Line(pub [u8; 64]);

/// One tile of [`Tiles`].
#[derive(Debug, Clone, Copy)]
pub struct Tile<'a> {
    /// How the columns are cut.
    pub blocks: Blocks,
    /// `len * bits / 32` lines for every block.
    pub codes: &'a [Line],
    /// One for every group.
    pub scales: &'a [[f32; TILE]],
    /// One for every group; empty for 8 bit.
    pub zeros: &'a [[u8; TILE]],
}

impl Tiles {
    /// Lays out a packed layer.
    ///
    /// # Errors
    /// [`PackError`] if the layer is not valid.
    pub fn from_packed(packed: &PackedLinear) -> Result<Self, PackError> {
        packed.validate()?;
        let (in_features, out_features) = (packed.in_features, packed.out_features);
        let groups = packed.groups();
        let blocks = Blocks::new(groups, packed.group_size);

        // Where every padded column comes from: stable by group, so act-order layers become contiguous groups.
        let mut columns = vec![PADDING; blocks.columns()];
        let mut filled = vec![0; groups];
        for (i, &g) in packed.g_idx.iter().enumerate() {
            let g = g as usize;
            columns[g * blocks.group_columns() + filled[g]] = i as u32;
            filled[g] += 1;
        }

        let tile_count = out_features.div_ceil(TILE);
        let lines_per_tile = blocks.columns() / 8;
        let mut codes = vec![Line([0; 64]); tile_count * lines_per_tile];
        for (at, &column) in columns.iter().enumerate().filter(|&(_, &column)| column != PADDING) {
            let (line, in_lane, shift) = (at / 8, at % 4, if at % 8 < 4 { 0 } else { 4 });
            let (word, nibble) = (column as usize / 8, column as usize % 8);
            for (o, &packed_word) in packed.qweight[word * out_features..][..out_features].iter().enumerate() {
                let code = (packed_word.cast_unsigned() >> (4 * nibble)) as u8 & 15;
                codes[o / TILE * lines_per_tile + line].0[o % TILE * 4 + in_lane] |= code << shift;
            }
        }

        let stored_zeros = packed.zeros();
        let mut scales = vec![[0.0; TILE]; tile_count * groups];
        let mut zeros = vec![[0; TILE]; tile_count * groups];
        for g in 0..groups {
            for o in 0..out_features {
                let at = o / TILE * groups + g;
                scales[at][o % TILE] = packed.scales[g * out_features + o].to_f32();
                zeros[at][o % TILE] = stored_zeros[g * out_features + o];
            }
        }
        let columns = Some(columns).filter(|c| !is_identity(c, in_features));
        Ok(Self { out_features, in_features, blocks, bits: 4, columns, codes, scales, zeros })
    }

    /// Lays out signed 8-bit codes `[out, in]` with one scale per row: `W[o, i] = scale[o] * code[o, i]`.
    ///
    /// Codes are -127..=127; the caller has checked lengths.
    pub(crate) fn from_rows8(in_features: usize, codes: &[i8], row_scales: &[f32]) -> Self {
        let out_features = row_scales.len();
        let blocks = Blocks::new(1, in_features);
        let tile_count = out_features.div_ceil(TILE);
        let lines_per_tile = blocks.columns() / 4;
        // 128 stands for zero: padding then contributes nothing, whatever the kernel does with it.
        let mut lines = vec![Line([128; 64]); tile_count * lines_per_tile];
        for (o, row) in codes.chunks_exact(in_features).enumerate() {
            for (at, &code) in row.iter().enumerate() {
                let line = &mut lines[o / TILE * lines_per_tile + at / 4];
                line.0[o % TILE * 4 + at % 4] = (i16::from(code) + 128) as u8;
            }
        }
        let mut scales = vec![[0.0; TILE]; tile_count];
        for (o, &scale) in row_scales.iter().enumerate() {
            scales[o / TILE][o % TILE] = scale;
        }
        // Padding columns all come after the real ones: blocks of one group are contiguous.
        let columns: Vec<u32> =
            (0..blocks.columns()).map(|i| if i < in_features { i as u32 } else { PADDING }).collect();
        let columns = Some(columns).filter(|c| !is_identity(c, in_features));
        Self { out_features, in_features, blocks, bits: 8, columns, codes: lines, scales, zeros: Vec::new() }
    }

    /// Number of tiles.
    pub fn len(&self) -> usize {
        self.out_features.div_ceil(TILE)
    }

    /// One tile.
    pub fn tile(&self, index: usize) -> Tile<'_> {
        let lines = self.blocks.columns() * self.bits as usize / 32;
        let groups = self.blocks.groups;
        let zeros = if self.zeros.is_empty() { &[][..] } else { &self.zeros[index * groups..][..groups] };
        Tile {
            blocks: self.blocks,
            codes: &self.codes[index * lines..][..lines],
            scales: &self.scales[index * groups..][..groups],
            zeros,
        }
    }

    /// Puts one input row into the order of the padded columns. Both slices have their full width.
    pub fn gather(&self, row: &[f32], padded: &mut [f32]) {
        match &self.columns {
            None => padded.copy_from_slice(row),
            Some(columns) => {
                for (to, &column) in padded.iter_mut().zip(columns) {
                    *to = row.get(column as usize).copied().unwrap_or(0.0);
                }
            }
        }
    }

    /// Whether [`Tiles::gather`] would change nothing.
    pub fn takes_rows_as_they_are(&self) -> bool {
        self.columns.is_none()
    }

    /// Writes one row of an 8-bit matrix, dequantized.
    pub(crate) fn row8(&self, row: usize, values: &mut [f32]) {
        let tile = self.tile(row / TILE);
        let lane = row % TILE;
        let scale = tile.scales[0][lane];
        for (value, at) in values.iter_mut().zip(0..self.in_features) {
            *value = scale * (f32::from(tile.codes[at / 4].0[lane * 4 + at % 4]) - 128.0);
        }
    }

    /// Bytes held in memory.
    pub fn bytes(&self) -> usize {
        size_of_val(&self.codes[..])
            + size_of_val(&self.scales[..])
            + size_of_val(&self.zeros[..])
            + self.columns.as_ref().map_or(0, |c| size_of_val(&c[..]))
    }
}

fn is_identity(columns: &[u32], in_features: usize) -> bool {
    columns.len() == in_features && columns.iter().enumerate().all(|(at, &column)| at == column as usize)
}
