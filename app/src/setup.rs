//! The first-run check: camera, microphone, speaker, voice and model, each with a plain sentence and a remedy. Every check ends by
//! itself, whatever a driver or a service does.

mod camera;
mod models;
mod sound;

use std::fmt::Display;
use std::sync::mpsc::channel;
use std::time::Duration;

use crate::camera::Source;
use crate::words::capital;

pub use models::check as check_models;

/// What is checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Part {
    /// The camera gives pictures.
    Camera,
    /// The microphone gives sound.
    Microphone,
    /// There is a loudspeaker.
    Speaker,
    /// The speech service speaks.
    Voice,
    /// The reading model and the speech model are whole.
    Model,
}

impl Part {
    /// All, in the order in which they are checked.
    pub const ALL: [Self; 5] = [Self::Speaker, Self::Voice, Self::Microphone, Self::Camera, Self::Model];

    /// Its name for people.
    pub fn name(self) -> &'static str {
        match self {
            Self::Camera => "Camera",
            Self::Microphone => "Microphone",
            Self::Speaker => "Loudspeaker",
            Self::Voice => "Voice",
            Self::Model => "Models",
        }
    }
}

/// How a check went. The words have no full stop.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// Under way.
    Running,
    /// It works: what was found.
    Works(String),
    /// It does not: what is wrong, and what to do.
    Problem {
        /// What is wrong ("there is no microphone").
        what: String,
        /// What to do ("Plug one in").
        remedy: String,
    },
}

/// One check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    /// What is checked.
    pub part: Part,
    /// How it went.
    pub outcome: Outcome,
}

impl Outcome {
    fn problem(what: impl Into<String>, remedy: &str) -> Self {
        Self::Problem { what: what.into(), remedy: capital(remedy) }
    }

    /// An error says what happened and, after a semicolon, what to do; if it does not, `remedy` does.
    fn of_error(error: &impl Display, remedy: &str) -> Self {
        let error = error.to_string();
        match error.rsplit_once("; ") {
            Some((what, remedy)) => Self::problem(what, remedy),
            None => Self::problem(error, remedy),
        }
    }
}

/// Checks one part, the camera as `camera` names it. Nothing else may have that camera open. It takes up to a quarter of a minute.
pub fn check(part: Part, camera: &Source) -> Outcome {
    match part {
        Part::Camera => camera::check(camera),
        Part::Microphone => sound::microphone(),
        Part::Speaker => sound::speaker(),
        Part::Voice => sound::voice(),
        Part::Model => check_models(None, Default::default()),
    }
}

/// Checks all parts, one after the other; `on_check` hears when one begins and how it went.
pub fn run_all(camera: &Source, on_check: impl FnMut(Check)) {
    run(|part| check(part, camera), on_check);
}

fn run(check: impl Fn(Part) -> Outcome, mut on_check: impl FnMut(Check)) {
    for part in Part::ALL {
        on_check(Check { part, outcome: Outcome::Running });
        on_check(Check { part, outcome: check(part) });
    }
}

/// Does what may hang, and waits no longer than `limit` for it.
fn within<T: Send + 'static>(limit: Duration, work: impl FnOnce() -> T + Send + 'static) -> Option<T> {
    let (send, done) = channel();
    std::thread::Builder::new().name("check".into()).spawn(move || send.send(work())).ok()?;
    done.recv_timeout(limit).ok()
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;

    #[test]
    fn an_error_is_split_into_what_happened_and_what_to_do() {
        let split = |error: &str| Outcome::of_error(&error, "try again");
        assert_eq!(split("x is damaged; fetch it again"), Outcome::problem("x is damaged", "fetch it again"));
        assert_eq!(split("a; b; do c"), Outcome::Problem { what: "a; b".into(), remedy: "Do c".into() });
        assert_eq!(split("no reason"), Outcome::Problem { what: "no reason".into(), remedy: "Try again".into() });
    }

    #[test]
    fn what_hangs_or_panics_is_not_waited_for() {
        assert_eq!(within(Duration::from_secs(10), || 3), Some(3));
        let start = Instant::now();
        assert_eq!(within(Duration::from_millis(50), || std::thread::sleep(Duration::from_secs(5))), None);
        assert_eq!(within(Duration::from_secs(10), || -> u8 { panic!("on purpose") }), None);
        assert!(start.elapsed() < Duration::from_secs(4));
    }

    #[test]
    fn every_part_is_checked_once_and_told_twice() {
        let mut checks = vec![];
        run(|part| Outcome::Works(part.name().into()), |check| checks.push(check));
        for (part, pair) in Part::ALL.into_iter().zip(checks.chunks(2)) {
            let ended = Outcome::Works(part.name().into());
            assert_eq!(pair, [Check { part, outcome: Outcome::Running }, Check { part, outcome: ended }]);
        }
        assert_eq!(checks.len(), 2 * Part::ALL.len());
    }

    #[test]
    fn the_models_that_come_with_the_program_work() {
        assert!(matches!(check(Part::Model, &Source::None), Outcome::Works(_)));
    }
}
