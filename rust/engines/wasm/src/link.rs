//! What a guest can import: WASI preview 1, and the tools of its session.

use crate::ending;
use crate::state::State;
use mote_core::calls::Waited;
use mote_core::run::Run;
use mote_wasi::preview1;
use mote_wasi::{Cx, Halt};
use std::sync::Arc;
use std::time::Duration;
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

fn range(memory: &[u8], pointer: i32, length: usize) -> Result<std::ops::Range<usize>> {
    let start = pointer as u32 as usize;
    let range = start..start.checked_add(length).ok_or_else(ending::fault)?;
    if range.end > memory.len() { Err(ending::fault()) } else { Ok(range) }
}

fn active(state: &State) -> Option<Arc<Run>> {
    state.host.run.as_ref().map(|active| active.run.clone())
}

fn call_begin(
    mut caller: Caller<'_, State>,
    name: i32,
    name_length: i32,
    arguments: i32,
    arguments_length: i32,
) -> Result<i32> {
    let (memory, state) = parts(&mut caller)?;
    let name = &memory[range(memory, name, name_length as u32 as usize)?];
    let arguments = &memory[range(memory, arguments, arguments_length as u32 as usize)?];
    Ok(active(state).map_or(-1, |run| run.call_begin(name, arguments) as i32))
}

const READY: i32 = 0;
const TIMED_OUT: i32 = 1;
const NO_SUCH_CALL: i32 = 2;

fn call_wait(mut caller: Caller<'_, State>, id: i32, timeout_ns: i64, out: i32) -> Result<i32> {
    let (memory, state) = parts(&mut caller)?;
    let out = range(memory, out, 12)?;
    let Some(run) = active(state) else { return Ok(NO_SUCH_CALL) };
    let timeout = u64::try_from(timeout_ns).ok().map(Duration::from_nanos);
    match run.call_wait(u32::try_from(id).ok(), timeout).map_err(ending::stopped)? {
        Waited::Ready { id, status, bytes } => {
            let words = [id, status as u32, bytes as u32];
            for (place, word) in memory[out].chunks_exact_mut(4).zip(words) {
                place.copy_from_slice(&word.to_le_bytes());
            }
            Ok(READY)
        }
        Waited::TimedOut => Ok(TIMED_OUT),
        Waited::NoSuchCall => Ok(NO_SUCH_CALL),
    }
}

fn call_take(mut caller: Caller<'_, State>, id: i32, pointer: i32) -> Result<()> {
    let (memory, state) = parts(&mut caller)?;
    let payload = u32::try_from(id).ok().and_then(|id| active(state)?.call_take(id));
    if let Some(payload) = payload {
        let range = range(memory, pointer, payload.len())?;
        memory[range].copy_from_slice(&payload);
    }
    Ok(())
}
