//! Where speech goes: aloud to the service, or, while a screen reader speaks, to the announcer, which only takes its time.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use super::announcer::Announcer;
use super::backend::{Backend, Event, Settings};
use super::choice::VoiceChoice;

/// Where an event comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Origin {
    /// The connection to the service of that number.
    Service(u64),
    Announcer,
}

/// Which events count: those of the newest connection, or of the announcer while it is silent.
#[derive(Debug, Default)]
pub(super) struct Live {
    connections: AtomicU64,
    silent: AtomicBool,
}

impl Live {
    /// A new connection; its number.
    pub(super) fn connect(&self) -> Origin {
        Origin::Service(self.connections.fetch_add(1, Ordering::Relaxed) + 1)
    }

    /// Whether an event matters. Voices are the same wherever they are told.
    pub(super) fn counts(&self, origin: Origin, event: &Event) -> bool {
        match (event, origin) {
            (Event::Voices(_), _) => true,
            (_, Origin::Announcer) => self.silent.load(Ordering::Relaxed),
            (_, Origin::Service(number)) => {
                !self.silent.load(Ordering::Relaxed) && number == self.connections.load(Ordering::Relaxed)
            }
        }
    }
}

/// The service and the announcer, one of which speaks.
pub(super) struct Outlet<S> {
    service: S,
    announcer: Announcer,
    live: Arc<Live>,
}

impl<S: Backend> Outlet<S> {
    /// Speaks aloud at first. `live` tells whose events count.
    pub(super) fn new(service: S, announcer: Announcer, live: Arc<Live>) -> Self {
        Self { service, announcer, live }
    }

    fn is_silent(&self) -> bool {
        self.live.silent.load(Ordering::Relaxed)
    }
}

impl<S: Backend> Backend for Outlet<S> {
    fn open(&mut self) {
        if self.is_silent() { self.announcer.open() } else { self.service.open() }
    }

    fn speak(&mut self, id: u64, text: &str) {
        if self.is_silent() { self.announcer.speak(id, text) } else { self.service.speak(id, text) }
    }

    fn stop(&mut self) {
        if self.is_silent() { self.announcer.stop() } else { self.service.stop() }
    }

    fn ping(&mut self) {
        if !self.is_silent() {
            self.service.ping();
        }
    }

    fn configure(&mut self, settings: Settings) {
        self.announcer.configure(settings);
        self.service.configure(settings);
    }

    fn choose(&mut self, choice: &VoiceChoice) {
        self.service.choose(choice);
    }

    fn list_voices(&mut self) {
        self.service.list_voices();
    }

    fn set_silent(&mut self, silent: bool) {
        self.live.silent.store(silent, Ordering::Relaxed);
        self.service.set_silent(silent);
        if silent {
            self.announcer.open();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::channel;
    use std::time::Duration;

    use super::*;

    /// A service that writes down what it is asked.
    #[derive(Default)]
    struct Service(Vec<&'static str>);

    impl Backend for Service {
        fn open(&mut self) {
            self.0.push("open");
        }
        fn speak(&mut self, _: u64, _: &str) {
            self.0.push("speak");
        }
        fn stop(&mut self) {
            self.0.push("stop");
        }
        fn ping(&mut self) {
            self.0.push("ping");
        }
        fn configure(&mut self, _: Settings) {
            self.0.push("configure");
        }
        fn choose(&mut self, _: &VoiceChoice) {
            self.0.push("choose");
        }
        fn list_voices(&mut self) {
            self.0.push("list");
        }
        fn set_silent(&mut self, silent: bool) {
            self.0.push(if silent { "silent" } else { "aloud" });
        }
    }

    #[test]
    fn only_the_newest_connection_counts_and_while_silent_only_the_announcer() {
        let live = Live::default();
        let (old, new) = (live.connect(), live.connect());
        let counts = |origin| live.counts(origin, &Event::Opened);
        assert_eq!([counts(old), counts(new), counts(Origin::Announcer)], [false, true, false]);
        live.silent.store(true, Ordering::Relaxed);
        assert_eq!([counts(old), counts(new), counts(Origin::Announcer)], [false, false, true]);
        assert!(live.counts(old, &Event::Voices(Arc::default())), "voices can be chosen while it is silent");
    }

    #[test]
    fn what_is_silent_reaches_the_announcer_and_only_settings_reach_the_service() {
        let (send, events) = channel();
        let announcer = Announcer::new(move |event| drop(send.send(event)));
        let mut outlet = Outlet::new(Service::default(), announcer, Arc::default());
        let use_it = |outlet: &mut Outlet<Service>| {
            outlet.configure(Settings::new(100, 100));
            outlet.choose(&VoiceChoice::default());
            outlet.list_voices();
            outlet.open();
            outlet.speak(1, "hello");
            outlet.ping();
            outlet.stop();
            std::mem::take(&mut outlet.service.0)
        };
        assert_eq!(use_it(&mut outlet), ["configure", "choose", "list", "open", "speak", "ping", "stop"]);
        assert!(events.try_recv().is_err());
        outlet.set_silent(true);
        assert_eq!(use_it(&mut outlet), ["silent", "configure", "choose", "list"]);
        let next = || events.recv_timeout(Duration::from_secs(10)).unwrap();
        // Opened by falling silent, and once more.
        assert_eq!(
            [next(), next(), next(), next()],
            [Event::Opened, Event::Opened, Event::Began(1), Event::Stopped(1)]
        );
        outlet.set_silent(false);
        assert_eq!(use_it(&mut outlet)[..2], ["aloud", "configure"]);
    }
}
