//! What the host and the guest of a micro-VM say to each other, and in which bytes. Each side reads what the other one
//! wrote as if an enemy had written it.
//!
//! The host calls `Load` once, then `Run` for each piece of code; both take and give one message. While it runs, the guest
//! calls the functions of [`host`]. What is too large for one message is taken and handed over piece by piece, with
//! `Pull` and `Push`.
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

mod bytes;
pub mod held;
mod load;
mod run;

pub use bytes::{Malformed, Reader, Writer};
pub use load::{Kind, Load, Loaded};
pub use run::{Ending, Reply, Run};

/// The version of everything here.
pub const VERSION: u32 = 2;

/// Names of the guest's functions.
pub mod guest {
    pub const LOAD: &str = "Load";
    pub const RUN: &str = "Run";
}

/// Names of the host's functions, each with what it takes and gives.
pub mod host {
    /// `(stream: i32, bytes) -> i32`: 1 is standard output, 2 is standard error; not 0: the run is to end.
    pub const WRITE: &str = "Write";
    /// `(what: i32, offset: u64, length: u64) -> bytes`: see [`super::Source`]; fewer at the end.
    pub const PULL: &str = "Pull";
    /// `(bytes) -> i32`: lays bytes beside those that lie there already.
    pub const PUSH: &str = "Push";
    /// `(name_length: u64) -> i32`: begins a tool call with what was pushed, the name and then the arguments; its id.
    pub const CALL: &str = "Call";
    /// `(id: i32, timeout_ns: i64) -> bytes`: four numbers of 4 bytes, code, id, status and length; code -1: the run is to end.
    pub const WAIT: &str = "Wait";
    /// `(id: i32) -> u64`: makes the answer to a call what `Pull` takes from; its length.
    pub const TAKE: &str = "Take";
    /// `(ns: u64) -> i32`: sleeps so long; not 0: the run is to end.
    pub const SLEEP: &str = "Sleep";
    /// `(what: i32) -> u64`: 0 the wall clock, 1 the CPU time of the session's runs, in ns.
    pub const CLOCK: &str = "Clock";
    /// `(length: u64) -> i32`: what was pushed is the change of the workspace.
    pub const CHANGED: &str = "Changed";
}

/// Where `Pull` takes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(i32)]
pub enum Source {
    Code = 0,
    Stdin = 1,
    /// The workspace's patch since the guest last had it.
    Workspace = 2,
    /// The same for installed libraries.
    Library = 3,
    /// The answer that `Take` chose.
    Answer = 4,
    /// The run's own message, where it is too long to be given at once.
    Message = 5,
}

impl Source {
    pub fn from_raw(raw: i32) -> Option<Self> {
        [Self::Code, Self::Stdin, Self::Workspace, Self::Library, Self::Answer, Self::Message]
            .into_iter()
            .find(|one| *one as i32 == raw)
    }
}

/// What `Run` takes: how many bytes of output the guest may hold back, and the message itself behind a 0, or behind a 1 the
/// length of what `Pull` has of it.
pub mod envelope {
    use alloc::vec::Vec;

    pub fn wrap(message: &[u8], hold_bytes: u32) -> Vec<u8> {
        let inline = message.len() <= super::PIECE_BYTES;
        let mut out = hold_bytes.to_le_bytes().to_vec();
        out.push(u8::from(!inline));
        if inline {
            out.extend_from_slice(message);
        } else {
            out.extend_from_slice(&(message.len() as u64).to_le_bytes());
        }
        out
    }

    /// The message, or how long it is; and how much may be held back.
    pub fn open(wrapped: &[u8]) -> Result<(Result<&[u8], u64>, u32), super::Malformed> {
        let (hold_bytes, rest) = wrapped.split_first_chunk().ok_or(super::Malformed)?;
        let (kind, rest) = rest.split_first().ok_or(super::Malformed)?;
        let message = match (kind, rest.first_chunk()) {
            (0, _) => Ok(rest),
            (1, Some(length)) => Err(u64::from_le_bytes(*length)),
            _ => return Err(super::Malformed),
        };
        Ok((message, u32::from_le_bytes(*hold_bytes)))
    }
}

/// Most bytes of one `Pull`, `Push`, `Write`, and of the parts of a message that may be of any length. Half of what the
/// transport's smaller direction holds.
pub const PIECE_BYTES: usize = 14 << 10;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_guest_may_ask_for_is_known() {
        for raw in 0..6 {
            assert_eq!(Source::from_raw(raw).map(|source| source as i32), Some(raw));
        }
        assert_eq!(Source::from_raw(6), None);
    }

    #[test]
    fn long_messages_are_left_to_be_pulled() {
        let long = [7; PIECE_BYTES + 1];
        assert_eq!(envelope::open(&envelope::wrap(&long[1..], 5)), Ok((Ok(&long[1..]), 5)));
        assert_eq!(envelope::open(&envelope::wrap(&long, 0)), Ok((Err(long.len() as u64), 0)));
        assert_eq!(envelope::open(&[0; 4]), Err(Malformed));
    }
}
