//! From looks to advice: what to tell the holder, and when a page is taken by itself.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use super::flaws::{Flaws, hint_of};
use super::hint::Hint;
use super::pace::Pace;
use super::page::PageView;
use super::sight::{STEADY, Sight};
use crate::camera::Frame;

/// A page that is held well for so long is taken.
const SETTLED: Duration = Duration::from_millis(500);
/// Steady looks in a row that must show it well.
const SETTLED_LOOKS: u32 = 3;
/// A page in a hand that trembles is taken after so long.
const SETTLED_ANYWAY: Duration = Duration::from_millis(2500);
/// A page with a bearable flaw is taken as it is after so long: the holder was told, and had time to do something about it.
const LEFT_AS_IT_IS: Duration = Duration::from_millis(5000);
/// Motion between two looks up to which a page counts as held, though the hand trembles.
const TREMBLES: f32 = 2.0 * STEADY;
/// The share of the frame that text must cover: less is a speck.
const SPECK: f32 = 0.002;
/// Without text for so long, the page is gone.
const GONE: Duration = Duration::from_secs(1);
/// Without text for so long, the holder is told.
const NO_TEXT: Duration = Duration::from_secs(4);
/// Another text held still for so long is another page.
const OTHER: Duration = Duration::from_millis(800);
/// Good but for the hand for so long, the holder is told.
const UNSTEADY: Duration = Duration::from_secs(1);
/// From the frames of this time the best is chosen.
const RECENT: Duration = Duration::from_millis(700);
/// Frames kept at most.
const KEPT: usize = 8;

/// How far the holder has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum AimState {
    /// There is no text in view.
    #[default]
    Searching,
    /// There is text, and something is wrong with it.
    Aiming,
    /// All is well: the page is about to be taken.
    Steady,
    /// The page in view was taken.
    Taken,
}

/// What follows from a look.
#[derive(Debug, Clone, Default)]
pub struct Advice {
    /// To be spoken now.
    pub hint: Option<Hint>,
    /// What is the matter, whether or not it is spoken now.
    pub matter: Option<Hint>,
    /// A frame to be read: steady, complete, sharp and light, the best of the last ones.
    pub capture: Option<Frame>,
    /// How far the holder has come.
    pub state: AimState,
}

/// Guides a hand, look by look. Time is what the caller says it is.
#[derive(Debug, Clone, Default)]
pub struct Aim {
    flaws: Flaws,
    pace: Pace,
    recent: VecDeque<Seen>,
    latest: Option<Sight>,
    /// Since when there is no text.
    blank: Option<Instant>,
    /// The page that is held well.
    good: Option<Good>,
    /// Since when only the hand is the matter.
    unsteady: Option<Instant>,
    told_to_hold: bool,
    taken: Option<Taken>,
}

/// A page that is held well.
#[derive(Debug, Clone, Copy)]
struct Good {
    since: Instant,
    /// Steady looks in a row.
    steady: u32,
}

/// A frame and how good it is.
#[derive(Debug, Clone)]
struct Seen {
    frame: Frame,
    /// 0 without a flaw, 1 with a bearable one, 2 with another, 3 without text.
    badness: u8,
    sharpness: f32,
    at: Instant,
}

/// The page that was taken last.
#[derive(Debug, Clone)]
struct Taken {
    page: PageView,
    /// Since when other text is held still.
    other: Option<Instant>,
    /// Whether that is another page, about which there are hints again.
    is_left: bool,
}

impl Aim {
    /// Takes the next frame and what was seen in it.
    pub fn see(&mut self, frame: Frame, sight: &Sight, now: Instant) -> Advice {
        self.flaws.see(sight);
        self.remember(frame, sight, now);
        self.follow_text(sight, now);
        let is_other = self.follow_page(sight, now);
        let capture = self.settle(sight, now).filter(|_| is_other);
        if capture.is_some() {
            self.taken();
        }
        if self.taken.as_ref().is_some_and(|taken| !taken.is_left) {
            return Advice { capture, state: AimState::Taken, ..Advice::default() };
        }
        let matter = self.matter(sight, now);
        let is_spoken = self.pace.lets(matter, now);
        self.told_to_hold |= is_spoken && matter == Some(Hint::HoldStill);
        let state = match (self.blank, self.good) {
            (Some(_), _) => AimState::Searching,
            (None, Some(_)) => AimState::Steady,
            (None, None) => AimState::Aiming,
        };
        Advice { hint: matter.filter(|_| is_spoken), matter, capture, state }
    }

