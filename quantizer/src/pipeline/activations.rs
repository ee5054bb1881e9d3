//! Activations of all sequences between two stages, in memory or on disk.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::Path;

use crate::PipelineError;
use crate::matrix::Matrix;

/// One matrix `[t, width]` per sequence.
pub(super) enum Activations {
    /// In memory.
    Memory(Vec<Option<Matrix>>),
    /// In a nameless file that vanishes with the process; shapes and places of what was put last.
    Disk { file: File, folder: std::path::PathBuf, slots: Vec<Option<Slot>>, end: u64 },
}

/// Where a sequence lies in the file.
#[derive(Debug, Clone, Copy)]
pub(super) struct Slot {
    offset: u64,
    capacity: usize,
    rows: usize,
    cols: usize,
}

impl Activations {
    /// For `sequences` sequences, on disk if there is a folder for it.
    pub(super) fn new(sequences: usize, spill: Option<&Path>) -> Result<Self, PipelineError> {
        let Some(folder) = spill else { return Ok(Self::Memory((0..sequences).map(|_| None).collect())) };
        let file = tempfile::tempfile_in(folder).map_err(|e| PipelineError::io("write to", folder, e))?;
        Ok(Self::Disk { file, folder: folder.into(), slots: vec![None; sequences], end: 0 })
    }

    /// Replaces the activations of a sequence.
    pub(super) fn put(&mut self, sequence: usize, matrix: Matrix) -> Result<(), PipelineError> {
        match self {
            Self::Memory(slots) => slots[sequence] = Some(matrix),
            Self::Disk { file, folder, slots, end } => {
                let bytes: &[u8] = bytemuck::cast_slice(matrix.data());
                let old = slots[sequence].filter(|slot| slot.capacity >= bytes.len());
                let (offset, capacity) = old.map_or((*end, bytes.len()), |slot| (slot.offset, slot.capacity));
                let written = file.seek(SeekFrom::Start(offset)).and_then(|_| file.write_all(bytes));
                written.map_err(|e| PipelineError::io("write to", folder, e))?;
                *end = (*end).max(offset + bytes.len() as u64);
                slots[sequence] = Some(Slot { offset, capacity, rows: matrix.rows(), cols: matrix.cols() });
            }
        }
        Ok(())
    }

    /// Takes the activations of a sequence out. (On disk they stay until replaced.)
    pub(super) fn take(&mut self, sequence: usize) -> Result<Matrix, PipelineError> {
        match self {
            Self::Memory(slots) => {
                slots[sequence].take().ok_or(PipelineError::Internal("activations were taken twice"))
            }
            Self::Disk { .. } => self.get(sequence),
        }
    }

    /// A copy of the activations of a sequence.
    pub(super) fn get(&mut self, sequence: usize) -> Result<Matrix, PipelineError> {
        let missing = PipelineError::Internal("activations are missing");
        match self {
            Self::Memory(slots) => slots[sequence].clone().ok_or(missing),
            Self::Disk { file, folder, slots, .. } => {
                let Slot { offset, rows, cols, .. } = slots[sequence].ok_or(missing)?;
                let mut matrix = Matrix::zeros(rows, cols);
                let bytes: &mut [u8] = bytemuck::cast_slice_mut(matrix.data_mut());
                let read = file.seek(SeekFrom::Start(offset)).and_then(|_| file.read_exact(bytes));
                read.map_err(|e| PipelineError::io("read from", folder, e))?;
                Ok(matrix)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn disk_and_memory_give_back_what_was_put() {
        let folder = tempfile::tempdir().expect("temporary folder");
        for spill in [None, Some(folder.path())] {
            let mut store = Activations::new(3, spill).expect("opens");
            let matrix = |rows, cols, from: usize| {
                Matrix::from_rows(rows, cols, (0..rows * cols).map(|i| (from + i) as f32).collect()).expect("fits")
            };
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
}
