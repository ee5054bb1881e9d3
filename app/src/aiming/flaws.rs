//! What is wrong with a picture, as told by several looks: a flaw counts once two looks in a row show it, and no longer
//! once three do not, so that what flickers is told once or not at all.

use std::f32::consts::{FRAC_PI_2, PI};

use super::hint::{Hint, Turn};
use super::sight::Sight;
use super::turn::WayUp;
use crate::reading::{Edges, quality};

/// Looks in a row that show a flaw before it counts.
const APPEARS: u8 = 2;
/// Looks in a row that do not show it before it is gone.
const VANISHES: u8 = 3;
/// Sharpness from which on text is legible in whatever light, and however soft the rest of the picture is.
const LEGIBLE: f32 = 200.0;
/// Focus below which text is blurred,
const SOFT: f32 = 0.37;
/// and below which a picture is blurred so much that no text is found; but a cushion has no sharp edges either.
const SMEARED: f32 = 0.29;
/// Height of lines, in pixels of the frame, below which they are read badly.
const SMALL: f32 = 15.5;
/// Blown-out share of the text's area.
const GLARE: f32 = 0.025;
/// Slant of the text, degrees.
const TILTED: f32 = 14.0;

/// A flaw, in the order in which they are told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Flaw {
    TooDark,
    TooClose,
    CutLeft,
    CutRight,
    CutTop,
    CutBottom,
    Blurred,
    Glare,
    UpsideDown,
    RunsDown,
    RunsUp,
    TooFar,
    TiltedRight,
    TiltedLeft,
}

impl Flaw {
    const ALL: [Self; 14] = [
        Self::TooDark,
        Self::TooClose,
        Self::CutLeft,
        Self::CutRight,
        Self::CutTop,
        Self::CutBottom,
        Self::Blurred,
        Self::Glare,
        Self::UpsideDown,
        Self::RunsDown,
        Self::RunsUp,
        Self::TooFar,
        Self::TiltedRight,
        Self::TiltedLeft,
    ];

    /// Whether `sight` shows it; `None` if that cannot be told. A flaw that is there already leaves later than it came.
    fn shows(self, sight: &Sight, already: bool) -> Option<bool> {
        let limit = |comes: f32, leaves: f32| if already { leaves } else { comes };
        let is_legible = sight.sharpness.is_some_and(|energy| energy > LEGIBLE);
        if self == Self::TooDark {
            return Some(sight.brightness < limit(quality::DARK as f32, 1.2 * quality::DARK as f32) && !is_legible);
        }
        if !sight.searched && sight.regions.is_empty() {
            return None;
        }
        let is_soft = sight.focus.is_some_and(|focus| focus < if sight.regions.is_empty() { SMEARED } else { SOFT });
        if self == Self::Blurred && is_soft && !is_legible {
            return Some(true);
        }
        let Some(angle) = sight.angle else {
            // Text that is not found in a moving picture may still be there.
            return sight.is_steady().then_some(false);
        };
        let slant = angle - (angle / FRAC_PI_2).round() * FRAC_PI_2;
        let tilted = limit(TILTED, 0.7 * TILTED).to_radians();
        let is_small = sight.line_height().is_some_and(|height| height < limit(SMALL, 1.1 * SMALL));
        let from_upright = |upright: f32| (angle - upright).sin().atan2((angle - upright).cos()).abs() <= PI / 4.0;
        Some(match self {
            Self::TooDark => false,
            Self::TooClose => sight.cut_off.left && sight.cut_off.right || sight.cut_off.top && sight.cut_off.bottom,
            Self::CutLeft => sight.cut_off.left,
            Self::CutRight => sight.cut_off.right,
            Self::CutTop => sight.cut_off.top,
            Self::CutBottom => sight.cut_off.bottom,
            Self::Blurred => {
                let limit = quality::BLURRED as f32 * limit(1.0, 1.5);
                sight.sharpness.is_some_and(|energy| energy < limit)
            }
            Self::Glare => sight.glare > limit(GLARE, 0.7 * GLARE),
            // Which way to turn it is not known before the way up is, and of small text that is often taken wrongly.
            Self::UpsideDown | Self::RunsDown | Self::RunsUp if is_small || sight.way_up() == WayUp::Unknown => {
                return None;
            }
            Self::UpsideDown => from_upright(PI),
            Self::RunsDown => from_upright(FRAC_PI_2),
            Self::RunsUp => from_upright(-FRAC_PI_2),
            Self::TooFar => is_small,
            Self::TiltedRight => slant > tilted,
            Self::TiltedLeft => -slant > tilted,
        })
    }
}

