//! The host's functions under their own names. A failure means that the run has been stopped: the host ends the guest
//! before it can act on it, so nobody looks at the errors here.

use alloc::string::String;
use alloc::vec::Vec;
use hyperlight_guest_bin::error::Result;
use hyperlight_guest_bin::host_comm::call_host;

/// What `read` can be asked for.
#[derive(Clone, Copy)]
#[repr(i32)]
pub enum Source {
    Code = 0,
    Stdin = 1,
    Arguments = 2,
    Environment = 3,
    Answer = 4,
    Random = 5,
}

pub fn read(source: i32, offset: u64) -> Result<Vec<u8>> {
    call_host("MoteRead", (source, offset))
}

pub fn write(stream: i32, bytes: Vec<u8>) -> Result<i32> {
    call_host("MoteWrite", (stream, bytes))
}

pub fn arguments(bytes: Vec<u8>) -> Result<i32> {
    call_host("MoteArguments", (bytes,))
}

pub fn call(tool: String, arguments: Vec<u8>) -> Result<Vec<u8>> {
    call_host("MoteCall", (tool, arguments))
}

/// Appends to `bytes` all that a source has from their end on.
pub fn read_rest(source: Source, bytes: &mut Vec<u8>) {
    loop {
        match read(source as i32, bytes.len() as u64) {
            Ok(piece) if !piece.is_empty() => bytes.extend_from_slice(&piece),
            _ => return,
        }
    }
}
