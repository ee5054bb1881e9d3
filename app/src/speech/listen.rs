//! The microphone's thread: opens it, listens, and when it is lost opens it again.

use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::{Duration, Instant};

use super::ear::Ear;
pub use super::ear::{Event, Level, Mode};

/// How often samples are fetched: often enough to notice the end of speech, rarely enough to cost nothing.
const PAUSE: Duration = Duration::from_millis(20);
/// An open microphone that gives nothing for so long is lost.
const SILENT_LIMIT: Duration = Duration::from_secs(4);
/// Waits between attempts to open it; the last one is repeated.
const RETRY: [Duration; 4] =
    [Duration::from_millis(300), Duration::from_secs(1), Duration::from_secs(2), Duration::from_secs(4)];

/// A microphone that is open.
pub(super) trait Source {
    /// Gives the 16 kHz mono samples since the last call, perhaps none.
    ///
    /// # Errors
    /// The microphone is lost; the reason.
    fn read(&mut self) -> Result<Vec<f32>, String>;
}

/// A handle to the microphone; it is closed with the handle.
pub struct Listener(Sender<Mode>);

impl Listener {
    /// Opens the system's microphone in the background; `events` hears what happens.
    ///
    /// # Errors
    /// The system has no thread left.
    pub fn start(events: impl FnMut(Event) + Send + 'static) -> std::io::Result<Self> {
        Self::start_with(super::capture::open, events)
    }

    fn start_with<S: Source + 'static>(
        open: impl FnMut() -> Result<S, String> + Send + 'static,
        events: impl FnMut(Event) + Send + 'static,
    ) -> std::io::Result<Self> {
        let (wishes, inbox) = channel();
        std::thread::Builder::new().name("microphone".into()).spawn(move || run(open, &inbox, events))?;
        Ok(Self(wishes))
    }

    /// Changes when it listens.
    pub fn set_mode(&self, mode: Mode) {
        // The thread lives as long as this handle.
        let _ = self.0.send(mode);
    }
}

/// Until the handle is gone: open, listen, tell when the microphone is lost, wait, open again.
fn run<S: Source>(mut open: impl FnMut() -> Result<S, String>, inbox: &Receiver<Mode>, mut events: impl FnMut(Event)) {
    let mut ear = Ear::default();
    let mut attempts = 0;
    let mut told = false;
    loop {
        let listened = open().and_then(|mut source| {
            let ended = listen(&mut source, &mut ear, inbox, &mut |event| {
                (attempts, told) = (0, false);
                events(event);
            });
            // The device is closed here, by the thread that opened it: its own would spin on the error.
            drop(source);
            ended
        });
        let Err(reason) = listened else { return };
        ear.interrupt();
        if !std::mem::replace(&mut told, true) {
            events(Event::Lost(reason));
        }
        let wait = RETRY.get(attempts).or(RETRY.last()).copied().unwrap_or(PAUSE);
        attempts += 1;
        if !obey(inbox, wait, |mode| drop(ear.set_mode(mode))) {
            return;
        }
    }
}

/// Listens until the microphone is lost (`Err`) or the handle is gone (`Ok`).
fn listen(
    source: &mut impl Source,
    ear: &mut Ear,
    inbox: &Receiver<Mode>,
    events: &mut impl FnMut(Event),
) -> Result<(), String> {
    let mut last = Instant::now();
    let mut ready = false;
    loop {
        let samples = source.read()?;
        if !samples.is_empty() {
            last = Instant::now();
            if !std::mem::replace(&mut ready, true) {
                events(Event::Ready);
            }
            ear.push(&samples).into_iter().for_each(&mut *events);
        } else if last.elapsed() > SILENT_LIMIT {
            return Err("the microphone gives no sound".into());
        }
        if !obey(inbox, PAUSE, |mode| ear.set_mode(mode).into_iter().for_each(&mut *events)) {
            return Ok(());
        }
    }
}

/// Passes `pause` and does what is wished meanwhile; `false` when the handle is gone.
fn obey(inbox: &Receiver<Mode>, pause: Duration, mut set: impl FnMut(Mode)) -> bool {
    let until = Instant::now() + pause;
    loop {
        match inbox.recv_timeout(until.saturating_duration_since(Instant::now())) {
            Ok(mode) => set(mode),
            Err(RecvTimeoutError::Timeout) => return true,
            Err(RecvTimeoutError::Disconnected) => return false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Gives a tenth of a second at a time, and breaks after `left` of them.
    struct Fake {
        left: usize,
    }

    impl Source for Fake {
        fn read(&mut self) -> Result<Vec<f32>, String> {
            self.left = self.left.checked_sub(1).ok_or("unplugged")?;
            Ok(vec![0.0; 1_600])
        }
    }

    fn next(events: &Receiver<Event>) -> Event {
        loop {
            match events.recv_timeout(Duration::from_secs(5)).expect("an event") {
                Event::Level(_) => {}
                event => return event,
            }
        }
    }

    #[test]
    fn a_lost_microphone_is_told_once_and_opened_until_it_is_back() {
        let (heard, events) = channel();
        let mut attempts = 0;
        let open = move || {
            attempts += 1;
            match attempts {
                1 => Ok(Fake { left: 2 }),
                2 => Err("not there".into()),
                _ => Ok(Fake { left: 1_000_000 }),
            }
        };
        let listener = Listener::start_with(open, move |event| drop(heard.send(event))).unwrap();
        assert_eq!(next(&events), Event::Ready);
        assert_eq!(next(&events), Event::Lost("unplugged".into()));
        assert_eq!(next(&events), Event::Ready, "and nothing of the second attempt");
        listener.set_mode(Mode::Hold);
        std::thread::sleep(Duration::from_millis(300));
        listener.set_mode(Mode::Off);
        assert!(matches!(next(&events), Event::Speech { .. }));
        drop(listener);
        while events.recv_timeout(Duration::from_secs(5)).is_ok() {}
    }
}
