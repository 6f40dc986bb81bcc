//! One session: its files, and a machine of its own.

use super::request::{FRESH, INTERACTIVE, Reply, Request};
use super::vm::{Ended, Vm};
use crate::pinned::Pinned;
use mote_core::engine::{LimitHit, Outcome, Sandbox};
use mote_core::error::Result;
use mote_core::request::{Open, Root, RunHead, Submit};
use mote_core::run::Run;
use mote_engine_wasm::shared::{Common, crashed, lock, memory_exceeded, serve_files, wall_clock, workspace};
use mote_wasi::fs::{Area, Fs};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Instant;

pub struct Machine {
    common: Common,
    library: Arc<Mutex<Fs>>,
    /// Files of another guest that were not made this one's own yet.
    taken_over: AtomicBool,
    interactive: bool,
    entry: String,
    environment: Vec<String>,
    vm: Pinned<Vm>,
}

impl Machine {
    pub fn new(open: &Open, common: Common, library: Arc<Mutex<Fs>>, entry: &str, vm: Pinned<Vm>) -> Self {
        let environment = open.env.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let taken_over = AtomicBool::new(open.files_of.is_some());
        Self { common, library, taken_over, interactive: open.interactive, entry: entry.to_owned(), environment, vm }
    }

    /// Before the first run: until then the guest that the files come from may still go on with them.
    fn move_in(&self) {
        if self.taken_over.swap(false, Ordering::Relaxed) {
            let mut fs = lock(&self.common.fs);
            fs.set_limits(Area::Workspace, workspace(&self.common.limits));
            for entry in fs.list_dir(Area::Library, "", false).unwrap_or_default() {
                // Whatever stays takes memory, and is not looked at any more.
                let _ = fs.remove_path(Area::Library, &entry.path, true, wall_clock());
            }
        }
    }

    fn outcome(&self, result: std::result::Result<Reply, Ended>) -> Outcome {
        let memory = || memory_exceeded(self.common.limits.memory_bytes);
        let mut outcome = Outcome::default();
        let mut memory_refused = false;
        match result {
            Ok(reply) => {
                outcome.exit_code = Some(reply.exit_code);
                outcome.tool_failed = reply.tool_failed;
                memory_refused = reply.memory_refused;
                if reply.out_of_memory {
                    outcome.error = Some(memory());
                } else if reply.out_of_space {
                    outcome.error = Some(self.common.workspace_exceeded());
                }
            }
            Err(Ended::Exit(code)) => outcome.exit_code = Some(code),
            Err(Ended::Stopped) => {}
            Err(Ended::OutOfMemory) => {
                memory_refused = true;
                outcome.error = Some(memory());
            }
            Err(Ended::Crashed(why)) => outcome.error = Some(crashed(&why)),
        }
        let (space_refused, changed) = self.common.end_run(self.interactive);
        outcome.changed = changed;
        outcome.limit_hit = LimitHit::of_refusals(memory_refused, space_refused);
        outcome
    }
}

impl Sandbox for Machine {
    fn run(&self, head: &RunHead, code: &[u8], stdin: &[u8], run: &Arc<Run>) -> Outcome {
        let arguments: Vec<String> = std::iter::once(&self.entry).chain(&head.args).cloned().collect();
        let mut request = Request {
            flags: if self.interactive { INTERACTIVE } else { 0 },
            memory_bytes: self.common.limits.memory_bytes,
            arguments: &arguments,
            environment: &self.environment,
            code,
        };
        let going_on = request.to_bytes();
        request.flags |= FRESH;
        let fresh = request.to_bytes();
        self.move_in();
        self.common.begin_run();
        let (stdin, working) = (stdin.to_vec(), run.clone());
        let interactive = self.interactive;
        let (entered, result) = self.vm.with(move |vm| {
            if !interactive && let Err(error) = vm.restore() {
                return (Instant::now(), Err(Ended::Crashed(error.message)));
            }
            let request = if vm.is_fresh() { fresh } else { going_on };
            (Instant::now(), vm.run(request, &stdin, &working))
        });
        let returned = result.is_ok();
        let mut outcome = self.outcome(result);
        outcome.entered = Some(entered);
        outcome.state_lost = self.interactive && !returned;
        if !self.interactive || !returned {
            // Ahead of the next run, while nobody waits. A failure comes up again then.
            self.vm.send(|vm| drop(vm.restore()));
        }
        outcome
    }

    fn files(&self, request: &Submit, payload: &[u8]) -> Result<(serde_json::Value, Vec<u8>)> {
        let fs = match request.root() {
            Some(Root::SitePackages) => &self.library,
            _ => &self.common.fs,
        };
        serve_files(&mut lock(fs), request, payload)
    }
}
