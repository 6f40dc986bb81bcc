//! Long work done once for everybody who asks for it at the same time, on a thread of its own.

use mote_core::error::{Error, Result};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

/// How often one who waits looks whether it is still wanted, and reports progress.
const LOOK: Duration = Duration::from_millis(50);

/// One piece of work and its result.
pub struct Flight<T> {
    state: Mutex<State<T>>,
    landed: Condvar,
}

struct State<T> {
    stage: Stage,
    result: Option<Result<T>>,
}

/// What the work is at.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Stage {
    Checking,
    /// Another process does it.
    Waiting,
    Compiling {
        since: Instant,
        estimate: Duration,
    },
}

impl<T: Clone + Send + 'static> Flight<T> {
    /// Begins `work` on a new thread.
    pub fn begin(work: impl FnOnce(&Self) -> Result<T> + Send + 'static) -> Arc<Self> {
        let state = State { stage: Stage::Checking, result: None };
        let flight = Arc::new(Self { state: Mutex::new(state), landed: Condvar::new() });
        let worker = flight.clone();
        let thread = thread::Builder::new().name("mote-load".into()).stack_size(8 << 20);
        let spawned = thread.spawn(move || {
            let result = catch_unwind(AssertUnwindSafe(|| work(&worker)));
            let panicked = |_| Err(Error::internal("Cannot load a guest: the engine failed, which is a defect of it"));
            worker.land(result.unwrap_or_else(panicked));
        });
        if let Err(error) = spawned {
            flight.land(Err(Error::internal(format!("Cannot load a guest: {error}"))));
        }
        flight
    }

    fn state(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn land(&self, result: Result<T>) {
        self.state().result = Some(result);
        self.landed.notify_all();
    }

    pub fn set_stage(&self, stage: Stage) {
        self.state().stage = stage;
    }

    /// The result if it is there.
    pub fn result(&self) -> Option<Result<T>> {
        self.state().result.clone()
    }

    /// Waits for the result; `look` is called now and then and ends the wait with an error.
    pub fn wait(&self, mut look: impl FnMut(Stage) -> Result<()>) -> Result<T> {
        let mut state = self.state();
        loop {
            if let Some(result) = &state.result {
                return result.clone();
            }
            let stage = state.stage;
            drop(state);
            look(stage)?;
            state = self.state();
            if state.result.is_none() {
                state = self.landed.wait_timeout(state, LOOK).unwrap_or_else(PoisonError::into_inner).0;
            }
        }
    }
}

impl<T> crate::cache::Building for Flight<T>
where
    T: Clone + Send + 'static,
{
    fn waiting(&self) {
        self.set_stage(Stage::Waiting);
    }

    /// What nobody waits for any more still fills the cache for the next one.
    fn cancelled(&self) -> bool {
        false
    }
}