    /// The best of the last frames, for a reading by the user's wish: complete rather than cut off, then the sharpest.
    pub fn best(&self) -> Option<Frame> {
        let newest = self.recent.back()?.at;
        self.best_since(newest.checked_sub(RECENT).unwrap_or(newest), 3)
    }

    /// The page in view is being read by the user's wish: it is not taken again by itself, and there are no hints about it.
    pub fn taken(&mut self) {
        let page = self.latest.as_ref().and_then(PageView::of);
        self.taken = page.map(|page| Taken { page, other: None, is_left: false });
        self.good = None;
        self.unsteady = None;
        self.told_to_hold = false;
    }

    fn remember(&mut self, frame: Frame, sight: &Sight, now: Instant) {
        let badness = match hint_of(sight) {
            _ if sight.regions.is_empty() => 3,
            None => 0,
            Some(hint) => {
                if hint.is_bearable() {
                    1
                } else {
                    2
                }
            }
        };
        self.recent.push_back(Seen { frame, badness, sharpness: sight.sharpness.unwrap_or(0.0), at: now });
        let is_old = |seen: &Seen| now.saturating_duration_since(seen.at) > RECENT;
        while self.recent.len() > KEPT || self.recent.len() > 1 && self.recent.front().is_some_and(is_old) {
            self.recent.pop_front();
        }
        self.latest = Some(sight.clone());
    }

    /// The best frame since `since` that is at most so bad.
    fn best_since(&self, since: Instant, badness: u8) -> Option<Frame> {
        let candidates = self.recent.iter().filter(|seen| seen.at >= since && seen.badness <= badness);
        let best = candidates.max_by(|a, b| b.badness.cmp(&a.badness).then(a.sharpness.total_cmp(&b.sharpness)))?;
        Some(best.frame.clone())
    }

    /// Keeps track of how long there has been no text.
    fn follow_text(&mut self, sight: &Sight, now: Instant) {
        if !sight.regions.is_empty() {
            self.blank = None;
            return;
        }
        // A smear in which nobody looked says nothing.
        if sight.searched || sight.is_black() {
            let since = *self.blank.get_or_insert(now);
            if now.saturating_duration_since(since) >= GONE {
                self.flaws.text_is_gone();
                self.taken = None;
                self.told_to_hold = false;
            }
        }
    }

    /// Whether what is in view is another page than the one that was taken.
    fn follow_page(&mut self, sight: &Sight, now: Instant) -> bool {
        let Some(taken) = &mut self.taken else { return true };
        if sight.regions.is_empty() || !sight.is_steady() {
            return false;
        }
        if taken.page.is_in(sight) {
            (taken.other, taken.is_left) = (None, false);
            return false;
        }
        let since = *taken.other.get_or_insert(now);
        taken.is_left |= now.saturating_duration_since(since) >= OTHER;
        taken.is_left
    }

    /// The frame to be taken, if a page has been held well for long enough.
    fn settle(&mut self, sight: &Sight, now: Instant) -> Option<Frame> {
        let flaws = [hint_of(sight), self.flaws.hint()];
        let is_bearable = flaws.iter().flatten().all(|hint| hint.is_bearable());
        let is_held = sight.motion.is_some_and(|motion| motion <= TREMBLES);
        if !is_bearable || !is_held || !sight.is_text() || sight.text_share() < SPECK {
            self.good = None;
            return None;
        }
        let good = self.good.get_or_insert(Good { since: now, steady: 0 });
        good.steady = if sight.is_steady() { good.steady + 1 } else { 0 };
        let Good { since, steady } = *good;
        let wait = match flaws {
            [None, None] if steady >= SETTLED_LOOKS => SETTLED,
            [None, None] => SETTLED_ANYWAY,
            _ => LEFT_AS_IT_IS,
        };
        self.best_since(since, 1).filter(|_| now.saturating_duration_since(since) >= wait)
    }

    /// What the holder should know.
    fn matter(&mut self, sight: &Sight, now: Instant) -> Option<Hint> {
        let lasts = |since: Option<Instant>, long: Duration| {
            since.is_some_and(|since| now.saturating_duration_since(since) >= long)
        };
        let flaw = self.flaws.hint();
        let only_the_hand = flaw.is_none() && self.blank.is_none() && !sight.is_steady() && !sight.regions.is_empty();
        self.unsteady = only_the_hand.then(|| self.unsteady.unwrap_or(now));
        match flaw {
            Some(hint) => Some(hint),
            None if lasts(self.blank, NO_TEXT) => Some(Hint::NoText),
            None if lasts(self.unsteady, UNSTEADY) && !self.told_to_hold => Some(Hint::HoldStill),
            None => None,
        }
    }
}

#[cfg(test)]
#[path = "aim_tests.rs"]
mod tests;
