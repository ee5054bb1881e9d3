//! Closing a camera whose driver may hang.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::channel;
use std::time::Duration;

/// Closing takes milliseconds, unless a driver hangs.
const LIMIT: Duration = Duration::from_secs(1);

/// Cameras that are being closed. One that hangs keeps its device busy, and another program is not to blame.
static UNDER_WAY: AtomicUsize = AtomicUsize::new(0);

/// Whether a camera that was closed long ago still holds its device.
pub(super) fn one_hangs() -> bool {
    UNDER_WAY.load(Ordering::SeqCst) > 0
}

/// Drops it on another thread, which is left behind if it takes too long.
pub(super) fn close<T: Send + 'static>(thing: T) {
    let (done, closed) = channel();
    UNDER_WAY.fetch_add(1, Ordering::SeqCst);
    let close = move || {
        drop(thing);
        UNDER_WAY.fetch_sub(1, Ordering::SeqCst);
        let _ = done.send(());
    };
    if std::thread::Builder::new().name("camera closing".into()).spawn(close).is_ok() {
        let _ = closed.recv_timeout(LIMIT);
    } else {
        // It was dropped with the closure.
        UNDER_WAY.fetch_sub(1, Ordering::SeqCst);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::Receiver;
    use std::time::Instant;

    use super::*;

    struct Hangs(Receiver<()>);

    impl Drop for Hangs {
        fn drop(&mut self) {
            let _ = self.0.recv();
        }
    }

    #[test]
    fn what_hangs_is_left_behind_and_noticed() {
        let (go, wait) = channel();
        let start = Instant::now();
        close(Hangs(wait));
        assert!(start.elapsed() >= LIMIT);
        assert!(start.elapsed() < Duration::from_secs(60));
        assert!(one_hangs());
        drop(go);
        let until = Instant::now() + Duration::from_secs(60);
        while one_hangs() {
            assert!(Instant::now() < until);
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}
