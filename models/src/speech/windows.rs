//! Cutting long recordings.

use std::ops::Range;

use super::mel::SAMPLE_RATE;

/// A window that must be cut is cut where it is quietest within its last seconds.
const SEARCHED_FOR_PAUSE: usize = 8 * SAMPLE_RATE;
/// How long a pause is looked for.
const PAUSE: usize = SAMPLE_RATE / 4;

/// Cuts a recording into windows of at most `longest` samples, where it is quietest near their ends: a word that is cut in
/// two is lost.
pub(super) fn windows(samples: &[f32], longest: usize) -> Vec<Range<usize>> {
    let mut windows = Vec::new();
    let mut start = 0;
    while start < samples.len() {
        let rest = samples.len() - start;
        let length = if rest <= longest { rest } else { quietest(&samples[start..start + longest]) };
        windows.push(start..start + length);
        start += length;
    }
    windows
}

/// The middle of the quietest pause near the end of `window`.
fn quietest(window: &[f32]) -> usize {
    let energy = |pause: &[f32]| pause.iter().map(|s| s * s).sum::<f32>();
    let first = window.len().saturating_sub(SEARCHED_FOR_PAUSE.min(window.len() / 2));
    let pauses = window[first..].chunks_exact(PAUSE.min(window.len() / 4).max(1)).enumerate();
    let best = pauses.map(|(n, pause)| (first + n * pause.len() + pause.len() / 2, energy(pause)));
    // The last of the quietest, so that windows are long.
    best.reduce(|best, next| if next.1 <= best.1 { next } else { best })
        .map_or(window.len(), |(middle, _)| middle.max(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_end_in_pauses_and_miss_nothing() {
        let mut sound = vec![0.5; 70 * SAMPLE_RATE];
        sound[26 * SAMPLE_RATE..27 * SAMPLE_RATE].fill(0.01);
        let windows = windows(&sound, 30 * SAMPLE_RATE);
        assert_eq!(windows.first().map(|w| w.start), Some(0));
        assert_eq!(windows.last().map(|w| w.end), Some(sound.len()));
        assert!(windows.windows(2).all(|pair| pair[0].end == pair[1].start));
        assert!(windows.iter().all(|w| !w.is_empty() && w.len() <= 30 * SAMPLE_RATE));
        assert!((26 * SAMPLE_RATE..27 * SAMPLE_RATE).contains(&windows[0].end));
        assert!(super::windows(&[], 100).is_empty());
        assert_eq!(super::windows(&[0.0; 5], 2).iter().map(Range::len).sum::<usize>(), 5);
    }
}
