//! A place for one thing, of which only the newest counts.

use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

/// A place for one thing that is replaced before it was fetched, if a newer one comes. Clones share the place.
///
/// It keeps a slow receiver from having pictures queue up: put frames here and send only the news that one is there.
#[derive(Debug)]
pub struct Newest<T>(Arc<(Mutex<Option<T>>, Condvar)>);

impl<T> Default for Newest<T> {
    fn default() -> Self {
        Self(Arc::default())
    }
}

impl<T> Clone for Newest<T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<T> Newest<T> {
    /// Puts it there; `true` if the place was empty, so that the receiver should be told.
    pub fn put(&self, thing: T) -> bool {
        let (place, filled) = &*self.0;
        let replaced = place.lock().unwrap_or_else(PoisonError::into_inner).replace(thing);
        filled.notify_one();
        replaced.is_none()
    }

    /// Takes what is there.
    pub fn take(&self) -> Option<T> {
        self.0.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// Takes what is there or comes within `timeout`.
    pub fn wait(&self, timeout: Duration) -> Option<T> {
        let (place, filled) = &*self.0;
        let empty = place.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = filled.wait_timeout_while(empty, timeout, |thing| thing.is_none());
        waited.unwrap_or_else(PoisonError::into_inner).0.take()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_replaces_what_nobody_took() {
        let place = Newest::default();
        assert!(place.put(1));
        assert!(!place.put(2));
        assert_eq!(place.take(), Some(2));
        assert_eq!(place.take(), None);
        assert!(place.put(3));
    }

    #[test]
    fn waiting_ends_when_something_comes_or_the_time_is_over() {
        let place = Newest::default();
        assert_eq!(place.wait(Duration::ZERO), None);
        let other = place.clone();
        let giver = std::thread::spawn(move || other.put(7));
        assert_eq!(place.wait(Duration::from_secs(60)), Some(7));
        assert!(giver.join().unwrap());
    }
}
