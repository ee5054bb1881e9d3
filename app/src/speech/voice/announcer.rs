//! A voice that leaves the sound to a screen reader: it begins every text at once and ends it when a screen reader would
//! have read it, so that rows advance, and stop and repeat, as they do with a voice of our own.
//!
//! What it "speaks" is announced by whoever hears [`Notice::Began`](super::Notice::Began).

use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::{Duration, Instant};

use super::backend::{Event, Settings};

/// Letters and the space of an English word.
const CHARS_A_WORD: f32 = 6.0;
/// A figure is spoken as a word of its own.
const CHARS_A_FIGURE: f32 = 4.0;
/// Before every announcement a screen reader takes a moment, and pauses after it.
const PAUSE: Duration = Duration::from_millis(400);
/// The queue takes a voice that needs longer than this and the pause for a dead one.
const LONGEST_PER_CHAR: Duration = Duration::from_millis(200);

/// How long a text takes to be read aloud.
pub(super) fn spoken_time(text: &str, settings: Settings) -> Duration {
    let weight = |c: char| if c.is_ascii_digit() { CHARS_A_FIGURE } else { 1.0 };
    let chars: f32 = text.chars().map(weight).sum();
    let seconds = chars / CHARS_A_WORD / settings.words_a_minute() * 60.0;
    PAUSE + Duration::from_secs_f32(seconds).min(LONGEST_PER_CHAR * text.chars().count().min(10_000) as u32)
}

/// Takes time for texts, on a thread of its own.
pub(super) struct Announcer {
    report: Arc<dyn Fn(Event) + Send + Sync>,
    orders: Option<Sender<Order>>,
    settings: Settings,
}

enum Order {
    Speak(u64, Duration),
    Stop,
}

impl Announcer {
    pub(super) fn new(report: impl Fn(Event) + Send + Sync + 'static) -> Self {
        Self { report: Arc::new(report), orders: None, settings: Settings::default() }
    }

    /// Starts its thread if it does not run yet.
    pub(super) fn open(&mut self) {
        if self.orders.is_none() {
            let (orders, inbox) = channel();
            let report = self.report.clone();
            let started = std::thread::Builder::new().name("announcer".into()).spawn(move || run(&inbox, &*report));
            match started {
                Ok(_) => self.orders = Some(orders),
                Err(error) => return (self.report)(Event::Failed(format!("no thread for announcements: {error}"))),
            }
        }
        (self.report)(Event::Opened);
    }

    pub(super) fn speak(&self, id: u64, text: &str) {
        self.order(Order::Speak(id, spoken_time(text, self.settings)));
    }

    pub(super) fn stop(&self) {
        self.order(Order::Stop);
    }

    pub(super) fn configure(&mut self, settings: Settings) {
        self.settings = settings;
    }

    fn order(&self, order: Order) {
        if let Some(orders) = &self.orders {
            // The thread lives as long as this does.
            let _ = orders.send(order);
        }
    }
}

fn run(inbox: &Receiver<Order>, report: &dyn Fn(Event)) {
    let mut current: Option<(u64, Instant)> = None;
    loop {
        let order = match current {
            Some((_, end)) => inbox.recv_timeout(end.saturating_duration_since(Instant::now())),
            None => inbox.recv().map_err(|_| RecvTimeoutError::Disconnected),
        };
        let before = current.take();
        match order {
            Ok(Order::Speak(id, time)) => {
                report(Event::Began(id));
                current = Some((id, Instant::now() + time));
            }
            Ok(Order::Stop) => before.into_iter().for_each(|(id, _)| report(Event::Stopped(id))),
            Err(RecvTimeoutError::Timeout) => before.into_iter().for_each(|(id, _)| report(Event::Ended(id))),
            Err(RecvTimeoutError::Disconnected) => return,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_takes_the_time_of_its_words_and_figures_at_the_pace_that_is_set() {
        let seconds = |text: &str, rate| spoken_time(text, Settings::new(rate, 100)).as_secs_f32();
        let sentence = "The tablets are to be taken with a glass of water in the morning, and not with milk.";
        // A speech synthesiser takes 5.1 s for it at 175 words a minute.
        assert!((4.0..7.0).contains(&seconds(sentence, 0)), "{}", seconds(sentence, 0));
        assert!(
            seconds(sentence, 100) < 0.5 * seconds(sentence, 0) && seconds(sentence, -100) > 1.8 * seconds(sentence, 0)
        );
        assert!(seconds("0123456789", 0) > 2.0 * seconds("abcdefghij", 0));
        assert!(spoken_time("", Settings::default()) > Duration::ZERO);
        // The queue's watchdog gives 4 s and 250 ms a character.
        for text in ["1", "0123456789", sentence, &"9".repeat(300)] {
            assert!(seconds(text, -100) < 3.0 + 0.25 * text.len() as f32, "{text}");
        }
    }

    #[test]
    fn it_begins_at_once_ends_in_time_and_stops() {
        let (send, events) = channel();
        let mut announcer = Announcer::new(move |event| drop(send.send(event)));
        announcer.configure(Settings::new(100, 100));
        announcer.open();
        let next = || events.recv_timeout(Duration::from_secs(10)).unwrap();
        assert_eq!(next(), Event::Opened);
        let start = Instant::now();
        announcer.speak(7, "two words");
        assert_eq!([next(), next()], [Event::Began(7), Event::Ended(7)]);
        assert!(start.elapsed() >= spoken_time("two words", Settings::new(100, 100)));
        announcer.speak(8, &"a long text ".repeat(100));
        assert_eq!(next(), Event::Began(8));
        announcer.stop();
        assert_eq!(next(), Event::Stopped(8));
        announcer.speak(9, "more");
        assert_eq!([next(), next()], [Event::Began(9), Event::Ended(9)]);
        drop(announcer);
        assert!(events.recv_timeout(Duration::from_secs(10)).is_err(), "its thread ends with it");
    }
}
