//! Making, moving and removing names.

use super::node::{Actor, Dir, Inode, Kind, Node};
use super::path::{Absolute, Found, Last};
use super::quota::ENTRY_BYTES;
use super::{Area, Fs, PATH_MAX};
use crate::errno::Errno;

impl Fs {
    /// The writable directory behind `dir`. One that was removed while open takes nothing any more.
    pub(super) fn writable(&self, dir: Node, actor: Actor) -> Result<u32, Errno> {
        let Node::Work(n) = dir else { return Err(Errno::Rofs) };
        let inode = self.inode(n).ok_or(Errno::Badf)?;
        if inode.area == Area::Library && actor == Actor::Guest {
            return Err(Errno::Rofs);
        }
        if inode.nlink == 0 { Err(Errno::Noent) } else { Ok(n) }
    }

    fn area(&self, node: u32) -> Area {
        self.inode(node).map_or(Area::Workspace, |i| i.area)
    }

    pub(super) fn touch(&mut self, node: u32, now: u64) {
        if let Ok(inode) = self.inode_mut(node) {
            inode.mtim = now;
            inode.ctim = now;
        }
    }

    /// A new node at the place that `found` says, where nothing stands.
    pub(super) fn create(
        &mut self,
        found: &Found<'_>,
        kind: impl FnOnce(u32) -> Kind,
        mode: u16,
        now: u64,
        actor: Actor,
    ) -> Result<u32, Errno> {
        found.check()?;
        let name = found.name.as_deref().ok_or(Errno::Exist)?;
        let parent = self.writable(found.parent, actor)?;
        let area = self.area(parent);
        let inode = Inode::new(kind(parent), area, mode, now);
        let bytes = ENTRY_BYTES + name.len() as u64 + inode.charged();
        self.charge(area, bytes, 1)?;
        let node = match self.add(inode) {
            Ok(node) => node,
            Err(errno) => {
                self.quota(area).release(bytes, 1);
                return Err(errno);
            }
        };
        self.dir_mut(parent)?.insert(name, node);
        self.touch(parent, now);
        Ok(node)
    }

    pub(crate) fn make_dir(&mut self, base: Node, path: &str, now: u64) -> Result<(), Errno> {
        let found = self.walk(base, path, Last::Name, Absolute::AtRoot)?;
        self.make_dir_at(&found, now, Actor::Guest)
    }

    pub(super) fn make_dir_at(&mut self, found: &Found<'_>, now: u64, actor: Actor) -> Result<(), Errno> {
        if found.node.is_some() {
            return Err(Errno::Exist);
        }
        self.create(found, |parent| Kind::Dir(Dir::new(Node::Work(parent))), 0o755, now, actor)?;
        Ok(())
    }

    pub(crate) fn make_link(&mut self, target: &str, base: Node, path: &str, now: u64) -> Result<(), Errno> {
        let found = self.walk(base, path, Last::Name, Absolute::AtRoot)?;
        self.make_link_at(target, &found, now, Actor::Guest)
    }

    pub(super) fn make_link_at(
        &mut self,
        target: &str,
        found: &Found<'_>,
        now: u64,
        actor: Actor,
    ) -> Result<(), Errno> {
        found.check_nul()?;
        if target.as_bytes().contains(&0) {
            return Err(Errno::Inval);
        }
        if target.is_empty() {
            return Err(Errno::Noent);
        }
        if target.len() >= PATH_MAX {
            return Err(Errno::Nametoolong);
        }
        if found.node.is_some() {
            return Err(Errno::Exist);
        }
        if found.slash {
            return Err(Errno::Noent);
        }
        self.create(found, |_| Kind::Link(target.into()), 0o777, now, actor)?;
        Ok(())
    }

    /// A second name for what stands at `old`, which is no directory.
    pub(crate) fn link(
        &mut self,
        (old_base, old): (Node, &str),
        (new_base, new): (Node, &str),
        now: u64,
    ) -> Result<(), Errno> {
        let from = self.walk(old_base, old, Last::Stay, Absolute::AtRoot)?;
        let to = self.walk(new_base, new, Last::Name, Absolute::AtRoot)?;
        to.check_nul()?;
        let node = from.existing(self)?;
        to.check()?;
        if to.node.is_some() {
            return Err(Errno::Exist);
        }
        if to.slash {
            return Err(Errno::Noent);
        }
        if self.is_dir(node) {
            return Err(Errno::Perm);
        }
        let name = to.name.as_deref().ok_or(Errno::Exist)?;
        let parent = self.writable(to.parent, Actor::Guest)?;
        let Node::Work(node) = node else { return Err(Errno::Xdev) };
        let area = self.area(parent);
        if self.area(node) != area {
            return Err(Errno::Xdev);
        }
        self.charge(area, ENTRY_BYTES + name.len() as u64, 1)?;
        self.dir_mut(parent)?.insert(name, node);
        let inode = self.inode_mut(node)?;
        inode.nlink += 1;
        inode.ctim = now;
        self.touch(parent, now);
        Ok(())
    }

