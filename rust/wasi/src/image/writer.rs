use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec::Vec;

use super::{HEADER_LEN, MAGIC, NODE_LEN, VERSION};
use crate::fs::{PATH_MAX, is_name};

/// Collects a tree and lays it out. The same tree gives the same bytes, in whatever order it was put in.
#[derive(Debug)]
pub struct ImageWriter {
    nodes: Vec<New>,
    mtime: u64,
}

#[derive(Debug)]
struct New {
    mode: u16,
    body: Body,
}

#[derive(Debug)]
enum Body {
    Directory(BTreeMap<String, usize>),
    File(Vec<u8>),
    Link(String),
}

/// Why a node cannot be put in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WriteError {
    /// Absolute, empty, above 4096 bytes, or with a component `.` or `..` or one above 255 bytes.
    Path,
    /// Something stands there already.
    Exists,
    /// A component on the way is no directory.
    NotDirectory,
    /// Above 2^32 nodes or bytes of names.
    TooLarge,
}

impl core::fmt::Display for WriteError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(match self {
            Self::Path => "the path cannot stand in an image",
            Self::Exists => "something stands at this path already",
            Self::NotDirectory => "a component of the path is not a directory",
            Self::TooLarge => "too many nodes for one image",
        })
    }
}

impl core::error::Error for WriteError {}

impl ImageWriter {
    /// `mtime` is the time of all nodes, ns since the epoch.
    pub fn new(mtime: u64) -> Self {
        Self { nodes: alloc::vec![New { mode: 0o755, body: Body::Directory(BTreeMap::new()) }], mtime }
    }

    /// A directory and those above it. One that exists is no error.
    pub fn directory(&mut self, path: &str) -> Result<(), WriteError> {
        let at = self.make_dirs(path)?;
        if matches!(self.nodes[at].body, Body::Directory(_)) { Ok(()) } else { Err(WriteError::Exists) }
    }

    /// A file, and the directories above it.
    pub fn file(&mut self, path: &str, mode: u16, content: Vec<u8>) -> Result<(), WriteError> {
        self.put(path, New { mode: mode & 0o7777, body: Body::File(content) })
    }

    /// A symbolic link, and the directories above it. An absolute target starts at the guest's root.
    pub fn symlink(&mut self, path: &str, target: &str) -> Result<(), WriteError> {
        if target.is_empty() || target.len() >= PATH_MAX || target.contains('\0') {
            return Err(WriteError::Path);
        }
        self.put(path, New { mode: 0o777, body: Body::Link(target.into()) })
    }

    fn put(&mut self, path: &str, new: New) -> Result<(), WriteError> {
        if path.len() > PATH_MAX || !path.split('/').all(is_name) {
            return Err(WriteError::Path);
        }
        let (above, name) = path.rsplit_once('/').unwrap_or(("", path));
        let dir = self.make_dirs(above)?;
        let next = self.nodes.len();
        let Body::Directory(children) = &mut self.nodes[dir].body else { return Err(WriteError::NotDirectory) };
        if children.contains_key(name) {
            return Err(WriteError::Exists);
        }
        children.insert(name.into(), next);
        self.nodes.push(new);
        Ok(())
    }

    fn make_dirs(&mut self, path: &str) -> Result<usize, WriteError> {
        let mut at = 0;
        for name in path.split('/').filter(|_| !path.is_empty()) {
            if !is_name(name) {
                return Err(WriteError::Path);
            }
            let next = self.nodes.len();
            let Body::Directory(children) = &mut self.nodes[at].body else { return Err(WriteError::NotDirectory) };
            at = match children.get(name) {
                Some(child) => *child,
                None => {
                    children.insert(name.into(), next);
                    self.nodes.push(New { mode: 0o755, body: Body::Directory(BTreeMap::new()) });
                    next
                }
            };
        }
        Ok(at)
    }

    /// The image. Files with the same contents share them.
    pub fn finish(self) -> Result<Vec<u8>, WriteError> {
        let count = u32::try_from(self.nodes.len()).map_err(|_| WriteError::TooLarge)?;
        // (node, name, parent) breadth first, children by name.
        let mut order: Vec<(usize, &str, u32)> = alloc::vec![(0, "", 0)];
        let mut first_child = Vec::with_capacity(self.nodes.len());
        let mut at = 0;
        while at < order.len() {
            first_child.push(order.len() as u64);
            if let Body::Directory(children) = &self.nodes[order[at].0].body {
                order.extend(children.iter().map(|(name, node)| (*node, name.as_str(), at as u32)));
            }
            at += 1;
        }

        let names_start = HEADER_LEN + order.len() * NODE_LEN;
        let names_len: usize = order.iter().map(|(_, name, _)| name.len()).sum();
        u32::try_from(names_len).map_err(|_| WriteError::TooLarge)?;
        let mut out = Vec::new();
        out.extend_from_slice(&MAGIC);
        out.extend_from_slice(&VERSION.to_le_bytes());
        out.extend_from_slice(&count.to_le_bytes());
        out.extend_from_slice(&(names_start as u64).to_le_bytes());
        out.extend_from_slice(&(names_len as u64).to_le_bytes());
        out.extend_from_slice(&self.mtime.to_le_bytes());
        out.resize(HEADER_LEN, 0);

        let mut name_at = 0u32;
        let mut content_at = (names_start + names_len) as u64;
        let mut contents: Vec<&[u8]> = Vec::new();
        let mut known: BTreeMap<&[u8], u64> = BTreeMap::new();
        for (at, (node, name, parent)) in order.iter().enumerate() {
            let new = &self.nodes[*node];
            let mut place = |bytes| {
                let start = *known.entry(bytes).or_insert(content_at);
                if start == content_at && !bytes.is_empty() {
                    contents.push(bytes);
                    content_at += bytes.len() as u64;
                }
                (start, bytes.len() as u64)
            };
            let (kind, (start, len)) = match &new.body {
                Body::Directory(children) => (1u8, (first_child[at], children.len() as u64)),
                Body::File(bytes) => (2, place(bytes)),
                Body::Link(target) => (3, place(target.as_bytes())),
            };
            out.extend_from_slice(&[kind, 0]);
            out.extend_from_slice(&new.mode.to_le_bytes());
            out.extend_from_slice(&parent.to_le_bytes());
            out.extend_from_slice(&name_at.to_le_bytes());
            out.extend_from_slice(&(name.len() as u16).to_le_bytes());
            out.extend_from_slice(&[0, 0]);
            out.extend_from_slice(&start.to_le_bytes());
            out.extend_from_slice(&len.to_le_bytes());
            name_at += name.len() as u32;
        }
        order.iter().for_each(|(_, name, _)| out.extend_from_slice(name.as_bytes()));
        contents.iter().for_each(|bytes| out.extend_from_slice(bytes));
        let len = out.len() as u64;
        out[40..48].copy_from_slice(&len.to_le_bytes());
        Ok(out)
    }
}

