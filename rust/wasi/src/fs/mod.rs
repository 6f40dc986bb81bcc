//! The file system of one guest: a read-only image, writable trees in memory, and three devices.

mod attr;
mod audit;
mod change;
mod content;
mod host;
mod host_tree;
mod list;
mod node;
mod open;
mod patch;
mod path;
mod quota;
mod reap;

use alloc::vec::Vec;

pub(crate) use attr::Times;
pub use host::{Entry, EntryKind, PathError};
pub use node::Area;
pub use patch::{Listing, PatchError};
pub use quota::{ENTRY_BYTES, Limits, Usage};

pub(crate) use node::{Device, Handle, Node};
pub(crate) use open::{LEN_MAX, Open};
pub(crate) use path::{Last, is_name};

use self::node::{DEVICES, Dir, Inode, Kind};
use self::quota::Quota;
use crate::abi::FileType;
use crate::errno::Errno;
use crate::image::{RoImage, RoKind};

/// Longest name of one component, in bytes.
pub const NAME_MAX: usize = 255;
/// Longest path and longest target of a symbolic link, in bytes.
pub const PATH_MAX: usize = 4096;

const SANDBOX: u32 = 0;
const TMP: u32 = 1;
const SITE_PACKAGES: u32 = 2;

/// Names at the root that hide what an image has there.
const MOUNTS: [(&str, Node); 4] = [
    ("dev", Node::Dev),
    ("sandbox", Node::Work(SANDBOX)),
    ("site-packages", Node::Work(SITE_PACKAGES)),
    ("tmp", Node::Work(TMP)),
];

/// See the module. Nothing of the host's own file system can be reached from here.
pub struct Fs {
    nodes: Vec<Inode>,
    free: Vec<u32>,
    /// Nodes without a name that were open when they lost it.
    nameless: Vec<u32>,
    /// Length of `nameless` from which on it is worth a look.
    nameless_full: usize,
    image: Option<RoImage>,
    workspace: Quota,
    library: Quota,
    made: u64,
    /// Number of the run whose changes are marked, and whether there are any.
    changes: u32,
    changed: bool,
}

/// What a file system is made with.
#[derive(Clone, Default)]
pub struct FsOptions {
    /// Shown at `/`; nothing is when there is none.
    pub image: Option<RoImage>,
    /// For `/sandbox` and `/tmp` together.
    pub workspace: Limits,
    /// For `/site-packages`.
    pub library: Limits,
    /// Time of the first directories, ns since the epoch.
    pub now: u64,
}

impl Fs {
    pub fn new(options: FsOptions) -> Self {
        let FsOptions { image, workspace, library, now } = options;
        let root = |area| Inode::new(Kind::Dir(Dir::new(Node::Root)), area, 0o755, now);
        let mut nodes = Vec::with_capacity(8);
        nodes.push(root(Area::Workspace));
        nodes.push(root(Area::Workspace));
        nodes.push(root(Area::Library));
        Self {
            nodes,
            free: Vec::new(),
            nameless: Vec::new(),
            nameless_full: 0,
            image,
            workspace: Quota::new(workspace),
            library: Quota::new(library),
            made: now,
            changes: 1,
            changed: false,
        }
    }

    /// What the area holds. Files that are unlinked and no longer open are not counted.
    pub fn usage(&mut self, area: Area) -> Usage {
        self.reap();
        self.quota(area).used
    }

    pub fn limits(&self, area: Area) -> Limits {
        match area {
            Area::Workspace => self.workspace.limits,
            Area::Library => self.library.limits,
        }
    }

    /// What is held already stays, even when it is more.
    pub fn set_limits(&mut self, area: Area, limits: Limits) {
        self.quota(area).limits = limits;
    }

    /// Whether a quota has refused the guest or the host something since this was last asked.
    pub fn take_refused(&mut self) -> bool {
        let refused = self.workspace.refused | self.library.refused;
        self.workspace.refused = false;
        self.library.refused = false;
        refused
    }

