use alloc::sync::Arc;

use super::{HEADER_LEN, ImageError, NODE_LEN, check};

/// A checked image. Cloning shares the bytes.
#[derive(Clone)]
pub struct RoImage {
    bytes: Arc<dyn AsRef<[u8]> + Send + Sync>,
    pub(super) count: u32,
    pub(super) names: usize,
    pub(super) mtime: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RoKind {
    Directory,
    File,
    Link,
}

/// One node record, decoded.
#[derive(Clone, Copy)]
pub(super) struct Record {
    pub kind: u8,
    pub mode: u16,
    pub parent: u32,
    pub name_start: u32,
    pub name_len: u16,
    pub start: u64,
    pub len: u64,
}

pub(super) fn u64_at(bytes: &[u8], at: usize) -> Option<u64> {
    Some(u64::from_le_bytes(*bytes.get(at..)?.first_chunk()?))
}

pub(super) fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(*bytes.get(at..)?.first_chunk()?))
}

pub(super) fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_le_bytes(*bytes.get(at..)?.first_chunk()?))
}

pub(super) fn record(bytes: &[u8], node: u32) -> Option<Record> {
    let at = HEADER_LEN + node as usize * NODE_LEN;
    let raw = bytes.get(at..at + NODE_LEN)?;
    Some(Record {
        kind: raw[0],
        mode: u16_at(raw, 2)?,
        parent: u32_at(raw, 4)?,
        name_start: u32_at(raw, 8)?,
        name_len: u16_at(raw, 12)?,
        start: u64_at(raw, 16)?,
        len: u64_at(raw, 24)?,
    })
}

pub(super) fn name<'a>(bytes: &'a [u8], names: usize, record: &Record) -> Option<&'a [u8]> {
    let start = names.checked_add(record.name_start as usize)?;
    bytes.get(start..start.checked_add(record.name_len as usize)?)
}

impl RoImage {
    /// The root directory's node.
    pub const ROOT: u32 = 0;

    /// Checks all of the index once; what it points to is used in place. Also safe for bytes that change afterwards: reads then
    /// give other bytes or an end of file.
    pub fn parse(bytes: Arc<dyn AsRef<[u8]> + Send + Sync>) -> Result<Self, ImageError> {
        let checked = check::check((*bytes).as_ref())?;
        Ok(Self { bytes, count: checked.count, names: checked.names, mtime: checked.mtime })
    }

    fn all(&self) -> &[u8] {
        (*self.bytes).as_ref()
    }

    fn record(&self, node: u32) -> Option<Record> {
        if node < self.count { record(self.all(), node) } else { None }
    }

    /// Number of nodes, the root included.
    pub fn node_count(&self) -> u32 {
        self.count
    }

    /// Time of all nodes, ns since the epoch.
    pub fn mtime(&self) -> u64 {
        self.mtime
    }

    pub fn kind(&self, node: u32) -> Option<RoKind> {
        match self.record(node)?.kind {
            1 => Some(RoKind::Directory),
            2 => Some(RoKind::File),
            _ => Some(RoKind::Link),
        }
    }

    pub fn mode(&self, node: u32) -> u16 {
        self.record(node).map_or(0, |r| r.mode)
    }

    /// The directory that holds `node`; the root holds itself.
    pub fn parent(&self, node: u32) -> u32 {
        self.record(node).map_or(0, |r| r.parent)
    }

    pub fn name(&self, node: u32) -> &str {
        self.record(node)
            .and_then(|r| name(self.all(), self.names, &r))
            .and_then(|n| core::str::from_utf8(n).ok())
            .unwrap_or_default()
    }

    /// A file's contents or a link's target.
    pub fn content(&self, node: u32) -> &[u8] {
        let Some(r) = self.record(node) else { return &[] };
        if r.kind == 1 {
            return &[];
        }
        let (Ok(start), Ok(len)) = (usize::try_from(r.start), usize::try_from(r.len)) else { return &[] };
        start.checked_add(len).and_then(|end| self.all().get(start..end)).unwrap_or_default()
    }

    /// The numbers of a directory's children, sorted by name.
    pub fn children(&self, node: u32) -> core::ops::Range<u32> {
        match self.record(node) {
            Some(r) if r.kind == 1 => {
                let start = u32::try_from(r.start).unwrap_or(u32::MAX).min(self.count);
                let len = u32::try_from(r.len).unwrap_or(u32::MAX);
                start..start.saturating_add(len).min(self.count)
            }
            _ => 0..0,
        }
    }

    pub fn child(&self, node: u32, wanted: &str) -> Option<u32> {
        let bytes = self.all();
        let mut range = self.children(node);
        while !range.is_empty() {
            let middle = range.start + (range.end - range.start) / 2;
            let found = name(bytes, self.names, &record(bytes, middle)?)?;
            match found.cmp(wanted.as_bytes()) {
                core::cmp::Ordering::Equal => return Some(middle),
                core::cmp::Ordering::Less => range.start = middle + 1,
                core::cmp::Ordering::Greater => range.end = middle,
            }
        }
        None
    }
}

impl core::fmt::Debug for RoImage {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("RoImage").field("nodes", &self.count).finish_non_exhaustive()
    }
}
