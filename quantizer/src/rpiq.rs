//! RPIQ's closed loop on the 4-bit grid: Gauss-Seidel over columns, and the best scales for the codes found.
//!
//! With `R = (W - Q) H`, the loss `Γ = tr((W - Q) H (W - Q)^T)` as a function of one weight `Q_rj` alone is a parabola with
//! its minimum at `Q_rj + R_rj / H_jj`; the nearest grid point to that is the best code while all others stay. A change by
//! `d` turns `R_r` into `R_r - d H_j`, which closes the loop: the next column sees it. In the same way a group's scale
//! moves by `c R_g / (c^T H_g c)` for codes `c` without their zero point. No step raises Γ, and every state is a 4-bit
//! result. (The paper, arXiv 2601.02888, takes blocks and steps that leave the grid: see [`crate::paper`].)

use crate::QuantizeError;
use crate::damped::Damped;
use crate::gptq::gptq_on_grid;
use crate::hessian::inner;
use crate::layer::QuantizedLayer;
use crate::matrix::Matrix;
use crate::order::SweepOrder;
use crate::round::one_round;

/// What the closed loop is to do.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct RpiqOptions {
    /// Rounds over all columns at most; it ends before if Γ stops falling.
    pub rounds: usize,
    /// Order of the columns.
    pub order: SweepOrder,
    /// Whether scales are refitted between rounds.
    pub refit: bool,
    /// Whether zero points may move with the scales; not for a symmetric grid.
    pub move_zeros: bool,
    /// Passes: each after the first starts with GPTQ on the grid that the one before found, and is kept if Γ is lower.
    pub passes: usize,
}

impl Default for RpiqOptions {
    fn default() -> Self {
        Self { rounds: 10, order: SweepOrder::default(), refit: true, move_zeros: true, passes: 1 }
    }
}

/// A round that lowers Γ by less than this fraction is the last one.
const WORTH_ANOTHER_ROUND: f64 = 1e-3;

/// The single instance of the paper, weighed into the Hessian: round `t` uses `(1 - weight) H + weight S_(t mod k)` for the
/// mean second moments `S` of `k` batches, so the batch that counts more rotates.
#[derive(Debug, Clone, Copy)]
pub struct Snapshots<'a> {
    /// 0 to 1.
    pub weight: f32,
    /// Mean second moments `[in, in]` of one batch each.
    pub moments: &'a [Matrix],
}

/// What the closed loop made of a layer.
#[derive(Debug, Clone)]
pub struct Refined {
    /// Never worse than the layer it started from, in the metric of the Hessian.
    pub layer: QuantizedLayer,
    /// Γ at the start and after each round, of the weights as packed.
    pub gammas: Vec<f64>,
}

impl Refined {
    /// Γ of the layer it started from.
    pub fn at_start(&self) -> f64 {
        self.gammas.first().copied().unwrap_or(f64::INFINITY)
    }

    /// Γ of the layer it ended with.
    pub fn lowest(&self) -> f64 {
        lowest(&self.gammas)
    }
}

/// Runs the closed loop from `start` towards `target` `[out, in]`.
///
/// # Errors
/// [`QuantizeError`] if a further pass cannot factor the Hessian.
pub fn rpiq(
    target: &Matrix,
    hessian: &Damped,
    start: QuantizedLayer,
    options: &RpiqOptions,
    snapshots: Option<Snapshots<'_>>,
) -> Result<Refined, QuantizeError> {
    let mut best = closed_loop(target, &hessian.hessian, start, options, snapshots);
    for _ in 1..options.passes {
        let again = gptq_on_grid(target, hessian, best.layer.grid.clone())?;
        let refined = closed_loop(target, &hessian.hessian, again, options, snapshots);
        if refined.lowest() >= best.lowest() {
            break;
        }
        best.layer = refined.layer;
        best.gammas.extend(refined.gammas);
    }
    Ok(best)
}

fn lowest(gammas: &[f64]) -> f64 {
    gammas.iter().copied().fold(f64::INFINITY, f64::min)
}