    fn quota(&mut self, area: Area) -> &mut Quota {
        match area {
            Area::Workspace => &mut self.workspace,
            Area::Library => &mut self.library,
        }
    }

    fn inode(&self, node: u32) -> Option<&Inode> {
        self.nodes.get(node as usize)
    }

    fn inode_mut(&mut self, node: u32) -> Result<&mut Inode, Errno> {
        self.nodes.get_mut(node as usize).ok_or(Errno::Badf)
    }

    fn dir(&self, node: u32) -> Result<&Dir, Errno> {
        match self.inode(node) {
            Some(Inode { kind: Kind::Dir(dir), .. }) => Ok(dir),
            _ => Err(Errno::Notdir),
        }
    }

    fn dir_mut(&mut self, node: u32) -> Result<&mut Dir, Errno> {
        match self.nodes.get_mut(node as usize) {
            Some(Inode { kind: Kind::Dir(dir), .. }) => Ok(dir),
            _ => Err(Errno::Notdir),
        }
    }

    pub(crate) fn root(&self) -> Node {
        Node::Root
    }

    pub(crate) fn is_dir(&self, node: Node) -> bool {
        self.file_type(node) == FileType::Directory
    }

    pub(crate) fn file_type(&self, node: Node) -> FileType {
        match node {
            Node::Root | Node::Dev => FileType::Directory,
            Node::Device(_) => FileType::CharacterDevice,
            Node::Image(n) => match self.image.as_ref().and_then(|i| i.kind(n)) {
                Some(RoKind::Directory) => FileType::Directory,
                Some(RoKind::Link) => FileType::SymbolicLink,
                Some(RoKind::File) => FileType::RegularFile,
                None => FileType::Unknown,
            },
            Node::Work(n) => match self.inode(n).map(|i| &i.kind) {
                Some(Kind::Dir(_)) => FileType::Directory,
                Some(Kind::Link(_)) => FileType::SymbolicLink,
                Some(Kind::File(_)) => FileType::RegularFile,
                Some(Kind::Free) | None => FileType::Unknown,
            },
        }
    }

    fn link_target(&self, node: Node) -> Option<&str> {
        match node {
            Node::Work(n) => match &self.inode(n)?.kind {
                Kind::Link(target) => Some(target),
                _ => None,
            },
            Node::Image(n) => {
                let image = self.image.as_ref()?;
                if image.kind(n)? != RoKind::Link {
                    return None;
                }
                core::str::from_utf8(image.content(n)).ok()
            }
            Node::Root | Node::Dev | Node::Device(_) => None,
        }
    }

    fn child(&self, dir: Node, name: &str) -> Option<Node> {
        match dir {
            Node::Root => {
                let mounted = MOUNTS.iter().find(|(mount, _)| *mount == name).map(|(_, node)| *node);
                mounted.or_else(|| self.image.as_ref()?.child(RoImage::ROOT, name).map(Node::Image))
            }
            Node::Dev => DEVICES.iter().find(|(device, _)| *device == name).map(|(_, d)| Node::Device(*d)),
            Node::Image(n) => self.image.as_ref()?.child(n, name).map(Node::Image),
            Node::Work(n) => self.dir(n).ok()?.get(name).map(Node::Work),
            Node::Device(_) => None,
        }
    }

    fn parent(&self, dir: Node) -> Node {
        match dir {
            Node::Root | Node::Dev | Node::Device(_) => Node::Root,
            Node::Image(n) => match self.image.as_ref().map_or(RoImage::ROOT, |i| i.parent(n)) {
                RoImage::ROOT => Node::Root,
                parent => Node::Image(parent),
            },
            Node::Work(n) => self.dir(n).map_or(Node::Root, |d| d.parent),
        }
    }
}

impl core::fmt::Debug for Fs {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Fs")
            .field("workspace", &self.workspace)
            .field("library", &self.library)
            .field("image", &self.image)
            .finish_non_exhaustive()
    }
}
