//! Attributes and sizes of what is open.

use super::Cx;
use crate::abi::*;
use crate::errno::Errno;
use crate::fd::{Descriptor, OpenDir, OpenFile};
use crate::fs::{LEN_MAX, Node, Times};
use crate::host::{Clock, Host};
use crate::memory::{Outcome, put};

pub(crate) fn fd_fdstat_get<H: Host>(cx: &mut Cx<'_, H>, fd: u32, out: u32) -> Outcome<(), H::Stop> {
    let stat = match cx.wasi.table.get(fd)? {
        Descriptor::Stdin => stream(RIGHT_FD_READ),
        Descriptor::Output(_) => stream(RIGHT_FD_WRITE),
        Descriptor::Dir(OpenDir { preopen: Some(_), .. }) => FdStat {
            file_type: FileType::Directory,
            flags: 0,
            rights_base: RIGHTS_PREOPEN,
            rights_inheriting: RIGHTS_PREOPEN_INHERITING,
        },
        Descriptor::Dir(dir) => {
            let mut rights = RIGHTS_ALL
                & !(RIGHT_FD_SEEK | RIGHT_FD_FILESTAT_SET_SIZE | RIGHT_PATH_FILESTAT_SET_SIZE | RIGHT_FD_WRITE);
            if !dir.read {
                rights &= !(RIGHT_FD_READ | RIGHT_FD_READDIR);
            }
            FdStat { file_type: FileType::Directory, flags: 0, rights_base: rights, rights_inheriting: rights }
        }
        Descriptor::File(file) => {
            let mut rights = RIGHTS_ALL;
            if !file.read {
                rights &= !(RIGHT_FD_READ | RIGHT_FD_READDIR);
            }
            if !file.write {
                rights &= !RIGHT_FD_WRITE;
            }
            FdStat {
                file_type: cx.host.fs().file_type(file.handle.node),
                flags: flags(file),
                rights_base: rights,
                rights_inheriting: rights,
            }
        }
    };
    put(cx.memory, out, &stat.to_bytes())
}

/// A standard stream is no terminal, and says so by an unknown type.
fn stream(rights: u64) -> FdStat {
    FdStat { file_type: FileType::Unknown, flags: 0, rights_base: rights, rights_inheriting: rights }
}

fn flags(file: &OpenFile) -> u16 {
    let append = if file.append { FDFLAGS_APPEND } else { 0 };
    let nonblock = if file.nonblock { FDFLAGS_NONBLOCK } else { 0 };
    (append | nonblock) as u16
}

pub(crate) fn fd_fdstat_set_flags<H: Host>(cx: &mut Cx<'_, H>, fd: u32, flags: u32) -> Outcome<(), H::Stop> {
    if flags & !FDFLAGS_ALL != 0 {
        return Err(Errno::Inval.into());
    }
    let file = cx.wasi.table.file_mut(fd)?;
    if flags & (FDFLAGS_DSYNC | FDFLAGS_SYNC | FDFLAGS_RSYNC) != 0 {
        return Err(Errno::Inval.into());
    }
    file.append = flags & FDFLAGS_APPEND != 0;
    file.nonblock = flags & FDFLAGS_NONBLOCK != 0;
    Ok(())
}

/// Rights are told but cannot be given up.
pub(crate) fn fd_fdstat_set_rights<H: Host>(
    cx: &mut Cx<'_, H>,
    fd: u32,
    base: u64,
    inheriting: u64,
) -> Outcome<(), H::Stop> {
    if (base | inheriting) & !RIGHTS_ALL != 0 {
        return Err(Errno::Inval.into());
    }
    node(cx, fd)?;
    Err(Errno::Notsup.into())
}

fn node<H: Host>(cx: &Cx<'_, H>, fd: u32) -> Result<Node, Errno> {
    match cx.wasi.table.get(fd)? {
        Descriptor::File(file) => Ok(file.handle.node),
        Descriptor::Dir(dir) => Ok(dir.handle.node),
        Descriptor::Stdin | Descriptor::Output(_) => Err(Errno::Badf),
    }
}

pub(crate) fn fd_filestat_get<H: Host>(cx: &mut Cx<'_, H>, fd: u32, out: u32) -> Outcome<(), H::Stop> {
    let stat = match cx.wasi.table.get(fd)? {
        Descriptor::Stdin | Descriptor::Output(_) => {
            FileStat { dev: 0, ino: 0, file_type: FileType::Unknown, nlink: 0, size: 0, atim: 0, mtim: 0, ctim: 0 }
        }
        Descriptor::File(file) => cx.host.fs().stat(file.handle.node),
        Descriptor::Dir(dir) => cx.host.fs().stat(dir.handle.node),
    };
    put(cx.memory, out, &stat.to_bytes())
}

pub(crate) fn fd_filestat_set_size<H: Host>(cx: &mut Cx<'_, H>, fd: u32, size: u64) -> Outcome<(), H::Stop> {
    let file = cx.wasi.table.file(fd)?;
    if !file.write {
        return Err(Errno::Inval.into());
    }
    let now = cx.host.now(Clock::Realtime);
    cx.host.fs().set_len(file.handle.node, size, now)?;
    Ok(())
}

/// Makes sure that `offset + len` bytes are there and paid for.
pub(crate) fn fd_allocate<H: Host>(cx: &mut Cx<'_, H>, fd: u32, offset: u64, len: u64) -> Outcome<(), H::Stop> {
    let file = cx.wasi.table.file(fd)?;
    if !file.write {
        return Err(Errno::Badf.into());
    }
    if len == 0 {
        return Err(Errno::Inval.into());
    }
    let end = offset.checked_add(len).ok_or(Errno::Fbig)?;
    let now = cx.host.now(Clock::Realtime);
    let mut fs = cx.host.fs();
    if end > fs.len(file.handle.node) {
        fs.set_len(file.handle.node, end, now)?;
    }
    Ok(())
}

pub(crate) fn fd_advise<H: Host>(
    cx: &mut Cx<'_, H>,
    fd: u32,
    _offset: u64,
    len: u64,
    advice: u32,
) -> Outcome<(), H::Stop> {
    if advice > ADVICE_MAX {
        return Err(Errno::Inval.into());
    }
    cx.wasi.table.file(fd)?;
    if len > LEN_MAX { Err(Errno::Inval.into()) } else { Ok(()) }
}

/// The times that the flags ask for. To set one and to set it to now at once is EINVAL.
pub(super) fn times(atim: u64, mtim: u64, flags: u32, now: u64) -> Result<Times, Errno> {
    if flags & !FSTFLAGS_ALL != 0 {
        return Err(Errno::Inval);
    }
    let one = |given: u64, set: u32, set_now: u32| match (flags & set != 0, flags & set_now != 0) {
        (true, true) => Err(Errno::Inval),
        (true, false) => Ok(Some(given)),
        (false, true) => Ok(Some(now)),
        (false, false) => Ok(None),
    };
    Ok(Times { atim: one(atim, FSTFLAGS_ATIM, FSTFLAGS_ATIM_NOW)?, mtim: one(mtim, FSTFLAGS_MTIM, FSTFLAGS_MTIM_NOW)? })
}

pub(crate) fn fd_filestat_set_times<H: Host>(
    cx: &mut Cx<'_, H>,
    fd: u32,
    atim: u64,
    mtim: u64,
    flags: u32,
) -> Outcome<(), H::Stop> {
    let now = cx.host.now(Clock::Realtime);
    let times = times(atim, mtim, flags, now)?;
    let node = node(cx, fd)?;
    cx.host.fs().set_times(node, times, now)?;
    Ok(())
}
