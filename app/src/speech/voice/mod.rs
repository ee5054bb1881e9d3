//! The voice: one thread owns it, everybody else sends sentences.
//!
//! [`Voice`] is the handle. Behind it the pure [`Queue`](queue::Queue) decides what is spoken when, and a
//! [`Backend`](backend::Backend) speaks: aloud through the system's speech service, or silently, while a screen reader does.

mod announcer;
mod backend;
mod choice;
#[cfg(feature = "sound")]
mod engine;
mod outlet;
// On Linux only compiled, so that a mistake in it is found there too.
#[cfg(all(feature = "sound", any(test, not(target_os = "linux"))))]
#[cfg_attr(target_os = "linux", allow(dead_code))]
mod portable;
mod queue;
#[cfg(feature = "sound")]
mod service;
#[cfg(all(feature = "sound", target_os = "linux"))]
mod speech_dispatcher;
mod utterance;

use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use announcer::Announcer;
use backend::{Backend, Event};
pub use backend::{Scale, Settings};
pub use choice::{VoiceChoice, VoiceInfo};
use outlet::{Live, Origin, Outlet};
use queue::Queue;
pub use utterance::{Notice, Priority, Utterance};

/// What reaches the thread of the voice.
enum Letter {
    Say(Utterance),
    Silence,
    Configure(Settings),
    Choose(VoiceChoice),
    ListVoices,
    SetSilent(bool),
    Event(Origin, Event),
    Close,
}

/// How long the last handle waits for silence: the program may end right after.
const LAST_WORD: Duration = Duration::from_secs(1);

/// A handle to the voice; clones share it. When the last one is gone the voice falls silent.
#[derive(Clone)]
pub struct Voice {
    letters: Sender<Letter>,
    _last: Arc<Closer>,
}

/// Ends the thread with the last handle.
struct Closer {
    letters: Sender<Letter>,
    /// Closed when the thread has ended; in a mutex only so that handles can be shared between threads.
    ended: Mutex<Receiver<()>>,
}

impl Drop for Closer {
    fn drop(&mut self) {
        let _ = self.letters.send(Letter::Close);
        if let Ok(ended) = self.ended.lock() {
            let _ = ended.recv_timeout(LAST_WORD);
        }
    }
}

impl Voice {
    /// Starts the voice. It is connected in the background; `notices` hears what happens.
    ///
    /// # Errors
    /// The system has no thread left.
    pub fn start(notices: impl FnMut(Notice) + Send + 'static) -> std::io::Result<Self> {
        let (letters, inbox) = channel();
        let (ends, ended) = channel::<()>();
        let closer = Closer { letters: letters.clone(), ended: Mutex::new(ended) };
        let events = letters.clone();
        std::thread::Builder::new().name("voice queue".into()).spawn(move || {
            // Closed with the thread.
            let _ends = ends;
            run(&inbox, events, notices);
        })?;
        Ok(Self { letters, _last: Arc::new(closer) })
    }

    /// Says something when its turn comes.
    pub fn say(&self, utterance: Utterance) {
        self.send(Letter::Say(utterance));
    }

    /// Falls silent at once and forgets all that was to be said.
    pub fn silence(&self) {
        self.send(Letter::Silence);
    }

    /// Changes pace and loudness, from the next sentence on.
    pub fn configure(&self, settings: Settings) {
        self.send(Letter::Configure(settings));
    }

    /// Changes the voice, from the next sentence on. If there is no such voice, a notice says so, and what is used instead.
    pub fn choose(&self, choice: VoiceChoice) {
        self.send(Letter::Choose(choice));
    }

    /// Asks which voices there are. They come as [`Notice::Voices`], within a few seconds; the service is asked once.
    pub fn list_voices(&self) {
        self.send(Letter::ListVoices);
    }

    /// From now on only takes the time that a screen reader needs, at the pace that is set, or sounds again: all notices go
    /// on as ever, so that whoever hears [`Notice::Began`] can announce the words. What is being said is begun again.
    pub fn set_silent(&self, silent: bool) {
        self.send(Letter::SetSilent(silent));
    }

    fn send(&self, letter: Letter) {
        // The thread lives as long as a handle does.
        let _ = self.letters.send(letter);
    }
}

/// The thread of the voice: sleeps until a letter comes or a deadline passes.
fn run(inbox: &Receiver<Letter>, events: Sender<Letter>, mut notices: impl FnMut(Notice)) {
    let live = Arc::new(Live::default());
    let announced = events.clone();
    let announcer = Announcer::new(move |event| drop(announced.send(Letter::Event(Origin::Announcer, event))));
    let backend = Outlet::new(service(events, live.clone()), announcer, live.clone());
    let start = Instant::now();
    let mut queue = Queue::new(backend, Duration::ZERO);
    loop {
        queue.notices().into_iter().for_each(&mut notices);
        let letter = match queue.deadline() {
            Some(deadline) => inbox.recv_timeout(deadline.saturating_sub(start.elapsed())),
            None => inbox.recv().map_err(|_| RecvTimeoutError::Disconnected),
        };
        let now = start.elapsed();
        match letter {
            Ok(Letter::Say(utterance)) => queue.say(utterance, now),
            Ok(Letter::Silence) => queue.silence(now),
            Ok(Letter::Configure(settings)) => queue.configure(settings),
            Ok(Letter::Choose(choice)) => queue.choose(choice),
            Ok(Letter::ListVoices) => queue.list_voices(),
            Ok(Letter::SetSilent(silent)) => queue.set_silent(silent, now),
            Ok(Letter::Event(origin, event)) if live.counts(origin, &event) => queue.event(event, now),
            Ok(Letter::Event(..)) => {}
            Err(RecvTimeoutError::Timeout) => queue.tick(now),
            Ok(Letter::Close) | Err(RecvTimeoutError::Disconnected) => {
                queue.silence(now);
                return;
            }
        }
        // A stream of letters must not keep a watchdog from being heard.
        queue.tick(start.elapsed());
    }
}

/// The system's speech service.
#[cfg(feature = "sound")]
fn service(events: Sender<Letter>, live: Arc<Live>) -> impl Backend {
    service::Service::new(move || {
        let origin = live.connect();
        let events = events.clone();
        Box::new(move |event| drop(events.send(Letter::Event(origin, event))))
    })
}

/// A service that is not there.
#[cfg(not(feature = "sound"))]
fn service(events: Sender<Letter>, live: Arc<Live>) -> impl Backend {
    struct Mute(Sender<Letter>, Arc<Live>);
    impl Backend for Mute {
        fn open(&mut self) {
            let failed = Event::Failed("this program was built without sound".into());
            let _ = self.0.send(Letter::Event(self.1.connect(), failed));
        }
        fn speak(&mut self, _: u64, _: &str) {}
        fn stop(&mut self) {}
        fn ping(&mut self) {}
        fn configure(&mut self, _: Settings) {}
        fn choose(&mut self, _: &VoiceChoice) {}
        fn list_voices(&mut self) {
            let _ = self.0.send(Letter::Event(self.1.connect(), Event::Voices(Arc::default())));
        }
        fn set_silent(&mut self, silent: bool) {
            if !silent {
                self.open();
            }
        }
    }
    Mute(events, live)
}
