//! Row-major matrices of `f32` and the dense products on them, done by faer on all cores.

use std::ops::Range;

use faer::linalg::matmul::{matmul, triangular};
use faer::{Accum, MatMut, MatRef, Par};
use pulp::{Arch, Simd, WithSimd};

/// A dense row-major matrix.
#[derive(Debug, Clone, PartialEq)]
pub struct Matrix {
    rows: usize,
    cols: usize,
    data: Vec<f32>,
}

impl Matrix {
    /// All zeros, `[rows, cols]`.
    pub fn zeros(rows: usize, cols: usize) -> Self {
        Self { rows, cols, data: vec![0.0; rows * cols] }
    }

    /// From rows one after the other; `None` if `data` does not hold `rows * cols` values.
    pub fn from_rows(rows: usize, cols: usize, data: Vec<f32>) -> Option<Self> {
        (data.len() == rows * cols).then_some(Self { rows, cols, data })
    }

    /// Number of rows.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Number of columns.
    pub fn cols(&self) -> usize {
        self.cols
    }

    /// One row.
    ///
    /// # Panics
    /// If there is no such row.
    pub fn row(&self, r: usize) -> &[f32] {
        &self.data[r * self.cols..(r + 1) * self.cols]
    }

    /// One row, to write to.
    ///
    /// # Panics
    /// If there is no such row.
    pub fn row_mut(&mut self, r: usize) -> &mut [f32] {
        &mut self.data[r * self.cols..(r + 1) * self.cols]
    }

    /// The rows of two `runs`, one run after the other.
    ///
    /// # Panics
    /// If there is no such row.
    #[must_use]
    pub fn select_rows(&self, runs: &[Range<usize>; 2]) -> Self {
        let run = |run: &Range<usize>| &self.data[run.start * self.cols..run.end * self.cols];
        let data = runs.each_ref().map(run).concat();
        Self { rows: runs.iter().map(Range::len).sum(), cols: self.cols, data }
    }

    /// These rows, in this order.
    ///
    /// # Panics
    /// If there is no such row.
    #[must_use]
    pub fn pick_rows(&self, rows: &[usize]) -> Self {
        let data = rows.iter().flat_map(|&r| self.row(r)).copied().collect();
        Self { rows: rows.len(), cols: self.cols, data }
    }

    /// These columns, in this order.
    ///
    /// # Panics
    /// If there is no such column.
    #[must_use]
    pub fn pick_columns(&self, columns: &[usize]) -> Self {
        let mut picked = Self::zeros(self.rows, columns.len());
        for r in 0..self.rows {
            picked.row_mut(r).iter_mut().zip(columns).for_each(|(to, &c)| *to = self.row(r)[c]);
        }
        picked
    }

    /// All values, row by row.
    pub fn data(&self) -> &[f32] {
        &self.data
    }

    /// All values, row by row, to write to.
    pub fn data_mut(&mut self) -> &mut [f32] {
        &mut self.data
    }

    /// All values, row by row.
    pub fn into_data(self) -> Vec<f32> {
        self.data
    }

    /// The main diagonal.
    pub fn diagonal(&self) -> Vec<f32> {
        self.data.iter().step_by(self.cols + 1).take(self.rows.min(self.cols)).copied().collect()
    }

    /// Replaces the main diagonal.
    pub fn set_diagonal(&mut self, values: &[f32]) {
        self.data.iter_mut().step_by(self.cols + 1).zip(values).for_each(|(d, &value)| *d = value);
    }

    /// Adds `value` to every element of the main diagonal.
    pub fn add_to_diagonal(&mut self, value: f32) {
        let n = self.rows.min(self.cols);
        self.data.iter_mut().step_by(self.cols + 1).take(n).for_each(|d| *d += value);
    }

    /// `self += factor * other`, element by element; both have the same shape.
    pub fn add_scaled(&mut self, factor: f32, other: &Self) {
        self.data.iter_mut().zip(&other.data).for_each(|(a, b)| *a += factor * b);
    }

    /// Multiplies every element.
    pub fn scale(&mut self, factor: f32) {
        self.data.iter_mut().for_each(|v| *v *= factor);
    }

