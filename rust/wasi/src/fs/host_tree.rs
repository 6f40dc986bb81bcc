//! Directories as the host sees them: listing, making, removing, and what a run has changed.

use alloc::string::String;
use alloc::vec::Vec;

use super::host::{Entry, PathError, relative, root};
use super::node::{Actor, Dir, Kind, Node};
use super::path::{Last, strip_prefix};
use super::{Area, Fs, PATH_MAX, SANDBOX, TMP};
use crate::errno::Errno;

/// All that is below a directory, each directory before what is in it. A path above [`PATH_MAX`], which only a guest
/// can make, is an error and not entered.
pub(super) struct Below<'a> {
    fs: &'a Fs,
    prefix: String,
    open: Vec<(usize, Vec<(&'a str, u32)>)>,
    recursive: bool,
}

impl<'a> Below<'a> {
    pub(super) fn new(fs: &'a Fs, dir: &'a Dir, prefix: String, recursive: bool) -> Self {
        let open = alloc::vec![(prefix.len(), Self::entries(dir))];
        Self { fs, prefix, open, recursive }
    }

    fn entries(dir: &'a Dir) -> Vec<(&'a str, u32)> {
        let mut entries: Vec<_> = dir.sorted().collect();
        entries.reverse();
        entries
    }

    pub(super) fn next(&mut self) -> Option<Result<(&str, u32), PathError>> {
        loop {
            let (len, entries) = self.open.last_mut()?;
            let Some((name, node)) = entries.pop() else {
                self.open.pop();
                continue;
            };
            self.prefix.truncate(*len);
            if !self.prefix.is_empty() {
                self.prefix.push('/');
            }
            if self.prefix.len() + name.len() > PATH_MAX {
                return Some(Err(PathError::NameTooLong));
            }
            self.prefix.push_str(name);
            if self.recursive
                && let Ok(dir) = self.fs.dir(node)
            {
                self.open.push((self.prefix.len(), Self::entries(dir)));
            }
            return Some(Ok((&self.prefix, node)));
        }
    }
}

impl Fs {
    /// Entries of a directory, with `recursive` of those in it too, sorted by the bytes of their paths. A path above
    /// 4096 bytes, which only a guest can make, is `NameTooLong`.
    pub fn list_dir(&self, area: Area, path: &str, recursive: bool) -> Result<Vec<Entry>, PathError> {
        let top = self.host_find(area, path, true)?;
        let mut prefix = String::new();
        for part in relative(area, path)?.split('/').filter(|p| !p.is_empty() && *p != ".") {
            if !prefix.is_empty() {
                prefix.push('/');
            }
            prefix.push_str(part);
        }
        let mut below = Below::new(self, self.dir(top)?, prefix, recursive);
        let mut entries = Vec::new();
        while let Some(found) = below.next() {
            let (path, node) = found?;
            entries.push(self.entry(node, path));
        }
        entries.sort_unstable_by(|a, b| a.path.cmp(&b.path));
        Ok(entries)
    }

    /// Forgets which files were changed, as at the start of a run, and frees what an instance that is gone has left
    /// open without a name.
    pub fn begin_changes(&mut self) {
        self.reap();
        self.changes = self.changes.wrapping_add(1);
        self.changed = false;
    }

    /// Regular files below `/sandbox` that the guest has made or written since [`Fs::begin_changes`], at most `max` of
    /// them, relative to it, and whether there are more. Files with a path above 4096 bytes are left out.
    pub fn changes(&self, max: usize) -> (Vec<String>, bool) {
        let mut paths = Vec::new();
        if !self.changed {
            return (paths, false);
        }
        let Ok(dir) = self.dir(SANDBOX) else { return (paths, false) };
        let mut below = Below::new(self, dir, String::new(), true);
        while let Some(found) = below.next() {
            let Ok((path, node)) = found else { continue };
            let Some(inode) = self.inode(node) else { continue };
            if inode.changed == self.changes && matches!(inode.kind, Kind::File(_)) {
                if paths.len() == max {
                    return (paths, true);
                }
                paths.push(path.into());
            }
        }
        (paths, false)
    }

    /// Makes a directory; with `recursive` also those above it, and one that exists is no error.
    pub fn make_dir_path(&mut self, area: Area, path: &str, recursive: bool, now: u64) -> Result<(), PathError> {
        let path = relative(area, path)?;
        if recursive {
            for (end, _) in path.match_indices('/') {
                match self.make_one_dir(area, &path[..end], now) {
                    Ok(()) | Err(PathError::Exists) => {}
                    Err(error) => return Err(error),
                }
            }
        }
        match self.make_one_dir(area, path, now) {
            Err(PathError::Exists) if recursive => {
                let node = self.host_find(area, path, true)?;
                if self.is_dir(Node::Work(node)) { Ok(()) } else { Err(PathError::NotDirectory) }
            }
            result => result,
        }
    }

    fn make_one_dir(&mut self, area: Area, path: &str, now: u64) -> Result<(), PathError> {
        let found = self.host_walk(area, path, Last::Name)?;
        Ok(self.make_dir_at(&found, now, Actor::Host)?)
    }

    /// Removes a file, a link, or a directory; one that is not empty only with `recursive`. The area's own directory
    /// stays.
    pub fn remove_path(&mut self, area: Area, path: &str, recursive: bool, now: u64) -> Result<(), PathError> {
        let found = self.host_walk(area, path, Last::Name)?;
        let Node::Work(node) = found.existing(self)? else { return Err(PathError::Refused) };
        if recursive && self.dir(node).is_ok() && found.name.is_some() {
            self.empty(node, now);
        }
        match self.remove_at(&found, now, Actor::Host) {
            Err(Errno::Busy) => Err(PathError::Invalid),
            result => Ok(result?),
        }
    }

    /// Makes a symbolic link whose target stays within the area, seen from where the link stands.
    pub fn symlink_path(&mut self, area: Area, path: &str, target: &str, now: u64) -> Result<(), PathError> {
        let found = self.host_walk(area, path, Last::Name)?;
        let mut depth = if target.starts_with('/') {
            strip_prefix(target, root(area).1).ok_or(PathError::Refused)?;
            0
        } else {
            self.depth(found.parent)
        };
        for (at, part) in target.split('/').filter(|p| !p.is_empty() && *p != ".").enumerate() {
            if target.starts_with('/') && at == 0 {
                continue;
            }
            if part == ".." {
                depth = depth.checked_sub(1).ok_or(PathError::Refused)?;
            } else {
                depth += 1;
            }
        }
        Ok(self.make_link_at(target, &found, now, Actor::Host)?)
    }

    /// Directories between `dir` and the top of its area.
    fn depth(&self, dir: Node) -> usize {
        let mut depth = 0;
        let mut at = self.parent(dir);
        while at != Node::Root {
            depth += 1;
            at = self.parent(at);
        }
        depth
    }

    /// Empties `/tmp`. What is open there lives on without a name until it is closed.
    pub fn clear_tmp(&mut self, now: u64) {
        self.empty(TMP, now);
        self.reap();
    }

    /// Removes all that is below a directory, without recursion however deep it is.
    fn empty(&mut self, top: u32, now: u64) {
        let mut open = alloc::vec![top];
        while let Some(&dir) = open.last() {
            let Ok(entries) = self.dir_mut(dir) else { return };
            let Some((name, node)) = entries.pop() else {
                open.pop();
                continue;
            };
            if self.dir(node).is_ok_and(|d| !d.is_empty()) {
                // Its name is put back until it is empty itself.
                if let Ok(entries) = self.dir_mut(dir) {
                    entries.insert(&name, node);
                }
                open.push(node);
            } else {
                self.drop_name(node, &name, now);
            }
        }
        self.touch(top, now);
    }
}
