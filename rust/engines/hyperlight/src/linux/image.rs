//! From the image file to the root file system that a VM boots.

use mote_core::engine::{Opening, Progress};
use mote_core::error::{Code, Error, Result};
use mote_core::request::ImageFile;
use mote_engine_wasm::shared::{Building, Names, invalid, obtain, verified};
use serde::Deserialize;
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

/// The version of the protocol between driver and engine.
pub const GUEST_ABI: u32 = 1;
const ROOT: &str = "root.cpio";
const MANIFEST: &str = "guest.json";
/// Largest file in an image.
const MOST_FILE_BYTES: u64 = 2 << 30;

/// What `guest.json` says.
#[derive(Clone, Debug, Deserialize)]
pub struct Manifest {
    pub name: String,
    pub abi: u32,
    pub entry: String,
}

/// An image that is ready to be booted.
#[derive(Debug)]
pub struct Image {
    pub sha256: String,
    pub manifest: Manifest,
    pub root: PathBuf,
    pub root_bytes: u64,
}

/// Waits for another process's work as long as the session is wanted.
pub struct Waiting<'a>(pub &'a dyn Opening);

impl Building for Waiting<'_> {
    fn waiting(&self) {}

    fn cancelled(&self) -> bool {
        self.0.cancelled()
    }
}

pub fn progress(opening: &dyn Opening, text: String) {
    opening.progress(Progress { stage: "compile", done: 0, total: 0, text });
}

impl Image {
    pub fn unpacked(file: &ImageFile, cache_dir: &Path, opening: &dyn Opening) -> Result<Self> {
        let parent = cache_dir.join("linux");
        let name = format!("root-{}", file.sha256.get(..32).ok_or_else(|| invalid("sha256", "it is no SHA-256"))?);
        obtain(&parent, &name, Names::These(&[ROOT, MANIFEST]), &Waiting(opening), |dir| {
            progress(opening, "unpacking the linux guest".to_owned());
            unpack(file, dir)
        })?;
        let dir = parent.join(name);
        let manifest = fs::read(dir.join(MANIFEST)).map_err(|error| invalid(MANIFEST, error))?;
        let manifest: Manifest = serde_json::from_slice(&manifest).map_err(|error| invalid(MANIFEST, error))?;
        if manifest.abi != GUEST_ABI {
            return Err(invalid(MANIFEST, format!("guest ABI {} is not {GUEST_ABI}", manifest.abi)));
        }
        let root = dir.join(ROOT);
        let root_bytes = fs::metadata(&root).map_err(|error| invalid(ROOT, error))?.len();
        Ok(Self { sha256: file.sha256.clone(), manifest, root, root_bytes })
    }
}

fn unpack(file: &ImageFile, dir: &Path) -> Result<()> {
    let packed = verified(file)?;
    let decoder = zstd::Decoder::new(packed.as_slice()).map_err(|error| invalid("archive", error))?;
    let mut archive = tar::Archive::new(decoder);
    for entry in archive.entries().map_err(|error| invalid("archive", error))? {
        let entry = entry.map_err(|error| invalid("archive", error))?;
        let name = entry.path().map_err(|error| invalid("archive", error))?.to_string_lossy().into_owned();
        if name != ROOT && name != MANIFEST {
            return Err(invalid(&name, "a linux image has no such file"));
        }
        let mut bytes = Vec::new();
        entry.take(MOST_FILE_BYTES).read_to_end(&mut bytes).map_err(|error| invalid(&name, error))?;
        let path = dir.join(&name);
        let unwritten = |error| Error::new(Code::GuestBuildFailed, format!("Cannot write {}: {error}", path.display()));
        fs::write(&path, &bytes).map_err(unwritten)?;
    }
    Ok(())
}
