//! What is left of a run that has ended.

use std::time::Instant;

/// What a run printed and called, once it has ended.
#[derive(Debug, Default)]
pub struct Traces {
    pub stdout: Vec<u8>,
    pub stderr: Vec<u8>,
    pub stdout_bytes: u64,
    pub stderr_bytes: u64,
    pub output_cut: bool,
    pub calls: u32,
    pub tool_limit: bool,
    pub failed_call: Option<FailedCall>,
    pub first_byte: Option<Instant>,
}

/// A tool call that failed, and what the guest was told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FailedCall {
    pub id: u32,
    pub tool: String,
    pub message: String,
}
