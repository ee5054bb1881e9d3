//! Who says what, so that the program's own voice and a screen reader never say the same at once.
//!
//! By default the own voice says what is read, answers and hints, where there is a screen reader too: it can be
//! interrupted, repeated and set in pace, and not every screen reader speaks announcements (Orca 43 does not). Short
//! messages about the program are left to the screen reader, like the names of controls. Whatever nobody could hear
//! otherwise is announced.

use super::voice::Priority;
use crate::settings::Output;

/// What an utterance is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// Text of the picture.
    Reading,
    /// An answer, or what was asked for otherwise: spelling, colour, light.
    Answer,
    /// A hint for aiming.
    Hint,
    /// A message about the program: "Copied.", "Slower."
    Status,
    /// Something is wrong.
    Alert,
}

impl Kind {
    /// The kind of what the voice began to say; it is not asked to say what is left to the screen reader.
    pub fn of(priority: Priority) -> Self {
        match priority {
            Priority::Guidance => Self::Hint,
            Priority::Answer => Self::Answer,
            Priority::Alert => Self::Alert,
        }
    }
}

/// Who can be heard.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Audible {
    /// The own voice is not lost.
    pub own_voice: bool,
    /// A screen reader runs, as far as is known.
    pub screen_reader: bool,
}

/// Where an utterance goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Route {
    /// It is given to the voice, which takes one thing after the other, aloud or silently ([`is_silent`]).
    pub voice: bool,
    /// It is announced to the screen reader: when the voice begins it, or at once if it is not given to the voice.
    pub announced: bool,
}

/// Where an utterance of this kind goes.
pub fn route(output: Output, audible: Audible, kind: Kind) -> Route {
    let to_screen_reader = Route { voice: false, announced: true };
    let unheard = audible.screen_reader && !audible.own_voice;
    match output {
        Output::Auto if audible.screen_reader && kind == Kind::Status => to_screen_reader,
        Output::Auto | Output::OwnVoice => Route { voice: true, announced: unheard },
        // Nothing needs to wait for its turn with a message, and a message must not wait behind what is read.
        Output::ScreenReader if kind == Kind::Status => to_screen_reader,
        Output::ScreenReader | Output::Both => Route { voice: true, announced: true },
    }
}

/// Whether the voice only takes its time without a sound: for [`super::voice::Voice::set_silent`].
pub fn is_silent(output: Output) -> bool {
    output == Output::ScreenReader
}

#[cfg(test)]
mod tests {
    use super::*;

    const KINDS: [Kind; 5] = [Kind::Reading, Kind::Answer, Kind::Hint, Kind::Status, Kind::Alert];
    const OUTPUTS: [Output; 4] = [Output::Auto, Output::OwnVoice, Output::ScreenReader, Output::Both];
    const ALONE: Audible = Audible { own_voice: true, screen_reader: false };
    const WITH_SCREEN_READER: Audible = Audible { own_voice: true, screen_reader: true };
    const VOICE_LOST: Audible = Audible { own_voice: false, screen_reader: true };
    const NOBODY: Audible = Audible { own_voice: false, screen_reader: false };

    const VOICE: Route = Route { voice: true, announced: false };
    const ANNOUNCED: Route = Route { voice: false, announced: true };
    const BOTH: Route = Route { voice: true, announced: true };

    fn routes(output: Output, audible: Audible) -> [Route; 5] {
        KINDS.map(|kind| route(output, audible, kind))
    }

    #[test]
    fn by_default_the_screen_reader_has_the_messages_and_the_voice_the_rest() {
        assert_eq!(routes(Output::Auto, ALONE), [VOICE; 5]);
        assert_eq!(routes(Output::Auto, WITH_SCREEN_READER), [VOICE, VOICE, VOICE, ANNOUNCED, VOICE]);
        assert!(!is_silent(Output::Auto));
    }

    #[test]
    fn the_own_voice_alone_says_everything() {
        for audible in [ALONE, WITH_SCREEN_READER, NOBODY] {
            assert_eq!(routes(Output::OwnVoice, audible), [VOICE; 5]);
        }
        assert!(!is_silent(Output::OwnVoice));
    }

    #[test]
    fn the_screen_reader_alone_is_told_everything_and_is_believed_to_run() {
        for audible in [ALONE, WITH_SCREEN_READER, VOICE_LOST, NOBODY] {
            // What is read takes its turns with a voice that makes no sound.
            assert_eq!(routes(Output::ScreenReader, audible), [BOTH, BOTH, BOTH, ANNOUNCED, BOTH]);
        }
        assert!(is_silent(Output::ScreenReader));
    }

    #[test]
    fn both_are_both_whoever_runs() {
        for audible in [ALONE, WITH_SCREEN_READER, VOICE_LOST, NOBODY] {
            assert_eq!(routes(Output::Both, audible), [BOTH; 5]);
        }
        assert!(!is_silent(Output::Both));
    }

    #[test]
    fn what_a_lost_voice_cannot_say_is_announced() {
        assert_eq!(routes(Output::Auto, VOICE_LOST), [BOTH, BOTH, BOTH, ANNOUNCED, BOTH]);
        assert_eq!(routes(Output::OwnVoice, VOICE_LOST), [BOTH; 5]);
    }

    #[test]
    fn nothing_is_said_by_two_unless_somebody_wants_it_and_nothing_by_nobody() {
        for (output, kind) in OUTPUTS.iter().flat_map(|output| KINDS.map(|kind| (*output, kind))) {
            for audible in [ALONE, WITH_SCREEN_READER, VOICE_LOST, NOBODY] {
                let route = route(output, audible, kind);
                let aloud = route.voice && audible.own_voice && !is_silent(output);
                assert!(route.voice || route.announced, "{output:?} {audible:?} {kind:?}");
                assert!(output == Output::Both || !(aloud && route.announced), "{output:?} {audible:?} {kind:?}");
            }
        }
    }

    #[test]
    fn what_the_voice_begins_is_routed_as_it_was() {
        for (priority, kind) in
            [(Priority::Guidance, Kind::Hint), (Priority::Answer, Kind::Reading), (Priority::Alert, Kind::Alert)]
        {
            for output in OUTPUTS {
                let begun = route(output, WITH_SCREEN_READER, Kind::of(priority));
                assert_eq!(begun, route(output, WITH_SCREEN_READER, kind));
            }
        }
    }
}
