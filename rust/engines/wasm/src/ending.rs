//! How a guest came to its end, and what that is called outside.

use mote_core::error::{Code, Error, bytes};
use mote_core::run::Stop;
use mote_wasi::fs::{Limits, Usage};
use wasmtime::Trap;

/// Raised by the host's own functions to unwind a guest.
#[derive(Debug)]
enum Raised {
    Exit(u32),
    Stop,
}

impl std::fmt::Display for Raised {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Exit(code) => write!(f, "exit with code {code}"),
            Self::Stop => write!(f, "stopped by the host"),
        }
    }
}

impl std::error::Error for Raised {}

pub fn exit(code: u32) -> wasmtime::Error {
    Raised::Exit(code).into()
}

/// Why is known to the run already.
pub fn stopped(_why: Stop) -> wasmtime::Error {
    Raised::Stop.into()
}

/// A pointer that leaves the guest's memory, as the guest's own access would end.
pub fn fault() -> wasmtime::Error {
    Trap::MemoryOutOfBounds.into()
}

/// How a call into a guest ended, when it did not return.
#[derive(Debug)]
pub enum Ending {
    Exit(u32),
    Stopped,
    Crashed(String),
}

impl Ending {
    pub fn of(error: &wasmtime::Error) -> Self {
        if let Some(raised) = error.downcast_ref::<Raised>() {
            return match raised {
                Raised::Exit(code) => Self::Exit(*code),
                Raised::Stop => Self::Stopped,
            };
        }
        let why = match error.downcast_ref::<Trap>() {
            Some(Trap::StackOverflow) => "stack overflow".to_owned(),
            Some(Trap::MemoryOutOfBounds) => "memory access out of bounds".to_owned(),
            Some(Trap::UnreachableCodeReached) => "the guest aborted".to_owned(),
            Some(trap) => trap.to_string(),
            None => format!("{error:#}"),
        };
        Self::Crashed(why)
    }
}

pub fn memory_exceeded(limit: u64) -> Error {
    let message = format!("Cannot run code: memory limit of {} passed", bytes(limit));
    Error::limit(Code::MemoryExceeded, "memory", message)
}

/// Names the bound of the workspace that was hit.
pub fn workspace_exceeded(used: Usage, limits: Limits) -> Error {
    let hit = match used.files >= limits.files {
        true => format!("{} files", limits.files),
        false => bytes(limits.bytes),
    };
    Error::limit(Code::DiskExceeded, "workspace", format!("Cannot run code: workspace limit of {hit} passed"))
}

pub fn crashed(why: &str) -> Error {
    Error::new(Code::GuestCrashed, format!("Cannot run code: the guest crashed: {why}"))
}
