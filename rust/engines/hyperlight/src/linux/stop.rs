//! Ending a guest that computes, from another thread, and counting the time it computes.

use hyperlight_unikraft::hyperlight_host::hypervisor::InterruptHandle;
use mote_core::run::{Run, Stop};
use mote_core::watch::{Watch, Watched};
use std::fs;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::thread;
use std::time::{Duration, Instant};

/// How long a VM that was about to be entered is given until it is stopped again.
const RETRY: Duration = Duration::from_millis(10);
const RETRIES: u32 = 100;

/// Stops a VM for as long as a run is in it, and never later.
#[derive(Clone)]
pub struct Brake {
    handle: Arc<Mutex<Option<Arc<dyn InterruptHandle>>>>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Brake {
    /// For `run`, in the VM of the calling thread.
    pub fn set(handle: Arc<dyn InterruptHandle>, run: &Arc<Run>) -> Self {
        let brake = Self { handle: Arc::new(Mutex::new(Some(handle))) };
        let cpu = run.limits.cpu_ms.map(|limit| CpuLimit::begin(Duration::from_millis(limit), run));
        let weak: Weak<Run> = Arc::downgrade(run);
        let own = brake.clone();
        run.set_nudge(move || {
            let Some(run) = weak.upgrade() else { return };
            match (run.stopped(), &cpu) {
                (Some(_), _) => own.pull(),
                (None, Some(cpu)) => cpu.look(&run),
                (None, None) => {}
            }
        });
        brake
    }

    pub fn release(&self) {
        *lock(&self.handle) = None;
    }

    fn kill(&self) -> Option<bool> {
        lock(&self.handle).as_ref().map(|handle| handle.kill())
    }

    fn pull(&self) {
        if self.kill() != Some(false) {
            return;
        }
        // The VM was not running: it stops when the host call it made returns, unless it was only just being entered.
        let own = self.clone();
        let again = move || {
            for _ in 0..RETRIES {
                thread::sleep(RETRY);
                if own.kill().is_none() {
                    return;
                }
            }
        };
        // Without a thread the run ends with the host call, or at the next nudge.
        let _ = thread::Builder::new().name("mote-stop".into()).spawn(again);
    }
}

/// Processor time of one thread, which is the guest's and that of the host calls it makes.
struct CpuLimit {
    stat: String,
    ends: Duration,
    watched: Mutex<Option<Watched>>,
}

impl CpuLimit {
    fn begin(limit: Duration, run: &Arc<Run>) -> Self {
        let stat = format!("/proc/self/task/{}/schedstat", rustix::thread::gettid().as_raw_nonzero());
        let watched = Watch::shared().at(Instant::now() + limit, run);
        Self { ends: used(&stat) + limit, stat, watched: Mutex::new(Some(watched)) }
    }

    fn look(&self, run: &Arc<Run>) {
        let left = self.ends.saturating_sub(used(&self.stat));
        if left.is_zero() {
            run.stop(Stop::Cpu);
            return;
        }
        // It never passes faster than the clock, so no sooner look can find the limit passed.
        *lock(&self.watched) = Some(Watch::shared().at(Instant::now() + left, run));
    }
}

fn used(stat: &str) -> Duration {
    let text = fs::read_to_string(stat).unwrap_or_default();
    let ns = text.split(' ').next().and_then(|ns| ns.parse().ok()).unwrap_or(0);
    Duration::from_nanos(ns)
}
