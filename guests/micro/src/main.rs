//! Runs a WebAssembly image in a micro-VM without an operating system: wasmtime's runtime and the project's own WASI over
//! Hyperlight's page tables. The host loads the image once, takes a snapshot, and restores it before each run.
#![no_std]
#![no_main]
#![deny(unsafe_code)]

extern crate alloc;

mod calls;
mod host;
mod link;
mod machine;
mod output;
#[allow(unsafe_code)]
mod platform;

use alloc::format;
use alloc::string::ToString;
use alloc::vec::Vec;
use hyperlight_common::flatbuffer_wrappers::guest_error::ErrorCode;
use hyperlight_guest::error::HyperlightGuestError;
use hyperlight_guest_bin::error::Result;
use hyperlight_guest_bin::guest_function;
use machine::Machine;
use mote_micro_wire::{Ending, Load, Loaded, Malformed, Reply, Run, Source, envelope};
use spin::Mutex;

static MACHINE: Mutex<Option<Machine>> = Mutex::new(None);

/// Heap for the host's own structures of a module; files get theirs when they come.
const HEAP_BYTES: u64 = 32 << 20;

#[allow(unsafe_code, reason = "the host finds it by its name")]
#[guest_function("Load")]
fn load(message: Vec<u8>) -> Result<Vec<u8>> {
    let refused = |why: &dyn ToString| HyperlightGuestError::new(ErrorCode::GuestError, why.to_string());
    let load = Load::decode(&message).map_err(|error| refused(&error))?;
    platform::grow_heap(HEAP_BYTES);
    let machine = Machine::load(&load).map_err(|error| refused(&format!("{error:?}")))?;
    let (held_at, held_bytes) = platform::held().map_or((0, 0), |(at, region)| (at, region.len() as u64));
    let loaded = Loaded { least_memory: machine.least_memory(), held_at, held_bytes };
    *MACHINE.lock() = Some(machine);
    Ok(loaded.encode())
}

#[allow(unsafe_code, reason = "the host finds it by its name")]
#[guest_function("Run")]
fn run(message: Vec<u8>) -> Result<Vec<u8>> {
    let reply = match (MACHINE.lock().as_mut(), decode(&message)) {
        (Some(machine), Ok((run, hold_bytes))) => machine.run(&run, hold_bytes),
        (None, _) => Reply::new(Ending::Refused("no image was loaded".into())),
        (_, Err(ending)) => Reply::new(ending),
    };
    Ok(reply.encode())
}

fn decode(wrapped: &[u8]) -> core::result::Result<(Run, u32), Ending> {
    let malformed = |error: Malformed| Ending::Refused(error.to_string());
    let (message, hold_bytes) = envelope::open(wrapped).map_err(malformed)?;
    let run = match message {
        Ok(message) => Run::decode(message).map_err(malformed),
        Err(length) => {
            let mut message = alloc::vec![0; length as usize];
            calls::pull(Source::Message, 0, &mut message).map_err(|calls::Stop| Ending::Stopped)?;
            Run::decode(&message).map_err(malformed)
        }
    };
    run.map(|run| (run, hold_bytes))
}
