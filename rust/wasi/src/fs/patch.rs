//! Carries changes of one tree to another one, as bytes: for a guest whose files are in another memory than the host's.
//!
//! A patch is a sequence of records: a byte that says which, a path behind its length (u32), and what the kind needs.
//! Numbers are little-endian.
//!
//! | | record | after the path |
//! |---|---|---|
//! | 0 | remove, with all that is below | |
//! | 1 | make a directory | |
//! | 2 | make or replace a file | u16 mode, u64 time, u64 length, contents |
//! | 3 | make a symbolic link | u64 time, u32 length, target |
//! | 4 | the directory's time | u64 time |

use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec::Vec;

use super::host::{PathError, root};
use super::host_tree::Below;
use super::node::{Actor, Kind, Node};
use super::path::Last;
use super::{Area, Fs, PATH_MAX};

const REMOVE: u8 = 0;
const DIRECTORY: u8 = 1;
const FILE: u8 = 2;
const LINK: u8 = 3;
const TIME: u8 = 4;

/// Contents are carried in pieces of this size.
const PIECE: usize = 8 << 10;

/// What stood where, to tell later what has changed since.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Listing(BTreeMap<String, Seen>);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Seen {
    node: u32,
    directory: bool,
    len: u64,
    mode: u16,
    mtim: u64,
    ctim: u64,
}

/// Why a patch could not be applied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PatchError<E> {
    /// The source of the bytes failed.
    Source(E),
    /// They are no patch.
    Malformed,
    /// The tree does not take them.
    Refused(PathError),
}

impl<E> From<PathError> for PatchError<E> {
    fn from(error: PathError) -> Self {
        Self::Refused(error)
    }
}

