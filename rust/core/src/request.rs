//! What the host asks for: the heads of `open`, `submit` and `reply` messages.

use crate::limits::Limits;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::PathBuf;

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Open {
    pub backend: String,
    pub lang: String,
    #[serde(default)]
    pub image: Option<ImageFile>,
    /// Of a backend with several kinds of guests.
    #[serde(default)]
    pub guest: Option<Guest>,
    /// A hypervisor that is itself emulated will do.
    #[serde(default)]
    pub accept_emulated: bool,
    pub cache_dir: PathBuf,
    #[serde(default)]
    pub interactive: bool,
    #[serde(default)]
    pub env: BTreeMap<String, String>,
    #[serde(default)]
    pub tools: Vec<String>,
    #[serde(default)]
    pub limits: Limits,
    /// 64 hexadecimal digits, or null for a random one.
    #[serde(default)]
    pub seed: Option<String>,
    /// The handle of the session whose files this one takes over.
    #[serde(default)]
    pub files_of: Option<i64>,
}

#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
pub struct ImageFile {
    pub path: PathBuf,
    pub sha256: String,
}

/// What a micro-VM boots.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
#[serde(tag = "kind", rename_all = "lowercase", rename_all_fields = "camelCase", deny_unknown_fields)]
pub enum Guest {
    /// The program that runs the session's wasm image without an operating system.
    Micro { elf: ImageFile },
    /// A Linux root file system.
    Linux(LinuxGuest),
    /// A Hyperlight guest of the user's.
    Elf { elf: ImageFile },
}

/// A Linux guest, and what it may reach.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
pub struct LinuxGuest {
    pub image: ImageFile,
    /// Modules that are imported before the snapshot.
    #[serde(default)]
    pub preload: Vec<String>,
    /// Libraries it opens with: the list of their files, which lie in `files` beside it.
    #[serde(default)]
    pub site: Option<ImageFile>,
    /// Hosts of the network.
    #[serde(default)]
    pub net: Vec<String>,
    /// Folders of the host, to be read only, by where the guest has them.
    #[serde(default)]
    pub mounts: BTreeMap<String, PathBuf>,
}

/// The `ok` of a done `open`.
#[derive(Clone, Debug, Serialize, PartialEq)]
pub struct Opened {
    pub image: Option<String>,
    pub compiled: bool,
    pub ms: f64,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(tag = "op", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum Submit {
    Run(RunHead),
    Ack(AckHead),
    Write(WriteHead),
    Read(ReadHead),
    List(ListHead),
    Stat(PathHead),
    Mkdir(MkdirHead),
    Remove(TreeHead),
    Symlink(SymlinkHead),
}

impl Submit {
    /// The tree that a file request means.
    pub fn root(&self) -> Option<Root> {
        Some(match self {
            Self::Run(_) | Self::Ack(_) => return None,
            Self::Write(head) => head.root,
            Self::Read(head) => head.root,
            Self::List(head) => head.root,
            Self::Stat(head) => head.root,
            Self::Mkdir(head) => head.root,
            Self::Remove(head) => head.root,
            Self::Symlink(head) => head.root,
        })
    }
}

/// Payload: `codeBytes` of code, then stdin.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RunHead {
    pub code_bytes: usize,
    #[serde(default)]
    pub args: Vec<String>,
    #[serde(default)]
    pub time_ms: Option<u64>,
    #[serde(default)]
    pub stream: bool,
}

/// The host has dealt with streamed output of a run. Has no answer of its own.
#[derive(Clone, Debug, Deserialize)]
pub struct AckHead {
    pub request: u32,
    pub bytes: usize,
}

/// Which tree a file request means.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
pub enum Root {
    #[default]
    Sandbox,
    SitePackages,
}

/// Payload: the bytes. Without an offset the file is created or replaced.
#[derive(Clone, Debug, Deserialize)]
pub struct WriteHead {
    pub path: String,
    #[serde(default)]
    pub root: Root,
    #[serde(default)]
    pub offset: Option<u64>,
    #[serde(default)]
    pub mode: Option<u32>,
    #[serde(default, rename = "mtimeMs")]
    pub mtime_ms: Option<u64>,
}

#[derive(Clone, Debug, Deserialize)]
pub struct ReadHead {
    pub path: String,
    #[serde(default)]
    pub root: Root,
    pub offset: u64,
    pub length: u64,
}

#[derive(Clone, Debug, Deserialize)]
pub struct ListHead {
    pub path: String,
    #[serde(default)]
    pub root: Root,
    #[serde(default)]
    pub recursive: bool,
}

#[derive(Clone, Debug, Deserialize)]
pub struct PathHead {
    pub path: String,
    #[serde(default)]
    pub root: Root,
}

#[derive(Clone, Debug, Deserialize)]
pub struct MkdirHead {
    pub path: String,
    #[serde(default)]
    pub root: Root,
    #[serde(default)]
    pub recursive: bool,
    #[serde(default, rename = "mtimeMs")]
    pub mtime_ms: Option<u64>,
}

#[derive(Clone, Debug, Deserialize)]
pub struct TreeHead {
    pub path: String,
    #[serde(default)]
    pub root: Root,
    #[serde(default)]
    pub recursive: bool,
}

#[derive(Clone, Debug, Deserialize)]
pub struct SymlinkHead {
    pub path: String,
    #[serde(default)]
    pub root: Root,
    pub target: String,
}

#[derive(Clone, Debug, Serialize, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct Entry {
    pub path: String,
    pub kind: EntryKind,
    pub size: u64,
    pub mode: u32,
    pub mtime_ms: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target: Option<String>,
}

#[derive(Clone, Copy, Debug, Serialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub enum EntryKind {
    File,
    Directory,
    Symlink,
}

/// Head of `reply`: `{"ok":true}` with the JSON value as payload, or `{"error":…,"message":…}`.
#[derive(Clone, Debug, Deserialize)]
pub struct Reply {
    #[serde(default)]
    pub ok: bool,
    #[serde(default)]
    pub error: Option<ToolProblem>,
    #[serde(default)]
    pub message: String,
}

#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub enum ToolProblem {
    Failed,
    Input,
    Limit,
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_linux_guest_is_read_with_all_it_may_reach() {
        let image = json!({"path": "/i", "sha256": "00"});
        let guest =
            json!({"kind": "linux", "image": image, "preload": ["numpy"], "net": [], "mounts": {"/data": "/srv"}});
        let open = json!({"backend": "hyperlight", "lang": "python", "image": null, "guest": guest, "cacheDir": "/c"});
        let open: Open = serde_json::from_value(open).unwrap();
        let Some(Guest::Linux(guest)) = open.guest else { panic!("{:?}", open.guest) };
        assert_eq!((guest.preload, guest.site), (vec!["numpy".to_owned()], None));
    }
}
