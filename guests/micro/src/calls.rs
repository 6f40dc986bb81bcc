//! The functions of the host.

use alloc::vec::Vec;
use hyperlight_guest_bin::error::Result;
use hyperlight_guest_bin::host_comm::call_host;
use mote_micro_wire::{PIECE_BYTES, Source, host};

/// The host has asked for the end of the run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stop;

fn go_on(answer: Result<i32>) -> core::result::Result<(), Stop> {
    // A call that fails was refused by a host that wants nothing any more.
    if matches!(answer, Ok(0)) { Ok(()) } else { Err(Stop) }
}

pub fn write(stream: i32, bytes: &[u8]) -> core::result::Result<(), Stop> {
    bytes.chunks(PIECE_BYTES).try_for_each(|piece| go_on(call_host(host::WRITE, (stream, piece.to_vec()))))
}

/// Fills as much of `buffer` as the source has from `offset` on.
pub fn pull(source: Source, offset: u64, buffer: &mut [u8]) -> core::result::Result<usize, Stop> {
    let mut done = 0;
    while done < buffer.len() {
        let wanted = (buffer.len() - done).min(PIECE_BYTES);
        let answer: Result<Vec<u8>> = call_host(host::PULL, (source as i32, offset + done as u64, wanted as u64));
        let piece = answer.map_err(|_| Stop)?;
        let taken = piece.len().min(wanted);
        buffer[done..done + taken].copy_from_slice(&piece[..taken]);
        done += taken;
        if taken < wanted {
            break;
        }
    }
    Ok(done)
}

pub fn push(bytes: &[u8]) -> core::result::Result<(), Stop> {
    bytes.chunks(PIECE_BYTES).try_for_each(|piece| go_on(call_host(host::PUSH, (piece.to_vec(),))))
}

/// What was pushed is a change of the workspace, of so many bytes.
pub fn changed(length: u64) -> core::result::Result<(), Stop> {
    go_on(call_host(host::CHANGED, (length,)))
}

pub fn sleep(ns: u64) -> core::result::Result<(), Stop> {
    go_on(call_host(host::SLEEP, (ns,)))
}

/// The wall clock (0) or the CPU time of the session's runs (1), in ns.
pub fn clock(which: i32) -> u64 {
    call_host(host::CLOCK, (which,)).unwrap_or(0)
}

/// Begins a tool call: its id.
pub fn call(name: &[u8], arguments: &[u8]) -> core::result::Result<i32, Stop> {
    push(name)?;
    push(arguments)?;
    call_host(host::CALL, (name.len() as u64,)).map_err(|_| Stop)
}

/// Code, id, status, length.
pub fn wait(id: i32, timeout_ns: i64) -> core::result::Result<[i32; 4], Stop> {
    let answer: Result<Vec<u8>> = call_host(host::WAIT, (id, timeout_ns));
    let answer = answer.map_err(|_| Stop)?;
    let mut words = [0; 4];
    for (word, bytes) in words.iter_mut().zip(answer.chunks_exact(4)) {
        *word = i32::from_le_bytes(bytes.try_into().unwrap_or_default());
    }
    if words[0] < 0 { Err(Stop) } else { Ok(words) }
}

/// Makes the answer to a call the source that can be pulled: its length.
pub fn take(id: i32) -> core::result::Result<u64, Stop> {
    call_host(host::TAKE, (id,)).map_err(|_| Stop)
}
