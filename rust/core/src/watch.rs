//! One thread that ends runs at their deadline, for guests that compute and never ask for the time.

use crate::run::{Run, Stop};
use std::collections::BTreeMap;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread;
use std::time::Instant;

pub struct Watch {
    state: Mutex<State>,
    earlier: Condvar,
}

#[derive(Default)]
struct State {
    entries: BTreeMap<(Instant, u64), Arc<Run>>,
    next: u64,
    /// When the thread looks next by itself; `None` when it waits to be woken.
    wakes: Option<Instant>,
    running: bool,
}

/// Watches until it is dropped.
pub struct Watched {
    watch: &'static Watch,
    key: (Instant, u64),
}

impl Watch {
    /// The one of this process.
    pub fn shared() -> &'static Self {
        static SHARED: OnceLock<Watch> = OnceLock::new();
        SHARED.get_or_init(|| Self { state: Mutex::default(), earlier: Condvar::new() })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// At `at` the run is stopped when its deadline has come, else nudged.
    pub fn at(&'static self, at: Instant, run: &Arc<Run>) -> Watched {
        let mut state = self.state();
        state.next += 1;
        let key = (at, state.next);
        state.entries.insert(key, run.clone());
        if !state.running {
            state.running = true;
            let spawned = thread::Builder::new().name("mote-watch".into()).spawn(|| self.work());
            state.running = spawned.is_ok();
        }
        if state.wakes.is_none_or(|wakes| at < wakes) {
            state.wakes = Some(at);
            self.earlier.notify_one();
        }
        Watched { watch: self, key }
    }

    fn work(&self) {
        let mut state = self.state();
        loop {
            let now = Instant::now();
            let mut due = Vec::new();
            while let Some(entry) = state.entries.first_entry().filter(|entry| entry.key().0 <= now) {
                due.push(entry.remove());
            }
            if !due.is_empty() {
                drop(state);
                for run in due {
                    if now >= run.deadline() {
                        run.stop(Stop::Time);
                    }
                    run.nudge();
                }
                state = self.state();
                continue;
            }
            state.wakes = state.entries.first_key_value().map(|(key, _)| key.0);
            state = match state.wakes {
                // Removed entries leave the time as it is: an early look costs less than a wake-up for each run.
                Some(at) => self.earlier.wait_timeout(state, at - now).unwrap_or_else(PoisonError::into_inner).0,
                None => self.earlier.wait(state).unwrap_or_else(PoisonError::into_inner),
            };
        }
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        let run = self.watch.state().entries.remove(&self.key);
        drop(run);
    }
}
