//! What a guest can import: WASI preview 1, and the tools of its session.

use crate::ending;
use crate::pausing::AGAIN;
use crate::state::{GuestHost, State};
use mote_core::guest_calls::{self, Ended};
use mote_core::run::{Run, Stop};
use mote_wasi::preview1;
use mote_wasi::{Cx, Halt};
use std::sync::Arc;
use wasmtime::{AsContextMut, Caller, Linker, Result};

/// Module name of WASI preview 1.
pub const WASI: &str = "wasi_snapshot_preview1";
/// Module name of the tools.
pub const MOTE: &str = "mote";

/// Splits a caller into its memory and its state.
fn parts<'a>(caller: &'a mut Caller<'_, State>) -> Result<(&'a mut [u8], &'a mut State)> {
    let memory = match caller.data().memory {
        Some(memory) => memory,
        // A start function calls before the instance is handed to anybody.
        None => caller.get_export("memory").and_then(wasmtime::Extern::into_memory).ok_or_else(ending::fault)?,
    };
    Ok(memory.data_and_store_mut(caller))
}

fn halted(halt: Halt<Stop>) -> wasmtime::Error {
    match halt {
        Halt::Exit(code) => ending::exit(code),
        Halt::Fault { .. } => ending::fault(),
        Halt::Stop(why) => ending::stopped(why),
    }
}

mote_wasi::for_each_function!(mote_wasi::link_functions);

/// Adds everything a guest of this engine may import.
pub fn add(linker: &mut Linker<State>) -> Result<()> {
    wasi(linker)?;
    linker.allow_shadowing(true);
    linker.func_wrap(
        WASI,
        "poll_oneoff",
        |caller: Caller<'_, State>, list: i32, events: i32, count: i32, out: i32| {
            pausing(caller, |cx| preview1::poll_oneoff(cx, list, events, count, out))
        },
    )?;
    linker.func_wrap(WASI, "fd_write", |caller: Caller<'_, State>, fd: i32, list: i32, length: i32, out: i32| {
        pausing(caller, |cx| preview1::fd_write(cx, fd, list, length, out))
    })?;
    linker.allow_shadowing(false);
    linker.func_wrap(MOTE, "call_begin", call_begin)?;
    linker.func_wrap(MOTE, "call_wait", call_wait)?;
    linker.func_wrap(MOTE, "call_take", call_take)?;
    Ok(())
}

/// A call that may block. On the host's own thread it only notes what it would wait for; the guest then leaves the thread
/// and calls again.
fn pausing(
    mut caller: Caller<'_, State>,
    call: impl FnOnce(&mut Cx<'_, GuestHost>) -> std::result::Result<i32, Halt<Stop>>,
) -> Result<i32> {
    let (memory, State { wasi, host, .. }) = parts(&mut caller)?;
    if let Some(answer) = host.pay().map_err(ending::stopped)? {
        return Ok(answer);
    }
    let answer = call(&mut Cx { wasi, host, memory }).map_err(halted)?;
    if !host.owes(answer) {
        return Ok(answer);
    }
    Ok(pause(&mut caller))
}

/// Makes the guest leave the host's thread on the entry of the next function.
fn pause(caller: &mut Caller<'_, State>) -> i32 {
    if let Some(active) = &caller.data().host.run {
        active.run.place().ask_to_leave();
    }
    caller.as_context_mut().set_epoch_deadline(0);
    AGAIN
}

fn active(state: &State) -> Option<Arc<Run>> {
    state.host.run.as_ref().map(|active| active.run.clone())
}

fn ended(ended: Ended) -> wasmtime::Error {
    match ended {
        Ended::Fault => ending::fault(),
        Ended::Stopped(why) => ending::stopped(why),
    }
}

fn call_begin(
    mut caller: Caller<'_, State>,
    name: i32,
    name_length: i32,
    arguments: i32,
    arguments_length: i32,
) -> Result<i32> {
    let (memory, state) = parts(&mut caller)?;
    let (name, arguments) = ((name, name_length), (arguments, arguments_length));
    guest_calls::begin(memory, active(state).as_deref(), name, arguments).map_err(ended)
}

fn call_wait(mut caller: Caller<'_, State>, id: i32, timeout_ns: i64, out: i32) -> Result<i32> {
    let (memory, state) = parts(&mut caller)?;
    let run = active(state);
    let here = run.as_ref().is_some_and(|run| run.place().is_hosts());
    let timeout = if here { 0 } else { timeout_ns };
    let waited = guest_calls::wait(memory, run.as_deref(), id, timeout, out).map_err(ended)?;
    match here && timeout_ns != 0 && waited == guest_calls::TIMED_OUT {
        true => Ok(pause(&mut caller)),
        false => Ok(waited),
    }
}

fn call_take(mut caller: Caller<'_, State>, id: i32, pointer: i32) -> Result<()> {
    let (memory, state) = parts(&mut caller)?;
    guest_calls::take(memory, active(state).as_deref(), id, pointer).map_err(ended)
}
