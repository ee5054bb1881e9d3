//! Does a screen reader run? The system knows, more or less:
//! - Linux: `ScreenReaderEnabled` of `org.a11y.Status` on the session bus, which desktops set with their screen reader, or a
//!   running Orca, which may have been started by hand;
//! - Windows: `SPI_GETSCREENREADER`, which NVDA and JAWS set and Narrator does not;
//! - macOS: `NSWorkspace.isVoiceOverEnabled`.
//!
//! Who knows better chooses in the settings who speaks. Built without the window there is nothing that a screen reader could
//! read, and none is found.

use std::ops::ControlFlow;
use std::sync::mpsc::channel;
use std::time::Duration;

#[cfg(all(feature = "window", target_os = "linux"))]
#[path = "linux.rs"]
mod system;
#[cfg(all(feature = "window", any(windows, target_os = "macos")))]
#[path = "polled.rs"]
mod system;
#[cfg(not(all(feature = "window", any(target_os = "linux", windows, target_os = "macos"))))]
mod system {
    use std::ops::ControlFlow;

    pub(super) fn watch(mut on_change: impl FnMut(bool) -> ControlFlow<()>) {
        let _ = on_change(false);
    }
}

/// A system that does not tell in that time does not know.
const LIMIT: Duration = Duration::from_secs(2);

/// Whether a screen reader runs, after two seconds at the latest. For a question now and then: [`watch`] follows it.
pub fn is_running() -> bool {
    let (send, told) = channel();
    let watching = watch(move |running| {
        let _ = send.send(running);
        ControlFlow::Break(())
    });
    watching.is_ok() && told.recv_timeout(LIMIT).unwrap_or(false)
}

/// Tells whether a screen reader runs, first now and then whenever that changes, from a thread of its own, until
/// `on_change` breaks off.
///
/// # Errors
/// The system has no thread left.
pub fn watch(on_change: impl FnMut(bool) -> ControlFlow<()> + Send + 'static) -> std::io::Result<()> {
    std::thread::Builder::new().name("screen reader".into()).spawn(move || system::watch(on_change)).map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Instant;

    #[test]
    fn it_is_told_in_time_and_once_where_nothing_changes() {
        let start = Instant::now();
        is_running();
        assert!(start.elapsed() < LIMIT + Duration::from_secs(3));
        let (send, told) = channel();
        watch(move |running| send.send(running).map_or(ControlFlow::Break(()), ControlFlow::Continue)).unwrap();
        told.recv_timeout(Duration::from_secs(30)).unwrap();
    }
}
