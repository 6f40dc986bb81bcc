//! What a session brings to its machine, run after run, and what it takes from it.

use super::clock;
use super::machine::{Died, Ended, Left, Machine};
use super::reach::Given;
use super::template::Size;
use super::workspace::Workspace;
use crate::pinned::Pinned;
use mote_core::engine::{Changed, LimitHit, Outcome};
use mote_core::error::{Error, Result};
use mote_core::request::{Open, RunHead};
use mote_core::run::Run;
use mote_engine_wasm::shared::{self, wall_clock};
use mote_micro_wire::{self as wire, Ending, PIECE_BYTES, Reply};
use std::sync::Arc;
use std::time::{Duration, Instant};

pub struct Session {
    pub workspace: Workspace,
    env: Vec<(String, String)>,
    interactive: bool,
    /// When the session was given the machine's interpreter; `None`: the machine is fresh.
    born: Option<Instant>,
    /// CPU time of the runs since then.
    cpu: Duration,
}

/// One run, as the host asked for it.
pub struct Task<'a> {
    /// The program's name for itself.
    pub entry: &'a str,
    pub head: &'a RunHead,
    pub code: &'a [u8],
    pub stdin: &'a [u8],
    pub run: &'a Arc<Run>,
}

impl Session {
    pub fn new(open: &Open, size: Size) -> Result<Self> {
        Ok(Self {
            workspace: Workspace::new(open, size)?,
            env: open.env.iter().map(|(name, value)| (name.clone(), value.clone())).collect(),
            interactive: open.interactive,
            born: None,
            cpu: Duration::ZERO,
        })
    }

    /// Runs a task in the machine and takes over what it changed. `meaning` says what a return of the guest's means.
    pub fn run(
        &mut self,
        machine: &Pinned<Machine>,
        task: &Task<'_>,
        meaning: impl FnOnce(&Self, u32, &mut Outcome),
    ) -> (Outcome, bool) {
        let given = self.give(task);
        let entered = Instant::now();
        let left = machine.with(move |machine| machine.run(given));
        let mut outcome = Outcome { entered: Some(entered), ..Outcome::default() };
        let keep = match left {
            Ok(left) => self.take(left, &mut outcome, meaning) && self.interactive,
            Err(error) => {
                outcome.error = Some(error);
                false
            }
        };
        if !keep {
            self.born = None;
            outcome.state_lost = self.interactive;
        }
        (outcome, keep)
    }

    fn give(&mut self, task: &Task<'_>) -> Given {
        let first = self.born.is_none();
        let [workspace, library] = if first { self.workspace.for_fresh() } else { self.workspace.for_used() };
        if first {
            self.cpu = Duration::ZERO;
        }
        let born = *self.born.get_or_insert_with(Instant::now);
        let limits = &self.workspace.common.limits;
        let Task { entry, head, code, stdin, run } = task;
        let args = std::iter::once((*entry).to_owned()).chain(head.args.iter().cloned());
        let message = wire::Run {
            seed: self.workspace.common.next_seed(),
            now_ns: wall_clock(),
            tsc_hz: clock::tsc().hz,
            tsc_ns: clock::tsc().ns,
            alive_ns: born.elapsed().as_nanos() as u64,
            first,
            interactive: self.interactive,
            memory_bytes: limits.memory_bytes,
            workspace_bytes: limits.workspace_bytes,
            workspace_files: limits.workspace_files,
            args: args.collect(),
            env: if first { self.env.clone() } else { vec![] },
            code_bytes: code.len() as u64,
            stdin_bytes: stdin.len() as u64,
            workspace_patch_bytes: workspace.len() as u64,
            library_patch_bytes: library.len() as u64,
            code: (code.len() <= PIECE_BYTES / 2).then(|| code.to_vec()),
        };
        Given {
            run: (*run).clone(),
            stays: self.interactive,
            message: message.encode(),
            code: code.to_vec(),
            stdin: stdin.to_vec(),
            workspace,
            library,
            cpu_before: self.cpu,
            most_pushed: self.workspace.most_pushed(),
        }
    }

    /// True when the guest came back and can go on.
    fn take(&mut self, left: Left, outcome: &mut Outcome, meaning: impl FnOnce(&Self, u32, &mut Outcome)) -> bool {
        self.cpu += left.cpu;
        let limits = &self.workspace.common.limits;
        let reply = match left.ended {
            Ended::Replied(reply) => *reply,
            Ended::Stopped => return false,
            Ended::Died(Died::OutOfMemory) => {
                outcome.error = Some(shared::memory_exceeded(limits.memory_bytes));
                outcome.limit_hit = Some(LimitHit::Memory);
                return false;
            }
            Ended::Died(Died::Crashed(why)) => {
                outcome.error = Some(shared::crashed(&why));
                return false;
            }
        };
        let Reply { ending, memory_refused, space_refused, patch, changed, changed_more } = reply;
        outcome.changed = Changed { paths: changed, more: changed_more };
        outcome.limit_hit = LimitHit::of_refusals(memory_refused, space_refused);
        let returned = matches!(ending, Ending::Returned(_));
        match ending {
            Ending::Returned(value) => meaning(self, value, outcome),
            Ending::Exited(code) => outcome.exit_code = Some(code),
            Ending::Stopped => {}
            Ending::Trapped(_) if memory_refused => {
                outcome.error = Some(shared::memory_exceeded(limits.memory_bytes));
            }
            Ending::Trapped(why) => outcome.error = Some(shared::crashed(&why)),
            Ending::Refused(why) => {
                outcome.error = Some(Error::internal(format!("Cannot run code: the guest refused {why}")))
            }
        }
        let patch = left.pushed.as_deref().unwrap_or(&patch);
        if let Err(error) = self.workspace.take(patch) {
            outcome.exit_code = None;
            outcome.error = Some(error);
            return false;
        }
        returned
    }
}