impl Listing {
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl Fs {
    /// What the area holds now. Paths above 4096 bytes, which only a guest can make, are left out.
    pub fn listing(&self, area: Area) -> Listing {
        let mut seen = BTreeMap::new();
        let Ok(dir) = self.dir(root(area).0) else { return Listing(seen) };
        let mut below = Below::new(self, dir, String::new(), true);
        while let Some(found) = below.next() {
            let Ok((path, node)) = found else { continue };
            let Some(inode) = self.inode(node) else { continue };
            let directory = matches!(inode.kind, Kind::Dir(_));
            let len = if directory { 0 } else { inode.charged() };
            let (mode, mtim, ctim) = (inode.mode, inode.mtim, inode.ctim);
            seen.insert(path.into(), Seen { node, directory, len, mode, mtim, ctim });
        }
        Listing(seen)
    }

    /// Writes to `sink` what makes a tree that looks as `before` look as this one does now.
    pub fn patch_since<E>(
        &self,
        area: Area,
        before: &Listing,
        sink: &mut dyn FnMut(&[u8]) -> Result<(), E>,
    ) -> Result<(), E> {
        let after = self.listing(area);
        let mut removed: Option<&str> = None;
        for (path, old) in &before.0 {
            let stays = after.0.get(path).is_some_and(|new| new.directory == old.directory && new.node == old.node);
            let gone_with_parent = removed.is_some_and(|top| is_below(path, top));
            if !stays && !gone_with_parent {
                head(sink, REMOVE, path)?;
                removed = Some(path);
            }
        }
        for (path, new) in &after.0 {
            if before.0.get(path) != Some(new) {
                self.record(before.0.get(path), path, new, sink)?;
            }
        }
        // Last, as making what is in a directory changes its time; the deepest first costs nothing more.
        for (path, new) in after.0.iter().rev().filter(|(path, new)| new.directory && before.0.get(*path) != Some(new))
        {
            head(sink, TIME, path)?;
            sink(&new.mtim.to_le_bytes())?;
        }
        Ok(())
    }

    fn record<E>(
        &self,
        old: Option<&Seen>,
        path: &str,
        new: &Seen,
        sink: &mut dyn FnMut(&[u8]) -> Result<(), E>,
    ) -> Result<(), E> {
        let place = Node::Work(new.node);
        if new.directory {
            let there = old.is_some_and(|old| old.directory && old.node == new.node);
            return if there { Ok(()) } else { head(sink, DIRECTORY, path) };
        }
        if let Some(target) = self.link_target(place) {
            head(sink, LINK, path)?;
            sink(&new.mtim.to_le_bytes())?;
            sink(&(target.len() as u32).to_le_bytes())?;
            return sink(target.as_bytes());
        }
        head(sink, FILE, path)?;
        sink(&new.mode.to_le_bytes())?;
        sink(&new.mtim.to_le_bytes())?;
        sink(&new.len.to_le_bytes())?;
        let mut piece = alloc::vec![0; PIECE];
        let mut at = 0;
        while at < new.len {
            let wanted = (new.len - at).min(PIECE as u64) as usize;
            let read = self.read_at(place, at, &mut piece[..wanted]).unwrap_or(0);
            piece[read..wanted].fill(0);
            sink(&piece[..wanted])?;
            at += wanted as u64;
        }
        Ok(())
    }

    /// Applies a patch of `length` bytes that `source` gives one after another, each time all that it is asked for.
    pub fn apply_patch<E>(
        &mut self,
        area: Area,
        length: u64,
        now: u64,
        source: &mut dyn FnMut(&mut [u8]) -> Result<(), E>,
    ) -> Result<(), PatchError<E>> {
        let mut from = Patch { left: length, source };
        while from.left > 0 {
            let kind = from.number::<1>()?[0];
            let path = from.text(PATH_MAX)?;
            match kind {
                REMOVE => match self.remove_path(area, &path, true, now) {
                    Ok(()) | Err(PathError::NotFound) => {}
                    Err(error) => return Err(error.into()),
                },
                DIRECTORY => match self.make_dir_path(area, &path, false, now) {
                    Ok(()) | Err(PathError::Exists) => {}
                    Err(error) => return Err(error.into()),
                },
                FILE => self.patch_file(area, &path, now, &mut from)?,
                LINK => {
                    let time = u64::from_le_bytes(from.number()?);
                    let target = from.text(PATH_MAX)?;
                    let found = self.host_walk(area, &path, Last::Name)?;
                    if found.node.is_some() {
                        self.remove_path(area, &path, true, now)?;
                    }
                    let found = self.host_walk(area, &path, Last::Name)?;
                    // Also one that leads out, as a guest may have it: who follows it is refused, not who has it.
                    self.make_link_at(&target, &found, now, Actor::Host).map_err(PathError::from)?;
                    self.set_mtime(area, &path, time)?;
                }
                TIME => {
                    let time = u64::from_le_bytes(from.number()?);
                    self.set_mtime(area, &path, time)?;
                }
                _ => return Err(PatchError::Malformed),
            }
        }
        Ok(())
    }

    fn patch_file<E>(
        &mut self,
        area: Area,
        path: &str,
        now: u64,
        from: &mut Patch<'_, E>,
    ) -> Result<(), PatchError<E>> {
        let mode = u16::from_le_bytes(from.number()?);
        let time = u64::from_le_bytes(from.number()?);
        let length = u64::from_le_bytes(from.number()?);
        if length > from.left {
            return Err(PatchError::Malformed);
        }
        // A link that stands there is replaced, never followed.
        if let Ok(found) = self.host_walk(area, path, Last::Name)
            && let Some(node) = found.node
            && self.link_target(node).is_some()
        {
            self.remove_path(area, path, false, now)?;
        }
        self.write_file(area, path, None, Some(mode), &[], now)?;
        let mut piece = alloc::vec![0; PIECE.min(usize::try_from(length).unwrap_or(PIECE))];
        let mut at = 0;
        while at < length {
            let wanted = (length - at).min(PIECE as u64) as usize;
            from.exact(&mut piece[..wanted])?;
            self.write_file(area, path, Some(at), None, &piece[..wanted], now)?;
            at += wanted as u64;
        }
        Ok(self.set_mtime(area, path, time)?)
    }
}

fn is_below(path: &str, top: &str) -> bool {
    path.strip_prefix(top).is_some_and(|rest| rest.starts_with('/'))
}

fn head<E>(sink: &mut dyn FnMut(&[u8]) -> Result<(), E>, kind: u8, path: &str) -> Result<(), E> {
    sink(&[kind])?;
    sink(&(path.len() as u32).to_le_bytes())?;
    sink(path.as_bytes())
}

struct Patch<'a, E> {
    left: u64,
    source: &'a mut dyn FnMut(&mut [u8]) -> Result<(), E>,
}

impl<E> Patch<'_, E> {
    fn exact(&mut self, buffer: &mut [u8]) -> Result<(), PatchError<E>> {
        self.left = self.left.checked_sub(buffer.len() as u64).ok_or(PatchError::Malformed)?;
        (self.source)(buffer).map_err(PatchError::Source)
    }

    fn number<const N: usize>(&mut self) -> Result<[u8; N], PatchError<E>> {
        let mut number = [0; N];
        self.exact(&mut number)?;
        Ok(number)
    }

    fn text(&mut self, most: usize) -> Result<String, PatchError<E>> {
        let length = u32::from_le_bytes(self.number()?) as usize;
        if length > most {
            return Err(PatchError::Malformed);
        }
        let mut bytes: Vec<u8> = alloc::vec![0; length];
        self.exact(&mut bytes)?;
        String::from_utf8(bytes).map_err(|_| PatchError::Malformed)
    }
}
