//! Brings a model in, on a thread of its own: downloads it if it is asked to, checks it, and quantizes it to 4 bit.
//!
//! The model stands in the library when it is complete, and not before. An import that was stopped or killed goes on where it was
//! when the same model is imported again.

mod error;
mod job;
mod name;
mod report;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex};

use sightread_models::device::Backend;

use super::{ImportSource, ImportState};
use job::Job;

pub use error::ImportError;
pub(super) use report::{Pace, Reporter};

/// An import that runs or has ended; it stops with the handle.
#[derive(Debug)]
pub struct Import {
    stop: Arc<AtomicBool>,
    /// Closed when the thread has ended; in a mutex only so that the handle can be shared between threads.
    ended: Mutex<Receiver<()>>,
}

impl Import {
    /// Starts to bring a model into the folder `library`. It is calibrated on `calibration`, or on the text that comes with the
    /// program. `on_state` hears how far it is, a few times a second, and how it ended.
    ///
    /// # Errors
    /// The system has no thread left.
    pub fn start(
        from: ImportSource,
        calibration: Option<PathBuf>,
        library: &Path,
        on_state: impl FnMut(ImportState) + Send + 'static,
    ) -> std::io::Result<Self> {
        Self::start_on(Backend::Auto, from, calibration, library, on_state)
    }

    /// The same with the device to compute on.
    ///
    /// # Errors
    /// As [`Import::start`].
    pub fn start_on(
        backend: Backend,
        from: ImportSource,
        calibration: Option<PathBuf>,
        library: &Path,
        on_state: impl FnMut(ImportState) + Send + 'static,
    ) -> std::io::Result<Self> {
        let stop = Arc::new(AtomicBool::new(false));
        let (ends, ended) = channel::<()>();
        let (library, asked) = (library.to_path_buf(), stop.clone());
        std::thread::Builder::new().name("import".into()).spawn(move || {
            // Closed with the thread.
            let _ends = ends;
            let name = name::name_of(&from);
            let mut reporter = Reporter::new(&name, asked, on_state);
            let job = Job {
                from: &from,
                calibration: calibration.as_deref(),
                library: &library,
                backend,
                name: &name,
                reporter: &mut reporter,
            };
            // Devices and drivers may panic; the program goes on all the same.
            let made = catch_unwind(AssertUnwindSafe(|| job.run()));
            let made = made.unwrap_or_else(|_| Err(ImportError::Internal("the import broke off".into())));
            reporter.end(made.map_err(|error| in_words(&name, &error)));
        })?;
        Ok(Self { stop, ended: Mutex::new(ended) })
    }

    /// Stops it, within the time that a layer takes. What is done is kept.
    pub fn stop(&self) {
        self.stop.store(true, Ordering::Relaxed);
    }

    /// Waits until it has ended.
    pub fn wait(&self) {
        if let Ok(ended) = self.ended.lock() {
            let _ = ended.recv();
        }
    }
}

impl Drop for Import {
    fn drop(&mut self) {
        self.stop();
    }
}

fn in_words(name: &str, error: &ImportError) -> String {
    match error {
        ImportError::Stopped => {
            format!(
                "The import of {name} was stopped. What is done is kept: import it again, and it goes on from there."
            )
        }
        error => {
            let name = if name.is_empty() { "The model" } else { name };
            format!("{name} was not imported: {}.", error.to_string().trim_end_matches('.'))
        }
    }
}

#[cfg(test)]
#[path = "import_tests.rs"]
mod tests;
