//! The accessibility bus tells by a property, and when it changes. Orca sets it only where the desktop starts it, so that
//! Orca itself is looked for too.

use std::fs;
use std::ops::ControlFlow;
use std::os::unix::fs::MetadataExt;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::time::Duration;

use futures_lite::StreamExt;
use futures_lite::future::block_on;
use zbus::{Connection, Proxy};

const SERVICE: &str = "org.a11y.Bus";
const PATH: &str = "/org/a11y/bus";
const INTERFACE: &str = "org.a11y.Status";
const PROPERTY: &str = "ScreenReaderEnabled";
/// The screen reader of Linux.
const ORCA: &str = "orca";
/// An Orca that was started by hand is noticed after this time.
const EVERY: Duration = Duration::from_secs(3);
/// A bus that has to start the service first may take longer than anybody waits.
const FIRST: Duration = Duration::from_secs(1);

pub(super) fn watch(mut on_change: impl FnMut(bool) -> ControlFlow<()>) {
    let (send, enabled) = channel();
    // It ends with the bus, or at the first change that nobody waits for.
    let follows = std::thread::Builder::new().name("accessibility bus".into()).spawn(move || {
        // Without a bus nothing is enabled; what comes afterwards is only looked for.
        let _ = block_on(follow(&send));
        let _ = send.send(false);
    });
    let mut enabled_now = follows.is_ok() && enabled.recv_timeout(FIRST).unwrap_or(false);
    let mut told = None;
    loop {
        let running = enabled_now || orca_runs();
        if told.replace(running) != Some(running) && on_change(running).is_break() {
            return;
        }
        match enabled.recv_timeout(EVERY) {
            Ok(now) => enabled_now = now,
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => std::thread::sleep(EVERY),
        }
    }
}

/// Gives the property now and whenever it changes, until the bus is closed or nobody listens any more.
async fn follow(give: &Sender<bool>) -> zbus::Result<()> {
    let bus = Connection::session().await?;
    let status = Proxy::new(&bus, SERVICE, PATH, INTERFACE).await?;
    let mut changes = status.receive_property_changed::<bool>(PROPERTY).await;
    loop {
        // A desktop without accessibility has no such service, yet.
        let enabled = status.get_property(PROPERTY).await.unwrap_or(false);
        if give.send(enabled).is_err() || changes.next().await.is_none() {
            return Ok(());
        }
    }
}

/// Whether this user has a process called so.
fn orca_runs() -> bool {
    let Ok(user) = fs::metadata("/proc/self").map(|own| own.uid()) else { return false };
    let mut processes = fs::read_dir("/proc").into_iter().flatten().flatten();
    processes.any(|process| {
        let is_orca = || fs::read_to_string(process.path().join("comm")).is_ok_and(|name| name.trim_end() == ORCA);
        let number = process.file_name().to_string_lossy().starts_with(|c: char| c.is_ascii_digit());
        number && is_orca() && process.metadata().is_ok_and(|its| its.uid() == user)
    })
}
