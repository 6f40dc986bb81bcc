//! What every session with the same image, libraries and preloaded modules begins with: one snapshot, made once.

use super::image::{GUEST_ABI, Image, Waiting, progress};
use super::request::{PRELOAD, Request};
use super::site::{self, Sites};
use super::vm::{Outside, Vm};
use hyperlight_unikraft::{SNAPSHOT_KEY, Snapshot, load_snapshot, save_snapshot};
use mote_core::engine::Opening;
use mote_core::error::{Code, Error, Result, bytes};
use mote_core::request::ImageFile;
use mote_engine_wasm::shared::{Names, hex, obtain};
use mote_wasi::fs::{Fs, FsOptions, Limits};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::{Arc, Mutex};

const MIB: u64 = 1 << 20;
const FACTS: &str = "template.json";
const INDEX: &str = "index.json";
/// Sizes of machines are multiples of this, so that sessions with nearly the same limit share a snapshot.
const STEP_MIB: u64 = 256;
/// What the kernel and the pages of libraries take besides what the limit counts.
const OVERHEAD_BYTES: u64 = 128 * MIB;
/// What code may hold at least, besides the interpreter and what was preloaded.
const LEAST_FREE_BYTES: u64 = 8 * MIB;

pub struct Template {
    pub snapshot: Arc<Snapshot>,
    facts: Facts,
}

/// Kept beside the snapshot.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct Facts {
    /// Counted memory of the guest at the snapshot, in bytes.
    memory_used: u64,
}

/// What a template is made of.
pub struct Ingredients<'a> {
    pub image: &'a Image,
    pub memory_bytes: u64,
    pub preload: &'a [String],
    pub site: Option<&'a ImageFile>,
    pub sites: &'a Sites,
}

impl Ingredients<'_> {
    /// The machine's size. Three quarters of it are pages for the guest.
    fn scratch_mib(&self) -> u64 {
        let pages = self.memory_bytes + self.image.root_bytes + OVERHEAD_BYTES;
        (pages * 4 / 3).div_ceil(STEP_MIB * MIB) * STEP_MIB
    }

    /// Everything that the snapshot depends on.
    pub fn key(&self) -> String {
        let mut hash = Sha256::new();
        let mut add = |text: &str| {
            hash.update((text.len() as u64).to_le_bytes());
            hash.update(text);
        };
        add(SNAPSHOT_KEY);
        add(env!("CARGO_PKG_VERSION"));
        add(&GUEST_ABI.to_string());
        add(&self.image.sha256);
        add(&self.scratch_mib().to_string());
        add(&processor());
        self.preload.iter().for_each(|name| add(name));
        if let Some(site) = self.site.filter(|_| !self.preload.is_empty()) {
            add(&site.sha256);
        }
        hex(&hash.finalize())[..32].to_owned()
    }
}

/// Libraries look at the processor when they are imported, so a snapshot holds for one kind.
fn processor() -> String {
    let text = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let first = text.split("\n\n").next().unwrap_or_default();
    let lasting = ["vendor_id", "cpu family", "model", "stepping", "flags"];
    let lines = first.lines().filter(|line| lasting.iter().any(|name| line.starts_with(name)));
    lines.collect::<Vec<_>>().join("\n")
}

impl Template {
    /// From the cache, else made and kept there.
    pub fn obtain(from: &Ingredients<'_>, key: &str, cache_dir: &Path, opening: &dyn Opening) -> Result<Self> {
        let parent = cache_dir.join("linux");
        let name = format!("snapshot-{key}");
        let dir = parent.join(&name);
        let mut made = None;
        let obtain_once = |made: &mut Option<Self>| {
            obtain(&parent, &name, Names::These(&[INDEX, FACTS]), &Waiting(opening), |dir| {
                let template = Self::make(from, opening)?;
                template.save(dir)?;
                *made = Some(template);
                Ok(())
            })
        };
        obtain_once(&mut made)?;
        if let Some(template) = made {
            return Ok(template);
        }
        match Self::load(&dir) {
            Ok(template) => Ok(template),
            Err(_) => {
                // Damaged, or of another hypervisor: whatever it is, this one cannot use it.
                fs::remove_dir_all(&dir).map_err(|error| unusable(&dir, error))?;
                obtain_once(&mut made)?;
                made.map_or_else(|| Self::load(&dir), Ok)
            }
        }
    }

