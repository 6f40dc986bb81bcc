//! What a guest can import: WASI preview 1, and the tools of its session.

use crate::ending;
use crate::state::State;
use mote_core::guest_calls::{self, Ended};
use mote_core::run::Run;
use mote_wasi::preview1;
use mote_wasi::{Cx, Halt};
use std::sync::Arc;
use wasmtime::{Caller, Linker, Result};

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

fn halted(halt: Halt<mote_core::run::Stop>) -> wasmtime::Error {
    match halt {
        Halt::Exit(code) => ending::exit(code),
        Halt::Fault { .. } => ending::fault(),
        Halt::Stop(why) => ending::stopped(why),
    }
}

macro_rules! link {
    ($(fn $name:ident($($arg:ident: $ty:ty),*) -> $result:ty;)*) => {
        fn wasi(linker: &mut Linker<State>) -> Result<()> {
            $(linker.func_wrap(
                WASI,
                stringify!($name),
                |mut caller: Caller<'_, State>, $($arg: $ty),*| -> Result<$result> {
                    let (memory, State { wasi, host, .. }) = parts(&mut caller)?;
                    preview1::$name(&mut Cx { wasi, host, memory }, $($arg),*).map_err(halted)
                },
            )?;)*
            Ok(())
        }
    };
}

mote_wasi::for_each_function!(link);

/// Adds everything a guest of this engine may import.
pub fn add(linker: &mut Linker<State>) -> Result<()> {
    wasi(linker)?;
    linker.func_wrap(MOTE, "call_begin", call_begin)?;
    linker.func_wrap(MOTE, "call_wait", call_wait)?;
    linker.func_wrap(MOTE, "call_take", call_take)?;
    Ok(())
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
    guest_calls::wait(memory, active(state).as_deref(), id, timeout_ns, out).map_err(ended)
}

fn call_take(mut caller: Caller<'_, State>, id: i32, pointer: i32) -> Result<()> {
    let (memory, state) = parts(&mut caller)?;
    guest_calls::take(memory, active(state).as_deref(), id, pointer).map_err(ended)
}
