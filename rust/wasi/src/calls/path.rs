//! Calls that take a path from an open directory on.

use super::Cx;
use super::attr::times;
use crate::abi::*;
use crate::errno::Errno;
use crate::fd::{Descriptor, OpenDir, OpenFile};
use crate::fs::{Last, Node, Open};
use crate::host::{Clock, Host};
use crate::memory::{Outcome, put, put_u32, slice_mut, text};

fn dir<H: Host>(cx: &Cx<'_, H>, fd: u32) -> Result<Node, Errno> {
    Ok(cx.wasi.table.dir(fd)?.handle.node)
}

fn follows(flags: u32) -> Result<bool, Errno> {
    if flags & !LOOKUP_SYMLINK_FOLLOW != 0 { Err(Errno::Inval) } else { Ok(flags != 0) }
}

#[expect(clippy::too_many_arguments, reason = "the call has as many")]
pub(crate) fn path_open<H: Host>(
    cx: &mut Cx<'_, H>,
    fd: u32,
    lookup: u32,
    path: u32,
    path_len: u32,
    oflags: u32,
    rights: u64,
    _inheriting: u64,
    fdflags: u32,
    out: u32,
) -> Outcome<(), H::Stop> {
    let follow = follows(lookup)?;
    if oflags & !OFLAGS_ALL != 0 || rights & !RIGHTS_ALL != 0 || fdflags & !FDFLAGS_ALL != 0 {
        return Err(Errno::Inval.into());
    }
    let path = text(cx.memory, path, path_len)?;
    let base = match cx.wasi.table.get(fd)? {
        Descriptor::Dir(dir) => dir.handle.node,
        Descriptor::File(_) => return Err(Errno::Notdir.into()),
        Descriptor::Stdin | Descriptor::Output(_) => return Err(Errno::Badf.into()),
    };
    if fdflags & (FDFLAGS_DSYNC | FDFLAGS_RSYNC | FDFLAGS_SYNC) != 0 {
        return Err(Errno::Notsup.into());
    }
    let directory = oflags & OFLAGS_DIRECTORY != 0;
    if directory && oflags != OFLAGS_DIRECTORY {
        return Err(Errno::Inval.into());
    }
    cx.wasi.table.room()?;
    let write = rights & RIGHT_FD_WRITE != 0;
    let how = Open {
        follow,
        create: oflags & OFLAGS_CREAT != 0,
        exclusive: oflags & OFLAGS_EXCL != 0,
        truncate: oflags & OFLAGS_TRUNC != 0,
        directory,
        write,
    };
    let now = cx.host.now(Clock::Realtime);
    let mut fs = cx.host.fs();
    let handle = fs.open(base, path, how, now)?;
    // Opened for neither, a descriptor can still be read, as POSIX has no other way to open one.
    let read = rights & RIGHT_FD_READ != 0 || !write;
    let descriptor = if fs.is_dir(handle.node) {
        Descriptor::Dir(OpenDir { handle, preopen: None, read })
    } else {
        Descriptor::File(OpenFile {
            handle,
            position: 0,
            read,
            write,
            append: fdflags & FDFLAGS_APPEND != 0,
            nonblock: fdflags & FDFLAGS_NONBLOCK != 0,
        })
    };
    drop(fs);
    let fd = cx.wasi.table.insert(descriptor)?;
    put_u32(cx.memory, out, fd)
}

pub(crate) fn path_filestat_get<H: Host>(
    cx: &mut Cx<'_, H>,
    fd: u32,
    lookup: u32,
    path: u32,
    path_len: u32,
    out: u32,
) -> Outcome<(), H::Stop> {
    let follow = follows(lookup)?;
    let base = dir(cx, fd)?;
    let path = text(cx.memory, path, path_len)?;
    let fs = cx.host.fs();
    let stat = fs.stat(fs.find(base, path, Last::following(follow))?);
    drop(fs);
    put(cx.memory, out, &stat.to_bytes())
}

#[expect(clippy::too_many_arguments, reason = "the call has as many")]
pub(crate) fn path_filestat_set_times<H: Host>(
    cx: &mut Cx<'_, H>,
    fd: u32,
    lookup: u32,
    path: u32,
    path_len: u32,
    atim: u64,
    mtim: u64,
    flags: u32,
) -> Outcome<(), H::Stop> {
    let follow = follows(lookup)?;
    let now = cx.host.now(Clock::Realtime);
    let times = times(atim, mtim, flags, now)?;
    let base = dir(cx, fd)?;
    let path = text(cx.memory, path, path_len)?;
    let mut fs = cx.host.fs();
    let node = fs.find(base, path, Last::following(follow))?;
    fs.set_times(node, times, now)?;
    Ok(())
}