    fn make(from: &Ingredients<'_>, opening: &dyn Opening) -> Result<Self> {
        let what = match from.preload {
            [] => String::new(),
            names => format!(" and importing {}", names.join(", ")),
        };
        progress(opening, format!("starting {} in a micro-VM{what}", from.image.manifest.name));
        let room = Limits { bytes: 256 * MIB, files: 10_000 };
        let site = from.site.filter(|_| !from.preload.is_empty());
        let outside = Outside {
            fs: Arc::new(Mutex::new(Fs::new(FsOptions { workspace: room, ..FsOptions::default() }))),
            library: Arc::new(Mutex::new(site::empty())),
            site: site.map(|site| from.sites.get(site)).transpose()?,
            net: Vec::new(),
            mounts: BTreeMap::new(),
        };
        let mut vm = Vm::boot(from.image.root.clone(), from.scratch_mib() as usize, outside)?;
        let names = from.preload.join("\n");
        let request = Request {
            flags: PRELOAD,
            memory_bytes: from.memory_bytes,
            arguments: &[],
            environment: &[],
            code: names.as_bytes(),
        };
        let (reply, heard) = vm.prepare(request.to_bytes())?;
        if reply.exit_code != 0 {
            return Err(not_preloaded(from, reply.out_of_memory, &heard));
        }
        let snapshot = vm.snapshot()?;
        Ok(Self { snapshot, facts: Facts { memory_used: reply.memory_used } })
    }

    fn save(&self, dir: &Path) -> Result<()> {
        save_snapshot(&self.snapshot, dir).map_err(|error| unusable(dir, error))?;
        let facts = serde_json::to_vec(&self.facts).map_err(|error| unusable(dir, error))?;
        fs::write(dir.join(FACTS), facts).map_err(|error| unusable(dir, error))
    }

    /// The hashes in the index hold for all of the snapshot's parts, which are checked against them.
    fn load(dir: &Path) -> Result<Self> {
        let facts = fs::read(dir.join(FACTS)).map_err(|error| unusable(dir, error))?;
        let facts = serde_json::from_slice(&facts).map_err(|error| unusable(dir, error))?;
        let snapshot = load_snapshot(dir).map_err(|error| unusable(dir, error))?;
        Ok(Self { snapshot, facts })
    }

    /// Refuses a limit that leaves the code no memory.
    pub fn check_memory(&self, limit: u64) -> Result<()> {
        let least = self.facts.memory_used + LEAST_FREE_BYTES;
        if limit >= least {
            return Ok(());
        }
        let message = format!(
            "Cannot open session: limit memoryBytes is {}, and Python with what it has loaded takes {}",
            bytes(limit),
            bytes(least)
        );
        Err(Error::new(Code::InvalidOption, message))
    }
}

fn unusable(dir: &Path, why: impl std::fmt::Display) -> Error {
    Error::new(Code::GuestBuildFailed, format!("Cannot keep a snapshot in {}: {why}", dir.display()))
}

fn not_preloaded(from: &Ingredients<'_>, out_of_memory: bool, heard: &str) -> Error {
    let names = from.preload.join(", ");
    let last = heard.trim_end().lines().last().unwrap_or("no reason was given");
    let cure = match out_of_memory {
        true => "Raise limits.memoryMb",
        false => "Name modules, and what they need in libraries",
    };
    Error::new(Code::InvalidOption, format!("Cannot preload {names}: {last}. {cure}"))
}
