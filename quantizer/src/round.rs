//! One round of the closed loop of [`crate::rpiq`]: every code, then every scale and zero point.
//!
//! As in GPTQ, the loop is closed at once within a block of columns only, and for all columns by one matrix product after the
//! block: the same sums, at the speed of a product.

use std::ops::Range;

use faer::linalg::matmul::matmul;
use faer::{Accum, MatRef, Par};
use rayon::prelude::*;

use crate::gptq::BLOCK;
use crate::grid::{MAX_CODE, Step};
use crate::layer::QuantizedLayer;
use crate::matrix::{Kernel, Matrix, ROWS_PER_TASK, axpy, dot, vectorized};
use crate::rpiq::RpiqOptions;

/// Visits every column once, then refits every group. `residual` is `R = (W - Q) H`.
pub(crate) fn one_round(
    layer: &mut QuantizedLayer,
    mut residual: Matrix,
    hessian: &Matrix,
    order: &[usize],
    options: &RpiqOptions,
) {
    for columns in order.chunks(BLOCK) {
        sweep(layer, &mut residual, hessian, columns);
    }
    if options.refit || options.move_zeros {
        let group_size = layer.grid.group_size();
        let whole_groups = (BLOCK / group_size).max(1) * group_size;
        for start in (0..layer.in_features).step_by(whole_groups) {
            let columns = start..(start + whole_groups).min(layer.in_features);
            refit(layer, &mut residual, hessian, columns, options);
        }
    }
}

/// Gauss-Seidel over `columns`, one after the other.
fn sweep(layer: &mut QuantizedLayer, residual: &mut Matrix, hessian: &Matrix, columns: &[usize]) {
    let width = layer.in_features;
    let (group_size, groups) = (layer.grid.group_size(), layer.grid.groups());
    let hessian_rows = hessian.pick_rows(columns);
    let own = hessian_rows.pick_columns(columns);
    let mut changes = Matrix::zeros(layer.out_features, columns.len());
    let rows = layer.codes.par_chunks_mut(width).zip(layer.grid.steps().par_chunks(groups));
    let rows = rows.zip(residual.data().par_chunks(width)).zip(changes.data_mut().par_chunks_mut(columns.len()));
    rows.with_min_len(ROWS_PER_TASK).for_each(|(((codes, steps), residual), changes)| {
        vectorized(SweepRow { codes, steps, residual, changes, columns, group_size, own: &own });
    });
    close_loop(residual, &changes, hessian_rows.view());
}

/// The best scales and zero points of the groups in `columns` for their codes, one after the other.
fn refit(
    layer: &mut QuantizedLayer,
    residual: &mut Matrix,
    hessian: &Matrix,
    columns: Range<usize>,
    options: &RpiqOptions,
) {
    let width = layer.in_features;
    let (group_size, groups) = (layer.grid.group_size(), layer.grid.groups());
    let group_sums = group_sums(hessian, columns.clone(), group_size);
    let mut changes = Matrix::zeros(layer.out_features, columns.len());
    let rows = layer.codes.par_chunks(width).zip(layer.grid.steps_mut().par_chunks_mut(groups));
    let rows = rows.zip(residual.data().par_chunks(width)).zip(changes.data_mut().par_chunks_mut(columns.len()));
    rows.with_min_len(ROWS_PER_TASK).for_each(|(((codes, steps), residual), changes)| {
        let (codes, steps) = (&codes[columns.clone()], &mut steps[columns.start / group_size..]);
        let (residual, columns) = (residual[columns.clone()].to_vec(), columns.clone());
        let (group_sums, &RpiqOptions { refit, move_zeros, .. }) = (&group_sums, options);
        vectorized(RefitRow {
            codes,
            steps,
            residual,
            changes,
            columns,
            group_size,
            group_sums,
            hessian,
            refit,
            move_zeros,
        });
    });
    close_loop(residual, &changes, hessian.view().subrows(columns.start, columns.len()));
}

/// `R += changes H` for the rows of `H` that belong to the columns changed.
fn close_loop(residual: &mut Matrix, changes: &Matrix, hessian_rows: MatRef<'_, f32>) {
    matmul(residual.view_mut(), Accum::Add, changes.view(), hessian_rows, 1.0, Par::rayon(0));
}

/// `1^T H_g 1` for every group in `columns`.
fn group_sums(hessian: &Matrix, columns: Range<usize>, group_size: usize) -> Vec<f32> {
    let columns: Vec<usize> = columns.collect();
    let sum = |group: &[usize]| {
        group.iter().map(|&j| hessian.row(j)[group[0]..group[0] + group.len()].iter().sum::<f32>()).sum()
    };
    columns.chunks(group_size).map(sum).collect()
}

