//! Which settings a study runs.

use serde::{Deserialize, Serialize};

use super::Kind;
use crate::order::SweepOrder;
use crate::pipeline::{Method, QuantizeOptions};

/// T of the paper's table, and for our loop none, which shows what it starts from.
const ROUNDS: [usize; 5] = [1, 3, 5, 10, 20];
/// The paper's α first.
const STEPS: [f32; 6] = [0.01, 0.05, 0.1, 0.25, 0.5, 1.0];
/// Batches that take turns.
const INSTANCES: [usize; 3] = [1, 2, 4];
/// Weight of the batch whose turn it is in our loop's Hessian.
const SNAPSHOT_WEIGHT: f32 = 0.2;

/// The series of every figure.
pub(super) const PAPER: &str = "paper";
pub(super) const RPIQ: &str = "RPIQ";
pub(super) const GPTQ: &str = "GPTQ";
const RTN: &str = "RTN";
/// Series of the second panel of the study of orders.
pub(super) const PAPER_TURNS: &str = "paper, batches in turn";
pub(super) const RPIQ_TURNS: &str = "RPIQ, batches in turn";

/// What all runs of a study share.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Base {
    /// Input columns that share a scale.
    pub group_size: usize,
    /// Blocks to quantize of each stack; `None` for all.
    pub blocks: Option<usize>,
    /// Seeds of the studies that draw.
    pub seeds: u64,
}

/// One run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Setting {
    /// What its files are called.
    pub name: String,
    /// Line of the figure that it belongs to.
    pub series: String,
    /// What is varied, as text.
    pub label: String,
    /// What is varied, as a number.
    pub value: f64,
    /// Choice of calibration sequences.
    pub selection: u64,
    /// Settings of the run.
    pub options: QuantizeOptions,
}

impl Base {
    /// A setting of `method`. Held-out text decides nothing in a study, so that what is measured on it is what unseen text shows.
    fn setting(&self, method: Method, series: &str, label: String, value: f64) -> Setting {
        let mut options = QuantizeOptions::new(method, self.group_size);
        (options.accept_rule, options.blocks) = (false, self.blocks);
        let name = match method {
            Method::Rtn => "rtn",
            Method::Gptq => "gptq",
            Method::Rpiq => "rpiq",
            Method::RpiqPaper => "paper",
        };
        Setting { name: name.into(), series: series.into(), label, value, selection: 0, options }
    }

    fn with_rounds(&self, method: Method, series: &str, rounds: usize) -> Setting {
        let mut setting = self.setting(method, series, format!("T = {rounds}"), rounds as f64);
        (setting.options.rpiq.rounds, setting.options.paper.rounds) = (rounds, rounds);
        setting.named(format!("rounds-{rounds}"))
    }

    fn with_selection(&self, method: Method, series: &str, seed: u64) -> Setting {
        let setting = self.setting(method, series, format!("seed {seed}"), seed as f64);
        Setting { selection: seed, ..setting }.named(format!("selection-{seed}"))
    }

    fn with_order(&self, method: Method, series: &str, order: SweepOrder) -> Setting {
        let (name, label, value) = match order {
            SweepOrder::Natural => ("natural".into(), "as they come".into(), 0.0),
            SweepOrder::FallingDiagonal => ("falling".into(), "largest diagonal first".into(), -1.0),
            SweepOrder::Random(seed) => (format!("random-{seed}"), format!("random, seed {seed}"), seed as f64),
        };
        let mut setting = self.setting(method, series, label, value);
        (setting.options.rpiq.order, setting.options.paper.order) = (order, order);
        setting.named(format!("order-{name}"))
    }

    fn with_instances(&self, method: Method, series: &str, instances: usize) -> Setting {
        let label = if instances == 1 { "the last batch".into() } else { format!("{instances} batches in turn") };
        let mut setting = self.setting(method, series, label, instances as f64);
        (setting.options.snapshots, setting.options.paper.instances) = (instances, instances);
        setting.options.snapshot_weight = SNAPSHOT_WEIGHT;
        setting.named(format!("instances-{instances}"))
    }
}

