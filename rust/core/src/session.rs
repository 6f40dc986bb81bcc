//! One session: a sandbox and the runs that wait for it, first come first served.

use crate::calls::Answer;
use crate::client::Client;
use crate::codec;
use crate::engine::{Outcome, Ran, Sandbox};
use crate::error::{Code, Error, Result};
use crate::limits::Limits;
use crate::request::{Open, RunHead, Submit};
use crate::run::{FailedCall, NewRun, Run, Stop, Traces};
use crate::watch::Watch;
use crate::wire::EventKind;
use crate::workers::Workers;
use serde::Serialize;
use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::AtomicU32;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

pub struct Session {
    client: Arc<Client>,
    workers: Workers,
    limits: Limits,
    tools: Arc<[String]>,
    call_ids: Arc<AtomicU32>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    sandbox: Option<Arc<dyn Sandbox>>,
    /// The run on a worker.
    current: Option<Arc<Run>>,
    queue: VecDeque<Pending>,
    /// The request that opens the session, while it does.
    opening: Option<u32>,
    /// Opening was aborted by that request's own interrupt.
    aborted: bool,
    closing: bool,
    /// The close request that waits for the end.
    close_request: Option<u32>,
}

/// A run on its way to the sandbox.
struct Pending {
    run: Arc<Run>,
    head: RunHead,
    /// Code, then stdin.
    payload: Vec<u8>,
}

/// The head of a done event.
#[derive(Serialize)]
struct Done<'a, T: Serialize> {
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<&'a Error>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ok: Option<T>,
}

/// The body of a done event without a result of its own.
pub(crate) fn done<T: Serialize>(result: Result<T>, payload: &[u8]) -> Vec<u8> {
    match result {
        Ok(ok) => codec::encode(&Done { error: None, ok: Some(ok) }, payload),
        Err(error) => codec::encode(&Done::<()> { error: Some(&error), ok: None }, payload),
    }
}

#[derive(Serialize)]
struct Nothing {}

