//! From a path to a place in the tree.

use alloc::borrow::Cow;
use alloc::string::String;
use alloc::vec::Vec;

use super::node::Node;
use super::{Fs, NAME_MAX, PATH_MAX};
use crate::errno::Errno;

/// Links followed in one lookup before it counts as a loop.
const LINKS_MAX: u32 = 40;

/// Where a path ends.
pub(crate) struct Found<'p> {
    /// The directory that holds the last name; the node itself when the path ends in `.` or `..`.
    pub parent: Node,
    /// `None` when the path ends in `.` or `..`.
    pub name: Option<Cow<'p, str>>,
    pub node: Option<Node>,
    /// The path ends in a slash, so only a directory will do.
    pub slash: bool,
    /// The path ends in `..`.
    pub dotdot: bool,
    /// What is wrong with the last name itself. Told after what is wrong on the way there, as by Linux.
    defect: Option<Errno>,
}

/// What happens to a link at the path's end.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Last {
    /// It is followed.
    Follow,
    /// It is followed only when the path ends in a slash.
    Stay,
    /// It is what is meant, slash or not.
    Name,
    /// It is followed to where a file may be made, so that a slash is EISDIR.
    Create,
}

impl Last {
    pub fn following(follow: bool) -> Self {
        if follow { Self::Follow } else { Self::Stay }
    }

    fn follows(self, slash: bool) -> bool {
        match self {
            Self::Follow | Self::Create => true,
            Self::Stay => slash,
            Self::Name => false,
        }
    }
}

