//! Waiting.

use super::Cx;
use super::clock::clock;
use crate::errno::Errno;
use crate::fd::Descriptor;
use crate::host::{Clock, Halt, Host};
use crate::memory::{Failure, Outcome, put_u32, slice, slice_mut};

/// Subscriptions in one call; more are refused with EINVAL.
const SUBSCRIPTIONS_MAX: u32 = 4096;
const SUBSCRIPTION: usize = 48;
const EVENT: usize = 32;

const HANGUP: u16 = 1;

enum What {
    /// Due at this time of the monotonic clock.
    Timer(u64),
    /// A file, an output stream, or a descriptor that is none: told at once.
    Ready(u8, Result<(u64, u16), Errno>),
    Stdin,
}

struct Subscription {
    userdata: u64,
    what: What,
}

/// Answers at once what is ready; otherwise waits for the first timer or for input.
pub(crate) fn poll_oneoff<H: Host>(
    cx: &mut Cx<'_, H>,
    subscriptions: u32,
    events: u32,
    count: u32,
    out: u32,
) -> Outcome<(), H::Stop> {
    if count == 0 || count > SUBSCRIPTIONS_MAX {
        return Err(Errno::Inval.into());
    }
    slice_mut(cx.memory, events, count * EVENT as u32)?;
    let start = cx.host.now(Clock::Monotonic);
    let mut first: Option<u64> = None;
    let mut stdin = false;
    let mut ready = false;
    for n in 0..count {
        match read(cx, subscriptions, n, start)?.what {
            What::Timer(due) => first = Some(first.map_or(due, |f| f.min(due))),
            What::Ready(..) => ready = true,
            What::Stdin => stdin = true,
        }
    }

    let stop = |stop| Failure::Halt(Halt::Stop(stop));
    let mut input = None;
    if stdin {
        let until = if ready { Some(start) } else { first };
        input = cx.host.stdin_ready(until).map_err(stop)?;
    } else if !ready
        && let Some(due) = first
        && due > start
    {
        cx.host.sleep(due).map_err(stop)?;
    }

    // The host has said that the time is over, whatever its clock reads a moment later.
    let waited = if ready || input.is_some() { start } else { first.unwrap_or(start) };
    let now = cx.host.now(Clock::Monotonic).max(waited);
    let mut written = 0;
    for n in 0..count {
        let subscription = read(cx, subscriptions, n, start)?;
        let (kind, result) = match subscription.what {
            What::Timer(due) if due <= now => (0, Ok((0, 0))),
            What::Timer(_) => continue,
            What::Ready(kind, result) => (kind, result),
            What::Stdin => match input {
                Some(bytes) => (1, Ok((bytes, if bytes == 0 { HANGUP } else { 0 }))),
                None => continue,
            },
        };
        let (error, (bytes, flags)) = match result {
            Ok(what) => (Errno::Success, what),
            Err(errno) => (errno, (0, 0)),
        };
        let event = slice_mut(cx.memory, events + written * EVENT as u32, EVENT as u32)?;
        event.fill(0);
        event[0..8].copy_from_slice(&subscription.userdata.to_le_bytes());
        event[8..10].copy_from_slice(&(error as u16).to_le_bytes());
        event[10] = kind;
        event[16..24].copy_from_slice(&bytes.to_le_bytes());
        event[24..26].copy_from_slice(&flags.to_le_bytes());
        written += 1;
    }
    put_u32(cx.memory, out, written)
}

fn read<H: Host>(cx: &mut Cx<'_, H>, list: u32, n: u32, start: u64) -> Outcome<Subscription, H::Stop> {
    let at = list.saturating_add(n * SUBSCRIPTION as u32);
    let raw: [u8; SUBSCRIPTION] = slice(cx.memory, at, SUBSCRIPTION as u32)?.try_into().map_err(|_| Errno::Fault)?;
    let word = |i: usize| u64::from_le_bytes(core::array::from_fn(|k| raw[i + k]));
    let what = match raw[8] {
        0 => {
            let flags = raw[40] as u16 | (raw[41] as u16) << 8;
            if flags > 1 {
                return Err(Errno::Inval.into());
            }
            let timeout = word(24);
            let left = match (clock(word(16) as u32)?, flags == 1) {
                (Clock::ProcessCpu | Clock::ThreadCpu, _) => return Err(Errno::Inval.into()),
                (_, false) => timeout,
                (Clock::Monotonic, true) => timeout.saturating_sub(start),
                (Clock::Realtime, true) => timeout.saturating_sub(cx.host.now(Clock::Realtime)),
            };
            What::Timer(start.saturating_add(left))
        }
        kind @ (1 | 2) => {
            let fd = word(16) as u32;
            match (cx.wasi.table.get(fd)?, kind) {
                (Descriptor::Stdin, 1) => What::Stdin,
                (Descriptor::Output(_), 2) => What::Ready(kind, Ok((1, 0))),
                (Descriptor::File(file), 1) => {
                    let left = cx.host.fs().len(file.handle.node).saturating_sub(file.position);
                    What::Ready(kind, Ok((left, if left == 0 { HANGUP } else { 0 })))
                }
                (Descriptor::File(_), _) => What::Ready(kind, Ok((1, 0))),
                _ => return Err(Errno::Badf.into()),
            }
        }
        _ => return Err(Errno::Inval.into()),
    };
    Ok(Subscription { userdata: word(0), what })
}
