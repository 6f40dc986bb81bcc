//! One thread that ends runs at their deadline, for guests that compute and never ask for the time. It also sees to it
//! that the host's own thread is not held up by a guest.

use crate::run::{Run, Stop};
use std::collections::BTreeMap;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

/// How long a guest may stay on the host's own thread, at least. At most it is two ticks longer.
const BRIEF: Duration = Duration::from_micros(500);
/// To wake the thread for each brief run would take longer than the run: while there are any it looks by itself.
const TICK: Duration = Duration::from_millis(1);
/// Ticks without a brief run until the thread sleeps.
const QUIET_TICKS: u32 = 20;

pub struct Watch {
    state: Mutex<State>,
    earlier: Condvar,
}

#[derive(Default)]
struct State {
    entries: BTreeMap<Key, Arc<Run>>,
    /// Those whose time has come. A guest that looks away just when it is nudged misses it, so it is nudged again.
    due: Vec<(Key, Arc<Run>)>,
    next: u64,
    /// When the thread looks next by itself; `None` when it waits to be woken.
    wakes: Option<Instant>,
    /// Ticks that are left until the thread sleeps.
    ticks: u32,
    running: bool,
}

type Key = (Instant, u64);

/// Watches until it is dropped.
pub struct Watched {
    watch: &'static Watch,
    key: Key,
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

    /// From `at` on the run is stopped when its deadline has come, and nudged.
    pub fn at(&'static self, at: Instant, run: &Arc<Run>) -> Watched {
        self.enter(self.state(), at, Duration::ZERO, run)
    }

    /// For a run that begins on the host's own thread: it is soon asked to leave.
    pub fn brief(&'static self, run: &Arc<Run>) -> Watched {
        let mut state = self.state();
        state.ticks = QUIET_TICKS;
        self.enter(state, Instant::now() + BRIEF, TICK, run)
    }

    /// The thread is not woken for what it sees by itself within `patience` of `at`.
    fn enter(
        &'static self,
        mut state: MutexGuard<'_, State>,
        at: Instant,
        patience: Duration,
        run: &Arc<Run>,
    ) -> Watched {
        state.next += 1;
        let key = (at, state.next);
        state.entries.insert(key, run.clone());
        if !state.running {
            state.running = true;
            let spawned = thread::Builder::new().name("mote-watch".into()).spawn(|| self.work());
            state.running = spawned.is_ok();
        }
        if state.wakes.is_none_or(|wakes| at + patience < wakes) {
            state.wakes = Some(at);
            self.earlier.notify_one();
        }
        Watched { watch: self, key }
    }

    fn work(&self) {
        let mut state = self.state();
        loop {
            let now = Instant::now();
            while let Some(entry) = state.entries.first_entry().filter(|entry| entry.key().0 <= now) {
                let due = entry.remove_entry();
                state.due.push(due);
            }
            if !state.due.is_empty() {
                let due: Vec<Arc<Run>> = state.due.iter().map(|(_, run)| run.clone()).collect();
                drop(state);
                for run in due {
                    if now >= run.deadline() {
                        run.stop(Stop::Time);
                    }
                    run.place().ask_to_leave();
                    run.nudge();
                }
                state = self.state();
            }
            state.wakes = state.entries.first_key_value().map(|(key, _)| key.0);
            if state.ticks > 0 || !state.due.is_empty() {
                state.ticks = state.ticks.saturating_sub(1);
                state.wakes = Some(state.wakes.map_or(now + TICK, |at| at.min(now + TICK)));
            }
            state = match state.wakes {
                // Removed entries leave the time as it is: an early look costs less than a wake-up for each run.
                Some(at) => {
                    let left = at.saturating_duration_since(Instant::now());
                    self.earlier.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0
                }
                None => self.earlier.wait(state).unwrap_or_else(PoisonError::into_inner),
            };
        }
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        let mut state = self.watch.state();
        let run = state.entries.remove(&self.key);
        let due = state.due.iter().position(|(key, _)| *key == self.key).map(|place| state.due.swap_remove(place));
        drop(state);
        drop((run, due));
    }
}
