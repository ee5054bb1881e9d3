//! What the person who holds the camera is told.

use crate::answer::NO_TEXT;
use crate::reading::Edges;

/// Which way a page is to be turned, seen from above it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Turn {
    /// Against the clock.
    Left,
    /// With the clock.
    Right,
}

/// What to do, so that the text can be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hint {
    /// There is no text in view.
    NoText,
    /// There is too little light.
    TooDark,
    /// Text goes on beyond edges of the picture, of which no two are opposite.
    CutOff(Edges),
    /// Text goes on beyond opposite edges.
    TooClose,
    /// The text is too small to be read well.
    TooFar,
    /// The hand moves, and the text is blurred.
    Blurred,
    /// The hand is still, and the text is blurred.
    OutOfFocus,
    /// Light is thrown back where text should be.
    Glare,
    /// The text stands on its head.
    UpsideDown,
    /// The text runs up or down the picture.
    Sideways(Turn),
    /// The text runs aslant.
    Tilted(Turn),
    /// All is well but for the hand.
    HoldStill,
}

impl Hint {
    /// In a sentence that says what to do.
    pub fn spoken(self) -> &'static str {
        match self {
            Self::NoText => NO_TEXT,
            Self::TooDark => "Too dark, turn on a light.",
            Self::CutOff(Edges { left: true, top: true, .. }) => {
                "Text is cut off on the left and at the top, move left and up."
            }
            Self::CutOff(Edges { left: true, bottom: true, .. }) => {
                "Text is cut off on the left and at the bottom, move left and down."
            }
            Self::CutOff(Edges { right: true, top: true, .. }) => {
                "Text is cut off on the right and at the top, move right and up."
            }
            Self::CutOff(Edges { right: true, bottom: true, .. }) => {
                "Text is cut off on the right and at the bottom, move right and down."
            }
            // The camera has to see what lies beyond that edge, so that it goes there.
            Self::CutOff(Edges { left: true, .. }) => "Text is cut off on the left, move left.",
            Self::CutOff(Edges { right: true, .. }) => "Text is cut off on the right, move right.",
            Self::CutOff(Edges { top: true, .. }) => "Text is cut off at the top, move up.",
            Self::CutOff(_) => "Text is cut off at the bottom, move down.",
            Self::TooClose => "Too close, move back.",
            Self::TooFar => "Too far, come closer.",
            Self::Blurred => "Blurred, hold still.",
            Self::OutOfFocus => "Blurred, move back a little.",
            Self::Glare => "Glare, tilt the page a little.",
            Self::UpsideDown => "The page is upside down, turn it around.",
            Self::Sideways(Turn::Left) => "The page lies on its side, turn it a quarter to the left.",
            Self::Sideways(Turn::Right) => "The page lies on its side, turn it a quarter to the right.",
            Self::Tilted(Turn::Left) => "The page is tilted, turn it a little to the left.",
            Self::Tilted(Turn::Right) => "The page is tilted, turn it a little to the right.",
            Self::HoldStill => "Good, hold still.",
        }
    }

    /// Whether the text is read all the same, whole and well: such a page is taken after a longer wait.
    pub fn is_bearable(self) -> bool {
        match self {
            Self::UpsideDown | Self::Sideways(_) | Self::Tilted(_) | Self::HoldStill => true,
            Self::NoText
            | Self::TooDark
            | Self::CutOff(_)
            | Self::TooClose
            | Self::TooFar
            | Self::Blurred
            | Self::OutOfFocus
            | Self::Glare => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_camera_goes_where_the_text_goes_on() {
        let none = Edges::default();
        for (edges, move_there) in [
            (Edges { left: true, ..none }, "move left."),
            (Edges { right: true, ..none }, "move right."),
            (Edges { top: true, ..none }, "move up."),
            (Edges { bottom: true, ..none }, "move down."),
            (Edges { left: true, bottom: true, ..none }, "move left and down."),
            (Edges { right: true, top: true, ..none }, "move right and up."),
        ] {
            let spoken = Hint::CutOff(edges).spoken();
            assert!(spoken.ends_with(move_there), "{edges:?}: {spoken}");
        }
    }
}
