//! What `sightread doctor` finds out about microphone, speaker and voice; every check ends by itself.

use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::{Duration, Instant};

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
pub(super) fn microphone() -> Result<String, String> {
    let (send, events) = channel();
    let _listener = Listener::start(move |event| drop(send.send(event))).map_err(|error| error.to_string())?;
    let mut until = Instant::now() + MICROPHONE_LIMIT;
    let mut loudest = f32::NEG_INFINITY;
    loop {
        match events.recv_timeout(until.saturating_duration_since(Instant::now())) {
            Ok(Event::Ready) => until = Instant::now() + SAMPLE,
            Ok(Event::Level(level)) => loudest = loudest.max(level.loudness),
            Ok(Event::Lost(reason)) => {
                return Err(format!("{reason}; plug one in, or choose it in the sound settings of the system"));
            }
            Ok(_) => {}
            Err(RecvTimeoutError::Timeout) => break,
            Err(RecvTimeoutError::Disconnected) => return Err("the microphone cannot be opened".into()),
        }
    }
    match loudest {
        f32::NEG_INFINITY => Err("the microphone gives no sound; unplug it and plug it in again".into()),
        loudest if loudest < MUTE => Err("the microphone hears nothing at all; is it switched off?".into()),
        loudest => Ok(format!("works, the room has {loudest:.0} decibels of full scale")),
    }
}

/// Opens the loudspeaker.
pub(super) fn speaker() -> Result<String, String> {
    let (send, opened) = channel();
    std::thread::spawn(move || send.send(speaker::check()));
    match opened.recv_timeout(SPEAKER_LIMIT) {
        Ok(Ok(name)) => Ok(name),
        Ok(Err(reason)) => {
            Err(format!("{reason}; plug in a loudspeaker or headphones, or choose them in the sound settings"))
        }
        Err(_) => Err("the sound system does not answer; start the computer again".into()),
    }
}

/// Says two words and waits for their end.
pub(super) fn voice() -> Result<String, String> {
    let remedy = "install speech-dispatcher and espeak-ng, or start the speech service again";
    let (send, notices) = channel();
    let voice = Voice::start(move |notice| drop(send.send(notice))).map_err(|error| error.to_string())?;
    voice.say(Utterance::new(Priority::Answer, "Voice check."));
    let until = Instant::now() + VOICE_LIMIT;
    loop {
        match notices.recv_timeout(until.saturating_duration_since(Instant::now())) {
            Ok(Notice::Ended(_)) => return Ok("speaks".into()),
            Ok(Notice::Lost(reason)) => return Err(format!("{reason}; {remedy}")),
            Ok(_) => {}
            Err(_) => return Err(format!("the speech service does not answer; {remedy}")),
        }
    }
}