fn closed_loop(
    target: &Matrix,
    hessian: &Matrix,
    start: QuantizedLayer,
    options: &RpiqOptions,
    snapshots: Option<Snapshots<'_>>,
) -> Refined {
    let snapshots = snapshots.filter(|s| s.weight > 0.0 && !s.moments.is_empty());
    let mut best = start.clone();
    let mut layer = start;
    let mut gammas: Vec<f64> = Vec::with_capacity(options.rounds + 1);
    for round in 0..=options.rounds {
        let difference = target.minus(&layer.dequantize());
        let residual = difference.times(hessian);
        let gamma = inner(&difference, &residual);
        let lowest_before = lowest(&gammas);
        gammas.push(gamma);
        if gamma < lowest_before {
            best.clone_from(&layer);
        }
        if round == options.rounds || gamma > lowest_before * (1.0 - WORTH_ANOTHER_ROUND) {
            break;
        }
        let order = options.order.of_round(&hessian.diagonal(), round);
        match snapshots.and_then(|s| Some((s.weight, s.moments.get(round % s.moments.len())?))) {
            Some((weight, instance)) => {
                let mut mixed = hessian.clone();
                mixed.scale(1.0 - weight);
                mixed.add_scaled(weight, instance);
                one_round(&mut layer, difference.times(&mixed), &mixed, &order, options);
            }
            None => one_round(&mut layer, residual, hessian, &order, options),
        }
    }
    Refined { layer: best, gammas }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::gptq::{self, ColumnOrder, GptqOptions};
    use crate::grid::MAX_CODE;
    use crate::grid::{GridOptions, GridSearch, Symmetry};
    use crate::hessian::quadratic;
    use crate::synthetic;

    fn quantize(layer: &synthetic::Layer, hessian: &Damped, grid: GridOptions) -> QuantizedLayer {
        gptq::gptq(&layer.weight, hessian, GptqOptions { grid, order: ColumnOrder::ActOrder }).expect("quantizes")
    }

    /// Γ in f64, from scratch.
    fn gamma(weight: &Matrix, layer: &QuantizedLayer, h: &Matrix) -> f64 {
        let difference = weight.minus(&layer.dequantize());
        (0..weight.rows())
            .map(|r| {
                let d = difference.row(r);
                let along = |j: usize| d.iter().zip(h.row(j)).map(|(&a, &b)| f64::from(a) * f64::from(b)).sum::<f64>();
                d.iter().enumerate().map(|(j, &d)| f64::from(d) * along(j)).sum::<f64>()
            })
            .sum()
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]
        #[test]
        fn never_worse_than_gptq(
            out in 1usize..40, width in 2usize..40, group in 1usize..200, seed: u64,
            refit: bool, move_zeros: bool, passes in 1usize..3, random: bool, minmax: bool,
        ) {
            let layer = synthetic::layer(out, width * 8, 60, seed);
            let hessian = Damped::new(layer.calibration().hessian, 0.01).expect("regular");
            let search = if minmax { GridSearch::MinMax } else { GridSearch::WeightedMse };
            let start = quantize(&layer, &hessian, GridOptions { group_size: group, symmetry: Symmetry::Asymmetric, search });
            let order = if random { SweepOrder::Random(seed) } else { SweepOrder::FallingDiagonal };
            let options = RpiqOptions { rounds: 4, order, refit, move_zeros, passes };
            let before = gamma(&layer.weight, &start, &hessian.hessian);
            let refined = rpiq(&layer.weight, &hessian, start, &options, None).expect("refines");
            let after = gamma(&layer.weight, &refined.layer, &hessian.hessian);
            prop_assert!(after <= before * (1.0 + 1e-6), "{before} {after}");
            prop_assert!((refined.lowest() / after - 1.0).abs() < 1e-3, "reported Γ is that of the packed weights");
            let packed = refined.layer.pack(None);
            if out % 8 == 0 && group <= width * 8 {
                prop_assert_eq!(packed.expect("packs").dequantize(), refined.layer.dequantize().into_data());
            }
        }
    }

    /// At the end of the loop no single code can move by one and lower Γ, and no single scale by one f16 step.
    #[test]
    fn ends_where_no_single_change_helps() {
        let layer = synthetic::layer(8, 48, 200, 11);
        let hessian = Damped::new(layer.calibration().hessian, 0.01).expect("regular");
        let start = quantize(&layer, &hessian, GridOptions { group_size: 16, ..Default::default() });
        let options = RpiqOptions { rounds: 200, passes: 1, move_zeros: false, refit: false, ..Default::default() };
        let mut end = start;
        for _ in 0..20 {
            end = rpiq(&layer.weight, &hessian, end, &options, None).expect("refines").layer;
        }
        let lowest = gamma(&layer.weight, &end, &hessian.hessian);
        for at in 0..end.codes.len() {
            for code in [end.codes[at].saturating_sub(1), (end.codes[at] + 1).min(MAX_CODE)] {
                let mut other = end.clone();
                other.codes[at] = code;
                assert!(gamma(&layer.weight, &other, &hessian.hessian) >= lowest * (1.0 - 2e-4), "code {at}");
            }
        }
    }

    #[test]
    fn gains_on_inputs_it_never_saw() {
        let all = synthetic::layer(64, 128, 3000, 17);
        let split = |rows: std::ops::Range<usize>| {
            let data = all.x.data()[rows.start * 128..rows.end * 128].to_vec();
            let x = Matrix::from_rows(rows.len(), 128, data).expect("fits");
            synthetic::Layer { weight: all.weight.clone(), x }.calibration().hessian
        };
        let (seen, unseen) = (split(0..2000), split(2000..3000));
        let hessian = Damped::new(seen.clone(), 0.01).expect("regular");
        let grid = GridOptions { group_size: 64, ..Default::default() };
        let plain = gptq::gptq(&all.weight, &hessian, gptq::plain(grid)).expect("quantizes");
        let ordered = quantize(&all, &hessian, grid);
        let refined = rpiq(&all.weight, &hessian, ordered.clone(), &RpiqOptions::default(), None).expect("refines");
        let error = |q: &QuantizedLayer| quadratic(&all.weight.minus(&q.dequantize()), &unseen);
        let (plain, ordered, refined) = (error(&plain), error(&ordered), error(&refined.layer));
        println!("held out: plain {plain:.4} act-order {ordered:.4} rpiq {refined:.4}");
        assert!(refined < 0.95 * ordered && refined < 0.75 * plain, "{plain} {ordered} {refined}");
    }

    #[test]
    fn a_weight_on_snapshots_lowers_the_loss_on_them() {
        let layer = synthetic::layer(32, 64, 400, 23);
        let instance = synthetic::Layer { weight: layer.weight.clone(), x: synthetic::layer(1, 64, 100, 24).x };
        let instance = [instance.calibration().hessian];
        let hessian = Damped::new(layer.calibration().hessian, 0.01).expect("regular");
        let start = quantize(&layer, &hessian, GridOptions { group_size: 32, ..Default::default() });
        let options = RpiqOptions { rounds: 1, passes: 1, ..Default::default() };
        let loss = |weight| {
            let snapshots = Snapshots { weight, moments: &instance };
            let refined = rpiq(&layer.weight, &hessian, start.clone(), &options, Some(snapshots)).expect("refines");
            quadratic(&layer.weight.minus(&refined.layer.dequantize()), &instance[0])
        };
        assert!(loss(0.3) < loss(0.0));
    }

    #[test]
    fn the_result_does_not_depend_on_the_number_of_threads() {
        let layer = synthetic::layer(80, 96, 300, 29);
        let hessian = Damped::new(layer.calibration().hessian, 0.01).expect("regular");
        let run = |threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("starts");
            pool.install(|| {
                let start = quantize(&layer, &hessian, GridOptions { group_size: 32, ..Default::default() });
                rpiq(&layer.weight, &hessian, start, &RpiqOptions::default(), None).expect("refines").layer
            })
        };
        assert_eq!(run(1), run(2));
    }
}