    /// `self - other`; both have the same shape.
    #[must_use]
    pub fn minus(&self, other: &Self) -> Self {
        let data = self.data.iter().zip(&other.data).map(|(a, b)| a - b).collect();
        Self { rows: self.rows, cols: self.cols, data }
    }

    /// Whether every value is a finite number.
    pub fn is_finite(&self) -> bool {
        self.data.iter().all(|v| v.is_finite())
    }

    /// `self * other`.
    #[must_use]
    pub fn times(&self, other: &Self) -> Self {
        let mut product = Self::zeros(self.rows, other.cols);
        matmul(product.view_mut(), Accum::Replace, self.view(), other.view(), 1.0, Par::rayon(0));
        product
    }

    /// `self += a^T b` for `a` `[n, rows]` and `b` `[n, cols]`.
    pub fn add_transposed_product(&mut self, a: &Self, b: &Self) {
        matmul(self.view_mut(), Accum::Add, a.view().transpose(), b.view(), 1.0, Par::rayon(0));
    }

    /// Lower triangle of `self += a^T a` for `a` `[n, rows]`; the upper triangle stays as it is.
    pub fn add_gram_lower(&mut self, a: &Self) {
        use triangular::BlockStructure::{Rectangular, TriangularLower};
        let x = a.view();
        triangular::matmul(
            self.view_mut(),
            TriangularLower,
            Accum::Add,
            x.transpose(),
            Rectangular,
            x,
            Rectangular,
            1.0,
            Par::rayon(0),
        );
    }

    /// Copies the lower triangle to the upper one.
    pub fn mirror_lower(&mut self) {
        for r in 0..self.rows {
            for c in 0..r {
                self.data[c * self.cols + r] = self.data[r * self.cols + c];
            }
        }
    }

    /// As faer sees it.
    pub(crate) fn view(&self) -> MatRef<'_, f32> {
        MatRef::from_row_major_slice(&self.data, self.rows, self.cols)
    }

    /// As faer sees it, to write to.
    pub(crate) fn view_mut(&mut self) -> MatMut<'_, f32> {
        MatMut::from_row_major_slice_mut(&mut self.data, self.rows, self.cols)
    }
}

/// Work on one row that is worth the best vector instructions this processor has. `run` must be `#[inline(always)]`, and so
/// must all it calls: what is not inlined is compiled for the oldest processor. (A closure cannot promise that.)
pub(crate) trait Kernel {
    fn run(self);
}

/// Rows that a thread takes at a time.
pub(crate) const ROWS_PER_TASK: usize = 16;

/// Runs a kernel compiled for this processor.
#[inline(always)]
pub(crate) fn vectorized(kernel: impl Kernel) {
    struct Chosen<K>(K);
    impl<K: Kernel> WithSimd for Chosen<K> {
        type Output = ();

        #[inline(always)]
        fn with_simd<S: Simd>(self, _: S) {
            self.0.run();
        }
    }
    Arch::new().dispatch(Chosen(kernel));
}

/// `a += factor * b`.
#[inline(always)]
pub(crate) fn axpy(a: &mut [f32], factor: f32, b: &[f32]) {
    a.iter_mut().zip(b).for_each(|(a, b)| *a += factor * b);
}

/// `sum of a_i b_i`, summed in sixteen lanes so that it vectorises, always in the same order.
#[inline(always)]
pub(crate) fn dot(a: &[f32], b: &[f32]) -> f32 {
    let mut lanes = [0.0f32; 16];
    let (a_body, a_tail) = a.as_chunks::<16>();
    let (b_body, b_tail) = b.as_chunks::<16>();
    for (a, b) in a_body.iter().zip(b_body) {
        for lane in 0..16 {
            lanes[lane] += a[lane] * b[lane];
        }
    }
    let tail: f32 = a_tail.iter().zip(b_tail).map(|(a, b)| a * b).sum();
    lanes.iter().sum::<f32>() + tail
}

/// `sum of a_i b_i` with the sum in f64.
pub(crate) fn dot_f64(a: &[f32], b: &[f32]) -> f64 {
    a.chunks(64).zip(b.chunks(64)).map(|(a, b)| f64::from(dot(a, b))).sum()
}
