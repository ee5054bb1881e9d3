//! The camera's thread: opens the source, hands on its pictures, and when it is lost opens it again.

use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::{Duration, Instant};

use super::{CameraError, Frame, FrameSource, Source, open};

/// What happens to a camera.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum CameraEvent {
    /// It gives pictures, for the first time or again; the first one follows.
    Opened {
        /// Its name for people.
        name: String,
        /// Whether its lamp is on; `None` without a lamp.
        torch: Option<bool>,
    },
    /// A picture, at most ten a second.
    Frame(Frame),
    /// Whether the lamp is on, after a wish to switch it; unchanged if it does not obey.
    Torch(bool),
    /// It gives no pictures, and is waited for. Told once until it is back.
    Lost(CameraError),
}

/// Times of the camera's thread.
#[derive(Debug, Clone, Copy)]
struct Times {
    /// Between two pictures that are handed on.
    gap: Duration,
    /// The longest wait for a picture in one go.
    poll: Duration,
    /// A camera that gives nothing for so long is lost.
    stall: Duration,
    /// Before it is opened again; doubled after every failure …
    first_wait: Duration,
    /// … up to this.
    last_wait: Duration,
    /// A camera that was lost sooner than this after it was opened makes the waits go on growing.
    settled: Duration,
    /// How long the end waits for a driver.
    goodbye: Duration,
}

const TIMES: Times = Times {
    gap: Duration::from_millis(100),
    poll: Duration::from_millis(250),
    stall: Duration::from_secs(4),
    first_wait: Duration::from_millis(500),
    last_wait: Duration::from_secs(3),
    settled: Duration::from_secs(10),
    goodbye: Duration::from_secs(1),
};

/// A handle to a camera on a thread of its own. The camera is closed with the handle; a driver that hangs is left behind.
#[derive(Debug)]
pub struct Camera {
    torch: Option<Sender<bool>>,
    /// Closed when the thread has ended.
    ended: Receiver<()>,
    goodbye: Duration,
}

impl Camera {
    /// Opens the source in the background, and again whenever it was lost; `on_event` hears what happens.
    ///
    /// The next picture is fetched after `on_event` has returned, and what came meanwhile is left out. A receiver behind a
    /// channel keeps only the newest picture with [`super::Newest`].
    ///
    /// # Errors
    /// The system has no thread left.
    pub fn start(source: Source, on_event: impl FnMut(CameraEvent) + Send + 'static) -> std::io::Result<Self> {
        Self::start_with(move || open(&source), TIMES, on_event)
    }

    fn start_with(
        open: impl FnMut() -> Result<Box<dyn FrameSource>, CameraError> + Send + 'static,
        times: Times,
        on_event: impl FnMut(CameraEvent) + Send + 'static,
    ) -> std::io::Result<Self> {
        let (torch, wishes) = channel();
        let (ends, ended) = channel::<()>();
        std::thread::Builder::new().name("camera".into()).spawn(move || {
            // Closed with the thread.
            let _ends = ends;
            Worker { times, wishes, wanted: false, lit: false, on_event }.run(open);
        })?;
        Ok(Self { torch: Some(torch), ended, goodbye: times.goodbye })
    }

    /// Switches the lamp; [`CameraEvent::Torch`] tells what came of it. The wish outlives a loss of the camera.
    pub fn set_torch(&self, on: bool) {
        // The thread lives as long as this handle.
        if let Some(torch) = &self.torch {
            let _ = torch.send(on);
        }
    }
}

impl Drop for Camera {
    fn drop(&mut self) {
        drop(self.torch.take());
        let _ = self.ended.recv_timeout(self.goodbye);
    }
}

/// The handle is gone.
struct Closed;

struct Worker<F> {
    times: Times,
    wishes: Receiver<bool>,
    /// Whether the lamp is wanted.
    wanted: bool,
    /// Whether it is on.
    lit: bool,
    on_event: F,
}

impl<F: FnMut(CameraEvent)> Worker<F> {
    /// Until the handle is gone: open, hand on pictures, tell when the camera is lost, wait, open again.
    fn run(mut self, mut open: impl FnMut() -> Result<Box<dyn FrameSource>, CameraError>) {
        let mut told = false;
        let mut wait = self.times.first_wait;
        loop {
            let start = Instant::now();
            let lost = match open() {
                Ok(mut source) => match self.watch(source.as_mut(), &mut told) {
                    Ok(reason) => reason,
                    Err(Closed) => return,
                },
                Err(reason) => reason,
            };
            if start.elapsed() >= self.times.settled {
                wait = self.times.first_wait;
            }
            if !std::mem::replace(&mut told, true) {
                (self.on_event)(CameraEvent::Lost(lost));
            }
            if self.pause(wait, None).is_err() {
                return;
            }
            wait = (wait * 2).min(self.times.last_wait);
        }
    }

    /// Hands on pictures until the source is lost; the reason.
    fn watch(&mut self, source: &mut dyn FrameSource, told: &mut bool) -> Result<CameraError, Closed> {
        let mut opened = false;
        let mut last = Instant::now();
        loop {
            let start = Instant::now();
            let rest = match source.next_frame(self.times.poll) {
                Ok(frame) => {
                    last = Instant::now();
                    if !std::mem::replace(&mut opened, true) {
                        *told = false;
                        self.lit = self.wanted && source.set_torch(true).is_ok();
                        let torch = source.has_torch().then_some(self.lit);
                        (self.on_event)(CameraEvent::Opened { name: source.name(), torch });
                    }
                    (self.on_event)(CameraEvent::Frame(frame));
                    self.times.gap
                }
                Err(CameraError::Stalled) if last.elapsed() < self.times.stall => self.times.poll,
                Err(reason) => return Ok(reason),
            };
            self.pause(rest.saturating_sub(start.elapsed()), Some(source))?;
        }
    }

    /// Lets the time pass and switches the lamp meanwhile, or notes the wish while there is no camera.
    fn pause(&mut self, time: Duration, mut source: Option<&mut dyn FrameSource>) -> Result<(), Closed> {
        let until = Instant::now() + time;
        loop {
            match self.wishes.recv_timeout(until.saturating_duration_since(Instant::now())) {
                Ok(on) => {
                    self.wanted = on;
                    if let Some(source) = &mut source {
                        if source.set_torch(on).is_ok() {
                            self.lit = on;
                        }
                        (self.on_event)(CameraEvent::Torch(self.lit));
                    }
                }
                Err(RecvTimeoutError::Timeout) => return Ok(()),
                Err(RecvTimeoutError::Disconnected) => return Err(Closed),
            }
        }
    }
}

#[cfg(test)]
#[path = "worker_tests.rs"]
mod tests;
