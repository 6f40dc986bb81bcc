//! What a guest imports.

use crate::calls::{self, Stop};
use crate::host::MicroHost;
use core::fmt;
use mote_micro_wire::Source;
use mote_wasi::{Halt, Wasi};
use wasmtime::{Caller, Extern, Linker, Memory, ResourceLimiter, Result, Trap};

pub struct State {
    pub wasi: Wasi,
    pub host: MicroHost,
    pub memory: Option<Memory>,
    pub limiter: Limiter,
}

/// Memory and tables of the instance, held against the session's limit.
pub struct Limiter {
    pub most_bytes: u64,
    bytes: u64,
    elements: usize,
    refused: bool,
}

/// Entries of all tables, as in the process.
const MOST_TABLE_ELEMENTS: usize = 1_000_000;

impl Limiter {
    pub fn new(most_bytes: u64) -> Self {
        Self { most_bytes, bytes: 0, elements: 0, refused: false }
    }

    pub fn take_refused(&mut self) -> bool {
        core::mem::take(&mut self.refused)
    }
}

impl ResourceLimiter for Limiter {
    fn memory_growing(&mut self, current: usize, desired: usize, _maximum: Option<usize>) -> Result<bool> {
        let bytes = self.bytes + desired.saturating_sub(current) as u64;
        self.refused |= bytes > self.most_bytes;
        if bytes <= self.most_bytes {
            self.bytes = bytes;
        }
        Ok(bytes <= self.most_bytes)
    }

    fn table_growing(&mut self, current: usize, desired: usize, _maximum: Option<usize>) -> Result<bool> {
        let elements = self.elements + desired.saturating_sub(current);
        self.refused |= elements > MOST_TABLE_ELEMENTS;
        if elements <= MOST_TABLE_ELEMENTS {
            self.elements = elements;
        }
        Ok(elements <= MOST_TABLE_ELEMENTS)
    }
}

/// Why a call does not come back to the guest, besides its own faults.
#[derive(Debug)]
pub enum Raised {
    Exit(u32),
    Stop,
}

impl fmt::Display for Raised {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the run is over")
    }
}

impl core::error::Error for Raised {}

fn stopped(_: Stop) -> wasmtime::Error {
    wasmtime::Error::new(Raised::Stop)
}

fn halted(halt: Halt<Stop>) -> wasmtime::Error {
    match halt {
        Halt::Exit(code) => wasmtime::Error::new(Raised::Exit(code)),
        Halt::Fault { .. } => Trap::MemoryOutOfBounds.into(),
        Halt::Stop(stop) => stopped(stop),
    }
}

fn parts<'a>(caller: &'a mut Caller<'_, State>) -> Result<(&'a mut [u8], &'a mut State)> {
    let memory = match caller.data().memory {
        Some(memory) => memory,
        // A start function calls before the instance is there.
        None => caller.get_export("memory").and_then(Extern::into_memory).ok_or(Trap::MemoryOutOfBounds)?,
    };
    Ok(memory.data_and_store_mut(caller))
}

fn part(memory: &mut [u8], at: i32, length: usize) -> Result<&mut [u8]> {
    let at = at as u32 as usize;
    at.checked_add(length).and_then(|end| memory.get_mut(at..end)).ok_or(Trap::MemoryOutOfBounds.into())
}

mote_wasi::for_each_function!(mote_wasi::link_functions);

pub fn add(linker: &mut Linker<State>) -> Result<()> {
    wasi(linker)?;
    linker.func_wrap("mote", "call_begin", call_begin)?;
    linker.func_wrap("mote", "call_wait", call_wait)?;
    linker.func_wrap("mote", "call_take", call_take)?;
    Ok(())
}

fn call_begin(mut caller: Caller<'_, State>, name: i32, name_bytes: i32, given: i32, given_bytes: i32) -> Result<i32> {
    let (memory, _) = parts(&mut caller)?;
    let name = part(memory, name, name_bytes as u32 as usize)?.to_vec();
    let arguments = part(memory, given, given_bytes as u32 as usize)?;
    calls::call(&name, arguments).map_err(stopped)
}

fn call_wait(mut caller: Caller<'_, State>, id: i32, timeout_ns: i64, out: i32) -> Result<i32> {
    let (memory, _) = parts(&mut caller)?;
    let out = part(memory, out, 12)?;
    let [code, words @ ..] = calls::wait(id, timeout_ns).map_err(stopped)?;
    if code == 0 {
        for (place, word) in out.chunks_exact_mut(4).zip(words) {
            place.copy_from_slice(&word.to_le_bytes());
        }
    }
    Ok(code)
}

fn call_take(mut caller: Caller<'_, State>, id: i32, pointer: i32) -> Result<()> {
    let (memory, _) = parts(&mut caller)?;
    let length = calls::take(id).map_err(stopped)?;
    if length > 0 {
        let length = usize::try_from(length).map_err(|_| Trap::MemoryOutOfBounds)?;
        calls::pull(Source::Answer, 0, part(memory, pointer, length)?).map_err(stopped)?;
    }
    Ok(())
}
