//! A machine with an image loaded and warmed, as a snapshot: in memory for all sessions, and on disk for the next process.

use super::boot::{failed, functions};
use super::clock;
use super::reach::Reach;
use hyperlight_host::SandboxBuilder;
use hyperlight_host::sandbox::snapshot::{OciTag, Snapshot};
use mote_core::error::{Code, Error, Result};
use mote_core::limits::Limits;
use mote_core::request::ImageFile;
use mote_engine_wasm::shared::{self, Flight, Manifest, Names, hex};
use mote_micro_wire::{Kind, Load, Loaded, guest};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::arch::x86_64::__cpuid;
use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;

const MIB: u64 = 1 << 20;
/// Where the module is in the machine's physical memory; the read-only tree follows it.
const MODULE_AT: u64 = 1 << 32;
/// Of Hyperlight's own heap, which is part of every snapshot. The guest adds to it what it needs.
const HEAP_BYTES: u64 = MIB;
/// Writable memory beside that of the guest's limits: stacks, page tables, structures of the runtime.
const MARGIN_BYTES: u64 = 48 * MIB;
/// Sizes are rounded up to this, so that sessions with nearly the same limits share a snapshot.
const STEP_BYTES: u64 = 32 * MIB;
/// Changed whenever this library makes something else of the same parts.
const FORMAT: &str = "machine 2";

/// What the limits of a session make of its machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Size {
    /// All memory that the machine can write to.
    pub scratch_bytes: u64,
    /// What files may take of it.
    pub workspace_bytes: u64,
}

impl Size {
    pub fn of(limits: &Limits) -> Self {
        let workspace_bytes = limits.workspace_bytes.min(limits.memory_bytes);
        // Files lie in a heap whose blocks are not always full.
        let wanted = limits.memory_bytes + workspace_bytes / 4 * 5 + MARGIN_BYTES;
        Self { scratch_bytes: wanted.next_multiple_of(STEP_BYTES), workspace_bytes }
    }
}

pub struct Template {
    pub snapshot: Arc<Snapshot>,
    pub size: Size,
    /// Name of the program in tracebacks and `argv`.
    pub entry: String,
    pub loaded: Loaded,
}

/// Of a snapshot on disk.
#[derive(Serialize, Deserialize)]
struct Notes {
    loaded: Vec<u8>,
}

const NOTES: &str = "mote";
const TAG: &str = "ready";

/// The template of an interpreter's image. True: it was made now.
pub fn of_image<T: Clone + Send + 'static>(
    cache_dir: &Path,
    image: &ImageFile,
    elf: &ImageFile,
    size: Size,
    flight: &Flight<T>,
) -> Result<(Template, bool)> {
    // Measured while others wait for the image anyway, not by the first run.
    clock::tsc();
    let (_, compiled, folder) = shared::unpacked(cache_dir, image, flight)?;
    let manifest = folder.join("guest.json");
    let mut manifest = File::open(&manifest).map_err(|error| shared::invalid("guest.json", error))?;
    let entry = Manifest::read(&mut manifest)?.entry;
    let made_of = MadeOf {
        kind: Kind::Interpreter,
        module: folder.join("module.cwasm"),
        root: Some(folder.join("root.img")),
        elf,
        size,
    };
    let name = folder.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let (template, made) = cached(cache_dir, &name, &made_of, entry, flight)?;
    Ok((template, made || compiled))
}

/// The template of a user's module. It is not kept on disk: to load a small module takes no longer than to read a snapshot.
pub fn of_module(module: PathBuf, elf: &ImageFile, size: Size) -> Result<Template> {
    let made_of = MadeOf { kind: Kind::Command, module, root: None, elf, size };
    let snapshot = made_of.load()?;
    let loaded = noted(&snapshot)?;
    Ok(Template { snapshot, size, entry: "main.wasm".into(), loaded })
}

struct MadeOf<'a> {
    kind: Kind,
    module: PathBuf,
    root: Option<PathBuf>,
    elf: &'a ImageFile,
    size: Size,
}

