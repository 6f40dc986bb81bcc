//! The sandbox of an interpreter: one machine, restored before each run unless it keeps its state.

use super::machine::Machine;
use super::session::{Session, Task};
use super::template::{Size, Template};
use crate::pinned::Pinned;
use mote_core::engine::{Outcome, Sandbox, Tree};
use mote_core::error::Result;
use mote_core::request::{Open, RunHead, Submit};
use mote_core::run::Run;
use mote_engine_wasm::shared::{self, lock};
use mote_wasi::Fs;
use std::sync::{Arc, Mutex, PoisonError};

/// What `mote_run` returns beside the exit code.
const TOOL_FAILED: u32 = 0x100;
const OUT_OF_MEMORY: u32 = 0x200;
const OUT_OF_SPACE: u32 = 0x400;

pub struct Interpreter {
    machine: Pinned<Machine>,
    template: Arc<Template>,
    files: Arc<Mutex<Fs>>,
    session: Mutex<Session>,
}

impl Interpreter {
    pub fn new(open: &Open, template: Arc<Template>) -> Result<Self> {
        let session = Session::new(open, Size::of(&open.limits))?;
        let made_of = template.clone();
        let machine = Pinned::start("mote-vm", move || Machine::new(&made_of))?;
        let files = session.workspace.common.fs.clone();
        Ok(Self { machine, template, files, session: Mutex::new(session) })
    }
}

/// What a return of the interpreter's means.
fn returned(session: &Session, value: u32, outcome: &mut Outcome) {
    let common = &session.workspace.common;
    outcome.exit_code = Some(value & 0xff);
    outcome.tool_failed = value & TOOL_FAILED != 0;
    outcome.error = if value & OUT_OF_MEMORY != 0 {
        Some(shared::memory_exceeded(common.limits.memory_bytes))
    } else {
        (value & OUT_OF_SPACE != 0).then(|| common.workspace_exceeded())
    };
}

impl Sandbox for Interpreter {
    fn run(&self, head: &RunHead, code: &[u8], stdin: &[u8], run: &Arc<Run>) -> Outcome {
        let mut session = self.session.lock().unwrap_or_else(PoisonError::into_inner);
        let task = Task { entry: &self.template.entry, head, code, stdin, run };
        let (outcome, keep) = session.run(&self.machine, &task, returned);
        if !keep {
            // Under the session's lock, so ahead of any further run; the answer does not wait for it.
            self.machine.send(Machine::reset_or_end);
        }
        outcome
    }

    fn files(&self, request: &Submit, payload: &[u8]) -> Result<(serde_json::Value, Vec<u8>)> {
        shared::serve_files(&mut lock(&self.files), request, payload)
    }

    /// Nothing is in a machine that is not here between runs.
    fn tree(&self) -> Option<Tree> {
        Some(self.files.clone())
    }
}
