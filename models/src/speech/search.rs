//! From logits to a text: beam search, or sampling where that led nowhere.
//!
//! Reference: `BeamSearchDecoder` and `MaximumLikelihoodRanker` of OpenAI's `whisper/decoding.py`. A beam of one is greedy.

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::SpeechError;
use super::tokens::Rules;

/// Longest group of tokens whose repetition is noticed.
const LONGEST_LOOP: usize = 16;
/// So many times in a row is no speech any more, if it is also this many tokens.
const LOOP_REPEATS: usize = 5;
const LOOP_TOKENS: usize = 15;

/// What search needs of a network.
pub(super) trait NextLogits {
    /// Continues text `parents[i]` of the call before with `tokens[i]`; the logits of the token after each,
    /// `[parents, vocab]`.
    fn step(&mut self, parents: &[usize], tokens: &[u32]) -> Result<Vec<f32>, SpeechError>;
}

/// How the tokens are found.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Strategy {
    /// The so many most probable beginnings are followed; texts are compared by their mean log-probability, with their
    /// length to the power of the penalty.
    Beam { width: usize, length_penalty: f32 },
    /// Every token is drawn.
    Sample { temperature: f32, seed: u64 },
}

/// A text.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Found {
    /// Without the token that ended it.
    pub(super) tokens: Vec<u32>,
    /// Of each token, and of the end if it came.
    pub(super) log_probabilities: Vec<f32>,
    /// Whether it went round in circles and was cut off there.
    pub(super) looped: bool,
}

impl Found {
    fn sum(&self) -> f32 {
        self.log_probabilities.iter().sum()
    }

    /// Mean log-probability, the end counted as in the reference.
    pub(super) fn avg_logprob(&self) -> f32 {
        self.sum() / (self.tokens.len() + 1) as f32
    }

    fn score(&self, length_penalty: f32) -> f32 {
        self.sum() / (self.tokens.len().max(1) as f32).powf(length_penalty)
    }

    fn with(&self, token: Option<u32>, log_probability: f32) -> Self {
        let mut longer = self.clone();
        longer.tokens.extend(token);
        longer.log_probabilities.push(log_probability);
        longer
    }
}

/// Finds a text of at most `max_tokens`. `first` are the logits of its first token, `[vocab]`.
pub(super) fn search(
    strategy: Strategy,
    rules: &Rules,
    max_tokens: usize,
    first: Vec<f32>,
    network: &mut dyn NextLogits,
) -> Result<Found, SpeechError> {
    match strategy {
        Strategy::Beam { width, length_penalty } => {
            beam_search(width.max(1), length_penalty, rules, max_tokens, first, network)
        }
        Strategy::Sample { temperature, seed } => sample(temperature, seed, rules, max_tokens, first, network),
    }
}

/// One way to go on: the beginning it continues, a token, its log-probability, and the sum with it.
struct Candidate {
    parent: usize,
    token: u32,
    log_probability: f32,
    sum: f32,
}

fn beam_search(
    width: usize,
    length_penalty: f32,
    rules: &Rules,
    max_tokens: usize,
    mut logits: Vec<f32>,
    network: &mut dyn NextLogits,
) -> Result<Found, SpeechError> {
    let mut beams = vec![Found::default()];
    let mut finished: Vec<Found> = Vec::new();
    for length in 0..max_tokens {
        let candidates = candidates(&beams, &mut logits, width + 1, rules, length == 0)?;
        let (mut next, mut parents, mut tokens) = (Vec::new(), Vec::new(), Vec::new());
        for Candidate { parent, token, log_probability, .. } in candidates {
            if token == rules.end_of_text {
                finished.push(beams[parent].with(None, log_probability));
                continue;
            }
            next.push(beams[parent].with(Some(token), log_probability));
            parents.push(parent);
            tokens.push(token);
            if next.len() == width {
                break;
            }
        }
        beams = next;
        if let Some(best) = beams.first_mut().filter(|best| loops(&best.tokens)) {
            best.looped = true;
            return Ok(best.clone());
        }
        if finished.len() >= width || beams.is_empty() {
            break;
        }
        if length + 1 < max_tokens {
            logits = network.step(&parents, &tokens)?;
        }
    }
    // Texts that did not come to an end count only where too few did.
    let missing = width.saturating_sub(finished.len());
    finished.extend(beams.into_iter().take(missing));
    let best = finished.into_iter().max_by(|a, b| a.score(length_penalty).total_cmp(&b.score(length_penalty)));
    best.ok_or(SpeechError::NoNumber)
}

