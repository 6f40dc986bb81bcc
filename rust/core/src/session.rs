//! One session: a sandbox and the runs that wait for it, first come first served.

use crate::calls::Answer;
use crate::client::Client;
use crate::codec;
use crate::done::{closed, done, finished};
use crate::engine::{Begun, Outcome, Sandbox, Tree};
use crate::error::{Code, Error, Result};
use crate::limits::Limits;
use crate::request::{Open, RunHead, Submit};
use crate::run::{NewRun, Run, Stop};
use crate::watch::Watch;
use crate::wire::EventKind;
use crate::workers::Workers;
use serde::Serialize;
use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// A run with a shorter time limit than this, in ms, is always watched from its beginning.
const LEAST_BRIEF_MS: u64 = 10;
const NO_RUN: u32 = u32::MAX;

pub struct Session {
    client: Arc<Client>,
    workers: Workers,
    limits: Limits,
    tools: Arc<[String]>,
    call_ids: Arc<AtomicU32>,
    /// How long the last run took, in µs; `NO_RUN` before the first.
    last_run_us: AtomicU32,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    sandbox: Option<Arc<dyn Sandbox>>,
    /// The run that goes on.
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
            last_run_us: AtomicU32::new(NO_RUN),
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

    /// The files behind the wall, for a session that takes them over.
    pub fn tree(&self) -> Option<Tree> {
        let sandbox = self.state().sandbox.clone();
        sandbox?.tree()
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

    /// Takes a run in; true when events of it wait already. `Err` is its outcome.
    pub fn submit_run(self: &Arc<Self>, request: u32, head: RunHead, payload: &[u8]) -> Result<bool> {
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
        if let Some(sandbox) = self.for_brief(&state, &run) {
            state.current = Some(run.clone());
            drop(state);
            return Ok(self.begin(run, head, payload, sandbox));
        }
        state.queue.push_back(Pending { run, head, payload: payload.to_vec() });
        self.start_next(&mut state);
        drop(state);
        Ok(self.client.attend())
    }

    /// The sandbox, when the run may begin on the host's own thread.
    fn for_brief(&self, state: &State, run: &Run) -> Option<Arc<dyn Sandbox>> {
        let last = self.last_run_us.load(Ordering::Relaxed);
        let idle = state.current.is_none() && state.queue.is_empty() && run.time_ms >= LEAST_BRIEF_MS;
        let brief = idle && self.client.may_be_brief((last != NO_RUN).then_some(last));
        state.sandbox.clone().filter(|_| brief)
    }

    /// Begins a run on the calling thread, the host's own; what takes long goes on on a worker. True when events wait.
    fn begin(self: &Arc<Self>, run: Arc<Run>, head: RunHead, payload: &[u8], sandbox: Arc<dyn Sandbox>) -> bool {
        let busy = self.client.busy();
        // The host's notify must not be called inside its own call.
        let attended = self.client.mailbox.attended();
        run.started();
        run.place().enter_hosts();
        let watched = Watch::shared().brief(&run);
        let (code, stdin) = payload.split_at(head.code_bytes);
        let begun = catch_unwind(AssertUnwindSafe(|| sandbox.clone().begin(&head, code, stdin, &run)));
        drop(watched);
        run.place().leave();
        match begun {
            Ok(Some(Begun::Ended(outcome))) => self.end(&run, outcome, sandbox),
            Ok(Some(Begun::GoesOn(rest))) => {
                let session = self.clone();
                self.workers.run(move || {
                    session.drive(&run, sandbox, |_| rest());
                    drop(busy);
                });
                return attended.end();
            }
            Ok(None) => {
                self.on_worker(Pending { run, head, payload: payload.to_vec() }, sandbox);
                return attended.end() || self.client.attend();
            }
            Err(_) => self.end(&run, failed(), sandbox),
        }
        drop(busy);
        attended.end()
    }

    fn start_next(self: &Arc<Self>, state: &mut State) {
        if state.current.is_some() {
            return;
        }
        let Some(sandbox) = state.sandbox.clone() else { return };
        let Some(pending) = state.queue.pop_front() else { return };
        state.current = Some(pending.run.clone());
        self.on_worker(pending, sandbox);
    }

    fn on_worker(self: &Arc<Self>, pending: Pending, sandbox: Arc<dyn Sandbox>) {
        let session = self.clone();
        let busy = self.client.busy();
        self.workers.run(move || {
            let Pending { run, head, payload } = &pending;
            let (code, stdin) = payload.split_at(head.code_bytes);
            session.drive(run, sandbox, |sandbox| match run.stopped() {
                Some(_) => Outcome::default(),
                None => sandbox.run(head, code, stdin, run),
            });
            drop(busy);
        });
    }

    fn drive(
        self: &Arc<Self>,
        run: &Arc<Run>,
        sandbox: Arc<dyn Sandbox>,
        work: impl FnOnce(&Arc<dyn Sandbox>) -> Outcome,
    ) {
        run.started();
        let watched = Watch::shared().at(run.deadline(), run);
        let outcome = catch_unwind(AssertUnwindSafe(|| work(&sandbox))).unwrap_or_else(|_| failed());
        drop(watched);
        self.end(run, outcome, sandbox);
    }

    fn end(self: &Arc<Self>, run: &Arc<Run>, mut outcome: Outcome, sandbox: Arc<dyn Sandbox>) {
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
        let took_us = u32::try_from(run.started().elapsed().as_micros()).unwrap_or(NO_RUN).min(NO_RUN - 1);
        self.last_run_us.store(took_us, Ordering::Relaxed);
        self.client.run_ends(Some(took_us));
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

fn failed() -> Outcome {
    let error = Error::internal("Cannot run code: the engine failed, which is a defect of it");
    Outcome { error: Some(error), ..Outcome::default() }
}
