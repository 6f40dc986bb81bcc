//! Ends a guest that computes. Hyperlight forgets an interrupt that comes before the guest runs, and holds one back while
//! the guest is in a function of the host; so it is repeated until the call has returned.

use hyperlight_host::hypervisor::InterruptHandle;
use mote_core::run::{Run, Stop};
use mote_core::watch::{Watch, Watched};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::thread;
use std::time::{Duration, Instant};

pub use cpu::Thread;

const AGAIN: Duration = Duration::from_micros(500);

/// Holds one call of a guest; dropped when it has returned.
pub struct Leash(Arc<Grip>);

struct Grip {
    handle: Arc<dyn InterruptHandle>,
    /// Weak, as the run itself keeps this alive.
    run: Weak<Run>,
    /// The call has not returned. Held while interrupting, so that no interrupt reaches a later call.
    calling: Mutex<bool>,
    pulling: AtomicBool,
    cpu: Option<CpuLimit>,
}

struct CpuLimit {
    thread: Thread,
    limit: Duration,
    started: Duration,
    watched: Mutex<Option<Watched>>,
}

impl Leash {
    /// Called on the thread that will call the guest.
    pub fn on(run: &Arc<Run>, handle: Arc<dyn InterruptHandle>) -> Self {
        let cpu = run.limits.cpu_ms.map(|limit| {
            let thread = Thread::current();
            let limit = Duration::from_millis(limit);
            CpuLimit { thread, limit, started: thread.used(), watched: Mutex::default() }
        });
        let calling = Mutex::new(true);
        let grip = Arc::new(Grip { handle, run: Arc::downgrade(run), calling, pulling: AtomicBool::new(false), cpu });
        let nudged = grip.clone();
        run.set_nudge(move || nudged.nudged());
        grip.nudged();
        Self(grip)
    }
}

impl Drop for Leash {
    fn drop(&mut self) {
        *lock(&self.0.calling) = false;
        if let Some(cpu) = &self.0.cpu {
            lock(&cpu.watched).take();
        }
    }
}

impl Grip {
    fn nudged(self: &Arc<Self>) {
        let Some(run) = self.run.upgrade() else { return };
        if let Some(cpu) = &self.cpu {
            cpu.check(&run, &self.calling);
        }
        if run.stopped().is_none() || self.pulling.swap(true, Ordering::SeqCst) {
            return;
        }
        // Whoever nudges has other runs to look after, and interrupting waits for the guest.
        let grip = self.clone();
        let spawned = thread::Builder::new().name("mote-kill".into()).spawn(move || grip.pull());
        if spawned.is_err() {
            self.pull();
        }
    }

    fn pull(&self) {
        loop {
            let calling = lock(&self.calling);
            if !*calling {
                return;
            }
            self.handle.kill();
            drop(calling);
            thread::sleep(AGAIN);
        }
    }
}

impl CpuLimit {
    fn check(&self, run: &Arc<Run>, calling: &Mutex<bool>) {
        let left = self.limit.saturating_sub(self.thread.used().saturating_sub(self.started));
        if left.is_zero() {
            run.stop(Stop::Cpu);
        } else if *lock(calling) {
            // CPU time never passes faster than the clock, so no sooner look can find the limit passed.
            *lock(&self.watched) = Some(Watch::shared().at(Instant::now() + left, run));
        }
    }
}

/// What a panic left behind is still whole: nothing here is half done in between.
pub fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(target_os = "linux")]
mod cpu {
    use std::time::Duration;

    /// As `nice` has it.
    const LEAST_PRIORITY: i32 = 19;

    /// A thread of this process whose CPU time others can read, a guest's share included.
    #[derive(Clone, Copy)]
    pub struct Thread(rustix::thread::Pid);

    impl Thread {
        pub fn current() -> Self {
            Self(rustix::thread::gettid())
        }

        /// Lets all others go first. Where that is not allowed it competes with them.
        pub fn give_way(self) {
            let _ = rustix::process::setpriority_process(Some(self.0), LEAST_PRIORITY);
        }

        pub fn used(self) -> Duration {
            let path = format!("/proc/self/task/{}/schedstat", self.0.as_raw_nonzero());
            let text = std::fs::read_to_string(path).unwrap_or_default();
            let ns = text.split_whitespace().next().and_then(|ns| ns.parse().ok());
            Duration::from_nanos(ns.unwrap_or(0))
        }
    }
}

/// Elsewhere the clock is counted: it never passes more slowly than CPU time, so the limit holds all the same.
#[cfg(not(target_os = "linux"))]
mod cpu {
    use std::time::{Duration, Instant};

    #[derive(Clone, Copy)]
    pub struct Thread(Instant);

    impl Thread {
        pub fn current() -> Self {
            Self(Instant::now())
        }

        pub fn give_way(self) {}

        pub fn used(self) -> Duration {
            self.0.elapsed()
        }
    }
}