pub(crate) fn path_create_directory<H: Host>(
    cx: &mut Cx<'_, H>,
    fd: u32,
    path: u32,
    path_len: u32,
) -> Outcome<(), H::Stop> {
    let base = dir(cx, fd)?;
    let path = text(cx.memory, path, path_len)?;
    let now = cx.host.now(Clock::Realtime);
    cx.host.fs().make_dir(base, path, now)?;
    Ok(())
}

pub(crate) fn path_remove_directory<H: Host>(
    cx: &mut Cx<'_, H>,
    fd: u32,
    path: u32,
    path_len: u32,
) -> Outcome<(), H::Stop> {
    let base = dir(cx, fd)?;
    let path = text(cx.memory, path, path_len)?;
    let now = cx.host.now(Clock::Realtime);
    cx.host.fs().remove_dir(base, path, now)?;
    Ok(())
}

pub(crate) fn path_unlink_file<H: Host>(cx: &mut Cx<'_, H>, fd: u32, path: u32, path_len: u32) -> Outcome<(), H::Stop> {
    let base = dir(cx, fd)?;
    let path = text(cx.memory, path, path_len)?;
    let now = cx.host.now(Clock::Realtime);
    cx.host.fs().unlink(base, path, now)?;
    Ok(())
}

#[expect(clippy::too_many_arguments, reason = "the call has as many")]
pub(crate) fn path_link<H: Host>(
    cx: &mut Cx<'_, H>,
    old_fd: u32,
    lookup: u32,
    old: u32,
    old_len: u32,
    new_fd: u32,
    new: u32,
    new_len: u32,
) -> Outcome<(), H::Stop> {
    let follow = follows(lookup)?;
    let (old_base, new_base) = (dir(cx, old_fd)?, dir(cx, new_fd)?);
    let (old, new) = (text(cx.memory, old, old_len)?, text(cx.memory, new, new_len)?);
    if follow {
        return Err(Errno::Inval.into());
    }
    let now = cx.host.now(Clock::Realtime);
    cx.host.fs().link((old_base, old), (new_base, new), now)?;
    Ok(())
}

pub(crate) fn path_rename<H: Host>(
    cx: &mut Cx<'_, H>,
    old_fd: u32,
    old: u32,
    old_len: u32,
    new_fd: u32,
    new: u32,
    new_len: u32,
) -> Outcome<(), H::Stop> {
    let (old_base, new_base) = (dir(cx, old_fd)?, dir(cx, new_fd)?);
    let (old, new) = (text(cx.memory, old, old_len)?, text(cx.memory, new, new_len)?);
    let now = cx.host.now(Clock::Realtime);
    cx.host.fs().rename((old_base, old), (new_base, new), now)?;
    Ok(())
}

pub(crate) fn path_symlink<H: Host>(
    cx: &mut Cx<'_, H>,
    target: u32,
    target_len: u32,
    fd: u32,
    path: u32,
    path_len: u32,
) -> Outcome<(), H::Stop> {
    let base = dir(cx, fd)?;
    let (target, path) = (text(cx.memory, target, target_len)?, text(cx.memory, path, path_len)?);
    let now = cx.host.now(Clock::Realtime);
    cx.host.fs().make_link(target, base, path, now)?;
    Ok(())
}

/// A target longer than the buffer is cut, as by POSIX.
pub(crate) fn path_readlink<H: Host>(
    cx: &mut Cx<'_, H>,
    fd: u32,
    path: u32,
    path_len: u32,
    buf: u32,
    buf_len: u32,
    out: u32,
) -> Outcome<(), H::Stop> {
    let base = dir(cx, fd)?;
    let fs = cx.host.fs();
    let target = fs.read_link(base, text(cx.memory, path, path_len)?)?.as_bytes();
    let target = &target[..target.len().min(buf_len as usize)];
    slice_mut(cx.memory, buf, target.len() as u32)?.copy_from_slice(target);
    put_u32(cx.memory, out, target.len() as u32)
}
