//! The books, checked.

use alloc::vec::Vec;

use super::node::{Inode, Kind, Node};
use super::quota::ENTRY_BYTES;
use super::{Area, Fs, SANDBOX, SITE_PACKAGES, TMP, Usage};

impl Fs {
    /// Counts everything again and compares: what the quotas say, links, parents, free nodes. For tests and fuzzing;
    /// its cost is that of all there is.
    pub fn audit(&mut self) -> Result<(), &'static str> {
        self.reap();
        let mut names: Vec<u32> = alloc::vec![0; self.nodes.len()];
        let mut used = [Usage::default(); 2];
        let mut open = alloc::vec![SANDBOX, TMP, SITE_PACKAGES];
        for root in &open {
            names[*root as usize] = 1;
        }
        while let Some(at) = open.pop() {
            let dir = self.dir(at).map_err(|_| "a directory is none")?;
            let area = self.nodes[at as usize].area;
            let mut ordered: Vec<_> = dir.read_from(0).map(|(_, name, node)| (name, node)).collect();
            ordered.sort_unstable();
            if !ordered.iter().copied().eq(dir.sorted()) {
                return Err("a directory's two orders differ");
            }
            for (name, node) in dir.sorted() {
                let inode = self.inode(node).ok_or("a name leads nowhere")?;
                if inode.area != area {
                    return Err("a name leads into the other area");
                }
                names[node as usize] += 1;
                let used = &mut used[area as usize];
                used.files += 1;
                used.bytes += ENTRY_BYTES + name.len() as u64;
                if let Kind::Dir(dir) = &inode.kind {
                    if dir.parent != Node::Work(at) {
                        return Err("a directory has another parent");
                    }
                    open.push(node);
                }
            }
        }
        for &node in &self.nameless {
            let inode = self.inode(node).ok_or("a nameless node is gone")?;
            if inode.nlink != 0 || names[node as usize] != 0 || !inode.is_held() {
                return Err("a nameless node has a name or nobody");
            }
            used[inode.area as usize].files += 1;
            used[inode.area as usize].bytes += ENTRY_BYTES;
        }
        for &node in &self.free {
            if !self.inode(node).is_some_and(|i| matches!(i.kind, Kind::Free)) {
                return Err("a free node is used");
            }
        }
        let free = self.nodes.iter().filter(|i| matches!(i.kind, Kind::Free)).count();
        if free != self.free.len() {
            return Err("a free node is lost");
        }
        let live = |(_, inode): &(usize, &Inode)| !matches!(inode.kind, Kind::Free);
        for (node, inode) in self.nodes.iter().enumerate().filter(live) {
            if inode.nlink != names[node] {
                return Err("a node has another number of names");
            }
            if inode.nlink == 0 && !self.nameless.contains(&(node as u32)) {
                return Err("a node without a name is lost");
            }
            used[inode.area as usize].bytes += inode.charged();
        }
        for area in [Area::Workspace, Area::Library] {
            if self.quota(area).used != used[area as usize] {
                return Err("a quota counts something else");
            }
        }
        Ok(())
    }
}
