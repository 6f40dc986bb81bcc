//! A session's own guest: its VM on a thread of its own.

use super::desk::{Desk, Task};
use super::ending;
use super::image::Image;
use super::machine::Machine;
use crate::leash::{Leash, Thread, lock};
use crate::pinned::Pinned;
use mote_core::engine::{Outcome, Sandbox};
use mote_core::error::{Code, Error, Result};
use mote_core::request::{Open, RunHead, Submit};
use mote_core::run::Run;
use mote_engine_wasm::shared;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::sync::{Arc, Mutex, OnceLock};
use std::thread;
use std::time::{Duration, Instant};

/// Guests of this process that were given up and still initialise.
static LEFT_BEHIND: AtomicUsize = AtomicUsize::new(0);
/// With so many no other is tried.
const MOST_LEFT_BEHIND: usize = 4;

pub struct ElfSandbox {
    vm: Pinned<Vm>,
    interactive: bool,
}

/// What lives on the thread.
struct Vm {
    image: Arc<Image>,
    desk: Arc<Desk>,
    /// None once it could not be put back; the next run boots another.
    machine: Option<Machine>,
}

impl ElfSandbox {
    pub fn start(open: &Open, image: Arc<Image>) -> Result<Self> {
        let desk = Arc::new(Desk::new(&open.env, shared::seed(open.seed.as_deref())?));
        let patience = Duration::from_millis(open.limits.time_ms);
        Ok(Self { vm: start_within(patience, image, desk)?, interactive: open.interactive })
    }
}

/// A guest on its way up.
enum Start {
    Going,
    Done,
    GivenUp,
}

/// Hyperlight gives no way to end a guest that does not come up: its handle for interrupts comes with a guest that has. So
/// its thread is left behind, with the least priority and few of its like, and the caller is told.
fn start_within(patience: Duration, image: Arc<Image>, desk: Arc<Desk>) -> Result<Pinned<Vm>> {
    if image.left_behind.load(Ordering::Relaxed) {
        let why = "it did not come up for an earlier session, and is still at it. Do less in its initialisation";
        return Err(super::notes::invalid(why));
    }
    if LEFT_BEHIND.load(Ordering::Relaxed) >= MOST_LEFT_BEHIND {
        let why = format!("{MOST_LEFT_BEHIND} others have not come up and are still at it. Restart the process");
        return Err(super::notes::invalid(why));
    }
    let (done, outcome) = channel();
    let start = Arc::new((Mutex::new(Start::Going), OnceLock::new()));
    let (given, starting) = (image.clone(), start.clone());
    let make = move || {
        let _ = starting.1.set(Thread::current());
        let machine = image.boot(&desk);
        if let Start::GivenUp = std::mem::replace(&mut *lock(&starting.0), Start::Done) {
            image.left_behind.store(false, Ordering::Relaxed);
            LEFT_BEHIND.fetch_sub(1, Ordering::Relaxed);
        }
        Ok(Vm { machine: Some(machine?), image, desk })
    };
    let spawned = thread::Builder::new().name("mote-boot".into()).spawn(move || {
        let _ = done.send(Pinned::start("mote-elf", make));
    });
    spawned.map_err(|error| Error::internal(format!("Cannot start a VM's thread: {error}")))?;
    let ended = |_| Error::internal("Cannot start a VM: its thread ended");
    match outcome.recv_timeout(patience) {
        Ok(started) => return started,
        Err(RecvTimeoutError::Timeout) => {}
        Err(gone) => return Err(ended(gone)),
    }
    let mut state = lock(&start.0);
    if let Start::Done = *state {
        drop(state);
        return outcome.recv().map_err(|_| ended(RecvTimeoutError::Disconnected))?;
    }
    *state = Start::GivenUp;
    given.left_behind.store(true, Ordering::Relaxed);
    LEFT_BEHIND.fetch_add(1, Ordering::Relaxed);
    if let Some(thread) = start.1.get() {
        thread.give_way();
    }
    Err(super::notes::invalid(format!(
        "it did not come up within {} ms. Do less in its initialisation, or raise timeoutMs",
        patience.as_millis()
    )))
}

impl Vm {
    fn run(&mut self, task: Task, run: &Arc<Run>) -> Outcome {
        let failed = |error| Outcome { error: Some(error), ..Outcome::default() };
        if self.machine.is_none() {
            match self.image.boot(&self.desk) {
                Ok(machine) => self.machine = Some(machine),
                Err(error) => return failed(error),
            }
        }
        let Some(machine) = self.machine.as_mut() else { return Outcome::default() };
        let leash = Leash::on(run, machine.interrupt_handle());
        if run.stopped().is_some() {
            return Outcome::default();
        }
        let code = task.code().to_vec();
        self.desk.begin(task);
        let entered = Instant::now();
        let result = machine.run(&code);
        drop(leash);
        self.desk.end();
        let outcome = ending::outcome(result, run, code.len(), self.image.sizes.heap_bytes);
        Outcome { entered: Some(entered), ..outcome }
    }

    /// Puts the guest back, at once, so that the next run need not wait for it.
    fn reset(&mut self) {
        if self.machine.as_mut().is_some_and(|machine| machine.reset().is_err()) {
            self.machine = None;
        }
    }

    fn is_whole(&self) -> bool {
        self.machine.as_ref().is_some_and(Machine::is_whole)
    }
}

impl Sandbox for ElfSandbox {
    fn run(&self, head: &RunHead, code: &[u8], stdin: &[u8], run: &Arc<Run>) -> Outcome {
        let task = Task::new(run, code, stdin, &head.args);
        let run = run.clone();
        let (mut outcome, whole) = self.vm.with(move |vm| {
            let outcome = vm.run(task, &run);
            (outcome, vm.is_whole())
        });
        let kept = self.interactive && whole;
        if !kept {
            outcome.state_lost = self.interactive;
            self.vm.send(Vm::reset);
        }
        outcome
    }

    fn files(&self, _: &Submit, _: &[u8]) -> Result<(serde_json::Value, Vec<u8>)> {
        let message = "Cannot use files of the session: a guest of your own has no file system. \
                       Pass data as stdin, or use wasm, hyperlight without guestBinaryPath, docker, podman or kubernetes.";
        Err(Error::new(Code::Unsupported, message))
    }
}