/// The `count` best ways to continue each beginning, best of all first.
fn candidates(
    beams: &[Found],
    logits: &mut [f32],
    count: usize,
    rules: &Rules,
    first: bool,
) -> Result<Vec<Candidate>, SpeechError> {
    let vocab_size = logits.len() / beams.len();
    let mut all = Vec::new();
    for (parent, (beam, logits)) in beams.iter().zip(logits.chunks_exact_mut(vocab_size)).enumerate() {
        rules.apply(logits, first);
        let total = log_sum_exp(logits).ok_or(SpeechError::NoNumber)?;
        let before = beam.sum();
        for token in largest(logits, count) {
            let log_probability = logits[token as usize] - total;
            all.push(Candidate { parent, token, log_probability, sum: before + log_probability });
        }
    }
    all.sort_by(|a, b| b.sum.total_cmp(&a.sum));
    Ok(all)
}

fn sample(
    temperature: f32,
    seed: u64,
    rules: &Rules,
    max_tokens: usize,
    mut logits: Vec<f32>,
    network: &mut dyn NextLogits,
) -> Result<Found, SpeechError> {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let mut found = Found::default();
    for length in 0..max_tokens {
        rules.apply(&mut logits, length == 0);
        let total = log_sum_exp(&logits).ok_or(SpeechError::NoNumber)?;
        let largest = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        let weight = |logit: f32| ((logit - largest) / temperature).exp();
        let mut left = random.random::<f32>() * logits.iter().map(|&logit| weight(logit)).sum::<f32>();
        let drawn = logits.iter().position(|&logit| {
            left -= weight(logit);
            logit > f32::NEG_INFINITY && left <= 0.0
        });
        let token =
            drawn.or_else(|| logits.iter().rposition(|&logit| logit == largest)).ok_or(SpeechError::NoNumber)?;
        let log_probability = logits[token] - total;
        if token as u32 == rules.end_of_text {
            return Ok(found.with(None, log_probability));
        }
        found = found.with(Some(token as u32), log_probability);
        if loops(&found.tokens) {
            found.looped = true;
            break;
        }
        if length + 1 < max_tokens {
            logits = network.step(&[0], &[token as u32])?;
        }
    }
    Ok(found)
}

/// Whether a text ends with the same group of tokens over and over.
fn loops(tokens: &[u32]) -> bool {
    (1..=LONGEST_LOOP).any(|period| {
        let needed = (LOOP_REPEATS * period).max(LOOP_TOKENS);
        let Some(end) = tokens.len().checked_sub(needed).and_then(|start| tokens.get(start..)) else { return false };
        end.iter().zip(end.iter().skip(period)).all(|(a, b)| a == b)
    })
}

/// The `count` largest logits, largest first; of equal ones the first.
fn largest(logits: &[f32], count: usize) -> Vec<u32> {
    let mut best: Vec<u32> = Vec::with_capacity(count + 1);
    for (token, &logit) in logits.iter().enumerate() {
        let enters = logit > f32::NEG_INFINITY
            && (best.len() < count || best.last().is_some_and(|&last| logit > logits[last as usize]));
        if enters {
            let place = best.partition_point(|&other| logits[other as usize] >= logit);
            best.insert(place, token as u32);
            best.truncate(count);
        }
    }
    best
}

/// `None` if no logit is a number, or all are minus infinity.
pub(super) fn log_sum_exp(logits: &[f32]) -> Option<f32> {
    let largest = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let total = largest + logits.iter().map(|logit| (logit - largest).exp()).sum::<f32>().ln();
    total.is_finite().then_some(total)
}

#[cfg(test)]
mod tests {
    use super::*;

    const END: u32 = 3;

