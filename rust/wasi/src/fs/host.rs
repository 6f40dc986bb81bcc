//! Files as the host copies them in and out. Paths are relative to an area's directory or begin with its name; what
//! leads out of it, by `..`, by an absolute path or by a symbolic link, is refused.

use alloc::string::String;

use super::content::Content;
use super::node::{Actor, Kind, Node};
use super::path::{Absolute, Found, Last, strip_prefix};
use super::{Area, Fs, SANDBOX, SITE_PACKAGES};
use crate::abi::FileType;
use crate::errno::Errno;

/// Why the host's request was not served.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PathError {
    /// The path leaves the area.
    Refused,
    NotFound,
    Exists,
    NotDirectory,
    IsDirectory,
    NotEmpty,
    /// More than 40 links on the way.
    Loop,
    /// A name above 255 bytes or a path above 4096.
    NameTooLong,
    /// A NUL in a path, or a kind of file that cannot do this.
    Invalid,
    /// The area's quota, in bytes or files, or the host's memory is used up.
    NoSpace,
    /// Longer than a file can be.
    TooLarge,
}

impl From<Errno> for PathError {
    fn from(errno: Errno) -> Self {
        match errno {
            Errno::Perm | Errno::Rofs | Errno::Xdev => Self::Refused,
            Errno::Noent => Self::NotFound,
            Errno::Exist => Self::Exists,
            Errno::Notdir => Self::NotDirectory,
            Errno::Isdir => Self::IsDirectory,
            Errno::Notempty => Self::NotEmpty,
            Errno::Loop => Self::Loop,
            Errno::Nametoolong => Self::NameTooLong,
            Errno::Nospc => Self::NoSpace,
            Errno::Fbig => Self::TooLarge,
            _ => Self::Invalid,
        }
    }
}

impl core::fmt::Display for PathError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(match self {
            Self::Refused => "the path leaves the workspace",
            Self::NotFound => "no such file or directory",
            Self::Exists => "something with this name exists",
            Self::NotDirectory => "not a directory",
            Self::IsDirectory => "is a directory",
            Self::NotEmpty => "the directory is not empty",
            Self::Loop => "more than 40 symbolic links on the way",
            Self::NameTooLong => "the name or path is too long",
            Self::Invalid => "the path or the kind of file does not allow this",
            Self::NoSpace => "the workspace's quota is used up",
            Self::TooLarge => "longer than a file can be",
        })
    }
}

impl core::error::Error for PathError {}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EntryKind {
    File,
    Directory,
    Symlink,
}

/// What stands at a path; links are not followed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Relative to the area's directory in a list, else as asked for.
    pub path: String,
    pub kind: EntryKind,
    pub size: u64,
    /// Permission bits; 0o644 for what a guest made, 0o755 for directories.
    pub mode: u16,
    /// ns since the epoch.
    pub mtime: u64,
    /// Of a symbolic link.
    pub target: Option<String>,
}

pub(super) fn root(area: Area) -> (u32, &'static str) {
    match area {
        Area::Workspace => (SANDBOX, "sandbox"),
        Area::Library => (SITE_PACKAGES, "site-packages"),
    }
}

/// The path from the area's directory on.
pub(super) fn relative(area: Area, path: &str) -> Result<&str, PathError> {
    let path = match path.strip_prefix('/') {
        Some(_) => strip_prefix(path, root(area).1).ok_or(PathError::Refused)?,
        None => path,
    };
    Ok(if path.is_empty() { "." } else { path })
}

impl Fs {
    pub(super) fn host_walk<'p>(&self, area: Area, path: &'p str, end: Last) -> Result<Found<'p>, PathError> {
        let (root, name) = root(area);
        let path = relative(area, path)?;
        Ok(self.walk(Node::Work(root), path, end, Absolute::Within(Node::Work(root), name))?)
    }

    pub(super) fn host_find(&self, area: Area, path: &str, follow: bool) -> Result<u32, PathError> {
        match self.host_walk(area, path, Last::following(follow))?.existing(self)? {
            Node::Work(node) => Ok(node),
            _ => Err(PathError::Refused),
        }
    }

    /// Writes `data` at `offset`; without an offset the file is made or emptied first. All of `data`, or `NoSpace` with
    /// as much of it as fits.
    pub fn write_file(
        &mut self,
        area: Area,
        path: &str,
        offset: Option<u64>,
        mode: Option<u16>,
        data: &[u8],
        now: u64,
    ) -> Result<(), PathError> {
        let found = self.host_walk(area, path, Last::Follow)?;
        found.check()?;
        let node = match found.node {
            None if offset.is_some() => return Err(PathError::NotFound),
            None if found.slash => return Err(PathError::IsDirectory),
            None => self.create(&found, |_| Kind::File(Content::default()), 0o644, now, Actor::Host)?,
            Some(_) => match found.existing(self)? {
                Node::Work(node) => node,
                _ => return Err(PathError::Refused),
            },
        };
        let place = Node::Work(node);
        if self.is_dir(place) {
            return Err(PathError::IsDirectory);
        }
        if offset.is_none() {
            self.resize(place, 0, now)?;
        }
        if let Some(mode) = mode {
            self.inode_mut(node)?.mode = mode & 0o7777;
        }
        let (written, _) = self.write_bytes(place, Some(offset.unwrap_or(0)), data, now)?;
        if written < data.len() { Err(PathError::NoSpace) } else { Ok(()) }
    }

    /// Reads into `buf`; the number of bytes, and whether the file ends there.
    pub fn read_file(&self, area: Area, path: &str, offset: u64, buf: &mut [u8]) -> Result<(usize, bool), PathError> {
        let node = Node::Work(self.host_find(area, path, true)?);
        let n = self.read_at(node, offset, buf)?;
        Ok((n, offset.saturating_add(n as u64) >= self.len(node)))
    }

    /// Sets the time of the last change, ns since the epoch. A link is not followed.
    pub fn set_mtime(&mut self, area: Area, path: &str, mtime: u64) -> Result<(), PathError> {
        let node = self.host_find(area, path, false)?;
        self.inode_mut(node)?.mtim = mtime;
        Ok(())
    }

    /// What stands at `path`. A link there is not followed.
    pub fn stat_path(&self, area: Area, path: &str) -> Result<Entry, PathError> {
        let node = self.host_find(area, path, false)?;
        Ok(self.entry(node, path))
    }

    pub(super) fn entry(&self, node: u32, path: &str) -> Entry {
        let place = Node::Work(node);
        let kind = match self.file_type(place) {
            FileType::Directory => EntryKind::Directory,
            FileType::SymbolicLink => EntryKind::Symlink,
            _ => EntryKind::File,
        };
        let inode = self.inode(node);
        Entry {
            path: path.into(),
            kind,
            size: self.len(place),
            mode: inode.map_or(0, |i| i.mode),
            mtime: inode.map_or(0, |i| i.mtim),
            target: self.link_target(place).map(Into::into),
        }
    }
}
