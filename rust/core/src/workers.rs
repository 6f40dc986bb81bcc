//! Threads for runs: made on demand, the last one used first, ended when idle.

use crate::spin::spin;
use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

/// Guests run on these stacks: 4 MiB for wasm, the rest for the host's own calls.
const STACK_BYTES: usize = 8 << 20;
const IDLE: Duration = Duration::from_secs(5);
/// How long a thread that has just worked looks out for more before it sleeps.
const LOOK_OUT: Duration = Duration::from_micros(60);

type Job = Box<dyn FnOnce() + Send>;

#[derive(Clone)]
pub struct Workers {
    shared: Arc<Shared>,
}

struct Shared {
    most: usize,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    threads: usize,
    idle: Vec<Arc<Desk>>,
    waiting: VecDeque<Job>,
}

/// Where one idle thread is given its next job.
#[derive(Default)]
struct Desk {
    job: Mutex<Option<Job>>,
    given: Condvar,
    /// A job lies there.
    filled: AtomicBool,
}

impl Workers {
    /// `most`: threads at the same time; further jobs wait for one.
    pub fn new(most: usize) -> Self {
        Self { shared: Arc::new(Shared { most, state: Mutex::default() }) }
    }

    pub fn threads(&self) -> usize {
        self.shared.state().threads
    }

    pub fn run(&self, job: impl FnOnce() + Send + 'static) {
        let job: Job = Box::new(job);
        let mut state = self.shared.state();
        if let Some(desk) = state.idle.pop() {
            drop(state);
            *desk.job.lock().unwrap_or_else(PoisonError::into_inner) = Some(job);
            desk.filled.store(true, Ordering::Release);
            desk.given.notify_one();
            return;
        }
        state.waiting.push_back(job);
        if state.threads >= self.shared.most {
            return;
        }
        state.threads += 1;
        drop(state);
        let shared = self.shared.clone();
        let thread = thread::Builder::new().name("mote-run".into()).stack_size(STACK_BYTES);
        if thread.spawn(move || shared.work()).is_err() {
            // The job waits for a thread that exists; with none at all the host is out of resources for good.
            self.shared.state().threads -= 1;
        }
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn work(&self) {
        let desk = Arc::new(Desk::default());
        while let Some(job) = self.next(&desk) {
            desk.filled.store(false, Ordering::Relaxed);
            // A job reports its own panics; this one keeps the thread and its count.
            let _ = catch_unwind(AssertUnwindSafe(job));
        }
    }

    fn next(&self, desk: &Arc<Desk>) -> Option<Job> {
        let mut state = self.state();
        if let Some(job) = state.waiting.pop_front() {
            return Some(job);
        }
        state.idle.push(desk.clone());
        drop(state);
        spin(LOOK_OUT, || desk.filled.load(Ordering::Acquire));
        let given = desk.job.lock().unwrap_or_else(PoisonError::into_inner);
        let (mut given, _) =
            desk.given.wait_timeout_while(given, IDLE, |job| job.is_none()).unwrap_or_else(PoisonError::into_inner);
        if let Some(job) = given.take() {
            return Some(job);
        }
        drop(given);
        let mut state = self.state();
        match state.idle.iter().position(|idle| Arc::ptr_eq(idle, desk)) {
            Some(place) => {
                state.idle.remove(place);
                state.threads -= 1;
                None
            }
            // Somebody took this desk off the list a moment ago, so a job is on its way.
            None => {
                drop(state);
                let given = desk.job.lock().unwrap_or_else(PoisonError::into_inner);
                desk.given.wait_while(given, |job| job.is_none()).unwrap_or_else(PoisonError::into_inner).take()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc;

    #[test]
    fn a_free_thread_is_used_again_and_a_panic_does_not_end_it() {
        let workers = Workers::new(1);
        let (send, receive) = mpsc::channel();
        for n in 0..50 {
            let send = send.clone();
            workers.run(move || {
                let id = thread::current().id();
                send.send(id).unwrap();
                assert!(n % 10 != 0, "a job may fail");
            });
        }
        let ids: Vec<_> = receive.iter().take(50).collect();
        assert!(ids.iter().all(|id| *id == ids[0]));
        assert_eq!(workers.threads(), 1);
    }

    #[test]
    fn blocked_jobs_get_further_threads_up_to_the_bound() {
        let workers = Workers::new(3);
        let (started, starts) = mpsc::channel();
        let (open, gate) = mpsc::channel::<()>();
        let gate = Arc::new(Mutex::new(gate));
        for _ in 0..5 {
            let (started, gate) = (started.clone(), gate.clone());
            workers.run(move || {
                started.send(()).unwrap();
                let _ = gate.lock().unwrap().recv();
            });
        }
        (0..3).for_each(|_| starts.recv().unwrap());
        assert!(starts.try_recv().is_err());
        assert_eq!(workers.threads(), 3);
        drop(open);
        (0..2).for_each(|_| starts.recv().unwrap());
    }
}
