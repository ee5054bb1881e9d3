//! The system's speech service through the crate `tts`, on a thread of its own.
//!
//! Every call into `tts` may block for as long as the service pleases, and none is allowed inside its callbacks. So one
//! worker thread owns the connection and takes its work and the callbacks' news from one channel; a worker that hangs
//! is left behind and replaced.

use std::collections::HashMap;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

use tts::{Tts, UtteranceId};

use super::backend::{Backend, Event, Scale, Settings};

/// Events of a connection, with the connection's number.
pub(super) type Report = Box<dyn Fn(Event) + Send>;

/// How long the end of the program waits for the service to fall silent.
const LAST_WORD: Duration = Duration::from_millis(500);

/// The system's speech service.
pub(super) struct Service {
    /// Makes the report function of a new connection.
    report: Box<dyn FnMut() -> Report + Send>,
    worker: Option<Worker>,
}

/// A connection's thread.
struct Worker {
    orders: Sender<Work>,
    /// Closed when the thread has ended.
    ended: Receiver<()>,
}

enum Work {
    Speak(u64, String),
    Stop,
    Configure(Settings),
    Ping,
    /// Fall silent and end.
    End,
    /// From a callback: what happened to the utterance of that key.
    News(News, String),
}

#[derive(Clone, Copy)]
enum News {
    Began,
    Ended,
    Stopped,
}

impl Service {
    /// `report` is called for every new connection and gives the function that takes its events.
    pub(super) fn new(report: impl FnMut() -> Report + Send + 'static) -> Self {
        Self { report: Box::new(report), worker: None }
    }

    fn order(&self, work: Work) {
        // A worker that is gone has reported why.
        if let Some(worker) = &self.worker {
            let _ = worker.orders.send(work);
        }
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        self.order(Work::End);
        if let Some(worker) = &self.worker {
            let _ = worker.ended.recv_timeout(LAST_WORD);
        }
    }
}

impl Backend for Service {
    fn open(&mut self) {
        self.order(Work::End);
        let report = (self.report)();
        let (orders, inbox) = channel();
        let (ends, ended) = channel::<()>();
        self.worker = Some(Worker { orders: orders.clone(), ended });
        let started = std::thread::Builder::new().name("voice".into()).spawn(move || {
            // Closed with the thread.
            let _ends = ends;
            match connect(&orders) {
                Ok(tts) => {
                    report(Event::Opened);
                    work(tts, &inbox, &report);
                }
                Err(error) => report(Event::Failed(explain(&error))),
            }
        });
        if let Err(error) = started {
            let report = (self.report)();
            report(Event::Failed(format!("no thread for the voice: {error}")));
        }
    }

    fn speak(&mut self, id: u64, text: &str) {
        self.order(Work::Speak(id, text.into()));
    }

    fn stop(&mut self) {
        self.order(Work::Stop);
    }

    fn ping(&mut self) {
        self.order(Work::Ping);
    }

    fn configure(&mut self, settings: Settings) {
        self.order(Work::Configure(settings));
    }
}

/// Connects, with callbacks that only post letters.
fn connect(orders: &Sender<Work>) -> Result<Tts, tts::Error> {
    let tts = Tts::default()?;
    let letter = |news: News| {
        let orders = orders.clone();
        Some(Box::new(move |id: UtteranceId| {
            let _ = orders.send(Work::News(news, key(&id)));
        }) as Box<dyn FnMut(UtteranceId)>)
    };
    if tts.supported_features().utterance_callbacks {
        tts.on_utterance_begin(letter(News::Began))?;
        tts.on_utterance_end(letter(News::Ended))?;
        tts.on_utterance_stop(letter(News::Stopped))?;
    }
    Ok(tts)
}

/// Does the work of a connection until it breaks or nobody wants it any more.
fn work(tts: Tts, inbox: &Receiver<Work>, report: &Report) {
    // Never dropped: the crate takes its callbacks away with it, and a late event of the service would then find none
    // and end the whole program. One connection is lost with every death of the service, which is a few kilobytes.
    let mut tts = std::mem::ManuallyDrop::new(tts);
    let features = tts.supported_features();
    let mut ids: HashMap<String, u64> = HashMap::new();
    let mut current = Settings::default();
    while let Ok(work) = inbox.recv() {
        let done = match work {
            Work::Speak(id, text) => tts.speak(text, false).map(|utterance| {
                match utterance {
                    Some(utterance) if features.utterance_callbacks => drop(ids.insert(key(&utterance), id)),
                    // A voice that does not tell: it is taken at its word.
                    _ => [Event::Began(id), Event::Ended(id)].into_iter().for_each(report),
                }
            }),
            Work::Stop => tts.stop().map(|_| ids.clear()),
            Work::Configure(settings) => {
                current = settings;
                configure(&mut tts, current)
            }
            // There is no such call; what is set already is set again, which a dead service refuses.
            Work::Ping => configure(&mut tts, current),
            Work::End => break,
            Work::News(news, key) => {
                let id = match news {
                    News::Began => ids.get(&key).copied(),
                    News::Ended | News::Stopped => ids.remove(&key),
                };
                let event = match news {
                    News::Began => Event::Began,
                    News::Ended => Event::Ended,
                    News::Stopped => Event::Stopped,
                };
                id.map(event).into_iter().for_each(report);
                Ok(())
            }
        };
        if let Err(error) = done {
            report(Event::Failed(explain(&error)));
            return;
        }
    }
    // What it still says is to end with it.
    let _ = tts.stop();
}

fn configure(tts: &mut Tts, settings: Settings) -> Result<(), tts::Error> {
    let features = tts.supported_features();
    if features.rate {
        let scale = Scale { min: tts.min_rate(), normal: tts.normal_rate(), max: tts.max_rate() };
        tts.set_rate(settings.rate_between(scale))?;
    }
    if features.volume {
        let scale = Scale { min: tts.min_volume(), normal: tts.normal_volume(), max: tts.max_volume() };
        tts.set_volume(settings.volume_between(scale))?;
    }
    Ok(())
}

/// Identifiers of utterances differ from system to system; as text they can all be compared.
fn key(id: &UtteranceId) -> String {
    format!("{id:?}")
}

fn explain(error: &tts::Error) -> String {
    match error {
        #[cfg(target_os = "linux")]
        tts::Error::SpeechDispatcher(_) => "the speech service speech-dispatcher does not answer".into(),
        tts::Error::NoneError => "the speech service broke off".into(),
        other => other.to_string(),
    }
}
