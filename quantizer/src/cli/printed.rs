//! An answer on standard output, piece by piece.

use std::io::{self, StdoutLock, Write};

use sightread_models::text::generate::Flow;

/// Prints pieces as they are made. What is wrong with standard output ends the answer, and is told by [`Printed::end`].
pub(super) struct Printed {
    out: StdoutLock<'static>,
    written: io::Result<()>,
}

impl Printed {
    pub(super) fn new() -> Self {
        Self { out: io::stdout().lock(), written: Ok(()) }
    }

    /// Prints a piece at once.
    pub(super) fn piece(&mut self, piece: &str) -> Flow {
        self.written = self.out.write_all(piece.as_bytes()).and_then(|()| self.out.flush());
        if self.written.is_ok() { Flow::Continue } else { Flow::Stop }
    }

    /// Ends the line.
    ///
    /// # Errors
    /// The first error of standard output.
    pub(super) fn end(mut self) -> io::Result<()> {
        self.written?;
        writeln!(self.out)
    }
}