/// Whether a flaw counts, and for how many looks in a row it has looked otherwise.
#[derive(Debug, Clone, Copy, Default)]
struct Switch {
    is_on: bool,
    otherwise: u8,
}

impl Switch {
    fn vote(&mut self, shows: bool) {
        if shows == self.is_on {
            self.otherwise = 0;
            return;
        }
        self.otherwise += 1;
        if self.otherwise >= if self.is_on { VANISHES } else { APPEARS } {
            *self = Self { is_on: shows, otherwise: 0 };
        }
    }
}

/// The flaws of the last looks.
#[derive(Debug, Clone, Default)]
pub(super) struct Flaws {
    switches: [Switch; Flaw::ALL.len()],
    moves: Switch,
}

impl Flaws {
    /// Takes the next look.
    pub(super) fn see(&mut self, sight: &Sight) {
        for (switch, flaw) in self.switches.iter_mut().zip(Flaw::ALL) {
            // Regions of the look before are no second witness.
            let is_new = sight.searched || flaw == Flaw::TooDark;
            if let Some(shows) = flaw.shows(sight, switch.is_on).filter(|_| is_new) {
                switch.vote(shows);
            }
        }
        self.moves.vote(!sight.is_steady());
    }

    /// Only the light can still be told of.
    pub(super) fn text_is_gone(&mut self) {
        for (switch, flaw) in self.switches.iter_mut().zip(Flaw::ALL) {
            if flaw != Flaw::TooDark {
                *switch = Switch::default();
            }
        }
    }

    /// What to do about the first of the flaws that count.
    pub(super) fn hint(&self) -> Option<Hint> {
        let is = |flaw: Flaw| self.switches.iter().zip(Flaw::ALL).any(|(switch, of)| of == flaw && switch.is_on);
        hint(is, self.moves.is_on)
    }
}

/// What to do about the first flaw of one look.
pub(super) fn hint_of(sight: &Sight) -> Option<Hint> {
    hint(|flaw| flaw.shows(sight, false).unwrap_or(false), !sight.is_steady())
}

fn hint(is: impl Fn(Flaw) -> bool, moves: bool) -> Option<Hint> {
    // Opposite edges one after the other are a swing of the hand, of which neither counts.
    let only = |flaw: Flaw, opposite: Flaw| is(flaw) && !is(opposite);
    let cut = Edges {
        left: only(Flaw::CutLeft, Flaw::CutRight),
        right: only(Flaw::CutRight, Flaw::CutLeft),
        top: only(Flaw::CutTop, Flaw::CutBottom),
        bottom: only(Flaw::CutBottom, Flaw::CutTop),
    };
    let hints = [
        (is(Flaw::TooDark), Hint::TooDark),
        (is(Flaw::TooClose), Hint::TooClose),
        (cut != Edges::default(), Hint::CutOff(cut)),
        (is(Flaw::Blurred), if moves { Hint::Blurred } else { Hint::OutOfFocus }),
        (is(Flaw::Glare), Hint::Glare),
        (is(Flaw::UpsideDown), Hint::UpsideDown),
        // Text that was turned with the clock is turned back against it.
        (is(Flaw::RunsDown), Hint::Sideways(Turn::Left)),
        (is(Flaw::RunsUp), Hint::Sideways(Turn::Right)),
        (is(Flaw::TooFar), Hint::TooFar),
        (is(Flaw::TiltedRight), Hint::Tilted(Turn::Left)),
        (is(Flaw::TiltedLeft), Hint::Tilted(Turn::Right)),
    ];
    hints.into_iter().find_map(|(is_so, hint)| is_so.then_some(hint))
}