#[cfg(test)]
mod tests {
    use alloc::sync::Arc;

    use super::*;
    use crate::image::{ImageError, RoImage, RoKind};

    fn sample() -> Vec<u8> {
        let mut image = ImageWriter::new(77);
        image.file("lib/python/os.py", 0o644, b"import sys".to_vec()).unwrap();
        image.file("lib/python/abc.py", 0o600, b"import sys".to_vec()).unwrap();
        image.file("lib/empty", 0o644, Vec::new()).unwrap();
        image.symlink("bin", "lib/python").unwrap();
        image.directory("lib/void").unwrap();
        image.finish().unwrap()
    }

    #[test]
    fn comes_back_as_it_went_in() {
        let image = RoImage::parse(Arc::new(sample())).unwrap();
        assert_eq!(image.node_count(), 8);
        let lib = image.child(RoImage::ROOT, "lib").unwrap();
        let python = image.child(lib, "python").unwrap();
        let os = image.child(python, "os.py").unwrap();
        assert_eq!((image.kind(os), image.content(os)), (Some(RoKind::File), &b"import sys"[..]));
        assert_eq!((image.parent(os), image.parent(python), image.parent(lib)), (python, lib, 0));
        let abc = image.child(python, "abc.py").unwrap();
        assert_eq!((image.mode(abc), image.content(abc)), (0o600, &b"import sys"[..]));
        let names: Vec<_> = image.children(lib).map(|n| image.name(n)).collect();
        assert_eq!(names, ["empty", "python", "void"]);
        assert_eq!(image.children(image.child(lib, "void").unwrap()).len(), 0);
        let link = image.child(0, "bin").unwrap();
        assert_eq!((image.kind(link), image.content(link)), (Some(RoKind::Link), &b"lib/python"[..]));
        assert_eq!(image.child(0, "li"), None);
        assert_eq!(image.mtime(), 77);
    }

    #[test]
    fn order_does_not_matter_and_equal_contents_are_shared() {
        let mut image = ImageWriter::new(77);
        image.directory("lib/void").unwrap();
        image.symlink("bin", "lib/python").unwrap();
        image.file("lib/empty", 0o644, Vec::new()).unwrap();
        image.file("lib/python/abc.py", 0o600, b"import sys".to_vec()).unwrap();
        image.file("lib/python/os.py", 0o644, b"import sys".to_vec()).unwrap();
        let bytes = image.finish().unwrap();
        assert_eq!(bytes, sample());
        assert_eq!(bytes.windows(10).filter(|w| w == b"import sys").count(), 1);
    }

    #[test]
    fn refuses_paths_that_no_directory_holds() {
        let mut image = ImageWriter::new(0);
        for path in ["", "/", "/a", "a/", "a//b", "./a", "a/..", "a\0b"] {
            assert_eq!(image.file(path, 0, Vec::new()), Err(WriteError::Path), "{path:?}");
        }
        image.file("a", 0, Vec::new()).unwrap();
        assert_eq!(image.file("a", 0, Vec::new()), Err(WriteError::Exists));
        assert_eq!(image.file("a/b", 0, Vec::new()), Err(WriteError::NotDirectory));
        assert_eq!(image.directory("a"), Err(WriteError::Exists));
    }

    #[test]
    fn every_damaged_byte_is_refused_or_harmless() {
        let good = sample();
        for at in 0..good.len() {
            for value in [0, 1, 0x7f, 0xff, good[at].wrapping_add(1)] {
                let mut bytes = good.clone();
                bytes[at] = value;
                let Ok(image) = RoImage::parse(Arc::new(bytes)) else { continue };
                for node in 0..image.node_count() {
                    image.content(node);
                    image.children(node).for_each(|child| assert_eq!(image.parent(child), node));
                    assert!(node == 0 || image.child(image.parent(node), image.name(node)) == Some(node));
                }
            }
        }
        for len in 0..good.len() {
            assert!(RoImage::parse(Arc::new(good[..len].to_vec())).is_err());
        }
        assert_eq!(RoImage::parse(Arc::new([0u8; 64])).err(), Some(ImageError::Format));
    }
}
