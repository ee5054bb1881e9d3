//! All cores for microseconds of work.
//!
//! One generated token is some two hundred products of a few microseconds each. Waking a sleeping thread costs more than
//! that, so these workers keep looking for work a little while after the last piece before they go to sleep.

use std::any::Any;
use std::hint::spin_loop;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::thread::{self, Thread};
use std::time::{Duration, Instant};

/// How long an idle worker keeps looking before it sleeps: longer than the time between two products of one token.
const PATIENCE: Duration = Duration::from_micros(300);
/// How often the caller looks whether the last part is done before it offers its core to others.
const LOOKS: usize = 2_000;

/// Calls `work` for every part `0 .. parts`, on all cores, and returns when all are done.
///
/// Calls from several threads at once are fine: whoever comes second works alone.
pub fn for_each_part(parts: usize, work: impl Fn(usize) + Sync) {
    let pool = Pool::global();
    match pool.leader.try_lock() {
        Ok(_lead) if parts > 1 && !pool.sleepers.is_empty() => pool.run(parts, &work),
        _ => (0..parts).for_each(work),
    }
}

/// Threads [`for_each_part`] spreads work over.
pub fn threads() -> usize {
    Pool::global().sleepers.len() + 1
}

/// All cores, or as many as the environment variable `SIGHTREAD_THREADS` says.
fn wanted_threads() -> usize {
    let wanted = std::env::var("SIGHTREAD_THREADS").ok().and_then(|n| n.parse().ok());
    wanted.unwrap_or_else(|| thread::available_parallelism().map_or(1, usize::from)).clamp(1, 256)
}

struct Pool {
    /// Held by the thread whose work is being done.
    leader: Mutex<()>,
    /// Whether `job` may be taken up.
    open: AtomicBool,
    /// Workers between looking at `open` and being done with `job`: it stays valid until there are none.
    inside: AtomicUsize,
    /// The next part nobody has taken.
    next: AtomicUsize,
    job: Mutex<Option<Job>>,
    /// What a part panicked with.
    panic: Mutex<Option<Box<dyn Any + Send>>>,
    sleepers: Vec<Sleeper>,
}

struct Sleeper {
    asleep: AtomicBool,
    thread: OnceLock<Thread>,
}

#[derive(Clone, Copy)]
struct Job {
    parts: usize,
    work: &'static (dyn Fn(usize) + Sync),
}

impl Pool {
    fn global() -> &'static Self {
        static POOL: OnceLock<&'static Pool> = OnceLock::new();
        POOL.get_or_init(|| {
            let workers = wanted_threads() - 1;
            let sleepers = (0..workers).map(|_| Sleeper { asleep: AtomicBool::new(false), thread: OnceLock::new() });
            let pool: &'static Pool = Box::leak(Box::new(Pool {
                leader: Mutex::new(()),
                open: AtomicBool::new(false),
                inside: AtomicUsize::new(0),
                next: AtomicUsize::new(0),
                job: Mutex::new(None),
                panic: Mutex::new(None),
                sleepers: sleepers.collect(),
            }));
            for sleeper in &pool.sleepers {
                // Without the thread its parts are done by the others.
                let spawned = thread::Builder::new().name("int4".into()).spawn(move || pool.work_forever(sleeper));
                if let Ok(handle) = spawned {
                    let _ = sleeper.thread.set(handle.thread().clone());
                }
            }
            pool
        })
    }

    fn run(&self, parts: usize, work: &(dyn Fn(usize) + Sync)) {
        // SAFETY: the reference is used only by workers counted in `inside` after they saw `open`; this function closes
        // and waits for them before it returns.
        let work: &'static (dyn Fn(usize) + Sync) = unsafe { std::mem::transmute(work) };
        *self.job.lock().unwrap_or_else(PoisonError::into_inner) = Some(Job { parts, work });
        self.next.store(0, SeqCst);
        self.open.store(true, SeqCst);
        for sleeper in &self.sleepers {
            if sleeper.asleep.load(SeqCst)
                && let Some(thread) = sleeper.thread.get()
            {
                thread.unpark();
            }
        }
        self.take_parts(Job { parts, work });
        self.open.store(false, SeqCst);
        let mut looked = 0;
        while self.inside.load(SeqCst) > 0 {
            // On a busy machine the worker waited for may need this very core to finish.
            if looked < LOOKS {
                looked += 1;
                spin_loop();
            } else {
                thread::yield_now();
            }
        }
        let panic = self.panic.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(panic) = panic {
            resume_unwind(panic);
        }
    }

    fn take_parts(&self, job: Job) {
        let parts = || loop {
            let part = self.next.fetch_add(1, SeqCst);
            if part >= job.parts {
                break;
            }
            (job.work)(part);
        };
        if let Err(panic) = catch_unwind(AssertUnwindSafe(parts)) {
            *self.panic.lock().unwrap_or_else(PoisonError::into_inner) = Some(panic);
        }
    }

    fn work_forever(&self, me: &Sleeper) {
        let mut idle_since = Instant::now();
        loop {
            if self.open.load(SeqCst) {
                self.inside.fetch_add(1, SeqCst);
                if self.open.load(SeqCst) {
                    let job = *self.job.lock().unwrap_or_else(PoisonError::into_inner);
                    if let Some(job) = job.filter(|job| self.next.load(SeqCst) < job.parts) {
                        self.take_parts(job);
                        idle_since = Instant::now();
                    }
                }
                self.inside.fetch_sub(1, SeqCst);
            }
            for _ in 0..32 {
                spin_loop();
            }
            if idle_since.elapsed() > PATIENCE {
                me.asleep.store(true, SeqCst);
                // Looked at again after `asleep` is set: work opened in between is either seen here or unparks.
                while !self.open.load(SeqCst) {
                    thread::park();
                }
                me.asleep.store(false, SeqCst);
                idle_since = Instant::now();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_part_is_done_once_also_from_many_threads_and_after_a_sleep() {
        thread::scope(|scope| {
            for caller in 0..4 {
                scope.spawn(move || {
                    for round in 0..500 {
                        if round % 100 == caller {
                            thread::sleep(2 * PATIENCE);
                        }
                        let done: Vec<AtomicUsize> = (0..37).map(|_| AtomicUsize::new(0)).collect();
                        for_each_part(done.len(), |part| {
                            done[part].fetch_add(1, SeqCst);
                        });
                        assert!(done.iter().all(|n| n.load(SeqCst) == 1));
                    }
                });
            }
        });
    }

    #[test]
    fn a_panic_reaches_the_caller_and_the_pool_lives_on() {
        let broken = catch_unwind(|| for_each_part(8, |part| assert_ne!(part, 5)));
        assert!(broken.is_err());
        let sum = AtomicUsize::new(0);
        for_each_part(8, |part| {
            sum.fetch_add(part, SeqCst);
        });
        assert_eq!(sum.load(SeqCst), 28);
    }
}
