//! Microphone, loudspeaker and voice.

use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use super::{Outcome, within};
use crate::speech::listen::{Event, Listener};
use crate::speech::speaker;
use crate::speech::voice::{Notice, Priority, Utterance, Voice};

/// A microphone that gives nothing for so long gives nothing.
const MICROPHONE_LIMIT: Duration = Duration::from_secs(5);
/// How long it is listened to once it gives sound.
const SAMPLE: Duration = Duration::from_secs(1);
/// A speaker that cannot be opened in that time cannot be opened.
const SPEAKER_LIMIT: Duration = Duration::from_secs(5);
/// The voice says two words; a service that starts up first takes its time.
const VOICE_LIMIT: Duration = Duration::from_secs(12);
/// A room that is quieter than this, dB, is a microphone that is switched off.
const MUTE: f32 = -100.0;

/// Listens for a second.
pub(super) fn microphone() -> Outcome {
    let lost = "plug one in, or choose it in the sound settings of the system";
    let (send, events) = channel();
    let _listener = match Listener::start(move |event| drop(send.send(event))) {
        Ok(listener) => listener,
        Err(error) => return Outcome::of_error(&error, lost),
    };
    let mut until = Instant::now() + MICROPHONE_LIMIT;
    let mut loudest = f32::NEG_INFINITY;
    loop {
        match events.recv_timeout(until.saturating_duration_since(Instant::now())) {
            Ok(Event::Ready) => until = Instant::now() + SAMPLE,
            Ok(Event::Level(level)) => loudest = loudest.max(level.loudness),
            Ok(Event::Lost(reason)) => return Outcome::problem(reason, lost),
            Ok(_) => {}
            Err(RecvTimeoutError::Timeout) => break,
            Err(RecvTimeoutError::Disconnected) => return Outcome::problem("the microphone cannot be opened", lost),
        }
    }
    match loudest {
        f32::NEG_INFINITY => Outcome::problem("the microphone gives no sound", "unplug it and plug it in again"),
        loudest if loudest < MUTE => Outcome::problem(
            "the microphone hears nothing at all",
            "switch it on, or turn it up in the sound settings of the system",
        ),
        loudest => Outcome::Works(format!("works, the room has {loudest:.0} decibels of full scale")),
    }
}

/// Opens the loudspeaker.
pub(super) fn speaker() -> Outcome {
    match within(SPEAKER_LIMIT, speaker::check) {
        Some(Ok(name)) => Outcome::Works(name),
        Some(Err(reason)) => {
            Outcome::problem(reason, "plug in a loudspeaker or headphones, or choose them in the sound settings")
        }
        None => Outcome::problem("the sound system does not answer", "start the computer again"),
    }
}

/// Says two words and waits for their end.
pub(super) fn voice() -> Outcome {
    let remedy = "install speech-dispatcher and espeak-ng, or start the speech service again";
    let (send, notices) = channel();
    let voice = match Voice::start(move |notice| drop(send.send(notice))) {
        Ok(voice) => voice,
        Err(error) => return Outcome::of_error(&error, remedy),
    };
    voice.say(Utterance::new(Priority::Answer, "Voice check."));
    let until = Instant::now() + VOICE_LIMIT;
    loop {
        match notices.recv_timeout(until.saturating_duration_since(Instant::now())) {
            Ok(Notice::Ended(_)) => return Outcome::Works("speaks".into()),
            Ok(Notice::Lost(reason)) => return Outcome::problem(reason, remedy),
            Ok(_) => {}
            Err(_) => return Outcome::problem("the speech service does not answer", remedy),
        }
    }
}
