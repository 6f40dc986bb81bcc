//! A session's own guest: its VM on a thread of its own.

use super::desk::{Desk, Task};
use super::ending;
use super::image::Image;
use super::machine::Machine;
use crate::leash::Leash;
use crate::pinned::Pinned;
use mote_core::engine::{Outcome, Sandbox};
use mote_core::error::{Code, Error, Result};
use mote_core::request::{Open, RunHead, Submit};
use mote_core::run::Run;
use mote_engine_wasm::shared;
use std::sync::Arc;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::thread;
use std::time::{Duration, Instant};

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
        let make = move || {
            let machine = Some(image.boot(&desk)?);
            Ok(Vm { image, desk, machine })
        };
        let patience = Duration::from_millis(open.limits.time_ms);
        Ok(Self { vm: start_within(patience, make)?, interactive: open.interactive })
    }
}

/// Hyperlight gives no way to end a guest that does not come up. Its thread is left behind, and the caller is told.
fn start_within(patience: Duration, make: impl FnOnce() -> Result<Vm> + Send + 'static) -> Result<Pinned<Vm>> {
    let (done, outcome) = channel();
    let spawned = thread::Builder::new().name("mote-boot".into()).spawn(move || {
        let _ = done.send(Pinned::start("mote-elf", make));
    });
    spawned.map_err(|error| Error::internal(format!("Cannot start a VM's thread: {error}")))?;
    match outcome.recv_timeout(patience) {
        Ok(started) => started,
        Err(RecvTimeoutError::Timeout) => Err(super::notes::invalid(format!(
            "it did not come up within {} ms. Do less in its initialisation, or raise timeoutMs",
            patience.as_millis()
        ))),
        Err(RecvTimeoutError::Disconnected) => Err(Error::internal("Cannot start a VM: its thread ended")),
    }
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
