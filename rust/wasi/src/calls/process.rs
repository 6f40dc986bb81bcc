//! Arguments, environment, randomness, the end; and sockets, of which there are none.

use super::Cx;
use crate::errno::Errno;
use crate::host::{Halt, Host};
use crate::memory::{Failure, Outcome, put, put_u32, slice_mut};
use crate::wasi::Strings;

/// Bytes asked of the host's random source at a time, so that it can stop a guest that wants 4 GiB.
const RANDOM_CHUNK: usize = 64 << 10;

const SIGNAL_MAX: u32 = 30;

fn put_strings<S>(memory: &mut [u8], strings: &Strings, pointers: u32, bytes: u32) -> Outcome<(), S> {
    put(memory, bytes, &strings.bytes)?;
    let list = slice_mut(memory, pointers, strings.starts.len() as u32 * 4)?;
    for (out, start) in list.chunks_exact_mut(4).zip(&strings.starts) {
        out.copy_from_slice(&bytes.wrapping_add(*start).to_le_bytes());
    }
    Ok(())
}

fn put_sizes<S>(memory: &mut [u8], strings: &Strings, count: u32, len: u32) -> Outcome<(), S> {
    put_u32(memory, count, strings.starts.len() as u32)?;
    put_u32(memory, len, strings.bytes.len() as u32)
}

pub(crate) fn args_get<H: Host>(cx: &mut Cx<'_, H>, argv: u32, buf: u32) -> Outcome<(), H::Stop> {
    put_strings(cx.memory, &cx.wasi.args, argv, buf)
}

pub(crate) fn args_sizes_get<H: Host>(cx: &mut Cx<'_, H>, count: u32, len: u32) -> Outcome<(), H::Stop> {
    put_sizes(cx.memory, &cx.wasi.args, count, len)
}

pub(crate) fn environ_get<H: Host>(cx: &mut Cx<'_, H>, environ: u32, buf: u32) -> Outcome<(), H::Stop> {
    put_strings(cx.memory, &cx.wasi.env, environ, buf)
}

pub(crate) fn environ_sizes_get<H: Host>(cx: &mut Cx<'_, H>, count: u32, len: u32) -> Outcome<(), H::Stop> {
    put_sizes(cx.memory, &cx.wasi.env, count, len)
}

pub(crate) fn random_get<H: Host>(cx: &mut Cx<'_, H>, buf: u32, len: u32) -> Outcome<(), H::Stop> {
    fill_random(cx.host, slice_mut(cx.memory, buf, len)?)
}

pub(super) fn fill_random<H: Host>(host: &mut H, buf: &mut [u8]) -> Outcome<(), H::Stop> {
    for chunk in buf.chunks_mut(RANDOM_CHUNK) {
        host.random(chunk).map_err(|stop| Failure::Halt(Halt::Stop(stop)))?;
    }
    Ok(())
}

pub(crate) fn proc_exit<H: Host>(_cx: &mut Cx<'_, H>, code: u32) -> Outcome<(), H::Stop> {
    Err(Failure::Halt(Halt::Exit(code)))
}

pub(crate) fn proc_raise<H: Host>(_cx: &mut Cx<'_, H>, signal: u32) -> Outcome<(), H::Stop> {
    Err(if signal > SIGNAL_MAX { Errno::Inval } else { Errno::Notsup }.into())
}

pub(crate) fn sched_yield<H: Host>(cx: &mut Cx<'_, H>) -> Outcome<(), H::Stop> {
    cx.host.yield_now().map_err(|stop| Failure::Halt(Halt::Stop(stop)))
}

fn no_socket<H: Host>(cx: &Cx<'_, H>, fd: u32) -> Outcome<(), H::Stop> {
    cx.wasi.table.get(fd)?;
    Err(Errno::Notsock.into())
}

pub(crate) fn sock_accept<H: Host>(cx: &mut Cx<'_, H>, fd: u32, _flags: u32, _out: u32) -> Outcome<(), H::Stop> {
    no_socket(cx, fd)
}

pub(crate) fn sock_recv<H: Host>(
    cx: &mut Cx<'_, H>,
    fd: u32,
    _iovs: u32,
    _iovs_len: u32,
    _flags: u32,
    _len_out: u32,
    _flags_out: u32,
) -> Outcome<(), H::Stop> {
    no_socket(cx, fd)
}

pub(crate) fn sock_send<H: Host>(
    cx: &mut Cx<'_, H>,
    fd: u32,
    _iovs: u32,
    _iovs_len: u32,
    _flags: u32,
    _len_out: u32,
) -> Outcome<(), H::Stop> {
    no_socket(cx, fd)
}

pub(crate) fn sock_shutdown<H: Host>(cx: &mut Cx<'_, H>, fd: u32, _how: u32) -> Outcome<(), H::Stop> {
    no_socket(cx, fd)
}
