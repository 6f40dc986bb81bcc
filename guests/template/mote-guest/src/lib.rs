//! What a guest of Mote calls: output, input and the host's tools. README.md beside the template has the ABI.
#![no_std]

extern crate alloc;

mod entry;
mod host;
mod input;
mod output;
mod tools;

pub use hyperlight_common;
pub use hyperlight_guest;
pub use hyperlight_guest_bin;

pub use entry::{Note, code, nothing};
pub use input::{Stdin, arguments, environment, fill_random};
pub use output::{Stream, write};
pub use tools::{Problem, ToolError, call};

/// The version of this interface; the host refuses a guest that was built for a newer one.
pub const ABI: u32 = 1;

/// The heap that `entry!` asks for when it is told nothing else, in KiB.
pub const HEAP_KIB: u32 = 1_024;

/// Bytes that go through one call of the host, in either direction.
pub const PIECE_BYTES: usize = 16 << 10;
