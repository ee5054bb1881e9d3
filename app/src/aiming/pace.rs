//! When a hint is spoken: seldom enough to be listened to, and not again and again.

use std::time::{Duration, Instant};

use super::hint::Hint;

/// Between the beginnings of two hints.
const APART: Duration = Duration::from_millis(1500);
/// Between the same hint twice, if something else was the matter in between, or nothing.
const SAME_APART: Duration = Duration::from_secs(4);
/// Until the first reminder of a hint that nobody followed; each further one takes twice as long.
const REMINDER: Duration = Duration::from_secs(8);
/// After so many reminders there is silence.
const REMINDERS: u32 = 3;

/// Decides which hints are spoken.
#[derive(Debug, Clone, Default)]
pub(super) struct Pace {
    /// What was said last.
    last: Option<Said>,
    /// What was said lately, and when.
    lately: Vec<(Hint, Instant)>,
    /// Whether something else was the matter since.
    changed: bool,
}

#[derive(Debug, Clone, Copy)]
struct Said {
    hint: Hint,
    at: Instant,
    reminders: u32,
}

impl Pace {
    /// Whether `hint`, which is what matters now, is spoken now.
    pub(super) fn lets(&mut self, hint: Option<Hint>, now: Instant) -> bool {
        let since = |at: Instant| now.saturating_duration_since(at);
        self.lately.retain(|(_, at)| since(*at) < SAME_APART);
        let again = self.last.filter(|last| Some(last.hint) == hint);
        self.changed |= again.is_none();
        let Some(hint) = hint else { return false };
        if self.last.is_some_and(|last| since(last.at) < APART) {
            return false;
        }
        let reminders = match again {
            Some(last) if !self.changed => {
                if last.reminders >= REMINDERS || since(last.at) < REMINDER * 2_u32.pow(last.reminders) {
                    return false;
                }
                last.reminders + 1
            }
            _ if self.lately.iter().any(|(said, _)| *said == hint) => return false,
            _ => 0,
        };
        self.last = Some(Said { hint, at: now, reminders });
        self.lately.push((hint, now));
        self.changed = false;
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Hint::{Blurred, TooDark, TooFar};

    /// Seconds at which something is spoken, if `matter` says what matters at each tenth of a second.
    fn spoken(seconds: u32, matter: impl Fn(u32) -> Option<Hint>) -> Vec<(f32, Hint)> {
        let (start, mut pace) = (Instant::now(), Pace::default());
        let at = |tenth: u32| start + Duration::from_millis(100) * tenth;
        let tenths = (0..seconds * 10).filter(|&tenth| pace.lets(matter(tenth), at(tenth)));
        tenths.filter_map(|tenth| Some((tenth as f32 / 10.0, matter(tenth)?))).collect()
    }

    #[test]
    fn what_nobody_follows_is_repeated_seldom_and_then_no_more() {
        let times: Vec<f32> = spoken(200, |_| Some(TooFar)).into_iter().map(|(at, _)| at).collect();
        assert_eq!(times, [0.0, 8.0, 24.0, 56.0]);
    }

    #[test]
    fn two_hints_are_a_second_and_a_half_apart_and_none_is_chatter() {
        let said = spoken(20, |tenth| Some(if tenth / 3 % 2 == 0 { TooFar } else { Blurred }));
        assert!(said.windows(2).all(|two| two[1].0 - two[0].0 >= 1.5), "{said:?}");
        for hint in [TooFar, Blurred] {
            let times: Vec<f32> = said.iter().filter(|(_, said)| *said == hint).map(|(at, _)| *at).collect();
            assert!(times.len() >= 4 && times.windows(2).all(|two| two[1] - two[0] >= 4.0), "{said:?}");
        }
    }

    #[test]
    fn what_comes_back_is_told_again() {
        let dark = |tenth: u32| (!(20..30).contains(&tenth)).then_some(TooDark);
        assert_eq!(spoken(7, dark), [(0.0, TooDark), (4.0, TooDark)]);
    }
}
