//! Bytes in and out of descriptors.

use super::Cx;
use super::process::fill_random;
use crate::abi::{WHENCE_CUR, WHENCE_END, WHENCE_SET};
use crate::errno::Errno;
use crate::fd::Descriptor;
use crate::fs::{Device, LEN_MAX, Node};
use crate::host::{Clock, Halt, Host};
use crate::memory::{Failure, Iovs, Outcome, put_u32, put_u64};

fn stop<S>(stop: S) -> Failure<S> {
    Failure::Halt(Halt::Stop(stop))
}

pub(crate) fn fd_write<H: Host>(
    cx: &mut Cx<'_, H>,
    fd: u32,
    iovs: u32,
    iovs_len: u32,
    out: u32,
) -> Outcome<(), H::Stop> {
    write(cx, fd, iovs, iovs_len, None, out)
}

pub(crate) fn fd_pwrite<H: Host>(
    cx: &mut Cx<'_, H>,
    fd: u32,
    iovs: u32,
    iovs_len: u32,
    offset: u64,
    out: u32,
) -> Outcome<(), H::Stop> {
    write(cx, fd, iovs, iovs_len, Some(offset), out)
}

/// A file ends at the largest off_t, and no transfer starts or ends beyond.
fn check_end(position: u64, len: usize) -> Result<(), Errno> {
    match position.checked_add(len as u64) {
        Some(end) if end <= LEN_MAX => Ok(()),
        _ => Err(Errno::Inval),
    }
}

/// At `at`, or at the descriptor's own position, which then moves.
fn write<H: Host>(
    cx: &mut Cx<'_, H>,
    fd: u32,
    iovs: u32,
    iovs_len: u32,
    at: Option<u64>,
    out: u32,
) -> Outcome<(), H::Stop> {
    let iovs = Iovs::new(cx.memory, iovs, iovs_len)?;
    let mut done = 0;
    let mut n = 0;
    match cx.wasi.table.get_mut(fd)? {
        Descriptor::Output(output) => {
            if at.is_some() {
                return Err(Errno::Spipe.into());
            }
            while let Some(range) = iovs.get(cx.memory, n, done)? {
                n += 1;
                if !range.is_empty() {
                    done += range.len();
                    cx.host.write(*output, &cx.memory[range]).map_err(stop)?;
                }
            }
        }
        Descriptor::File(file) => {
            if !file.append {
                check_end(at.unwrap_or(0), 0)?;
            }
            if !file.write {
                return Err(Errno::Badf.into());
            }
            let now = cx.host.now(Clock::Realtime);
            let mut fs = cx.host.fs();
            let mut position = at.unwrap_or(file.position);
            while let Some(range) = iovs.get(cx.memory, n, done)? {
                n += 1;
                let wanted = range.len();
                let offset = if file.append { None } else { Some(position) };
                let fits = if file.append { Ok(()) } else { check_end(position, wanted) };
                match fits.and_then(|()| fs.write_at(file.handle.node, offset, &cx.memory[range], now)) {
                    Ok((written, next)) => {
                        done += written;
                        position = next;
                        if written < wanted {
                            break;
                        }
                    }
                    Err(_) if done > 0 => break,
                    Err(errno) => return Err(errno.into()),
                }
            }
            if at.is_none() {
                file.position = position;
            }
        }
        Descriptor::Stdin | Descriptor::Dir(_) => return Err(Errno::Badf.into()),
    }
    put_u32(cx.memory, out, done as u32)
}

pub(crate) fn fd_read<H: Host>(
    cx: &mut Cx<'_, H>,
    fd: u32,
    iovs: u32,
    iovs_len: u32,
    out: u32,
) -> Outcome<(), H::Stop> {
    read(cx, fd, iovs, iovs_len, None, out)
}

pub(crate) fn fd_pread<H: Host>(
    cx: &mut Cx<'_, H>,
    fd: u32,
    iovs: u32,
    iovs_len: u32,
    offset: u64,
    out: u32,
) -> Outcome<(), H::Stop> {
    read(cx, fd, iovs, iovs_len, Some(offset), out)
}

