//! What the host is told at the end of a request.

use crate::codec;
use crate::engine::{Outcome, Ran};
use crate::error::{Code, Error, Result};
use crate::limits::Limits;
use crate::run::{FailedCall, Run, Stop, Traces};
use serde::Serialize;
use std::time::Instant;

/// The head of a done event.
#[derive(Serialize)]
struct Done<'a, T: Serialize> {
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<&'a Error>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ok: Option<T>,
}

/// The body of a done event without a result of its own.
pub fn done<T: Serialize>(result: Result<T>, payload: &[u8]) -> Vec<u8> {
    match result {
        Ok(ok) => codec::encode(&Done { error: None, ok: Some(ok) }, payload),
        Err(error) => codec::encode(&Done::<()> { error: Some(&error), ok: None }, payload),
    }
}

pub fn closed(what: &str) -> Error {
    Error::new(Code::SessionClosed, format!("Cannot {what}: the session is closed"))
}

/// The body of a run's done event.
pub fn finished(run: &Run, outcome: Outcome) -> Vec<u8> {
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
