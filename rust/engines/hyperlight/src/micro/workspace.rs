//! The session's files, which are the host's, and what of them its machine has.

use super::template::Size;
use mote_core::error::{Error, Result};
use mote_core::request::Open;
use mote_engine_wasm::shared::{self, Common, lock, wall_clock};
use mote_wasi::fs::{Area, Fs, Listing, PatchError, PathError};
use std::sync::Arc;

pub struct Workspace {
    pub common: Common,
    /// What the machine begins with when it is fresh: nothing, so these are whole.
    whole: [Patch; 2],
    /// What a machine that keeps its state has.
    has: [Listing; 2],
}

/// A patch, and the tree that it makes of an empty one.
#[derive(Default)]
struct Patch {
    makes: Listing,
    bytes: Arc<Vec<u8>>,
}

const AREAS: [Area; 2] = [Area::Workspace, Area::Library];

/// For a machine: workspace, then library.
pub type Patches = [Arc<Vec<u8>>; 2];

impl Workspace {
    pub fn new(open: &Open, size: Size) -> Result<Self> {
        let mut common = Common::new(open, None)?;
        common.limits.workspace_bytes = size.workspace_bytes;
        lock(&common.fs).set_limits(
            Area::Workspace,
            mote_wasi::fs::Limits { bytes: size.workspace_bytes, files: open.limits.workspace_files },
        );
        Ok(Self { common, whole: Default::default(), has: Default::default() })
    }

    /// What a fresh machine needs to have all files.
    pub fn for_fresh(&mut self) -> Patches {
        let fs = lock(&self.common.fs);
        for (area, whole) in AREAS.into_iter().zip(&mut self.whole) {
            let makes = fs.listing(area);
            if makes != whole.makes {
                let bytes = Arc::new(patch(&fs, area, &Listing::default()));
                *whole = Patch { makes, bytes };
            }
        }
        self.has = [self.whole[0].makes.clone(), self.whole[1].makes.clone()];
        [self.whole[0].bytes.clone(), self.whole[1].bytes.clone()]
    }

    /// What a machine that has run before needs.
    pub fn for_used(&mut self) -> Patches {
        let fs = lock(&self.common.fs);
        let mut patches = Patches::default();
        for ((area, has), bytes) in AREAS.into_iter().zip(&mut self.has).zip(&mut patches) {
            *bytes = Arc::new(patch(&fs, area, has));
            *has = fs.listing(area);
        }
        patches
    }

    /// Takes over what a run has changed. The guest's quota was the same, so what does not fit here was not made by it.
    pub fn take(&mut self, mut bytes: &[u8]) -> Result<()> {
        let mut fs = lock(&self.common.fs);
        let length = bytes.len() as u64;
        let applied = fs.apply_patch(Area::Workspace, length, wall_clock(), &mut |buffer: &mut [u8]| {
            let (taken, rest) = bytes.split_at_checked(buffer.len()).ok_or(())?;
            buffer.copy_from_slice(taken);
            bytes = rest;
            Ok(())
        });
        self.has[0] = fs.listing(Area::Workspace);
        drop(fs);
        applied.map_err(|error| match error {
            PatchError::Refused(PathError::NoSpace) => self.common.workspace_exceeded(),
            PatchError::Refused(why) => shared::crashed(&format!("it changed files that cannot be: {why}")),
            PatchError::Malformed | PatchError::Source(()) => shared::crashed("it described its files wrongly"),
        })
    }

    /// Most bytes that a run can have to say of its files.
    pub fn most_pushed(&self) -> u64 {
        let limits = &self.common.limits;
        let names = limits.workspace_files.saturating_mul(2 * mote_wasi::fs::PATH_MAX as u64);
        limits.workspace_bytes.saturating_add(names.min(1 << 30)).max(limits.tool_bytes * 2).saturating_add(1 << 20)
    }
}

fn patch(fs: &Fs, area: Area, before: &Listing) -> Vec<u8> {
    let mut out = Vec::new();
    let written = fs.patch_since(area, before, &mut |bytes: &[u8]| {
        out.extend_from_slice(bytes);
        Ok::<(), Error>(())
    });
    debug_assert!(written.is_ok(), "memory takes everything");
    out
}