    pub(crate) fn unlink(&mut self, base: Node, path: &str, now: u64) -> Result<(), Errno> {
        let found = self.walk(base, path, Last::Name, Absolute::AtRoot)?;
        found.check()?;
        let node = found.node.ok_or(Errno::Noent)?;
        if self.is_dir(node) {
            return Err(Errno::Isdir);
        }
        if found.slash {
            return Err(Errno::Notdir);
        }
        self.remove_at(&found, now, Actor::Guest)
    }

    pub(crate) fn remove_dir(&mut self, base: Node, path: &str, now: u64) -> Result<(), Errno> {
        let found = self.walk(base, path, Last::Name, Absolute::AtRoot)?;
        if found.name.is_none() {
            return Err(if found.dotdot { Errno::Notempty } else { Errno::Inval });
        }
        let node = found.existing(self)?;
        if !self.is_dir(node) {
            return Err(Errno::Notdir);
        }
        self.remove_at(&found, now, Actor::Guest)
    }

    /// Removes one name; a directory only when it is empty.
    pub(super) fn remove_at(&mut self, found: &Found<'_>, now: u64, actor: Actor) -> Result<(), Errno> {
        let name = found.name.as_deref().ok_or(Errno::Busy)?;
        let parent = self.writable(found.parent, actor)?;
        let Some(Node::Work(node)) = found.node else { return Err(Errno::Rofs) };
        if self.dir(node).is_ok_and(|d| !d.is_empty()) {
            return Err(Errno::Notempty);
        }
        self.dir_mut(parent)?.remove(name);
        self.touch(parent, now);
        self.drop_name(node, name, now);
        Ok(())
    }

    pub(crate) fn rename(
        &mut self,
        (old_base, old): (Node, &str),
        (new_base, new): (Node, &str),
        now: u64,
    ) -> Result<(), Errno> {
        let from = self.walk(old_base, old, Last::Name, Absolute::AtRoot)?;
        let to = self.walk(new_base, new, Last::Name, Absolute::AtRoot)?;
        from.check_nul()?;
        to.check_nul()?;
        let (Some(old_name), Some(new_name)) = (from.name.as_deref(), to.name.as_deref()) else {
            return Err(Errno::Busy);
        };
        from.check()?;
        let moved = from.node.ok_or(Errno::Noent)?;
        to.check()?;
        let is_dir = self.is_dir(moved);
        if !is_dir && (from.slash || to.slash) {
            return Err(Errno::Notdir);
        }
        let old_parent = self.writable(from.parent, Actor::Guest)?;
        let new_parent = self.writable(to.parent, Actor::Guest)?;
        let Node::Work(moved) = moved else { return Err(Errno::Rofs) };
        if is_dir && self.is_within(new_parent, moved) {
            return Err(Errno::Inval);
        }
        let replaced = match to.node {
            None => None,
            Some(Node::Work(node)) if node == moved => return Ok(()),
            Some(Node::Work(node)) => Some(node),
            Some(_) => return Err(Errno::Rofs),
        };
        if let Some(replaced) = replaced {
            match (is_dir, self.dir(replaced)) {
                (true, Err(_)) => return Err(Errno::Notdir),
                (true, Ok(dir)) if !dir.is_empty() => return Err(Errno::Notempty),
                (false, Ok(_)) => return Err(Errno::Isdir),
                _ => {}
            }
        }
        let area = self.area(moved);
        if self.area(new_parent) != area {
            return Err(Errno::Xdev);
        }
        self.charge(area, (new_name.len() as u64).saturating_sub(old_name.len() as u64), 0)?;
        self.quota(area).release((old_name.len() as u64).saturating_sub(new_name.len() as u64), 0);
        self.dir_mut(old_parent)?.remove(old_name);
        self.dir_mut(new_parent)?.insert(new_name, moved);
        if let Ok(dir) = self.dir_mut(moved) {
            dir.parent = Node::Work(new_parent);
        }
        self.touch(old_parent, now);
        self.touch(new_parent, now);
        self.inode_mut(moved)?.ctim = now;
        if let Some(replaced) = replaced {
            self.drop_name(replaced, new_name, now);
        }
        Ok(())
    }

    /// Whether `dir` is `above` or lies below it.
    fn is_within(&self, dir: u32, above: u32) -> bool {
        let mut at = Node::Work(dir);
        while let Node::Work(n) = at {
            if n == above {
                return true;
            }
            at = self.parent(at);
        }
        false
    }
}
