//! Opening, and the bytes of what is open.

use super::content::Content;
use super::node::{Actor, Device, Handle, Inode, Kind, Node};
use super::path::{Absolute, Last};
use super::{Area, Fs};
use crate::abi::FileType;
use crate::errno::Errno;

/// How a path is opened.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Open {
    pub follow: bool,
    pub create: bool,
    pub exclusive: bool,
    pub truncate: bool,
    pub directory: bool,
    pub write: bool,
}

/// Longest file, as in an off_t.
pub(crate) const LEN_MAX: u64 = i64::MAX as u64;

impl Fs {
    pub(crate) fn open(&mut self, base: Node, path: &str, how: Open, now: u64) -> Result<Handle, Errno> {
        let end = match how.create {
            true if how.follow && !how.exclusive => Last::Create,
            true => Last::Name,
            false => Last::following(how.follow),
        };
        let found = self.walk(base, path, end, Absolute::AtRoot)?;
        found.check()?;
        match &found.name {
            None if how.create && how.exclusive => return Err(Errno::Exist),
            None | Some(_) if how.create && found.slash => return Err(Errno::Isdir),
            _ => {}
        }
        let Some(node) = found.node else {
            if !how.create {
                return Err(Errno::Noent);
            }
            let node = self.create(&found, |_| Kind::File(Content::default()), 0o644, now, Actor::Guest)?;
            self.mark(node);
            return Ok(self.hold(Node::Work(node)));
        };
        if how.create && how.exclusive {
            return Err(Errno::Exist);
        }
        match self.file_type(node) {
            FileType::Directory if how.write || how.truncate || how.create => return Err(Errno::Isdir),
            FileType::Directory => {}
            FileType::SymbolicLink => return Err(Errno::Loop),
            _ if how.directory || found.slash => return Err(Errno::Notdir),
            FileType::RegularFile if how.write || how.truncate => self.check_writable_file(node)?,
            _ => {}
        }
        let handle = self.hold(node);
        if how.truncate
            && let Node::Work(_) = node
        {
            self.set_len(node, 0, now)?;
        }
        Ok(handle)
    }

    fn check_writable_file(&self, node: Node) -> Result<(), Errno> {
        match node {
            Node::Work(n) if self.inode(n).is_some_and(|i| i.area == Area::Workspace) => Ok(()),
            _ => Err(Errno::Rofs),
        }
    }

    pub(crate) fn hold(&mut self, node: Node) -> Handle {
        let held = match node {
            Node::Work(n) => self.inode_mut(n).ok().map(Inode::hold),
            _ => None,
        };
        Handle::new(node, held)
    }

    /// Lets go of an open node; what only it kept alive is freed at once.
    pub(crate) fn close(&mut self, handle: Handle) {
        let node = handle.node;
        drop(handle);
        if let Node::Work(n) = node
            && self.inode(n).is_some_and(|i| i.nlink == 0)
        {
            self.reap();
        }
    }

    pub(crate) fn len(&self, node: Node) -> u64 {
        match node {
            Node::Work(n) => self.inode(n).map_or(0, Inode::charged),
            Node::Image(n) => self.image.as_ref().map_or(0, |i| i.content(n).len() as u64),
            Node::Root | Node::Dev | Node::Device(_) => 0,
        }
    }

    /// Bytes from `offset` on; fewer than asked for only at the end. `/dev/urandom` is not answered here.
    pub(crate) fn read_at(&self, node: Node, offset: u64, buf: &mut [u8]) -> Result<usize, Errno> {
        match node {
            Node::Work(n) => match self.inode(n).map(|i| &i.kind) {
                Some(Kind::File(content)) => Ok(content.read(offset, buf)),
                Some(Kind::Dir(_)) => Err(Errno::Isdir),
                _ => Err(Errno::Badf),
            },
            Node::Image(n) => {
                let content = self.image.as_ref().map(|i| i.content(n)).unwrap_or_default();
                let from = usize::try_from(offset).unwrap_or(usize::MAX).min(content.len());
                let n = (content.len() - from).min(buf.len());
                buf[..n].copy_from_slice(&content[from..from + n]);
                Ok(n)
            }
            Node::Device(Device::Zero) => {
                buf.fill(0);
                Ok(buf.len())
            }
            Node::Device(Device::Null | Device::Urandom) => Ok(0),
            Node::Root | Node::Dev => Err(Errno::Isdir),
        }
    }

