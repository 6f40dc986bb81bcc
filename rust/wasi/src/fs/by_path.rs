//! What a guest with a kernel of its own asks for: one path at a time, nothing held open. Its kernel follows no link of
//! ours, so what leads out of a tree is refused.

use alloc::string::String;
use alloc::vec::Vec;

use super::attr::Times;
use super::content::Content;
use super::node::{Actor, Kind, Node};
use super::path::{Absolute, Found, Last};
use super::{Fs, SANDBOX, SITE_PACKAGES, TMP};
use crate::abi::FileType;
use crate::errno::Errno;

/// A tree that such a guest mounts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tree {
    Sandbox,
    Tmp,
    /// The guest cannot write there.
    SitePackages,
}

/// What stands at a path, links followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Attributes {
    pub is_dir: bool,
    pub size: u64,
    /// Permission bits.
    pub mode: u16,
    /// ns since the epoch: last read, last write, last change of whatever kind.
    pub times: [u64; 3],
}

impl Tree {
    fn root(self) -> (u32, &'static str) {
        match self {
            Self::Sandbox => (SANDBOX, "sandbox"),
            Self::Tmp => (TMP, "tmp"),
            Self::SitePackages => (SITE_PACKAGES, "site-packages"),
        }
    }

    fn is_writable(self) -> Result<(), Errno> {
        if self == Self::SitePackages { Err(Errno::Rofs) } else { Ok(()) }
    }
}

impl Fs {
    fn walk_in<'p>(&self, tree: Tree, path: &'p str, end: Last) -> Result<Found<'p>, Errno> {
        if path.starts_with('/') {
            return Err(Errno::Acces);
        }
        let (root, name) = tree.root();
        let path = if path.is_empty() { "." } else { path };
        self.walk(Node::Work(root), path, end, Absolute::Within(Node::Work(root), name))
    }

    fn find_in(&self, tree: Tree, path: &str) -> Result<Node, Errno> {
        self.walk_in(tree, path, Last::Follow)?.existing(self)
    }

    pub fn attributes_in(&self, tree: Tree, path: &str) -> Result<Attributes, Errno> {
        let node = self.find_in(tree, path)?;
        let stat = self.stat(node);
        let mode = match node {
            Node::Work(n) => self.inode(n).map_or(0, |inode| inode.mode),
            _ => 0,
        };
        let is_dir = stat.file_type == FileType::Directory;
        Ok(Attributes { is_dir, size: stat.size, mode, times: [stat.atim, stat.mtim, stat.ctim] })
    }

    /// Fewer bytes than `buf` holds only at the end.
    pub fn read_in(&self, tree: Tree, path: &str, offset: u64, buf: &mut [u8]) -> Result<usize, Errno> {
        self.read_at(self.find_in(tree, path)?, offset, buf)
    }

    /// Writes all of `data` at `offset`, or at the end for `None`; makes the file when there is none. ENOSPC when not all
    /// of it fits: what does is written.
    pub fn write_in(
        &mut self,
        tree: Tree,
        path: &str,
        offset: Option<u64>,
        data: &[u8],
        now: u64,
    ) -> Result<(), Errno> {
        tree.is_writable()?;
        let found = self.walk_in(tree, path, Last::Create)?;
        found.check()?;
        let node = match found.node {
            None if found.slash => return Err(Errno::Isdir),
            None => Node::Work(self.create(&found, |_| Kind::File(Content::default()), 0o644, now, Actor::Guest)?),
            Some(node) if self.is_dir(node) => return Err(Errno::Isdir),
            Some(node) => node,
        };
        // Also of nothing: making a file is a change.
        let (written, _) = self.write_at(node, offset, data, now)?;
        if written < data.len() { Err(Errno::Nospc) } else { Ok(()) }
    }

    pub fn truncate_in(&mut self, tree: Tree, path: &str, len: u64, now: u64) -> Result<(), Errno> {
        tree.is_writable()?;
        let node = self.find_in(tree, path)?;
        if self.is_dir(node) { Err(Errno::Isdir) } else { self.set_len(node, len, now) }
    }

    pub fn make_dir_in(&mut self, tree: Tree, path: &str, now: u64) -> Result<(), Errno> {
        let found = self.walk_in(tree, path, Last::Name)?;
        self.make_dir_at(&found, now, Actor::Guest)
    }

    /// Removes a file, a link or an empty directory.
    pub fn remove_in(&mut self, tree: Tree, path: &str, now: u64) -> Result<(), Errno> {
        let found = self.walk_in(tree, path, Last::Name)?;
        found.existing(self)?;
        self.remove_at(&found, now, Actor::Guest)
    }

    pub fn rename_in(&mut self, tree: Tree, from: &str, to: &str, now: u64) -> Result<(), Errno> {
        tree.is_writable()?;
        // Both ways are looked at first, as `rename` itself would follow a link out of the tree.
        self.walk_in(tree, from, Last::Name)?;
        self.walk_in(tree, to, Last::Name)?;
        let root = Node::Work(tree.root().0);
        self.rename((root, from), (root, to), now)
    }

    /// A link to wherever; following it out of the tree is what is refused.
    pub fn symlink_in(&mut self, tree: Tree, path: &str, target: &str, now: u64) -> Result<(), Errno> {
        let found = self.walk_in(tree, path, Last::Name)?;
        self.make_link_at(target, &found, now, Actor::Guest)
    }

    /// A second name for a file.
    pub fn link_in(&mut self, tree: Tree, from: &str, to: &str, now: u64) -> Result<(), Errno> {
        tree.is_writable()?;
        self.walk_in(tree, from, Last::Stay)?;
        self.walk_in(tree, to, Last::Name)?;
        let root = Node::Work(tree.root().0);
        self.link((root, from), (root, to), now)
    }

    pub fn set_times_in(
        &mut self,
        tree: Tree,
        path: &str,
        accessed: Option<u64>,
        modified: Option<u64>,
        now: u64,
    ) -> Result<(), Errno> {
        let node = self.find_in(tree, path)?;
        self.set_times(node, Times { atim: accessed, mtim: modified }, now)
    }

    pub fn set_mode_in(&mut self, tree: Tree, path: &str, mode: u16) -> Result<(), Errno> {
        tree.is_writable()?;
        match self.find_in(tree, path)? {
            Node::Work(n) => {
                self.inode_mut(n)?.mode = mode & 0o7777;
                Ok(())
            }
            _ => Err(Errno::Rofs),
        }
    }

    /// Names in a directory, in one order for as long as it does not change, and whether each is a directory.
    pub fn names_in(&self, tree: Tree, path: &str) -> Result<Vec<(String, bool)>, Errno> {
        let Node::Work(n) = self.find_in(tree, path)? else { return Err(Errno::Notdir) };
        let names = self.dir(n)?.sorted().map(|(name, node)| {
            let is_link = self.file_type(Node::Work(node)) == FileType::SymbolicLink;
            let followed = is_link.then(|| self.find_in(tree, &join(path, name)).ok()).flatten();
            (String::from(name), self.is_dir(followed.unwrap_or(Node::Work(node))))
        });
        Ok(names.collect())
    }
}

fn join(dir: &str, name: &str) -> String {
    let mut path = String::from(dir);
    if !path.is_empty() {
        path.push('/');
    }
    path.push_str(name);
    path
}

#[cfg(test)]
#[path = "by_path_test.rs"]
mod tests;
