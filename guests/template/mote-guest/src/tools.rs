//! The host's tools: a name and JSON go out, JSON or an error comes back.

use crate::host::{self, Source};
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

/// Why a tool gave no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Problem {
    /// The tool itself failed, or there is none of that name.
    Failed,
    /// It refused its arguments.
    Arguments,
    /// A limit of the session stood in the way.
    Limit,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ToolError {
    pub problem: Problem,
    pub message: String,
}

impl fmt::Display for ToolError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl core::error::Error for ToolError {}

/// Calls a tool with a JSON object and waits for its answer, a JSON value.
pub fn call(tool: &str, arguments: &[u8]) -> Result<Vec<u8>, ToolError> {
    let mut pieces = arguments.chunks(crate::PIECE_BYTES);
    let last = pieces.next_back().unwrap_or_default();
    for piece in pieces {
        let _ = host::arguments(piece.into());
    }
    // One byte of status, the answer's length, and its first piece.
    let head = host::call(tool.into(), last.into()).unwrap_or_default();
    let Some((status, rest)) = head.split_first() else { return Err(stopped()) };
    let Some((length, first)) = rest.split_first_chunk() else { return Err(stopped()) };
    let mut answer = Vec::with_capacity(u64::from_le_bytes(*length) as usize);
    answer.extend_from_slice(first);
    if answer.len() < answer.capacity() {
        host::read_rest(Source::Answer, &mut answer);
    }
    let problem = match status {
        0 => return Ok(answer),
        2 => Problem::Arguments,
        3 => Problem::Limit,
        _ => Problem::Failed,
    };
    Err(ToolError { problem, message: String::from_utf8_lossy(&answer).into_owned() })
}

fn stopped() -> ToolError {
    ToolError { problem: Problem::Limit, message: "the run has been stopped".into() }
}
