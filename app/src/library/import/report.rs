//! How far an import is, told a few times a second.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use super::super::ImportState;

/// Progress within a step is told so often, and whenever it has moved by so much.
const INTERVAL: Duration = Duration::from_millis(500);
const MOVE: f32 = 0.01;

/// What was told last, and when.
struct Told {
    step: &'static str,
    share: Option<f32>,
    at: Instant,
}

/// Tells how far an import is, and knows whether it is to stop.
pub(crate) struct Reporter {
    name: String,
    on_state: Box<dyn FnMut(ImportState) + Send>,
    stop: Arc<AtomicBool>,
    last: Option<Told>,
}

impl Reporter {
    pub(super) fn new(name: &str, stop: Arc<AtomicBool>, on_state: impl FnMut(ImportState) + Send + 'static) -> Self {
        Self { name: name.into(), on_state: Box::new(on_state), stop, last: None }
    }

    pub(super) fn stopped(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }

    /// Tells how far `step` is, unless that was told a moment ago. `Break` if the import is to stop.
    pub(crate) fn tell(&mut self, step: &'static str, share: Option<f32>, left: Option<Duration>) -> ControlFlow<()> {
        let at = Instant::now();
        let is_news = |last: &Told| {
            let moved = share.unwrap_or(0.0) - last.share.unwrap_or(0.0);
            last.step != step || moved.abs() >= MOVE || at.duration_since(last.at) >= INTERVAL
        };
        if self.last.as_ref().is_none_or(is_news) {
            self.last = Some(Told { step, share, at });
            (self.on_state)(ImportState { name: self.name.clone(), step: step.into(), share, left, ended: None });
        }
        if self.stopped() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }

    /// Tells how it ended, in a sentence.
    pub(super) fn end(mut self, ended: Result<String, String>) {
        let step = if ended.is_ok() { "Done" } else { "Stopped" };
        let share = ended.is_ok().then_some(1.0);
        let ended = Some(ended);
        (self.on_state)(ImportState { name: self.name, step: step.into(), share, left: None, ended });
    }
}

/// Estimates the time that is left from the time that was needed so far.
#[derive(Debug, Default)]
pub(crate) struct Pace {
    /// What was done already when it began to count, and when that was.
    start: Option<(f64, Instant)>,
    latest: Option<Estimate>,
}

/// An estimate made when this much was done.
#[derive(Debug)]
struct Estimate {
    done: f64,
    left: Duration,
    at: Instant,
}

impl Pace {
    /// What is done by now cost nothing: it was there from an earlier run.
    pub(super) fn start_at(&mut self, done: f64) {
        *self = Self { start: Some((done, Instant::now())), latest: None };
    }

    /// The time that is left when `done` of `total` are done; `None` before there is anything to go by.
    pub(crate) fn left(&mut self, done: f64, total: f64) -> Option<Duration> {
        let at = Instant::now();
        let (first, since) = *self.start.get_or_insert((done, at));
        // Between two things that are done the estimate counts down.
        if self.latest.as_ref().is_none_or(|latest| latest.done != done) {
            let left = estimate(at.duration_since(since), done - first, total - done);
            self.latest = left.map(|left| Estimate { done, left, at });
        }
        self.latest.as_ref().map(|latest| latest.left.saturating_sub(at.duration_since(latest.at)))
    }
}

fn estimate(elapsed: Duration, done: f64, to_do: f64) -> Option<Duration> {
    if done <= 0.0 || elapsed.is_zero() {
        return None;
    }
    Duration::try_from_secs_f64(elapsed.as_secs_f64() * (to_do / done).max(0.0)).ok()
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;

    #[test]
    fn what_was_there_before_does_not_count_for_the_estimate() {
        let seconds = Duration::from_secs;
        assert_eq!(estimate(seconds(10), 5.0, 20.0), Some(seconds(40)));
        assert_eq!(estimate(seconds(10), 5.0, 0.0), Some(seconds(0)));
        assert_eq!(estimate(seconds(10), 0.0, 20.0), None);
        let mut pace = Pace::default();
        assert_eq!(pace.left(30.0, 40.0), None, "the first look is the start");
        pace.start_at(35.0);
        assert_eq!(pace.left(35.0, 40.0), None);
        std::thread::sleep(Duration::from_millis(20));
        let left = pace.left(36.0, 40.0).expect("one is done");
        assert!(left >= Duration::from_millis(80) && left < seconds(20), "{left:?}");
        std::thread::sleep(Duration::from_millis(5));
        assert!(pace.left(36.0, 40.0).expect("as before") <= left - Duration::from_millis(5), "it counts down");
    }

    #[test]
    fn steps_are_told_at_once_and_progress_now_and_then() {
        let told = Arc::new(Mutex::new(Vec::new()));
        let (log, stop) = (told.clone(), Arc::new(AtomicBool::new(false)));
        let mut reporter = Reporter::new("tiny", stop.clone(), move |state| log.lock().unwrap().push(state));
        for n in 0..1000 {
            assert!(reporter.tell("Quantizing", Some(n as f32 / 20_000.0), None).is_continue());
        }
        stop.store(true, Ordering::Relaxed);
        assert!(reporter.tell("Writing", None, None).is_break());
        reporter.end(Err("It was stopped.".into()));
        let told = told.lock().unwrap();
        let steps: Vec<&str> = told.iter().map(|state| state.step.as_str()).collect();
        assert!(
            steps.starts_with(&["Quantizing"])
                && steps.ends_with(&["Writing", "Stopped"])
                && (3..20).contains(&steps.len()),
            "{steps:?}"
        );
        assert_eq!(told.last().unwrap().ended, Some(Err("It was stopped.".into())));
    }
}
