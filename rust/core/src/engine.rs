//! What a wall must be able to do, whichever it is: wasm in this process, or a micro-VM.

use crate::error::{Error, Result};
use crate::request::{Open, Opened, RunHead, Submit};
use crate::run::{Run, Traces};
use serde::Serialize;
use std::any::Any;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Makes sandboxes of one kind.
pub trait Engine: Send + Sync {
    /// The `backend` of requests it serves.
    fn name(&self) -> &'static str;

    /// What it can do on this machine, without leaving anything behind.
    fn probe(&self) -> Probe;

    /// Begins what every sandbox needs. Called on a worker when a host connects.
    fn prepare(&self) {}

    /// Opens a sandbox when that takes well under a millisecond, else `None`: then `open` is called on a worker.
    fn open_at_once(&self, open: &Open) -> Option<Result<(Arc<dyn Sandbox>, Opened)>>;

    /// Opens a sandbox; may load and compile.
    fn open(&self, open: &Open, opening: &dyn Opening) -> Result<(Arc<dyn Sandbox>, Opened)>;
}

/// The one who waits for an `open`.
pub trait Opening {
    fn progress(&self, progress: Progress);
    /// True once nobody wants the sandbox any longer.
    fn cancelled(&self) -> bool;
    /// What `Sandbox::tree` gave of the session whose files are taken over.
    fn tree(&self) -> Option<Tree> {
        None
    }
}

#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Progress {
    pub stage: &'static str,
    pub done: u64,
    pub total: u64,
    pub text: String,
}

#[derive(Clone, Debug, Serialize)]
pub struct Probe {
    pub available: bool,
    pub reason: String,
}

/// The files of a sandbox, of whatever type its engine keeps them in.
pub type Tree = Arc<dyn Any + Send + Sync>;

/// One session's wall. Dropping it frees everything the session held.
pub trait Sandbox: Send + Sync {
    /// Runs guest code to its end on the calling thread; called for one run at a time.
    fn run(&self, head: &RunHead, code: &[u8], stdin: &[u8], run: &Arc<Run>) -> Outcome;

    /// Begins a run on the host's own thread, in place of `run`. It has to come back soon: when the run is asked to leave
    /// (`Place::is_leaving`), and before it would block. `None`: this can't be done, and nothing has been done.
    fn begin(self: Arc<Self>, _head: &RunHead, _code: &[u8], _stdin: &[u8], _run: &Arc<Run>) -> Option<Begun> {
        None
    }

    /// Serves a file request, also while a run is going. The answer is the `ok` object and a payload.
    fn files(&self, request: &Submit, payload: &[u8]) -> Result<(serde_json::Value, Vec<u8>)>;

    /// The files themselves, for a sandbox that takes them over; `None` where that can't be done.
    fn tree(&self) -> Option<Tree> {
        None
    }
}

/// A run that was begun on the host's own thread.
pub enum Begun {
    Ended(Outcome),
    /// The rest of it, for a thread that may block.
    GoesOn(Box<dyn FnOnce() -> Outcome + Send>),
}

/// How a run ended inside the wall.
#[derive(Default)]
pub struct Outcome {
    /// `None` when the guest was ended from outside or crashed.
    pub exit_code: Option<u32>,
    /// `None` with no exit code either: the run was stopped, and the run itself knows why.
    pub error: Option<Error>,
    pub limit_hit: Option<LimitHit>,
    /// When guest code began to run.
    pub entered: Option<Instant>,
    /// An interactive session had to begin with a fresh interpreter.
    pub state_lost: bool,
    /// The guest did not handle the failure of a tool: the run becomes an error that names it.
    pub tool_failed: bool,
    pub changed: Changed,
    /// Clearing away, done once the host has its answer.
    pub afterwards: Option<Box<dyn FnOnce() + Send>>,
}

/// Regular files of the workspace that a run has made or written, by path.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Changed {
    #[serde(rename = "changed", skip_serializing_if = "Vec::is_empty")]
    pub paths: Vec<String>,
    /// There are more.
    #[serde(rename = "changedMore", skip_serializing_if = "std::ops::Not::not")]
    pub more: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum LimitHit {
    Output,
    Memory,
    Workspace,
    Tools,
}

impl LimitHit {
    /// What refused a run something that its code then coped with, or not.
    pub fn of_refusals(memory: bool, workspace: bool) -> Option<Self> {
        match (memory, workspace) {
            (true, _) => Some(Self::Memory),
            (_, true) => Some(Self::Workspace),
            _ => None,
        }
    }
}

/// The `ok` of a done run, also beside an error.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Ran {
    pub exit_code: Option<u32>,
    pub stdout_bytes: u64,
    pub stderr_bytes: u64,
    pub limit_hit: Option<LimitHit>,
    pub timings: Timings,
    pub calls: u32,
    #[serde(flatten)]
    pub changed: Changed,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Timings {
    pub queued_ms: f64,
    pub start_ms: f64,
    pub first_byte_ms: Option<f64>,
    pub run_ms: f64,
    pub total_ms: f64,
}

impl Ran {
    pub fn new(run: &Run, outcome: &Outcome, traces: &Traces, ended: Instant) -> Self {
        let started = run.started();
        let entered = outcome.entered.unwrap_or(started);
        Self {
            exit_code: outcome.exit_code,
            stdout_bytes: traces.stdout_bytes,
            stderr_bytes: traces.stderr_bytes,
            limit_hit: outcome
                .limit_hit
                .or(traces.output_cut.then_some(LimitHit::Output))
                .or(traces.tool_limit.then_some(LimitHit::Tools)),
            timings: Timings {
                queued_ms: ms(started - run.submitted()),
                start_ms: ms(entered - started),
                first_byte_ms: traces.first_byte.map(|at| ms(at - started)),
                run_ms: ms(ended.saturating_duration_since(entered)),
                total_ms: ms(ended.saturating_duration_since(run.submitted())),
            },
            calls: traces.calls,
            changed: outcome.changed.clone(),
        }
    }
}

/// Milliseconds with three places, enough for what is measured and short on the wire.
pub fn ms(duration: Duration) -> f64 {
    duration.as_micros() as f64 / 1000.0
}