impl Session {
    pub fn opening(client: Arc<Client>, workers: Workers, request: u32, open: &Open) -> Arc<Self> {
        Arc::new(Self {
            client,
            workers,
            limits: open.limits.clone(),
            tools: open.tools.iter().cloned().collect(),
            call_ids: Arc::new(AtomicU32::new(0)),
            state: Mutex::new(State { opening: Some(request), ..State::default() }),
        })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn client(&self) -> &Arc<Client> {
        &self.client
    }

    pub fn is_closing(&self) -> bool {
        self.state().closing
    }

    /// The sandbox is there. False when the session was closed meanwhile: then nothing is kept.
    pub fn opened(self: &Arc<Self>, sandbox: Arc<dyn Sandbox>) -> bool {
        let mut state = self.state();
        state.opening = None;
        if !state.closing {
            state.sandbox = Some(sandbox);
            self.start_next(&mut state);
            return true;
        }
        drop(state);
        drop(sandbox);
        false
    }

    /// After `opened` gave false or opening failed: answers what waits, and the close request.
    pub fn end_opening(&self, why: &Error) {
        let mut state = self.state();
        state.opening = None;
        state.closing = true;
        let queue = std::mem::take(&mut state.queue);
        let close_request = state.close_request.take();
        drop(state);
        for pending in queue {
            self.client.run_ends(None);
            self.client.mailbox.post(pending.run.request, EventKind::Done, done::<()>(Err(why.clone()), &[]));
        }
        if let Some(request) = close_request {
            self.client.mailbox.post(request, EventKind::Done, done(Ok(Nothing {}), &[]));
        }
    }

    /// Takes a run in; `Err` is its outcome already.
    pub fn submit_run(self: &Arc<Self>, request: u32, head: RunHead, payload: &[u8]) -> Result<()> {
        let new = NewRun {
            request,
            time_ms: self.limits.run_time_ms(head.time_ms)?,
            stream: head.stream,
            tools: self.tools.clone(),
            call_ids: self.call_ids.clone(),
            mailbox: self.client.mailbox.clone(),
        };
        let run = Run::new(self.limits.clone(), new);
        let mut state = self.state();
        if state.closing {
            return Err(closed("run code"));
        }
        self.client.run_submitted();
        state.queue.push_back(Pending { run, head, payload: payload.to_vec() });
        self.start_next(&mut state);
        Ok(())
    }

    fn start_next(self: &Arc<Self>, state: &mut State) {
        if state.current.is_some() {
            return;
        }
        let Some(sandbox) = state.sandbox.clone() else { return };
        let Some(pending) = state.queue.pop_front() else { return };
        state.current = Some(pending.run.clone());
        let session = self.clone();
        let busy = self.client.busy();
        self.workers.run(move || {
            session.drive(&pending, sandbox);
            drop(busy);
        });
    }

    fn drive(self: &Arc<Self>, pending: &Pending, sandbox: Arc<dyn Sandbox>) {
        let Pending { run, head, payload } = pending;
        run.started();
        let (code, stdin) = payload.split_at(head.code_bytes);
        let watched = Watch::shared().at(run.deadline(), run);
        let mut outcome = match run.stopped() {
            Some(_) => Outcome::default(),
            None => {
                catch_unwind(AssertUnwindSafe(|| sandbox.run(head, code, stdin, run))).unwrap_or_else(|_| Outcome {
                    error: Some(Error::internal("Cannot run code: the engine failed, which is a defect of it")),
                    ..Outcome::default()
                })
            }
        };
        drop(watched);
        drop(sandbox);
        let afterwards = outcome.afterwards.take();
        let message = finished(run, outcome);
        let (sandbox, close_request) = {
            let mut state = self.state();
            state.current = None;
            self.start_next(&mut state);
            match state.closing {
                true => (state.sandbox.take(), state.close_request.take()),
                false => (None, None),
            }
        };
        self.client.run_ends(Some(run.submitted().elapsed()));
        self.client.mailbox.post(run.request, EventKind::Done, message);
        if let Some(afterwards) = afterwards {
            // What is cleared away late has no request left that a failure could be told to.
            let _ = catch_unwind(AssertUnwindSafe(afterwards));
        }
        drop(sandbox);
        if let Some(request) = close_request {
            self.client.mailbox.post(request, EventKind::Done, done(Ok(Nothing {}), &[]));
        }
    }

    /// Serves a file request on the calling thread, which gets the body of its done event.
    pub fn files(&self, request: &Submit, payload: &[u8]) -> Vec<u8> {
        let sandbox = self.state().sandbox.clone();
        let result = match sandbox {
            Some(sandbox) => sandbox.files(request, payload),
            None => Err(closed("use the workspace")),
        };
        match result {
            Ok((ok, payload)) => done(Ok(ok), &payload),
            Err(error) => done::<()>(Err(error), &[]),
        }
    }

    pub fn reply(&self, call: u32, message: &[u8]) -> std::result::Result<(), codec::Malformed> {
        let answer = Answer::from_reply(message, self.limits.tool_bytes)?;
        let current = self.state().current.clone();
        if let Some(run) = current {
            run.reply(call, answer);
        }
        Ok(())
    }

    /// Output of the run `request` that the host has dealt with.
    pub fn acknowledge(&self, request: u32, bytes: usize) {
        let current = self.state().current.clone().filter(|run| run.request == request);
        if let Some(run) = current {
            run.acknowledge(bytes);
        }
    }

    /// Why a session that was not wanted any longer could not be opened.
    pub fn not_opened(&self) -> Error {
        match self.state().aborted {
            true => Error::new(Code::Aborted, "Cannot open session: it was aborted"),
            false => closed("open session"),
        }
    }

    /// Ends a run, or the opening of the session. True when it waited in the queue and its done event was left in the mailbox.
    pub fn interrupt(&self, request: u32) -> bool {
        let mut state = self.state();
        if let Some(place) = state.queue.iter().position(|pending| pending.run.request == request) {
            let pending = state.queue.remove(place);
            drop(state);
            self.post_ended(pending, Stop::Aborted);
            return true;
        }
        if state.opening == Some(request) {
            state.closing = true;
            state.aborted = true;
        }
        let current = state.current.clone().filter(|run| run.request == request);
        drop(state);
        if let Some(run) = current {
            run.stop(Stop::Aborted);
        }
        false
    }

    fn post_ended(&self, pending: impl IntoIterator<Item = Pending>, why: Stop) {
        for Pending { run, .. } in pending {
            run.stop(why);
            let message = finished(&run, Outcome::default());
            self.client.run_ends(None);
            self.client.mailbox.post_quietly(run.request, EventKind::Done, message);
        }
    }

    /// Begins the end. True when events were left in the mailbox: of runs that waited, or of the end itself.
    pub fn close(&self, request: Option<u32>) -> bool {
        let mut state = self.state();
        state.closing = true;
        let queue = std::mem::take(&mut state.queue);
        let current = state.current.clone();
        if state.opening.is_some() || current.is_some() {
            state.close_request = request;
            drop(state);
            let waited = !queue.is_empty();
            self.post_ended(queue, Stop::Closed);
            if let Some(run) = current {
                run.stop(Stop::Closed);
            }
            return waited;
        }
        let sandbox = state.sandbox.take();
        drop(state);
        drop(sandbox);
        if let Some(request) = request {
            self.client.mailbox.post_quietly(request, EventKind::Done, done(Ok(Nothing {}), &[]));
        }
        true
    }
}

pub(crate) fn closed(what: &str) -> Error {
    Error::new(Code::SessionClosed, format!("Cannot {what}: the session is closed"))
}

/// The body of a run's done event.
fn finished(run: &Run, outcome: Outcome) -> Vec<u8> {
    let ended = Instant::now();
    let traces = run.traces();
    let mut error = outcome.error.clone();
    if outcome.tool_failed {
        error = Some(tool_failed(&traces));
    }
    if error.is_none() && outcome.exit_code.is_none() {
        error = Some(stop_error(run));
    }
    if let Some(error) = error.as_mut().filter(|_| outcome.state_lost) {
        error.message.push_str("; the session goes on with a fresh interpreter, the state of earlier runs is lost");
    }
    let ran = Ran::new(run, &outcome, &traces, ended);
    let mut message = Vec::with_capacity(512 + traces.stdout.len() + traces.stderr.len());
    let head = Done { error: error.as_ref(), ok: Some(ran) };
    codec::encode_into(&mut message, &head, &[&traces.stdout, &traces.stderr]);
    message
}

fn tool_failed(traces: &Traces) -> Error {
    let Some(FailedCall { id, tool, message }) = &traces.failed_call else {
        return Error::new(Code::ToolFailed, "Cannot run code: a tool failed and the code did not handle it");
    };
    let text = format!("Cannot run code: tool {tool} failed and the code did not handle it: {message}");
    Error { call: Some(*id), ..Error::new(Code::ToolFailed, text) }
}

fn stop_error(run: &Run) -> Error {
    let Limits { output_bytes, cpu_ms, .. } = run.limits;
    match run.stopped() {
        Some(Stop::Time) => {
            Error::limit(Code::TimedOut, "time", format!("Cannot run code: {} ms limit passed", run.time_ms))
        }
        Some(Stop::Cpu) => {
            let cpu = cpu_ms.unwrap_or_default();
            Error::limit(Code::TimedOut, "cpu", format!("Cannot run code: {cpu} ms limit of CPU time passed"))
        }
        Some(Stop::Output) => {
            let message = format!("Cannot run code: it printed more than {}", crate::error::bytes(output_bytes));
            Error::limit(Code::OutputExceeded, "output", message)
        }
        Some(Stop::Aborted) => Error::new(Code::Aborted, "Cannot run code: the run was aborted"),
        Some(Stop::Closed) => closed("run code"),
        None => Error::internal("Cannot run code: the engine gave no result"),
    }
}
