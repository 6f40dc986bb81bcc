//! The tool calls of Guest ABI 1 over a guest's memory, for every engine. Pointers, lengths and ids are whatever the guest
//! says.

use crate::calls::Waited;
use crate::run::{Run, Stop};
use std::ops::Range;
use std::time::Duration;

const READY: i32 = 0;
pub const TIMED_OUT: i32 = 1;
const NO_SUCH_CALL: i32 = 2;

/// Why a call does not come back to the guest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// It named memory that it does not have.
    Fault,
    Stopped(Stop),
}

fn range(memory: &[u8], pointer: i32, length: usize) -> Result<Range<usize>, Ended> {
    let start = pointer as u32 as usize;
    let end = start.checked_add(length).filter(|end| *end <= memory.len()).ok_or(Ended::Fault)?;
    Ok(start..end)
}

/// `call_begin`: the id of the call; -1 outside of a run.
pub fn begin(memory: &[u8], run: Option<&Run>, name: (i32, i32), arguments: (i32, i32)) -> Result<i32, Ended> {
    let name = &memory[range(memory, name.0, name.1 as u32 as usize)?];
    let arguments = &memory[range(memory, arguments.0, arguments.1 as u32 as usize)?];
    Ok(run.map_or(-1, |run| run.call_begin(name, arguments) as i32))
}

/// `call_wait`: writes id, status and length of the answer at `out`.
pub fn wait(memory: &mut [u8], run: Option<&Run>, id: i32, timeout_ns: i64, out: i32) -> Result<i32, Ended> {
    let out = range(memory, out, 12)?;
    let Some(run) = run else { return Ok(NO_SUCH_CALL) };
    let timeout = u64::try_from(timeout_ns).ok().map(Duration::from_nanos);
    match run.call_wait(u32::try_from(id).ok(), timeout).map_err(Ended::Stopped)? {
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

/// `call_take`: copies the answer to `pointer` and forgets the call.
pub fn take(memory: &mut [u8], run: Option<&Run>, id: i32, pointer: i32) -> Result<(), Ended> {
    let payload = u32::try_from(id).ok().and_then(|id| run?.call_take(id));
    if let Some(payload) = payload {
        let range = range(memory, pointer, payload.len())?;
        memory[range].copy_from_slice(&payload);
    }
    Ok(())
}