/// Some columns of one row.
struct SweepRow<'a> {
    codes: &'a mut [u8],
    steps: &'a [Step],
    /// Of the whole row, before the block.
    residual: &'a [f32],
    /// By how much each weight of the block falls.
    changes: &'a mut [f32],
    columns: &'a [usize],
    group_size: usize,
    /// The Hessian between the columns of the block.
    own: &'a Matrix,
}

impl Kernel for SweepRow<'_> {
    #[inline(always)]
    fn run(self) {
        let Self { codes, steps, residual, changes, columns, group_size, own } = self;
        let mut local = [0.0f32; BLOCK];
        let local = &mut local[..columns.len()];
        local.iter_mut().zip(columns).for_each(|(local, &j)| *local = residual[j]);
        for (at, (&j, change)) in columns.iter().zip(changes).enumerate() {
            let curvature = own.row(at)[at];
            if curvature <= 0.0 {
                continue;
            }
            let step = steps[j / group_size];
            let value = step.value(codes[j]);
            let code = step.code(value + local[at] / curvature);
            if code != codes[j] {
                *change = value - step.value(code);
                axpy(local, *change, own.row(at));
                codes[j] = code;
            }
        }
    }
}

/// Whole groups of one row.
struct RefitRow<'a> {
    /// Of the columns.
    codes: &'a [u8],
    /// From the first group on.
    steps: &'a mut [Step],
    /// Of the columns.
    residual: Vec<f32>,
    /// By how much each weight falls.
    changes: &'a mut [f32],
    columns: Range<usize>,
    group_size: usize,
    group_sums: &'a [f32],
    hessian: &'a Matrix,
    refit: bool,
    move_zeros: bool,
}

impl Kernel for RefitRow<'_> {
    #[inline(always)]
    fn run(mut self) {
        for (group, &sum) in self.group_sums.iter().enumerate() {
            let first = group * self.group_size;
            let group = first..(first + self.group_size).min(self.columns.len());
            let step = self.steps[first / self.group_size];
            let step = if self.refit { self.refit_scale(step, group.clone()) } else { step };
            self.steps[first / self.group_size] =
                if self.move_zeros { self.refit_zero(step, group, sum) } else { step };
        }
    }
}

impl RefitRow<'_> {
    /// Row `at` of the Hessian between the columns.
    #[inline(always)]
    fn own(&self, at: usize) -> &[f32] {
        &self.hessian.row(self.columns.start + at)[self.columns.clone()]
    }

    /// Lowers weight `at`, and closes the loop over the columns.
    #[inline(always)]
    fn lower(&mut self, at: usize, change: f32) {
        self.changes[at] += change;
        let own = &self.hessian.row(self.columns.start + at)[self.columns.clone()];
        axpy(&mut self.residual, change, own);
    }

    /// The best scale of a group for its codes, rounded to f16, if that lowers Γ.
    #[inline(always)]
    fn refit_scale(&mut self, step: Step, group: Range<usize>) -> Step {
        let zero = f32::from(step.zero);
        let centred: Vec<f32> = self.codes[group.clone()].iter().map(|&code| f32::from(code) - zero).collect();
        let slope = dot(&centred, &self.residual[group.clone()]);
        let curvature: f32 =
            group.clone().zip(&centred).map(|(at, &c)| c * dot(&self.own(at)[group.clone()], &centred)).sum();
        if curvature <= 0.0 {
            return step;
        }
        let refitted = Step::new(step.scale + slope / curvature, step.zero);
        let change = refitted.scale - step.scale;
        if change == 0.0 || change * (change * curvature - 2.0 * slope) >= 0.0 {
            return step;
        }
        for (at, &c) in group.zip(&centred) {
            self.lower(at, -change * c);
        }
        refitted
    }

    /// Moves a group's zero point by one, its codes as they are, if that lowers Γ.
    #[inline(always)]
    fn refit_zero(&mut self, step: Step, group: Range<usize>, sum: f32) -> Step {
        let slope: f32 = self.residual[group.clone()].iter().sum();
        // All values of the group rise by the scale if the zero point falls by one.
        let (zero, change) = match slope > 0.0 {
            true if step.zero > 0 => (step.zero - 1, step.scale),
            false if step.zero < MAX_CODE => (step.zero + 1, -step.scale),
            _ => return step,
        };
        if change * (change * sum - 2.0 * slope) >= 0.0 {
            return step;
        }
        for at in group {
            self.lower(at, -change);
        }
        Step { zero, ..step }
    }
}