fn cached<T: Clone + Send + 'static>(
    cache_dir: &Path,
    name: &str,
    made_of: &MadeOf<'_>,
    entry: String,
    flight: &Flight<T>,
) -> Result<(Template, bool)> {
    let mut digest = Sha256::new_with_prefix(FORMAT);
    for part in [name, &made_of.elf.sha256, &made_of.size.scratch_bytes.to_string(), &processor()] {
        digest.update(part);
        digest.update([0]);
    }
    let parent = cache_dir.join("machines");
    let name = hex(&digest.finalize()[..16]);
    let tag = OciTag::new(TAG).map_err(internal)?;
    let make = |dir: &Path| {
        let snapshot = made_of.load()?;
        snapshot.save(dir.join("snapshot"), &tag).map(|_| ()).map_err(|error| {
            let message = format!("Cannot write {}: {error}", dir.display());
            Error::new(Code::GuestBuildFailed, message)
        })
    };
    for last in [false, true] {
        let (_, made) = shared::obtain(&parent, &name, Names::All, flight, make)?;
        let folder = parent.join(&name);
        match Snapshot::load(folder.join("snapshot"), tag.clone()) {
            Ok(snapshot) => {
                let loaded = noted(&snapshot)?;
                let template = Template { snapshot: Arc::new(snapshot), size: made_of.size, entry, loaded };
                return Ok((template, made));
            }
            // Of another version, or not whole although its stamp says so: made anew, once.
            Err(_) if !last => {
                let _ = fs::remove_dir_all(&folder);
            }
            Err(error) => return Err(internal(error)),
        }
    }
    Err(Error::internal("Cannot load a machine's snapshot"))
}

fn noted(snapshot: &Snapshot) -> Result<Loaded> {
    let notes: Option<Notes> = snapshot.metadata(NOTES).map_err(internal)?;
    Loaded::decode(&notes.map(|notes| notes.loaded).unwrap_or_default()).map_err(internal)
}

/// A snapshot holds what the processor was found to have.
fn processor() -> String {
    let (vendor, model) = (__cpuid(0), __cpuid(1));
    format!("{:x} {:x} {:x} {:x}", vendor.ebx, vendor.ecx, vendor.edx, model.eax)
}

fn internal(error: impl std::fmt::Display) -> Error {
    Error::internal(format!("Cannot prepare a machine: {error}"))
}

impl MadeOf<'_> {
    /// Boots a machine, loads the image into it, and takes the snapshot.
    fn load(&self) -> Result<Arc<Snapshot>> {
        let length = |path: &Path| -> Result<u64> {
            let data = fs::metadata(path).map_err(|error| shared::invalid("a file of it", error))?;
            Ok(data.len())
        };
        let module_bytes = length(&self.module)?;
        let root_at = (MODULE_AT + module_bytes).next_multiple_of(1 << 30);
        let root_bytes = self.root.as_deref().map(length).transpose()?.unwrap_or(0);
        let mut builder = SandboxBuilder::from_bytes(program(self.elf)?)
            .heap_size(HEAP_BYTES)
            .scratch_size(self.size.scratch_bytes as usize)
            .mapped_file_cow(&self.module, MODULE_AT);
        if let Some(root) = &self.root {
            builder = builder.mapped_file_cow(root, root_at);
        }
        let mut sandbox = functions(builder, &Reach::default()).build().map_err(|error| failed(&error))?;
        let load = Load {
            kind: self.kind,
            module_at: MODULE_AT,
            module_bytes,
            root_at,
            root_bytes,
            memory_bytes: self.size.scratch_bytes,
            heap_bytes: self.size.scratch_bytes,
        };
        let loaded: Vec<u8> = sandbox.call(guest::LOAD, load.encode()).map_err(|error| failed(&error))?;
        let snapshot = sandbox.snapshot().map_err(|error| failed(&error))?;
        snapshot.with_metadata(NOTES, &Notes { loaded }).map_err(internal)
    }
}

/// The guest's program: verified, and unpacked.
fn program(elf: &ImageFile) -> Result<Vec<u8>> {
    let damaged = |error: std::io::Error| shared::invalid("micro", error);
    let packed = shared::verified(elf)?;
    let mut archive = tar::Archive::new(zstd::Decoder::new(packed.as_slice()).map_err(damaged)?);
    let mut file = archive.entries().map_err(damaged)?.next().ok_or_else(|| shared::invalid("micro", "it is empty"))?;
    let mut program = Vec::new();
    file.as_mut().map_err(|error| shared::invalid("micro", error))?.read_to_end(&mut program).map_err(damaged)?;
    Ok(program)
}
