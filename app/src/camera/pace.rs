//! The rate of sources that could give pictures as fast as they are asked.

use std::time::{Duration, Instant};

use super::CameraError;

/// How often a picture that does not change is handed on.
const STILL: Duration = Duration::from_millis(100);

/// Holds a source to a rate.
#[derive(Debug)]
pub(super) struct Pace {
    gap: Duration,
    due: Instant,
}

impl Pace {
    /// For pictures that do not change.
    pub(super) fn still() -> Self {
        Self::new(STILL)
    }

    /// One picture every `gap`, the first at once.
    pub(super) fn new(gap: Duration) -> Self {
        Self { gap, due: Instant::now() }
    }

    /// Waits until the next picture is due, and tells how many more became due meanwhile.
    ///
    /// # Errors
    /// [`CameraError::Stalled`] if it is not due within `timeout`.
    pub(super) fn wait(&mut self, timeout: Duration) -> Result<u32, CameraError> {
        let wait = self.due.saturating_duration_since(Instant::now());
        std::thread::sleep(wait.min(timeout));
        if wait > timeout {
            return Err(CameraError::Stalled);
        }
        let late = self.due.elapsed();
        let missed = u32::try_from(late.as_nanos() / self.gap.as_nanos().max(1)).unwrap_or(u32::MAX);
        self.due += self.gap.saturating_mul(missed.saturating_add(1));
        Ok(missed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pictures_come_at_the_rate_and_late_ones_are_counted() {
        let mut pace = Pace::new(Duration::from_secs(3600));
        assert_eq!(pace.wait(Duration::ZERO), Ok(0));
        assert_eq!(pace.wait(Duration::from_millis(1)), Err(CameraError::Stalled));

        let mut pace = Pace::new(Duration::from_millis(10));
        let start = Instant::now();
        let mut due = 0;
        while due < 5 {
            due += 1 + pace.wait(Duration::from_secs(60)).unwrap();
        }
        assert!(start.elapsed() >= Duration::from_millis(40), "{:?}", start.elapsed());
        std::thread::sleep(Duration::from_millis(35));
        assert!(pace.wait(Duration::ZERO).unwrap() >= 2);
    }
}
