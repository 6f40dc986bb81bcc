//! Attributes of nodes.

use super::node::{Device, Kind, Node};
use super::{Area, Fs, Last};
use crate::abi::FileStat;
use crate::errno::Errno;

/// Device numbers that tell the parts of the tree apart.
const DEV_WORK: u64 = 1;
const DEV_IMAGE: u64 = 2;
const DEV_DEVICES: u64 = 3;

/// A time to set, or to leave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Times {
    pub atim: Option<u64>,
    pub mtim: Option<u64>,
}

impl Fs {
    pub(crate) fn ino(&self, node: Node) -> u64 {
        match node {
            Node::Root => 1,
            Node::Dev => 2,
            Node::Device(Device::Null) => 3,
            Node::Device(Device::Zero) => 4,
            Node::Device(Device::Urandom) => 5,
            Node::Image(n) | Node::Work(n) => u64::from(n) + 1,
        }
    }

    pub(crate) fn stat(&self, node: Node) -> FileStat {
        let (dev, nlink, atim, mtim, ctim) = match node {
            Node::Work(n) => match self.inode(n) {
                Some(i) => (DEV_WORK, u64::from(i.nlink), i.atim, i.mtim, i.ctim),
                None => (DEV_WORK, 0, 0, 0, 0),
            },
            Node::Image(_) => {
                let time = self.image.as_ref().map_or(0, |i| i.mtime());
                (DEV_IMAGE, 1, time, time, time)
            }
            Node::Root | Node::Dev | Node::Device(_) => (DEV_DEVICES, 1, self.made, self.made, self.made),
        };
        FileStat {
            dev,
            ino: self.ino(node),
            file_type: self.file_type(node),
            nlink,
            size: self.len(node),
            atim,
            mtim,
            ctim,
        }
    }

    pub(crate) fn set_times(&mut self, node: Node, times: Times, now: u64) -> Result<(), Errno> {
        let Node::Work(n) = node else { return Err(Errno::Rofs) };
        let inode = self.inode_mut(n)?;
        if inode.area == Area::Library {
            return Err(Errno::Rofs);
        }
        if matches!(inode.kind, Kind::Free) {
            return Err(Errno::Badf);
        }
        inode.atim = times.atim.unwrap_or(inode.atim);
        inode.mtim = times.mtim.unwrap_or(inode.mtim);
        inode.ctim = now;
        Ok(())
    }

    pub(crate) fn read_link(&self, base: Node, path: &str) -> Result<&str, Errno> {
        let node = self.find(base, path, Last::Stay)?;
        self.link_target(node).ok_or(Errno::Inval)
    }
}
