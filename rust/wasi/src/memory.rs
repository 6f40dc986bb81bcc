//! A guest's memory, every access checked.

use core::ops::Range;

use crate::errno::Errno;
use crate::host::Halt;

/// How a call ends early: with an error number for the guest, or without coming back to it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Failure<S> {
    Errno(Errno),
    Halt(Halt<S>),
}

impl<S> From<Errno> for Failure<S> {
    fn from(errno: Errno) -> Self {
        Self::Errno(errno)
    }
}

pub(crate) type Outcome<T, S> = Result<T, Failure<S>>;

/// Buffers looked at in one call; more are refused with EINVAL, as by Linux.
pub(crate) const IOVS_MAX: u32 = 1024;

/// Bytes moved in one call. A longer read or write ends short, as it may, so that no call keeps the host busy for long.
pub(crate) const TRANSFER_MAX: usize = 64 << 20;

fn range<S>(memory: &[u8], pointer: u32, len: u64) -> Outcome<Range<usize>, S> {
    let end = u64::from(pointer) + len;
    if end > memory.len() as u64 {
        return Err(Failure::Halt(Halt::Fault { pointer, len }));
    }
    Ok(pointer as usize..end as usize)
}

pub(crate) fn slice<S>(memory: &[u8], pointer: u32, len: u32) -> Outcome<&[u8], S> {
    let range = range(memory, pointer, len.into())?;
    Ok(&memory[range])
}

pub(crate) fn slice_mut<S>(memory: &mut [u8], pointer: u32, len: u32) -> Outcome<&mut [u8], S> {
    let range = range(memory, pointer, len.into())?;
    Ok(&mut memory[range])
}

/// Every path is UTF-8: EILSEQ otherwise.
pub(crate) fn text<S>(memory: &[u8], pointer: u32, len: u32) -> Outcome<&str, S> {
    Ok(core::str::from_utf8(slice(memory, pointer, len)?).map_err(|_| Errno::Ilseq)?)
}

pub(crate) fn put<S>(memory: &mut [u8], pointer: u32, bytes: &[u8]) -> Outcome<(), S> {
    let range = range(memory, pointer, bytes.len() as u64)?;
    memory[range].copy_from_slice(bytes);
    Ok(())
}

pub(crate) fn put_u32<S>(memory: &mut [u8], pointer: u32, value: u32) -> Outcome<(), S> {
    put(memory, pointer, &value.to_le_bytes())
}

pub(crate) fn put_u64<S>(memory: &mut [u8], pointer: u32, value: u64) -> Outcome<(), S> {
    put(memory, pointer, &value.to_le_bytes())
}

/// A checked list of buffers in guest memory.
#[derive(Clone, Copy)]
pub(crate) struct Iovs {
    at: usize,
    count: u32,
}

impl Iovs {
    pub fn new<S>(memory: &[u8], pointer: u32, count: u32) -> Outcome<Self, S> {
        if count > IOVS_MAX {
            return Err(Errno::Inval.into());
        }
        let range = range(memory, pointer, u64::from(count) * 8)?;
        Ok(Self { at: range.start, count })
    }

    /// Where buffer `n` lies, cut to what may still be moved after `done` bytes. `None` after the last.
    pub fn get<S>(&self, memory: &[u8], n: u32, done: usize) -> Outcome<Option<Range<usize>>, S> {
        if n >= self.count || done >= TRANSFER_MAX {
            return Ok(None);
        }
        let at = self.at + n as usize * 8;
        let Some(raw) = memory.get(at..at + 8) else { return Ok(None) };
        let word = |i: usize| u32::from_le_bytes([raw[i], raw[i + 1], raw[i + 2], raw[i + 3]]);
        let found = range(memory, word(0), word(4).into())?;
        Ok(Some(found.start..found.end.min(found.start + (TRANSFER_MAX - done))))
    }
}
