//! The order in which the closed loop visits columns, or blocks of columns.

use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;

/// The order of a round.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SweepOrder {
    /// From the first to the last.
    Natural,
    /// Where the diagonal of the Hessian is largest first.
    #[default]
    FallingDiagonal,
    /// Another random order each round, from this seed.
    Random(u64),
}

impl SweepOrder {
    /// The order of round `round` over columns with this `diagonal`, or blocks with these sums of it.
    pub(crate) fn of_round(self, diagonal: &[f32], round: usize) -> Vec<usize> {
        let mut order: Vec<usize> = (0..diagonal.len()).collect();
        match self {
            Self::Natural => {}
            Self::FallingDiagonal => return by_falling(diagonal),
            Self::Random(seed) => order.shuffle(&mut ChaCha8Rng::seed_from_u64(seed.wrapping_add(round as u64))),
        }
        order
    }
}

/// Positions by falling value; equal ones stay in their order.
pub(crate) fn by_falling(values: &[f32]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|&a, &b| values[b].total_cmp(&values[a]));
    order
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_order_visits_everything_once_and_random_ones_change_with_round_and_seed() {
        let diagonal = [1.0, 3.0, 2.0, 3.0, 0.0, 5.0, 4.0, 6.0];
        let of = |order: SweepOrder, round| order.of_round(&diagonal, round);
        for order in [SweepOrder::Natural, SweepOrder::FallingDiagonal, SweepOrder::Random(7)] {
            let mut visited = of(order, 1);
            visited.sort_unstable();
            assert_eq!(visited, (0..8).collect::<Vec<_>>());
        }
        assert_eq!(of(SweepOrder::FallingDiagonal, 0), [7, 5, 6, 1, 3, 2, 0, 4]);
        assert_eq!(of(SweepOrder::Random(7), 2), of(SweepOrder::Random(7), 2));
        assert_ne!(of(SweepOrder::Random(7), 2), of(SweepOrder::Random(7), 3));
        assert_ne!(of(SweepOrder::Random(7), 2), of(SweepOrder::Random(8), 2));
    }
}
