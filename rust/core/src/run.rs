//! One run of guest code, seen by both sides: the guest's thread waits and prints here, the host answers and stops here.

use crate::calls::{Answer, CallStatus, Calls, Look, Waited};
use crate::limits::Limits;
use crate::mailbox::Mailbox;
use crate::place::Place;
pub use crate::traces::{FailedCall, Traces};
use crate::wire::{EventKind, MAX_UNREAD_BYTES};
use serde::Serialize;
use std::sync::atomic::{AtomicU8, AtomicU32, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};

/// Streamed output is handed over in pieces of at most this size.
const PIECE_BYTES: usize = 256 << 10;

/// Why a run is ended from outside the guest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Stop {
    Time = 1,
    Cpu = 2,
    Output = 3,
    Aborted = 4,
    Closed = 5,
}

impl Stop {
    fn from_raw(raw: u8) -> Option<Self> {
        [Self::Time, Self::Cpu, Self::Output, Self::Aborted, Self::Closed].into_iter().find(|stop| *stop as u8 == raw)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stream {
    Stdout,
    Stderr,
}

/// Shared state of one run. The guest's thread drives it; `stop`, `reply` and `acknowledge` come from other threads.
pub struct Run {
    pub request: u32,
    pub limits: Limits,
    pub time_ms: u64,
    stream: bool,
    tools: Arc<[String]>,
    /// Ids of tool calls are unique in the session.
    call_ids: Arc<AtomicU32>,
    mailbox: Arc<Mailbox>,
    stop: AtomicU8,
    place: Place,
    submitted: Instant,
    started: OnceLock<Instant>,
    /// Makes a busy guest look at `stopped`.
    nudge: OnceLock<Box<dyn Fn() + Send + Sync>>,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    calls: Calls,
    stdout: Vec<u8>,
    stderr: Vec<u8>,
    /// Output so far, cut bytes not counted.
    stdout_bytes: u64,
    stderr_bytes: u64,
    cut: bool,
    /// Streamed bytes that the host has not acknowledged.
    unread: usize,
    /// Streamed output that has to wait for the host, while the guest is on the host's own thread.
    held: Vec<(EventKind, Vec<u8>)>,
    /// A limit on tool calls stood in the way of one.
    tool_limit: bool,
    /// The last call that was answered with a failure.
    failed_call: Option<FailedCall>,
    first_byte: Option<Instant>,
}

/// What a run is made of, besides its limits.
pub struct NewRun {
    pub request: u32,
    pub time_ms: u64,
    pub stream: bool,
    pub tools: Arc<[String]>,
    pub call_ids: Arc<AtomicU32>,
    pub mailbox: Arc<Mailbox>,
}

impl Run {
    pub fn new(limits: Limits, new: NewRun) -> Arc<Self> {
        Arc::new(Self {
            request: new.request,
            limits,
            time_ms: new.time_ms,
            stream: new.stream,
            tools: new.tools,
            call_ids: new.call_ids,
            mailbox: new.mailbox,
            stop: AtomicU8::new(0),
            place: Place::default(),
            submitted: Instant::now(),
            started: OnceLock::new(),
            nudge: OnceLock::new(),
            state: Mutex::default(),
            changed: Condvar::new(),
        })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn submitted(&self) -> Instant {
        self.submitted
    }

    /// The moment this run left the queue.
    pub fn started(&self) -> Instant {
        *self.started.get_or_init(Instant::now)
    }

    /// When the wall-clock limit ends this run.
    pub fn deadline(&self) -> Instant {
        self.started() + Duration::from_millis(self.time_ms)
    }

    /// Sets how a guest that computes is made to look at `stopped`. Called once, before the guest starts.
    pub fn set_nudge(&self, nudge: impl Fn() + Send + Sync + 'static) {
        let _ = self.nudge.set(Box::new(nudge));
    }

    pub fn nudge(&self) {
        if let Some(nudge) = self.nudge.get() {
            nudge();
        }
    }

    /// Ends the run; the first reason given stays. Wakes whatever the guest waits for.
    pub fn stop(&self, why: Stop) {
        if self.stop.compare_exchange(0, why as u8, Ordering::SeqCst, Ordering::SeqCst).is_err() {
            return;
        }
        // A waiter checks the flag under this lock, so taking it here loses no wake-up.
        drop(self.state());
        self.changed.notify_all();
        self.nudge();
    }

    /// Somebody reads the output while it is made.
    pub fn streams(&self) -> bool {
        self.stream
    }

    pub fn stopped(&self) -> Option<Stop> {
        match self.stop.load(Ordering::SeqCst) {
            0 => None,
            raw => Stop::from_raw(raw),
        }
    }

    /// Whose thread the guest is on.
    pub fn place(&self) -> &Place {
        &self.place
    }

    fn check(&self) -> Result<(), Stop> {
        match self.stopped() {
            Some(why) => Err(why),
            None if Instant::now() >= self.deadline() => {
                self.stop(Stop::Time);
                Err(self.stopped().unwrap_or(Stop::Time))
            }
            None => Ok(()),
        }
    }

    /// Waits for a change, at most until `until` and the deadline.
    fn wait<'a>(&'a self, state: MutexGuard<'a, State>, until: Option<Instant>) -> MutexGuard<'a, State> {
        let until = until.map_or(self.deadline(), |until| until.min(self.deadline()));
        let left = until.saturating_duration_since(Instant::now());
        self.changed.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0
    }

    /// Sleeps until `until`, or until the run is stopped.
    pub fn sleep(&self, until: Instant) -> Result<(), Stop> {
        let mut state = self.state();
        loop {
            if let Some(why) = self.stopped() {
                return Err(why);
            }
            let now = Instant::now();
            if now >= self.deadline() {
                drop(state);
                return self.check();
            }
            if now >= until {
                return Ok(());
            }
            state = self.wait(state, Some(until));
        }
    }

    /// Takes output of the guest: streams it or keeps it, and holds it against the limit.
    pub fn write(self: &Arc<Self>, stream: Stream, bytes: &[u8]) -> Result<(), Stop> {
        let kept = {
            let mut state = self.state();
            if state.first_byte.is_none() && !bytes.is_empty() {
                state.first_byte = Some(Instant::now());
            }
            let left = self.limits.output_bytes - state.stdout_bytes - state.stderr_bytes;
            let kept = usize::try_from(left).map_or(bytes, |left| &bytes[..bytes.len().min(left)]);
            let (total, collected) = match stream {
                Stream::Stdout => (&mut state.stdout_bytes, 0),
                Stream::Stderr => (&mut state.stderr_bytes, 1),
            };
            *total += kept.len() as u64;
            if !self.stream {
                let target = if collected == 0 { &mut state.stdout } else { &mut state.stderr };
                target.extend_from_slice(kept);
            }
            state.cut |= kept.len() < bytes.len();
            kept
        };
        if self.stream {
            let kind = if stream == Stream::Stdout { EventKind::Stdout } else { EventKind::Stderr };
            for piece in kept.chunks(PIECE_BYTES) {
                self.post_piece(kind, piece)?;
            }
        }
        if kept.len() < bytes.len() && !self.limits.truncate_output {
            self.stop(Stop::Output);
        }
        match self.stopped() {
            Some(why) => Err(why),
            None => Ok(()),
        }
    }

    /// Hands over the output that had to wait. Blocks.
    pub fn release_output(self: &Arc<Self>) -> Result<(), Stop> {
        let held = std::mem::take(&mut self.state().held);
        held.iter().try_for_each(|(kind, piece)| self.post_piece(*kind, piece))
    }

    /// Output waits until the guest has left the host's thread.
    pub fn holds_output(&self) -> bool {
        !self.state().held.is_empty()
    }

    fn post_piece(self: &Arc<Self>, kind: EventKind, piece: &[u8]) -> Result<(), Stop> {
        let mut state = self.state();
        let full = state.unread > 0 && state.unread + piece.len() > MAX_UNREAD_BYTES;
        if self.place.is_hosts() && (full || !state.held.is_empty()) {
            state.held.push((kind, piece.to_vec()));
            return Ok(());
        }
        while state.unread > 0 && state.unread + piece.len() > MAX_UNREAD_BYTES {
            if let Some(why) = self.stopped() {
                return Err(why);
            }
            if Instant::now() >= self.deadline() {
                drop(state);
                return self.check();
            }
            state = self.wait(state, None);
        }
        state.unread += piece.len();
        drop(state);
        self.mailbox.post_output(self.request, kind, piece);
        Ok(())
    }

    /// The host has dealt with streamed bytes.
    pub fn acknowledge(&self, bytes: usize) {
        let mut state = self.state();
        state.unread = state.unread.saturating_sub(bytes);
        drop(state);
        self.changed.notify_all();
    }

    /// Begins a tool call and gives its id. What stands in its way becomes the call's answer.
    pub fn call_begin(&self, name: &[u8], arguments: &[u8]) -> u32 {
        let id = self.call_ids.fetch_add(1, Ordering::Relaxed) & i32::MAX as u32;
        let refused = self.refuse_call(name, arguments);
        let ask = refused.is_none();
        let ends = Instant::now() + Duration::from_millis(self.limits.tool_time_ms);
        {
            let mut state = self.state();
            state.tool_limit |= refused.as_ref().is_some_and(|answer| answer.status == CallStatus::Limit);
            state.calls.begin(id, String::from_utf8_lossy(name).into_owned(), ends, refused);
        }
        if ask {
            #[derive(Serialize)]
            struct Head<'a> {
                call: u32,
                name: &'a str,
            }
            let name = std::str::from_utf8(name).unwrap_or_default();
            self.mailbox.post_message(self.request, EventKind::Call, &Head { call: id, name }, arguments);
        }
        id
    }

    fn refuse_call(&self, name: &[u8], arguments: &[u8]) -> Option<Answer> {
        let name = String::from_utf8_lossy(name);
        let Limits { tool_calls, tool_bytes, .. } = self.limits;
        if self.state().calls.begun() >= tool_calls {
            return Some(Answer::limit(format!("the run's {tool_calls} tool calls are used up")));
        }
        if !self.tools.iter().any(|tool| *tool == name) {
            let message = format!("there is no tool {name}");
            return Some(Answer { status: CallStatus::Failed, payload: message.into_bytes() });
        }
        if arguments.len() as u64 > tool_bytes {
            return Some(Answer::limit(format!("arguments larger than {}", crate::error::bytes(tool_bytes))));
        }
        None
    }

    /// Waits for call `id`, or for any call, at most `timeout`.
    pub fn call_wait(&self, id: Option<u32>, timeout: Option<Duration>) -> Result<Waited, Stop> {
        let until = timeout.and_then(|timeout| Instant::now().checked_add(timeout));
        let late = || {
            let limit = self.limits.tool_time_ms;
            Answer::limit(format!("the tool took more than {limit} ms"))
        };
        let mut state = self.state();
        loop {
            if let Some(why) = self.stopped() {
                return Err(why);
            }
            let now = Instant::now();
            let call_ends = match state.calls.look(id, now, late) {
                Look::Ended(waited) => return Ok(waited),
                Look::WaitUntil(ends) => ends,
            };
            if until.is_some_and(|until| now >= until) {
                return Ok(Waited::TimedOut);
            }
            if now >= self.deadline() {
                drop(state);
                self.check()?;
                state = self.state();
                continue;
            }
            state = self.wait(state, Some(until.map_or(call_ends, |until| until.min(call_ends))));
        }
    }

    /// The payload of an answered call, which is forgotten then.
    pub fn call_take(&self, id: u32) -> Option<Vec<u8>> {
        let mut state = self.state();
        let (tool, answer) = state.calls.take(id)?;
        if matches!(answer.status, CallStatus::Failed | CallStatus::Limit) {
            state.tool_limit |= answer.status == CallStatus::Limit;
            let message = String::from_utf8_lossy(&answer.payload).into_owned();
            state.failed_call = Some(FailedCall { id, tool, message });
        }
        Some(answer.payload)
    }

    /// The host's answer; false when the call waits for none.
    pub fn reply(&self, id: u32, answer: Answer) -> bool {
        let accepted = self.state().calls.answer(id, answer);
        if accepted {
            self.changed.notify_all();
        }
        accepted
    }

    /// What is left of the run, once.
    pub fn traces(&self) -> Traces {
        // A run that was stopped waits for nobody.
        let held = std::mem::take(&mut self.state().held);
        held.iter().for_each(|(kind, piece)| self.mailbox.post_output(self.request, *kind, piece));
        let mut state = self.state();
        Traces {
            stdout: std::mem::take(&mut state.stdout),
            stderr: std::mem::take(&mut state.stderr),
            stdout_bytes: state.stdout_bytes,
            stderr_bytes: state.stderr_bytes,
            output_cut: state.cut,
            calls: state.calls.begun(),
            tool_limit: state.tool_limit,
            failed_call: state.failed_call.take(),
            first_byte: state.first_byte,
        }
    }
}

#[cfg(test)]
#[path = "run_test.rs"]
mod tests;
