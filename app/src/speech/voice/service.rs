//! The system's speech service, on a thread of its own.
//!
//! Every call into a service may block for as long as it pleases. So one worker thread owns the connection and takes its
//! work and the service's news from one channel; a worker that hangs is left behind and replaced.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

use super::backend::{Backend, Event, Settings};
use super::choice::{VoiceChoice, VoiceInfo};
use super::engine::{Engine, Key, News};
#[cfg(not(target_os = "linux"))]
use super::portable::Portable as System;
#[cfg(target_os = "linux")]
use super::speech_dispatcher::SpeechDispatcher as System;

/// Takes the events of one connection.
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
    Choose(VoiceChoice),
    List,
    Ping,
    /// Tell that the connection stands.
    Resume,
    /// Fall silent and end.
    End,
    /// From the service: what happened to the utterance of that key.
    News(News, Key),
    /// From the service: its voices.
    Voices(Vec<VoiceInfo>),
}

impl Service {
    /// `report` is called for every new connection and gives the function that takes its events.
    pub(super) fn new(report: impl FnMut() -> Report + Send + 'static) -> Self {
        Self { report: Box::new(report), worker: None }
    }

    /// Whether there is a worker for it. One that is gone has reported why.
    fn order(&self, work: Work) -> bool {
        self.worker.as_ref().is_some_and(|worker| worker.orders.send(work).is_ok())
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
            let news = orders.clone();
            match System::connect(move |what, key| drop(news.send(Work::News(what, key)))) {
                Ok(engine) => {
                    report(Event::Opened);
                    Connection::new(engine, orders, report).work(&inbox);
                }
                Err(reason) => report(Event::Failed(reason)),
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

    fn choose(&mut self, choice: &VoiceChoice) {
        self.order(Work::Choose(choice.clone()));
    }

    fn list_voices(&mut self) {
        if !self.order(Work::List) {
            self.open();
            self.order(Work::List);
        }
    }

    /// Silence is kept by not being asked to speak; afterwards it goes on with its connection if that still stands.
    fn set_silent(&mut self, silent: bool) {
        if !silent && !self.order(Work::Resume) {
            self.open();
        }
    }
}

/// The list of voices: asked for at most once in a connection.
enum Voices {
    Unknown,
    Asked,
    Known(Arc<Vec<VoiceInfo>>),
}

/// A connection with what it was told.
struct Connection<E> {
    engine: E,
    /// For what comes from other threads.
    orders: Sender<Work>,
    report: Report,
    ids: HashMap<Key, u64>,
    settings: Settings,
    choice: VoiceChoice,
    /// Whether it is unknown if there is such a voice.
    unverified: bool,
    voices: Voices,
    /// Whether somebody waits for [`Event::Voices`].
    wanted: bool,
}

impl<E: Engine> Connection<E> {
    fn new(engine: E, orders: Sender<Work>, report: Report) -> Self {
        Self {
            engine,
            orders,
            report,
            ids: HashMap::new(),
            settings: Settings::default(),
            choice: VoiceChoice::default(),
            unverified: false,
            voices: Voices::Unknown,
            wanted: false,
        }
    }

    /// Does the work until the connection breaks or nobody wants it any more.
    fn work(mut self, inbox: &Receiver<Work>) {
        while let Ok(work) = inbox.recv() {
            if let Work::End = work {
                break;
            }
            if let Err(reason) = self.take(work) {
                (self.report)(Event::Failed(reason));
                return;
            }
        }
        // What it still says is to end with it.
        let _ = self.engine.stop();
    }

    fn take(&mut self, work: Work) -> Result<(), String> {
        match work {
            Work::Speak(id, text) => match self.engine.speak(&text)? {
                Some(key) => drop(self.ids.insert(key, id)),
                None => {
                    // A voice that does not tell: it is taken at its word.
                    [Event::Began(id), Event::Ended(id)].into_iter().for_each(&self.report);
                    self.list_to_verify();
                }
            },
            Work::Stop => {
                self.engine.stop()?;
                self.ids.clear();
            }
            Work::Configure(settings) => {
                self.settings = settings;
                self.engine.configure(settings)?;
            }
            // There is no such call; what is set already is set again, which a dead service refuses.
            Work::Ping => self.engine.configure(self.settings)?,
            Work::Choose(choice) => self.choose(choice)?,
            Work::List => {
                self.wanted = true;
                self.list();
            }
            Work::Voices(voices) => {
                self.voices = Voices::Known(Arc::new(voices));
                self.list();
                self.verify()?;
            }
            Work::News(what, key) => {
                self.tell(what, &key);
                self.list_to_verify();
            }
            Work::Resume => (self.report)(Event::Opened),
            Work::End => {}
        }
        Ok(())
    }

    fn tell(&mut self, what: News, key: &str) {
        let (id, event): (_, fn(u64) -> Event) = match what {
            News::Began => (self.ids.get(key).copied(), Event::Began),
            News::Ended => (self.ids.remove(key), Event::Ended),
            News::Stopped => (self.ids.remove(key), Event::Stopped),
        };
        id.map(event).into_iter().for_each(&self.report);
    }

    /// Takes the choice at its word; whether there is such a voice is found out while it speaks already.
    fn choose(&mut self, choice: VoiceChoice) -> Result<(), String> {
        if choice == self.choice {
            return Ok(());
        }
        self.choice = choice;
        self.unverified = !self.choice.is_system();
        self.engine.choose(&self.choice)?;
        self.verify()
    }

    /// Asks for the list if the choice depends on it: not before something is heard, because a service may do nothing
    /// else until it has told thousands of voices.
    fn list_to_verify(&mut self) {
        if self.unverified {
            self.list();
        }
    }

    /// Gives the list of voices to whoever waits for it, once it is there.
    fn list(&mut self) {
        match &self.voices {
            Voices::Unknown => {
                self.voices = Voices::Asked;
                let orders = self.orders.clone();
                self.engine.list(move |voices| drop(orders.send(Work::Voices(voices))));
            }
            Voices::Asked => {}
            Voices::Known(voices) => {
                if std::mem::take(&mut self.wanted) {
                    (self.report)(Event::Voices(voices.clone()));
                }
            }
        }
    }

    /// Uses what comes nearest to the chosen voice, once it is known what there is.
    fn verify(&mut self) -> Result<(), String> {
        let Voices::Known(voices) = &self.voices else { return Ok(()) };
        // A service that cannot tell its voices may still have the chosen one.
        if std::mem::take(&mut self.unverified) && !voices.is_empty() {
            let (found, missing) = self.choice.among(voices);
            if found != self.choice {
                self.engine.choose(&found)?;
            }
            missing.map(Event::NoSuchVoice).into_iter().for_each(&self.report);
        }
        Ok(())
    }
}

#[cfg(test)]
#[path = "service_tests.rs"]
mod tests;