/// What an absolute link may do.
#[derive(Clone, Copy)]
pub(crate) enum Absolute {
    /// It starts at the guest's root.
    AtRoot,
    /// It must begin with the name of this tree and stays in it.
    Within(Node, &'static str),
}

/// Names that a directory can hold.
pub(crate) fn is_name(name: &str) -> bool {
    !name.is_empty()
        && name != "."
        && name != ".."
        && name.len() <= NAME_MAX
        && !name.bytes().any(|b| b == b'/' || b == 0)
}

/// Text still to be walked: of the path, or of a link's target.
#[derive(Clone, Copy)]
enum Text<'p, 'f> {
    Path(&'p str),
    Link(&'f str),
}

impl<'p> Text<'p, '_> {
    fn str(&self) -> &str {
        match self {
            Self::Path(s) => s,
            Self::Link(s) => s,
        }
    }

    /// The first component, and what follows its slashes, which is empty when there is none.
    fn split(self) -> (Self, bool, Self) {
        fn split(s: &str) -> (&str, bool, &str) {
            match s.find('/') {
                Some(at) => (&s[..at], true, s[at..].trim_start_matches('/')),
                None => (s, false, ""),
            }
        }
        match self {
            Self::Path(s) => {
                let (first, slash, rest) = split(s);
                (Self::Path(first), slash, Self::Path(rest))
            }
            Self::Link(s) => {
                let (first, slash, rest) = split(s);
                (Self::Link(first), slash, Self::Link(rest))
            }
        }
    }

    fn into_cow(self) -> Cow<'p, str> {
        match self {
            Self::Path(s) => Cow::Borrowed(s),
            Self::Link(s) => Cow::Owned(String::from(s)),
        }
    }
}

impl Fs {
    /// Walks `path` from the directory `base`, which `..` cannot leave: EPERM, as for an absolute path. The last
    /// component need not exist.
    pub(crate) fn walk<'p>(
        &self,
        base: Node,
        path: &'p str,
        end: Last,
        absolute: Absolute,
    ) -> Result<Found<'p>, Errno> {
        if path.is_empty() {
            return Err(Errno::Noent);
        }
        if path.len() > PATH_MAX {
            return Err(Errno::Nametoolong);
        }
        if path.starts_with('/') {
            return Err(Errno::Perm);
        }
        let mut text = Text::Path(path);
        let mut later: Vec<Text> = Vec::new();
        let mut dir = base;
        let mut depth = 0u32;
        let mut links = 0;
        let mut slash = false;
        loop {
            let (first, slashed, rest) = text.split();
            let more = !rest.str().is_empty();
            let last = !more && later.is_empty();
            if last {
                slash |= slashed;
            }
            match first.str() {
                "" | "." | ".." => {
                    let dotdot = first.str() == "..";
                    if dotdot {
                        depth = depth.checked_sub(1).ok_or(Errno::Perm)?;
                        dir = self.parent(dir);
                    }
                    if last {
                        return Ok(Found {
                            parent: dir,
                            name: None,
                            node: Some(dir),
                            slash: true,
                            dotdot,
                            defect: None,
                        });
                    }
                }
                name => {
                    let defect = defect(name);
                    if let (Some(errno), false) = (defect, last) {
                        return Err(errno);
                    }
                    if last && slash && end == Last::Create {
                        return Err(Errno::Isdir);
                    }
                    let node = self.child(dir, name);
                    let target = node.and_then(|n| self.link_target(n));
                    match (node, target) {
                        (Some(_), Some(target)) if !last || end.follows(slash) => {
                            links += 1;
                            if links > LINKS_MAX {
                                return Err(Errno::Loop);
                            }
                            if more {
                                later.push(rest);
                            }
                            let mut target = target;
                            if target.starts_with('/') {
                                depth = 0;
                                (dir, target) = match absolute {
                                    Absolute::AtRoot => (Node::Root, target),
                                    Absolute::Within(root, prefix) => {
                                        (root, strip_prefix(target, prefix).ok_or(Errno::Perm)?)
                                    }
                                };
                                target = target.trim_start_matches('/');
                            }
                            text = Text::Link(target);
                            continue;
                        }
                        (node, _) if last => {
                            return Ok(Found {
                                parent: dir,
                                name: Some(first.into_cow()),
                                node,
                                slash,
                                dotdot: false,
                                defect,
                            });
                        }
                        (None, _) => return Err(Errno::Noent),
                        (Some(node), _) => {
                            if !self.is_dir(node) {
                                return Err(Errno::Notdir);
                            }
                            dir = node;
                            depth += 1;
                        }
                    }
                }
            }
            text = if more { rest } else { later.pop().unwrap_or(Text::Path("")) };
        }
    }

    /// The node at the end of `path`, which must exist.
    pub(crate) fn find(&self, base: Node, path: &str, end: Last) -> Result<Node, Errno> {
        self.walk(base, path, end, Absolute::AtRoot)?.existing(self)
    }
}

impl Found<'_> {
    pub fn check(&self) -> Result<(), Errno> {
        self.defect.map_or(Ok(()), Err)
    }

    /// A NUL, which Linux finds before it looks at either of two paths.
    pub fn check_nul(&self) -> Result<(), Errno> {
        if self.defect == Some(Errno::Inval) { Err(Errno::Inval) } else { Ok(()) }
    }

    pub fn existing(&self, fs: &Fs) -> Result<Node, Errno> {
        self.check()?;
        let node = self.node.ok_or(Errno::Noent)?;
        if self.slash && !fs.is_dir(node) {
            return Err(Errno::Notdir);
        }
        Ok(node)
    }
}

/// What keeps `name` from standing in any directory.
fn defect(name: &str) -> Option<Errno> {
    if name.as_bytes().contains(&0) {
        Some(Errno::Inval)
    } else if name.len() > NAME_MAX {
        Some(Errno::Nametoolong)
    } else {
        None
    }
}

/// `/sandbox/a` within `/sandbox` is `a`; `/sandboxes` is outside.
pub(crate) fn strip_prefix<'a>(path: &'a str, prefix: &str) -> Option<&'a str> {
    let rest = path.trim_start_matches('/').strip_prefix(prefix)?;
    if rest.is_empty() || rest.starts_with('/') { Some(rest.trim_start_matches('/')) } else { None }
}
