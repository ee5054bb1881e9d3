//! Activations of all sequences between two stages, in memory or on disk.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::Path;

use half::f16;
use half::slice::HalfFloatSliceExt;

use crate::PipelineError;
use crate::matrix::Matrix;

/// How values are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Keep {
    /// As they are.
    Single,
    /// Rounded to 16 bit wherever all values of a sequence fit: half the memory for a two-thousandth of a value, a small part of
    /// what 4-bit weights do to it.
    Half,
}

/// One matrix `[t, width]` per sequence.
pub(super) struct Activations {
    keep: Keep,
    place: Place,
}

enum Place {
    Memory(Vec<Option<Kept>>),
    /// In a nameless file that vanishes with the process; shapes and places of what was put last.
    Disk {
        file: File,
        folder: std::path::PathBuf,
        slots: Vec<Option<Slot>>,
        end: u64,
    },
}

/// The values of a sequence.
enum Kept {
    Single(Matrix),
    Half { rows: usize, cols: usize, values: Vec<f16> },
}

/// Where a sequence lies in the file.
#[derive(Debug, Clone, Copy)]
struct Slot {
    offset: u64,
    capacity: usize,
    rows: usize,
    cols: usize,
    half: bool,
}

impl Activations {
    /// For `sequences` sequences, on disk if there is a folder for it.
    pub(super) fn new(sequences: usize, keep: Keep, spill: Option<&Path>) -> Result<Self, PipelineError> {
        let place = match spill {
            None => Place::Memory((0..sequences).map(|_| None).collect()),
            Some(folder) => {
                let file = tempfile::tempfile_in(folder).map_err(|e| PipelineError::io("write to", folder, e))?;
                Place::Disk { file, folder: folder.into(), slots: vec![None; sequences], end: 0 }
            }
        };
        Ok(Self { keep, place })
    }

    /// Replaces the activations of a sequence.
    pub(super) fn put(&mut self, sequence: usize, matrix: Matrix) -> Result<(), PipelineError> {
        let kept = Kept::new(matrix, self.keep);
        match &mut self.place {
            Place::Memory(slots) => slots[sequence] = Some(kept),
            Place::Disk { file, folder, slots, end } => {
                let (rows, cols, bytes, half): (_, _, &[u8], _) = match &kept {
                    Kept::Single(m) => (m.rows(), m.cols(), bytemuck::cast_slice(m.data()), false),
                    Kept::Half { rows, cols, values } => (*rows, *cols, bytemuck::cast_slice(values), true),
                };
                let old = slots[sequence].filter(|slot| slot.capacity >= bytes.len());
                let (offset, capacity) = old.map_or((*end, bytes.len()), |slot| (slot.offset, slot.capacity));
                let written = file.seek(SeekFrom::Start(offset)).and_then(|_| file.write_all(bytes));
                written.map_err(|e| PipelineError::io("write to", folder, e))?;
                *end = (*end).max(offset + bytes.len() as u64);
                slots[sequence] = Some(Slot { offset, capacity, rows, cols, half });
            }
        }
        Ok(())
    }

    /// Takes the activations of a sequence out. (On disk they stay until replaced.)
    pub(super) fn take(&mut self, sequence: usize) -> Result<Matrix, PipelineError> {
        match &mut self.place {
            Place::Memory(slots) => {
                match slots[sequence].take().ok_or(PipelineError::Internal("activations were taken twice"))? {
                    Kept::Single(matrix) => Ok(matrix),
                    half => half.to_matrix(),
                }
            }
            Place::Disk { .. } => self.get(sequence),
        }
    }

    /// A copy of the activations of a sequence.
    pub(super) fn get(&mut self, sequence: usize) -> Result<Matrix, PipelineError> {
        let missing = PipelineError::Internal("activations are missing");
        match &mut self.place {
            Place::Memory(slots) => slots[sequence].as_ref().ok_or(missing)?.to_matrix(),
            Place::Disk { file, folder, slots, .. } => {
                let Slot { offset, rows, cols, half, .. } = slots[sequence].ok_or(missing)?;
                let mut read = |bytes: &mut [u8]| {
                    let read = file.seek(SeekFrom::Start(offset)).and_then(|_| file.read_exact(bytes));
                    read.map_err(|e| PipelineError::io("read from", folder, e))
                };
                if half {
                    let mut values = vec![f16::ZERO; rows * cols];
                    read(bytemuck::cast_slice_mut(&mut values))?;
                    return Kept::Half { rows, cols, values }.to_matrix();
                }
                let mut matrix = Matrix::zeros(rows, cols);
                read(bytemuck::cast_slice_mut(matrix.data_mut()))?;
                Ok(matrix)
            }
        }
    }
}

impl Kept {
    fn new(matrix: Matrix, keep: Keep) -> Self {
        let largest = f32::from(f16::MAX);
        // False for a NaN too: it is reported where it does harm.
        if keep == Keep::Single || !matrix.data().iter().all(|v| v.abs() <= largest) {
            return Self::Single(matrix);
        }
        let mut values = vec![f16::ZERO; matrix.data().len()];
        values.convert_from_f32_slice(matrix.data());
        Self::Half { rows: matrix.rows(), cols: matrix.cols(), values }
    }

    fn to_matrix(&self) -> Result<Matrix, PipelineError> {
        match self {
            Self::Single(matrix) => Ok(matrix.clone()),
            Self::Half { rows, cols, values } => {
                let mut single = vec![0.0; values.len()];
                values.convert_to_f32_slice(&mut single);
                Matrix::from_rows(*rows, *cols, single).ok_or(PipelineError::Internal("the shape of an activation"))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matrix(rows: usize, cols: usize, from: usize) -> Matrix {
        Matrix::from_rows(rows, cols, (0..rows * cols).map(|i| (from + i) as f32).collect()).expect("fits")
    }

    #[test]
    fn disk_and_memory_give_back_what_was_put() {
        let folder = tempfile::tempdir().expect("temporary folder");
        for (keep, spill) in [Keep::Single, Keep::Half].into_iter().flat_map(|k| [(k, None), (k, Some(folder.path()))])
        {
            let mut store = Activations::new(3, keep, spill).expect("opens");
            store.put(0, matrix(4, 3, 0)).expect("put");
            store.put(2, matrix(5, 2, 50)).expect("put");
            store.put(0, matrix(4, 6, 100)).expect("put");
            store.put(2, matrix(1, 2, 7)).expect("put");
            assert_eq!(store.get(0).expect("there"), matrix(4, 6, 100));
            assert_eq!(store.take(0).expect("there"), matrix(4, 6, 100));
            assert_eq!(store.get(2).expect("there"), matrix(1, 2, 7));
            assert!(store.get(1).is_err());
        }
        assert_eq!(std::fs::read_dir(folder.path()).expect("readable").count(), 0, "nothing is left behind");
    }

    #[test]
    fn sixteen_bits_are_kept_where_they_do_and_not_where_values_are_too_large() {
        let mut store = Activations::new(1, Keep::Half, None).expect("opens");
        for (value, kept) in [(1.0f32 / 3.0, f16::from_f32(1.0 / 3.0).to_f32()), (70_001.0, 70_001.0)] {
            store.put(0, Matrix::from_rows(1, 1, vec![value]).expect("fits")).expect("put");
            assert_eq!(store.get(0).expect("there").data(), [kept]);
        }
        store.put(0, Matrix::from_rows(1, 1, vec![f32::NAN]).expect("fits")).expect("put");
        assert!(store.get(0).expect("there").data()[0].is_nan());
    }
}