    /// Logits that depend on the text so far: `f(text)` are the probabilities of the next of five tokens.
    struct Toy<F> {
        texts: Vec<Vec<u32>>,
        f: F,
    }

    impl<F: Fn(&[u32]) -> [f32; 5]> NextLogits for Toy<F> {
        fn step(&mut self, parents: &[usize], tokens: &[u32]) -> Result<Vec<f32>, SpeechError> {
            let grow = |(&parent, &token): (&usize, &u32)| [self.texts[parent].as_slice(), &[token]].concat();
            self.texts = parents.iter().zip(tokens).map(grow).collect();
            Ok(self.texts.iter().flat_map(|text| (self.f)(text).map(f32::ln)).collect())
        }
    }

    fn find(strategy: Strategy, max_tokens: usize, f: impl Fn(&[u32]) -> [f32; 5]) -> Found {
        let rules = Rules::from_lists(END, 5, &[], vec![END]);
        let first = f(&[]).map(f32::ln).to_vec();
        search(strategy, &rules, max_tokens, first, &mut Toy { texts: vec![vec![]], f }).unwrap()
    }

    fn beam(width: usize) -> Strategy {
        Strategy::Beam { width, length_penalty: 1.0 }
    }

    /// The best first token leads to a poor text; token 4 is beyond the end and must never be said.
    fn garden_path(text: &[u32]) -> [f32; 5] {
        match text {
            [] => [0.5, 0.4, 0.05, 0.0, 0.05],
            [0] => [0.2, 0.2, 0.2, 0.3, 0.1],
            [1] => [0.0, 0.0, 0.98, 0.02, 0.0],
            _ => [0.01, 0.01, 0.01, 0.97, 0.0],
        }
    }

    #[test]
    fn a_beam_finds_what_greed_misses() {
        assert_eq!(find(beam(1), 10, garden_path).tokens, [0]);
        let found = find(beam(3), 10, garden_path);
        assert_eq!(found.tokens, [1, 2]);
        // Over the four tokens that may be said, of which the first is not the end.
        let expected = (0.4f32 / 0.95).ln() + 0.98f32.ln() + 0.97f32.ln();
        assert!((found.sum() - expected).abs() < 1e-5 && (found.avg_logprob() - expected / 3.0).abs() < 1e-5);
        assert_eq!(found.log_probabilities.len(), 3);
    }

    #[test]
    fn texts_that_never_end_are_cut_and_circles_are_noticed() {
        let endless = |text: &[u32]| match text.len() % 3 {
            0 => [0.9, 0.05, 0.05, 0.0, 0.0],
            1 => [0.05, 0.9, 0.05, 0.0, 0.0],
            _ => [0.05, 0.05, 0.9, 0.0, 0.0],
        };
        assert_eq!(find(beam(2), 6, endless).tokens, [0, 1, 2, 0, 1, 2]);
        let circle = find(beam(2), 100, endless);
        assert!(circle.looped && circle.tokens.len() == 15);
        assert!(!loops(&[1, 2, 3, 1, 2, 3, 1, 2, 3]) && !loops(&[7; 14]) && loops(&[7; 15]));
    }

    #[test]
    fn draws_repeat_with_their_seed_and_obey_the_rules() {
        let even = |_: &[u32]| [0.2; 5];
        let draw = |seed| find(Strategy::Sample { temperature: 1.0, seed }, 8, even).tokens;
        assert_eq!(draw(1), draw(1));
        assert!((0..40).map(draw).any(|text| text != draw(1)));
        assert!((0..40).all(|seed| draw(seed).iter().all(|&token| token < END) && !draw(seed).is_empty()));
    }

    #[test]
    fn the_largest_come_first_and_nothing_forbidden() {
        assert_eq!(largest(&[1.0, 5.0, f32::NEG_INFINITY, 5.0, 2.0, f32::NAN], 3), [1, 3, 4]);
        assert_eq!(largest(&[f32::NEG_INFINITY, 0.0], 3), [1]);
        assert_eq!((log_sum_exp(&[f32::NEG_INFINITY]), log_sum_exp(&[f32::NAN, 1.0])), (None, None));
    }
}