fn read<H: Host>(
    cx: &mut Cx<'_, H>,
    fd: u32,
    iovs: u32,
    iovs_len: u32,
    at: Option<u64>,
    out: u32,
) -> Outcome<(), H::Stop> {
    let iovs = Iovs::new(cx.memory, iovs, iovs_len)?;
    let mut done = 0;
    let mut n = 0;
    match cx.wasi.table.get_mut(fd)? {
        Descriptor::Stdin => {
            if at.is_some() {
                return Err(Errno::Spipe.into());
            }
            // One buffer is enough: a second read could block although there is something to return.
            while let Some(range) = iovs.get(cx.memory, n, done)? {
                n += 1;
                if !range.is_empty() {
                    let wanted = range.len();
                    done = cx.host.read_stdin(&mut cx.memory[range]).map_err(stop)?.min(wanted);
                    break;
                }
            }
        }
        Descriptor::File(file) => {
            check_end(at.unwrap_or(0), 0)?;
            if !file.read {
                return Err(Errno::Badf.into());
            }
            let node = file.handle.node;
            let position = at.unwrap_or(file.position);
            if node == Node::Device(Device::Urandom) {
                while let Some(range) = iovs.get(cx.memory, n, done)? {
                    n += 1;
                    done += range.len();
                    fill_random(cx.host, &mut cx.memory[range])?;
                }
            } else {
                let fs = cx.host.fs();
                while let Some(range) = iovs.get(cx.memory, n, done)? {
                    n += 1;
                    let wanted = range.len();
                    let offset = position.saturating_add(done as u64);
                    check_end(offset, wanted)?;
                    let got = fs.read_at(node, offset, &mut cx.memory[range])?;
                    done += got;
                    if got < wanted {
                        break;
                    }
                }
            }
            if at.is_none() && !matches!(node, Node::Device(_)) {
                file.position = position + done as u64;
            }
        }
        Descriptor::Output(_) | Descriptor::Dir(_) => return Err(Errno::Badf.into()),
    }
    put_u32(cx.memory, out, done as u32)
}

pub(crate) fn fd_seek<H: Host>(
    cx: &mut Cx<'_, H>,
    fd: u32,
    offset: i64,
    whence: u32,
    out: u32,
) -> Outcome<(), H::Stop> {
    if whence > WHENCE_END {
        return Err(Errno::Inval.into());
    }
    let file = cx.wasi.table.seekable(fd)?;
    let base = match whence {
        WHENCE_SET => 0,
        WHENCE_CUR => file.position,
        _ => cx.host.fs().len(file.handle.node),
    };
    let position = base.checked_add_signed(offset).ok_or(Errno::Inval)?;
    file.position = position;
    put_u64(cx.memory, out, position)
}

pub(crate) fn fd_tell<H: Host>(cx: &mut Cx<'_, H>, fd: u32, out: u32) -> Outcome<(), H::Stop> {
    let position = cx.wasi.table.seekable(fd)?.position;
    put_u64(cx.memory, out, position)
}

pub(crate) fn fd_close<H: Host>(cx: &mut Cx<'_, H>, fd: u32) -> Outcome<(), H::Stop> {
    let closed = cx.wasi.table.remove(fd)?;
    close(cx.host, closed);
    Ok(())
}

pub(crate) fn fd_renumber<H: Host>(cx: &mut Cx<'_, H>, from: u32, to: u32) -> Outcome<(), H::Stop> {
    if let Some(closed) = cx.wasi.table.renumber(from, to)? {
        close(cx.host, closed);
    }
    Ok(())
}

fn close<H: Host>(host: &mut H, closed: Descriptor) {
    match closed {
        Descriptor::File(file) => host.fs().close(file.handle),
        Descriptor::Dir(dir) => host.fs().close(dir.handle),
        Descriptor::Stdin | Descriptor::Output(_) => {}
    }
}

/// Nothing is ever on its way to a disk.
pub(crate) fn fd_sync<H: Host>(cx: &mut Cx<'_, H>, fd: u32) -> Outcome<(), H::Stop> {
    cx.wasi.table.file(fd)?;
    Ok(())
}

pub(crate) fn fd_datasync<H: Host>(cx: &mut Cx<'_, H>, fd: u32) -> Outcome<(), H::Stop> {
    fd_sync(cx, fd)
}
