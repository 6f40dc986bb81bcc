//! Directory entries as a guest reads them.

use super::node::{DEVICES, Dir, Node};
use super::{Fs, MOUNTS};
use crate::abi::FileType;
use crate::image::RoImage;

/// One entry. Reading goes on after it with `next` as the cookie.
pub(crate) struct DirEntry<'a> {
    pub name: &'a str,
    pub ino: u64,
    pub file_type: FileType,
    pub next: u64,
}

impl Fs {
    /// Hands entries from `cookie` on to `take` until it has had enough. `.` and `..` come first.
    pub(crate) fn read_dir(&self, dir: Node, cookie: u64, mut take: impl FnMut(DirEntry<'_>) -> bool) {
        let mut give = |name: &str, node: Node, at: u64| {
            let next = at.saturating_add(1);
            at < cookie || take(DirEntry { name, ino: self.ino(node), file_type: self.file_type(node), next })
        };
        let from = cookie.max(Dir::FIRST_COOKIE);
        if !give(".", dir, 0) || !give("..", self.parent(dir), 1) {
            return;
        }
        match dir {
            Node::Work(n) => {
                let Ok(dir) = self.dir(n) else { return };
                for (at, name, node) in dir.read_from(from) {
                    if !give(name, Node::Work(node), at) {
                        return;
                    }
                }
            }
            Node::Image(n) => {
                self.read_image_dir(n, Dir::FIRST_COOKIE, from, |_| false, give);
            }
            Node::Root => {
                for (at, (name, node)) in (Dir::FIRST_COOKIE..).zip(MOUNTS) {
                    if !give(name, node, at) {
                        return;
                    }
                }
                let first = Dir::FIRST_COOKIE + MOUNTS.len() as u64;
                let hidden = |name: &str| MOUNTS.iter().any(|(mount, _)| *mount == name);
                self.read_image_dir(RoImage::ROOT, first, from.max(first), hidden, give);
            }
            Node::Dev => {
                for (at, (name, device)) in (Dir::FIRST_COOKIE..).zip(DEVICES) {
                    if !give(name, Node::Device(device), at) {
                        return;
                    }
                }
            }
            Node::Device(_) => {}
        }
    }

    fn read_image_dir(
        &self,
        dir: u32,
        first: u64,
        from: u64,
        hidden: impl Fn(&str) -> bool,
        mut give: impl FnMut(&str, Node, u64) -> bool,
    ) {
        let Some(image) = &self.image else { return };
        let children = image.children(dir);
        let skip = u32::try_from(from - first).unwrap_or(u32::MAX);
        for child in children.start.saturating_add(skip)..children.end {
            let name = image.name(child);
            if !hidden(name) && !give(name, Node::Image(child), first + u64::from(child - children.start)) {
                return;
            }
        }
    }
}
