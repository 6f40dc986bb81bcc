//! One thread for one VM: moving a virtual processor between threads costs KVM more than a run.

use mote_core::error::{Error, Result};
use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::mpsc::{Sender, SyncSender, channel, sync_channel};
use std::thread::{self, JoinHandle};

type Job<T> = Box<dyn FnOnce(&mut T) + Send>;

/// A value that lives on a thread of its own. Dropping it waits until the value is dropped there.
pub struct Pinned<T> {
    jobs: Option<Sender<Job<T>>>,
    thread: Option<JoinHandle<()>>,
}

/// What a job left: its result, or the panic it ended with.
type Left<R> = std::result::Result<R, Box<dyn Any + Send>>;

impl<T: 'static> Pinned<T> {
    /// Starts the thread and makes the value on it.
    pub fn start(name: &str, make: impl FnOnce() -> Result<T> + Send + 'static) -> Result<Self> {
        let (jobs, work) = channel::<Job<T>>();
        let (made, outcome) = sync_channel(1);
        let thread = thread::Builder::new().name(name.to_owned()).stack_size(2 << 20).spawn(move || {
            let value = catch_unwind(AssertUnwindSafe(make)).unwrap_or_else(|_| {
                Err(Error::internal("Cannot start a VM: the engine failed, which is a defect of it"))
            });
            let mut value = match value {
                Ok(value) => value,
                Err(error) => {
                    let _ = made.send(Err(error));
                    return;
                }
            };
            let _ = made.send(Ok(()));
            for job in work {
                job(&mut value);
            }
        });
        let thread = thread.map_err(|error| Error::internal(format!("Cannot start a VM's thread: {error}")))?;
        let started = outcome.recv().unwrap_or_else(|_| Err(Error::internal("Cannot start a VM: its thread ended")));
        match started {
            Ok(()) => Ok(Self { jobs: Some(jobs), thread: Some(thread) }),
            Err(error) => {
                let _ = thread.join();
                Err(error)
            }
        }
    }

    /// Runs `job` on the value's thread and waits for it; a panic there goes on here.
    pub fn with<R: Send + 'static>(&self, job: impl FnOnce(&mut T) -> R + Send + 'static) -> R {
        let (done, outcome): (SyncSender<Left<R>>, _) = sync_channel(1);
        self.send(move |value| {
            let _ = done.send(catch_unwind(AssertUnwindSafe(|| job(value))));
        });
        match outcome.recv().expect("the thread answers every job") {
            Ok(result) => result,
            Err(panic) => resume_unwind(panic),
        }
    }

    /// Leaves `job` to the value's thread.
    pub fn send(&self, job: impl FnOnce(&mut T) + Send + 'static) {
        let jobs = self.jobs.as_ref().expect("only dropping takes it");
        // The receiver lives as long as the thread, which ends only when this sender is gone.
        let _ = jobs.send(Box::new(move |value| {
            // A job without anybody who waits has nobody to tell.
            let _ = catch_unwind(AssertUnwindSafe(|| job(value)));
        }));
    }
}

impl<T> Drop for Pinned<T> {
    fn drop(&mut self) {
        self.jobs = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use mote_core::error::Code;

    #[test]
    fn jobs_run_in_order_on_one_thread_and_survive_a_panic() {
        let pinned = Pinned::start("test-vm", || Ok((thread::current().id(), Vec::new()))).unwrap();
        pinned.send(|(_, seen)| seen.push(1));
        let panicked = catch_unwind(AssertUnwindSafe(|| pinned.with(|_| panic!("as the test asks"))));
        assert!(panicked.is_err());
        let (id, same, seen) = pinned.with(|(id, seen)| {
            seen.push(2);
            (*id, thread::current().id(), seen.clone())
        });
        assert_eq!((id, seen), (same, vec![1, 2]));
    }

    #[test]
    fn a_value_that_cannot_be_made_is_an_error_here() {
        let failed = Pinned::<()>::start("test-vm", || Err(Error::new(Code::GuestInvalid, "no")));
        assert_eq!(failed.err().map(|error| error.code), Some(Code::GuestInvalid));
    }
}