    /// As [`Fs::write_bytes`], by the guest.
    pub(crate) fn write_at(
        &mut self,
        node: Node,
        offset: Option<u64>,
        data: &[u8],
        now: u64,
    ) -> Result<(usize, u64), Errno> {
        let written = self.write_bytes(node, offset, data, now)?;
        if let Node::Work(n) = node {
            self.mark(n);
        }
        Ok(written)
    }

    /// As [`Fs::resize`], by the guest.
    pub(crate) fn set_len(&mut self, node: Node, len: u64, now: u64) -> Result<(), Errno> {
        self.resize(node, len, now)?;
        if let Node::Work(n) = node {
            self.mark(n);
        }
        Ok(())
    }

    fn mark(&mut self, node: u32) {
        let run = self.changes;
        if let Ok(inode) = self.inode_mut(node) {
            inode.changed = run;
            self.changed = true;
        }
    }

    /// Writes at `offset`, or at the end for `None`; as much as the quota leaves room for. Gives the number of bytes
    /// and where the next one would go.
    pub(super) fn write_bytes(
        &mut self,
        node: Node,
        offset: Option<u64>,
        data: &[u8],
        now: u64,
    ) -> Result<(usize, u64), Errno> {
        let n = match node {
            Node::Work(n) => n,
            Node::Device(_) => return Ok((data.len(), 0)),
            _ => return Err(Errno::Rofs),
        };
        let before = self.len(node);
        let offset = offset.unwrap_or(before);
        if data.is_empty() {
            return Ok((0, offset));
        }
        let end = offset.checked_add(data.len() as u64).filter(|end| *end <= LEN_MAX).ok_or(Errno::Fbig)?;
        let end = self.room(n, before, offset, end)?;
        let data = &data[..(end - offset) as usize];
        let inode = self.nodes.get_mut(n as usize).ok_or(Errno::Badf)?;
        let Kind::File(content) = &mut inode.kind else { return Err(Errno::Badf) };
        let written = content.write(offset, data);
        inode.mtim = now;
        inode.ctim = now;
        let (area, grown) = (inode.area, inode.charged() - before);
        self.quota(area).charge(grown, 0)?;
        let written = written?;
        Ok((written, offset + written as u64))
    }

    /// How far a write up to `end` may go. ENOSPC when not one byte fits behind `offset`.
    fn room(&mut self, n: u32, before: u64, offset: u64, end: u64) -> Result<u64, Errno> {
        let area = self.inode(n).ok_or(Errno::Badf)?.area;
        let grown = end.saturating_sub(before);
        if !self.quota(area).fits(grown, 0) {
            self.reap();
        }
        if self.quota(area).fits(grown, 0) {
            return Ok(end);
        }
        let quota = self.quota(area);
        quota.refused = true;
        let end = before.saturating_add(quota.left()).min(end);
        if end <= offset { Err(Errno::Nospc) } else { Ok(end) }
    }

    pub(super) fn resize(&mut self, node: Node, len: u64, now: u64) -> Result<(), Errno> {
        let Node::Work(n) = node else { return Err(Errno::Inval) };
        if len > LEN_MAX {
            return Err(Errno::Inval);
        }
        let before = self.len(node);
        let area = self.inode(n).ok_or(Errno::Badf)?.area;
        self.charge(area, len.saturating_sub(before), 0)?;
        let inode = self.inode_mut(n)?;
        let Kind::File(content) = &mut inode.kind else { return Err(Errno::Inval) };
        content.set_len(len);
        inode.mtim = now;
        inode.ctim = now;
        self.quota(area).release(before.saturating_sub(len), 0);
        Ok(())
    }
}
