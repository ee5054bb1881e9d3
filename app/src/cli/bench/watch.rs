//! A program that is watched from outside: its figures, its share of a core, its memory.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use sysinfo::{Pid, ProcessesToUpdate, System};

use crate::session::Figures;

/// A window that is not ready after this never will be.
const READY_LIMIT: Duration = Duration::from_secs(90);
const PAUSE: Duration = Duration::from_millis(10);

/// A window that was started; it ends with the handle.
pub(super) struct Window {
    child: Child,
    figures: PathBuf,
    started: Instant,
    system: System,
}

impl Window {
    /// Starts this program's window on a camera source, with settings of its own in `folder`.
    pub(super) fn start(source: &str, folder: &Path) -> anyhow::Result<Self> {
        let figures = folder.join("figures.json");
        // Of a window before it.
        let _ = std::fs::remove_file(&figures);
        let program = std::env::current_exe().context("this program's file is unknown")?;
        let started = Instant::now();
        let child = Command::new(program)
            .args(["window", "--camera", source, "--screen", "reader", "--figures"])
            .arg(&figures)
            .env("SIGHTREAD_CONFIG", folder)
            .stdout(Stdio::null())
            .spawn()
            .context("the window was not started")?;
        Ok(Self { child, figures, started, system: System::new() })
    }

    /// Waits until it can read pictures; the seconds from its start.
    pub(super) fn ready(&mut self) -> anyhow::Result<f32> {
        loop {
            if self.figures()?.ready.is_some() {
                return Ok(self.started.elapsed().as_secs_f32());
            }
            if self.started.elapsed() > READY_LIMIT {
                bail!("the window was not ready after {} s", READY_LIMIT.as_secs());
            }
            std::thread::sleep(PAUSE);
        }
    }

    /// The newest figures that the window wrote down (`sightread window --figures`); nothing before the first.
    pub(super) fn figures(&mut self) -> anyhow::Result<Figures> {
        if let Some(status) = self.child.try_wait().context("the window is not to be found")? {
            bail!("the window ended by itself ({status})");
        }
        match std::fs::read(&self.figures) {
            Ok(bytes) => serde_json::from_slice(&bytes).context("the window's figures are damaged"),
            Err(_) => Ok(Figures::default()),
        }
    }

    /// Watches it for some time: its share of one core.
    pub(super) fn share_of_a_core(&mut self, time: Duration) -> anyhow::Result<f32> {
        let before = self.process()?.0;
        let begun = Instant::now();
        std::thread::sleep(time);
        let after = self.process()?.0;
        Ok((after - before) as f32 / begun.elapsed().as_millis() as f32)
    }

    /// Bytes of memory that it holds now.
    pub(super) fn memory(&mut self) -> anyhow::Result<u64> {
        Ok(self.process()?.1)
    }

    /// Milliseconds of processor time used so far, and bytes of memory.
    fn process(&mut self) -> anyhow::Result<(u64, u64)> {
        let pid = Pid::from_u32(self.child.id());
        self.system.refresh_processes(ProcessesToUpdate::Some(&[pid]), true);
        let process = self.system.process(pid).context("the window has ended")?;
        Ok((process.accumulated_cpu_time(), process.memory()))
    }
}

impl Drop for Window {
    fn drop(&mut self) {
        // One that has ended already needs no end.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
