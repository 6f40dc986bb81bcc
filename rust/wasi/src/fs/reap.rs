//! Nodes that nothing leads to any more.

use super::node::{Inode, Kind};
use super::quota::ENTRY_BYTES;
use super::{Area, Fs};
use crate::errno::Errno;

impl Fs {
    /// A new node, not yet in any directory and not yet paid for.
    pub(super) fn add(&mut self, inode: Inode) -> Result<u32, Errno> {
        if let Some(node) = self.free.pop() {
            *self.inode_mut(node)? = inode;
            return Ok(node);
        }
        let node = u32::try_from(self.nodes.len()).map_err(|_| Errno::Nospc)?;
        self.nodes.try_reserve(1).map_err(|_| Errno::Nospc)?;
        self.nodes.push(inode);
        Ok(node)
    }

    /// Pays for one more name.
    pub(super) fn charge(&mut self, area: Area, bytes: u64, files: u64) -> Result<(), Errno> {
        if !self.quota(area).fits(bytes, files) {
            self.reap();
        }
        self.quota(area).charge(bytes, files)
    }

    /// One name less. The node goes with its last one, or later when it is still open.
    pub(super) fn drop_name(&mut self, node: u32, name: &str, now: u64) {
        let Ok(inode) = self.inode_mut(node) else { return };
        inode.nlink = inode.nlink.saturating_sub(1);
        inode.ctim = now;
        let (area, gone, held) = (inode.area, inode.nlink == 0, inode.is_held());
        self.quota(area).release(ENTRY_BYTES + name.len() as u64, 1);
        if !gone {
            return;
        }
        if !held {
            self.forget(node);
            return;
        }
        self.nameless.push(node);
        // An open file without a name still takes memory, so it still counts.
        self.quota(area).used.files += 1;
        self.quota(area).used.bytes += ENTRY_BYTES;
        if self.nameless.len() > self.nameless_full {
            self.reap();
        }
    }

    /// Frees what is neither named nor open. The work is paid for by the unlinking since the last time.
    pub(super) fn reap(&mut self) {
        let mut kept = core::mem::take(&mut self.nameless);
        kept.retain(|&node| {
            let Some(inode) = self.nodes.get(node as usize) else { return false };
            if inode.is_held() {
                return true;
            }
            let area = inode.area;
            self.quota(area).release(ENTRY_BYTES, 1);
            self.forget(node);
            false
        });
        self.nameless_full = 16 + kept.len() * 2;
        self.nameless = kept;
    }

    fn forget(&mut self, node: u32) {
        let Some(inode) = self.nodes.get_mut(node as usize) else { return };
        let (area, bytes) = (inode.area, inode.charged());
        debug_assert!(!matches!(inode.kind, Kind::Free));
        *inode = Inode::free();
        self.quota(area).release(bytes, 0);
        self.free.push(node);
    }
}
