//! What stands in the tree.

use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::sync::Arc;

use super::content::Content;

/// A place in the tree. Numbers of writable nodes are used again once nothing refers to them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Node {
    /// `/`: the mounts laid over the image's root.
    Root,
    /// `/dev`
    Dev,
    Device(Device),
    Image(u32),
    Work(u32),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Device {
    Null,
    Zero,
    Urandom,
}

pub(crate) const DEVICES: [(&str, Device); 3] =
    [("null", Device::Null), ("urandom", Device::Urandom), ("zero", Device::Zero)];

/// An open node. As long as one lives, the node's contents do, also without a name.
#[derive(Clone, Debug)]
pub(crate) struct Handle {
    pub node: Node,
    _held: Option<Arc<()>>,
}

impl Handle {
    pub fn new(node: Node, held: Option<Arc<()>>) -> Self {
        Self { node, _held: held }
    }
}

/// Who writes here, and whose quota pays.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Area {
    /// `/sandbox` and `/tmp`: the guest and the host.
    Workspace,
    /// `/site-packages`: the host only.
    Library,
}

/// On whose behalf a change is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Actor {
    Guest,
    Host,
}

pub(crate) struct Inode {
    pub kind: Kind,
    pub area: Area,
    /// Names that lead here. 0 with `held` is a node that is only open any more.
    pub nlink: u32,
    pub mode: u16,
    pub atim: u64,
    pub mtim: u64,
    pub ctim: u64,
    /// The run that wrote here last, 0 for none.
    pub changed: u32,
    held: Option<Arc<()>>,
}

pub(crate) enum Kind {
    Free,
    File(Content),
    Dir(Dir),
    Link(Box<str>),
}

impl Inode {
    pub fn new(kind: Kind, area: Area, mode: u16, now: u64) -> Self {
        Self { kind, area, nlink: 1, mode, atim: now, mtim: now, ctim: now, changed: 0, held: None }
    }

    pub fn free() -> Self {
        Self::new(Kind::Free, Area::Workspace, 0, 0)
    }

    pub fn hold(&mut self) -> Arc<()> {
        self.held.get_or_insert_default().clone()
    }

    pub fn is_held(&self) -> bool {
        self.held.as_ref().is_some_and(|held| Arc::strong_count(held) > 1)
    }

    /// Bytes that the quota counts, without names.
    pub fn charged(&self) -> u64 {
        match &self.kind {
            Kind::File(content) => content.len(),
            Kind::Link(target) => target.len() as u64,
            Kind::Dir(_) | Kind::Free => 0,
        }
    }
}

/// A writable directory. Entries keep their cookie for life, so that reading goes on where it stopped however the
/// directory changes in between.
pub(crate) struct Dir {
    pub parent: Node,
    names: BTreeMap<Arc<str>, Entry>,
    order: BTreeMap<u64, (Arc<str>, u32)>,
    next: u64,
}

#[derive(Clone, Copy)]
struct Entry {
    node: u32,
    cookie: u64,
}

impl Dir {
    /// Cookies below are those of `.` and `..`.
    pub const FIRST_COOKIE: u64 = 2;

    pub fn new(parent: Node) -> Self {
        Self { parent, names: BTreeMap::new(), order: BTreeMap::new(), next: Self::FIRST_COOKIE }
    }

    pub fn get(&self, name: &str) -> Option<u32> {
        self.names.get(name).map(|e| e.node)
    }

    pub fn is_empty(&self) -> bool {
        self.names.is_empty()
    }

    /// Puts `node` under `name`; the node that stood there before, if any.
    pub fn insert(&mut self, name: &str, node: u32) -> Option<u32> {
        if let Some(entry) = self.names.get_mut(name) {
            let before = entry.node;
            entry.node = node;
            if let Some(slot) = self.order.get_mut(&entry.cookie) {
                slot.1 = node;
            }
            return Some(before);
        }
        let name: Arc<str> = name.into();
        let cookie = self.next;
        self.next += 1;
        self.order.insert(cookie, (name.clone(), node));
        self.names.insert(name, Entry { node, cookie });
        None
    }

    pub fn remove(&mut self, name: &str) -> Option<u32> {
        let entry = self.names.remove(name)?;
        self.order.remove(&entry.cookie);
        Some(entry.node)
    }

    /// Any entry, for emptying a directory.
    pub fn pop(&mut self) -> Option<(Arc<str>, u32)> {
        let (name, entry) = self.names.pop_last()?;
        self.order.remove(&entry.cookie);
        Some((name, entry.node))
    }

    /// Entries in the order of their making, from `cookie` on.
    pub fn read_from(&self, cookie: u64) -> impl Iterator<Item = (u64, &str, u32)> {
        self.order.range(cookie..).map(|(cookie, (name, node))| (*cookie, &**name, *node))
    }

    /// Entries by name.
    pub fn sorted(&self) -> impl Iterator<Item = (&str, u32)> {
        self.names.iter().map(|(name, entry)| (&**name, entry.node))
    }
}
