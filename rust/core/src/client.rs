//! One connected host: its mailbox, its sessions, and the threads that work for it.

use crate::mailbox::Mailbox;
use crate::session::Session;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// A host whose last run took no longer than this waits for the next one inside the call, in µs.
const SHORT_RUN_US: u32 = 250;
/// A run is begun on the host's own thread when the one before took no longer than this, in µs.
const BRIEF_RUN_US: u32 = 400;
/// How much longer than the last run it waits, in µs.
const GRACE_US: u32 = 60;

pub struct Client {
    pub mailbox: Arc<Mailbox>,
    state: Mutex<State>,
    idle: Condvar,
    /// Runs that have no outcome yet.
    runs: AtomicUsize,
    /// How long the last run took, in µs.
    last_run_us: AtomicU32,
}

#[derive(Default)]
struct State {
    sessions: BTreeMap<i64, Arc<Session>>,
    jobs: usize,
    closed: bool,
}

/// Counts as work for the client until it is dropped.
pub struct Busy(Arc<Client>);

impl Client {
    pub fn new(mailbox: Mailbox) -> Arc<Self> {
        Arc::new(Self {
            mailbox: Arc::new(mailbox),
            state: Mutex::default(),
            idle: Condvar::new(),
            runs: AtomicUsize::new(0),
            last_run_us: AtomicU32::new(0),
        })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn run_submitted(&self) {
        self.runs.fetch_add(1, Ordering::Relaxed);
    }

    /// Called before the run's outcome is posted. `took`: of a run that was not ended in the queue.
    pub fn run_ends(&self, took_us: Option<u32>) {
        self.runs.fetch_sub(1, Ordering::Relaxed);
        if let Some(us) = took_us {
            self.last_run_us.store(us, Ordering::Relaxed);
        }
    }

    /// After a run was submitted: whether it may begin on the host's own thread. `last_us` is its session's last run; a
    /// session's first one is judged by what the others did.
    pub fn may_be_brief(&self, last_us: Option<u32>) -> bool {
        let last = last_us.unwrap_or_else(|| self.last_run_us.load(Ordering::Relaxed));
        last <= BRIEF_RUN_US && self.runs.load(Ordering::Relaxed) == 1
    }

    /// After a run was submitted: when it is the only one and runs have been short, waits for its first event on the
    /// calling thread, which costs less than to be woken by it. True when there is one.
    pub fn attend(&self) -> bool {
        let last = self.last_run_us.load(Ordering::Relaxed);
        if last > SHORT_RUN_US || self.runs.load(Ordering::Relaxed) > 1 {
            return false;
        }
        self.mailbox.attend(Duration::from_micros(u64::from(last + GRACE_US)))
    }

    pub fn busy(self: &Arc<Self>) -> Busy {
        self.state().jobs += 1;
        Busy(self.clone())
    }

    /// False once the client is closed.
    pub fn add(&self, handle: i64, session: Arc<Session>) -> bool {
        let mut state = self.state();
        if !state.closed {
            state.sessions.insert(handle, session);
        }
        !state.closed
    }

    pub fn forget(&self, handle: i64) {
        let session = self.state().sessions.remove(&handle);
        drop(session);
    }

    /// Refuses new sessions and gives those that are left.
    pub fn close(&self) -> BTreeMap<i64, Arc<Session>> {
        let mut state = self.state();
        state.closed = true;
        std::mem::take(&mut state.sessions)
    }

    /// Returns when no thread works for this client.
    pub fn wait_until_idle(&self) {
        let state = self.state();
        let state = self.idle.wait_while(state, |state| state.jobs > 0).unwrap_or_else(PoisonError::into_inner);
        drop(state);
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        let mut state = self.0.state();
        state.jobs -= 1;
        if state.jobs == 0 {
            self.0.idle.notify_all();
        }
    }
}
