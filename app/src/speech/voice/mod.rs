//! The voice: one thread owns it, everybody else sends sentences.
//!
//! [`Voice`] is the handle. Behind it the pure [`Queue`](queue::Queue) decides what is spoken when, and a
//! [`Backend`](backend::Backend) speaks.

mod backend;
mod queue;
#[cfg(feature = "sound")]
mod service;

use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use backend::{Backend, Event};
pub use backend::{Scale, Settings};
use queue::Queue;
pub use queue::{Notice, Priority, Utterance};

/// A voice that can be chosen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VoiceInfo {
    /// Its name, as [`crate::settings::Settings::voice`] keeps it.
    pub name: String,
    /// Its language (`en-GB`).
    pub language: String,
}

/// What reaches the thread of the voice.
enum Letter {
    Say(Utterance),
    Silence,
    Configure(Settings),
    /// From the connection of that number.
    Event(u64, Event),
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

    fn send(&self, letter: Letter) {
        // The thread lives as long as a handle does.
        let _ = self.letters.send(letter);
    }
}

#[cfg(feature = "sound")]
fn run(inbox: &Receiver<Letter>, events: Sender<Letter>, notices: impl FnMut(Notice)) {
    use std::sync::atomic::{AtomicU64, Ordering};

    let connections = Arc::new(AtomicU64::new(0));
    let newest = connections.clone();
    let service = service::Service::new(move || {
        let number = connections.fetch_add(1, Ordering::Relaxed) + 1;
        let events = events.clone();
        Box::new(move |event| drop(events.send(Letter::Event(number, event))))
    });
    run_queue(inbox, service, || newest.load(Ordering::Relaxed), notices);
}

#[cfg(not(feature = "sound"))]
fn run(inbox: &Receiver<Letter>, events: Sender<Letter>, notices: impl FnMut(Notice)) {
    /// A voice that is not there.
    struct Mute(Sender<Letter>);
    impl Backend for Mute {
        fn open(&mut self) {
            let _ = self.0.send(Letter::Event(0, Event::Failed("this program was built without sound".into())));
        }
        fn speak(&mut self, _: u64, _: &str) {}
        fn stop(&mut self) {}
        fn ping(&mut self) {}
        fn configure(&mut self, _: Settings) {}
    }
    run_queue(inbox, Mute(events), || 0, notices);
}

/// The thread of the voice: sleeps until a letter comes or a deadline passes.
fn run_queue<B: Backend>(
    inbox: &Receiver<Letter>,
    backend: B,
    newest_connection: impl Fn() -> u64,
    mut notices: impl FnMut(Notice),
) {
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
            Ok(Letter::Event(connection, event)) if connection == newest_connection() => queue.event(event, now),
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
