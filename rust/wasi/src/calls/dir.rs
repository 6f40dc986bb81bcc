//! Directories handed to the guest at its start, and reading of any.

use super::Cx;
use crate::abi::DirEntHead;
use crate::errno::Errno;
use crate::fd::{Descriptor, OpenDir};
use crate::host::Host;
use crate::memory::{Outcome, put, slice_mut};

fn preopen<'a, H: Host>(cx: &'a Cx<'_, H>, fd: u32) -> Result<Option<&'a str>, Errno> {
    match cx.wasi.table.get(fd)? {
        Descriptor::Dir(OpenDir { preopen, .. }) => Ok(preopen.as_deref()),
        _ => Ok(None),
    }
}

pub(crate) fn fd_prestat_get<H: Host>(cx: &mut Cx<'_, H>, fd: u32, out: u32) -> Outcome<(), H::Stop> {
    let len = preopen(cx, fd)?.ok_or(Errno::Badf)?.len() as u64;
    // The tag 0, a directory, fills the lower half.
    put(cx.memory, out, &(len << 32).to_le_bytes())
}

pub(crate) fn fd_prestat_dir_name<H: Host>(cx: &mut Cx<'_, H>, fd: u32, out: u32, len: u32) -> Outcome<(), H::Stop> {
    let Cx { wasi, memory, .. } = cx;
    let Descriptor::Dir(OpenDir { preopen: Some(name), .. }) = wasi.table.get(fd)? else {
        return Err(Errno::Notdir.into());
    };
    if name.len() > len as usize {
        return Err(Errno::Nametoolong.into());
    }
    put(memory, out, name.as_bytes())
}

/// Fills the buffer; an entry that does not fit is cut, which tells the guest that there is more.
pub(crate) fn fd_readdir<H: Host>(
    cx: &mut Cx<'_, H>,
    fd: u32,
    buf: u32,
    len: u32,
    cookie: u64,
    out: u32,
) -> Outcome<(), H::Stop> {
    let node = cx.wasi.table.dir(fd)?.handle.node;
    let buf = slice_mut(cx.memory, buf, len)?;
    let mut used = 0;
    let mut add = |bytes: &[u8]| {
        let n = bytes.len().min(buf.len() - used);
        buf[used..used + n].copy_from_slice(&bytes[..n]);
        used += n;
        used < buf.len()
    };
    cx.host.fs().read_dir(node, cookie, |entry| {
        let head = DirEntHead {
            next: entry.next,
            ino: entry.ino,
            name_len: entry.name.len() as u32,
            file_type: entry.file_type,
        };
        add(&head.to_bytes()) && add(entry.name.as_bytes())
    });
    put(cx.memory, out, &(used as u32).to_le_bytes())
}
