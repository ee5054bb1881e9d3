//! Choosing the next token from its logits.

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// How the next token is chosen. The default is greedy.
#[derive(Debug, Clone, PartialEq)]
pub struct Sampling {
    /// 0 means greedy: the most probable token.
    pub temperature: f32,
    /// Only the `top_k` most probable tokens; 0 means all.
    pub top_k: usize,
    /// Only the most probable tokens that together reach this probability; 1 means all.
    pub top_p: f32,
    /// Logits of tokens seen before are divided (if positive) or multiplied by this (CTRL, Keskar 2019); 1 means off.
    pub repetition_penalty: f32,
    /// Equal seeds choose equal tokens.
    pub seed: u64,
}

impl Default for Sampling {
    fn default() -> Self {
        Self { temperature: 0.0, top_k: 0, top_p: 1.0, repetition_penalty: 1.0, seed: 0 }
    }
}

/// A [`Sampling`] with the state of its random numbers.
#[derive(Debug, Clone)]
pub struct Sampler {
    sampling: Sampling,
    random: ChaCha8Rng,
}

impl Sampler {
    /// A sampler at the beginning of its random numbers.
    pub fn new(sampling: Sampling) -> Self {
        let random = ChaCha8Rng::seed_from_u64(sampling.seed);
        Self { sampling, random }
    }

    /// Chooses from `logits` `[vocab]`; `seen` are the tokens so far. `None` if no logit is a finite number.
    pub fn choose(&mut self, logits: &mut [f32], seen: &[u32]) -> Option<u32> {
        if self.sampling.repetition_penalty != 1.0 {
            penalize(logits, seen, self.sampling.repetition_penalty);
        }
        if self.sampling.temperature <= 0.0 {
            return argmax(logits);
        }
        let mut candidates: Vec<u32> = (0..logits.len() as u32).filter(|&t| logits[t as usize].is_finite()).collect();
        candidates.sort_by(|&a, &b| logits[b as usize].total_cmp(&logits[a as usize]));
        if self.sampling.top_k > 0 {
            candidates.truncate(self.sampling.top_k);
        }
        let largest = logits[*candidates.first()? as usize];
        let weight = |t: u32| ((logits[t as usize] - largest) / self.sampling.temperature).exp();
        let total: f32 = candidates.iter().map(|&t| weight(t)).sum();
        let mut kept = 0.0;
        let nucleus = candidates.iter().position(|&t| {
            kept += weight(t);
            kept >= self.sampling.top_p * total
        });
        candidates.truncate(nucleus.map_or(candidates.len(), |last| last + 1));
        let mut left = self.random.random::<f32>() * candidates.iter().map(|&t| weight(t)).sum::<f32>();
        let chosen = candidates.iter().find(|&&t| {
            left -= weight(t);
            left <= 0.0
        });
        chosen.or(candidates.last()).copied()
    }
}

fn penalize(logits: &mut [f32], seen: &[u32], penalty: f32) {
    let mut seen = seen.to_vec();
    seen.sort_unstable();
    seen.dedup();
    for token in seen {
        if let Some(logit) = logits.get_mut(token as usize) {
            *logit = if *logit > 0.0 { *logit / penalty } else { *logit * penalty };
        }
    }
}

/// The most probable token; of equal ones the first, as in the reference.
fn argmax(logits: &[f32]) -> Option<u32> {
    let mut best: Option<(usize, f32)> = None;
    for (token, &logit) in logits.iter().enumerate() {
        if !logit.is_nan() && best.is_none_or(|(_, b)| logit > b) {
            best = Some((token, logit));
        }
    }
    best.map(|(token, _)| token as u32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn greedy_takes_the_first_of_the_largest_and_never_a_nan() {
        let mut sampler = Sampler::new(Sampling::default());
        assert_eq!(sampler.choose(&mut [0.0, 3.0, f32::NAN, 3.0], &[]), Some(1));
        assert_eq!(sampler.choose(&mut [f32::NAN], &[]), None);
        assert_eq!(sampler.choose(&mut [], &[]), None);
    }

    #[test]
    fn a_penalty_turns_greedy_away_from_what_was_said() {
        let mut sampler = Sampler::new(Sampling { repetition_penalty: 2.0, ..Sampling::default() });
        assert_eq!(sampler.choose(&mut [1.0, 1.5], &[1, 1, 9]), Some(0));
    }

    #[test]
    fn nucleus_and_top_k_bound_what_can_be_chosen_and_seeds_repeat() {
        let draw = |sampling: &Sampling| {
            let mut sampler = Sampler::new(sampling.clone());
            (0..200).filter_map(|_| sampler.choose(&mut [2.0, 1.9, 0.1, -1.0], &[])).collect::<Vec<_>>()
        };
        let sampling = Sampling { temperature: 1.0, seed: 7, ..Sampling::default() };
        let all = draw(&sampling);
        assert_eq!(all, draw(&sampling));
        assert!((0..4).all(|t| all.contains(&t)), "200 draws meet all four tokens");
        assert!(draw(&Sampling { top_k: 2, ..sampling.clone() }).iter().all(|&t| t < 2));
        assert!(draw(&Sampling { top_p: 0.6, ..sampling }).iter().all(|&t| t < 2));
    }
}
