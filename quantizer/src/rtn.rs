//! Round to nearest: the baseline that looks at weights only.

use rayon::prelude::*;

use crate::QuantizeError;
use crate::grid::{Grid, GridOptions};
use crate::layer::QuantizedLayer;
use crate::matrix::Matrix;

/// Rounds every weight of `weight` `[out, in]` to the nearest point of its group's grid.
///
/// # Errors
/// [`QuantizeError`] for weights that are not finite or a group size of zero.
pub fn rtn(weight: &Matrix, options: GridOptions) -> Result<QuantizedLayer, QuantizeError> {
    if !weight.is_finite() {
        return Err(QuantizeError::NotFinite("the weights"));
    }
    Ok(round_to(weight, Grid::fit(weight, &vec![1.0; weight.cols()], options)?))
}

/// Rounds to a given grid.
pub(crate) fn round_to(weight: &Matrix, grid: Grid) -> QuantizedLayer {
    let group_size = grid.group_size();
    let row_codes = |r: usize| {
        let groups = weight.row(r).chunks(group_size).zip(grid.row(r));
        groups.flat_map(|(group, &step)| group.iter().map(move |&w| step.code(w)))
    };
    let codes = (0..weight.rows()).into_par_iter().flat_map_iter(row_codes).collect();
    QuantizedLayer { out_features: weight.rows(), in_features: weight.cols(), codes, grid }
}