impl Setting {
    fn named(mut self, what: String) -> Self {
        self.name = format!("{}-{what}", self.name);
        self
    }
}

/// What the settings of every study are compared with.
pub fn baselines(base: &Base) -> [Setting; 3] {
    let of = |(method, series): (Method, &str)| base.setting(method, series, series.into(), 0.0);
    [(Method::Rtn, RTN), (Method::Gptq, GPTQ), (Method::Rpiq, RPIQ)].map(of)
}

/// The settings of a study; those of [`Kind::Memory`] are runs of their own, see [`super::measure_memory`].
pub fn settings(kind: Kind, base: &Base) -> Vec<Setting> {
    let ours_and_papers = [(Method::Rpiq, RPIQ), (Method::RpiqPaper, PAPER)];
    let seeds = || 1..=base.seeds;
    match kind {
        Kind::Iterations => {
            let of = |(method, series): (Method, &'static str)| {
                let none = (method == Method::Rpiq).then_some(0);
                none.into_iter().chain(ROUNDS).map(move |rounds| base.with_rounds(method, series, rounds))
            };
            ours_and_papers.into_iter().flat_map(of).collect()
        }
        Kind::Alpha => {
            let of = |step: f32| {
                let mut setting = base
                    .setting(Method::RpiqPaper, PAPER, format!("α = {step}"), f64::from(step))
                    .named(format!("step-{step}"));
                setting.options.paper.step = step;
                // 0.01 as written, not the nearest f32.
                setting.value = step.to_string().parse().unwrap_or(setting.value);
                setting
            };
            STEPS.into_iter().map(of).collect()
        }
        Kind::Calibration => {
            let of = |(method, series)| seeds().map(move |seed| base.with_selection(method, series, seed));
            [(Method::Gptq, GPTQ)].into_iter().chain(ours_and_papers).flat_map(of).collect()
        }
        Kind::Order => {
            let of = |(method, series): (Method, &'static str)| {
                let falling = (method == Method::Rpiq).then_some(SweepOrder::FallingDiagonal);
                let orders = falling.into_iter().chain([SweepOrder::Natural]).chain(seeds().map(SweepOrder::Random));
                orders.map(move |order| base.with_order(method, series, order))
            };
            let turns = |(method, series)| INSTANCES.map(move |n| base.with_instances(method, series, n));
            let in_turn = [(Method::Rpiq, RPIQ_TURNS), (Method::RpiqPaper, PAPER_TURNS)];
            ours_and_papers.into_iter().flat_map(of).chain(in_turn.into_iter().flat_map(turns)).collect()
        }
        Kind::Memory => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_of_all_studies_have_names_of_their_own_and_vary_what_they_say() {
        let base = Base { group_size: 64, blocks: Some(2), seeds: 5 };
        let kinds = [Kind::Iterations, Kind::Alpha, Kind::Calibration, Kind::Order];
        let all: Vec<Setting> =
            kinds.into_iter().flat_map(|kind| settings(kind, &base)).chain(baselines(&base)).collect();
        for (n, setting) in all.iter().enumerate() {
            assert!(!setting.options.accept_rule && setting.options.blocks == Some(2));
            assert!(all[..n].iter().all(|other| other.name != setting.name), "{}", setting.name);
        }
        let rounds: Vec<usize> = settings(Kind::Iterations, &base)
            .iter()
            .filter(|s| s.series == PAPER)
            .map(|s| s.options.paper.rounds)
            .collect();
        assert_eq!(rounds, ROUNDS);
        let steps: Vec<(f64, f32)> =
            settings(Kind::Alpha, &base).iter().map(|s| (s.value, s.options.paper.step)).collect();
        assert_eq!(steps[0], (0.01, 0.01));
        assert_eq!(settings(Kind::Calibration, &base).len(), 3 * 5);
        assert_eq!(settings(Kind::Order, &base).len(), 7 + 6 + 2 * 3);
    }
}
