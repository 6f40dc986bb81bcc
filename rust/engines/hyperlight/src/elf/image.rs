//! Loaded guests, each kept as long as a session uses it: further sessions begin from the first one's snapshot.

use super::machine::{Machine, Sizes};
use super::notes;
use crate::leash::lock;
use hyperlight_host::sandbox::snapshot::Snapshot;
use mote_core::error::{Code, Error, Result, bytes};
use mote_core::limits::Limits;
use mote_core::request::ImageFile;
use mote_engine_wasm::shared::hex;
use sha2::{Digest, Sha256};
use std::collections::HashMap;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, OnceLock, Weak};

/// Largest guest file.
const MOST_FILE_BYTES: u64 = 256 << 20;
/// For the stack and the tables of pages; what is not used takes no memory of the host.
const STACK_BYTES: u64 = 2 << 20;

/// One guest, checked.
pub struct Image {
    file: Vec<u8>,
    pub sizes: Sizes,
    snapshot: OnceLock<Arc<Snapshot>>,
    /// A session gave up waiting for it to come up, and it still tries.
    pub left_behind: AtomicBool,
}

#[derive(Default)]
pub struct Images {
    known: Mutex<HashMap<String, Weak<Image>>>,
}

impl Images {
    pub fn get(&self, file: &ImageFile, limits: &Limits) -> Result<Arc<Image>> {
        let known = lock(&self.known).get(&file.sha256).and_then(Weak::upgrade);
        let image = match known {
            Some(image) => image,
            None => Arc::new(Image::read(file)?),
        };
        let least = image.sizes.heap_bytes + image.sizes.scratch_bytes as u64 + image.file.len() as u64;
        if least > limits.memory_bytes {
            return Err(Error::new(
                Code::InvalidOption,
                format!(
                    "Cannot open session: limit memoryBytes is {}, and this guest takes {} with its heap of {}",
                    bytes(limits.memory_bytes),
                    bytes(least.next_multiple_of(1 << 10)),
                    bytes(image.sizes.heap_bytes)
                ),
            ));
        }
        let mut known = lock(&self.known);
        known.retain(|_, image| image.strong_count() > 0);
        known.insert(file.sha256.clone(), Arc::downgrade(&image));
        Ok(image)
    }
}

impl Image {
    fn read(wanted: &ImageFile) -> Result<Self> {
        let missing = |error: std::io::Error| {
            let message = format!("Cannot use guest {}: {error}", wanted.path.display());
            Error::new(Code::GuestNotFound, message)
        };
        let size = std::fs::metadata(&wanted.path).map_err(missing)?.len();
        if size > MOST_FILE_BYTES {
            return Err(notes::invalid(format!("its file is larger than {}", bytes(MOST_FILE_BYTES))));
        }
        let file = std::fs::read(&wanted.path).map_err(missing)?;
        if hex(&Sha256::digest(&file)) != wanted.sha256 {
            return Err(notes::invalid("its file has changed since it was looked at. Open the session again"));
        }
        let notes = notes::read(&file)?;
        let scratch = (file.len() as u64 + notes.heap_bytes + STACK_BYTES).next_multiple_of(64 << 10);
        let sizes = Sizes { heap_bytes: notes.heap_bytes, scratch_bytes: scratch as usize };
        Ok(Self { file, sizes, snapshot: OnceLock::new(), left_behind: AtomicBool::new(false) })
    }

    /// Boots a machine: from the snapshot, or from the file and then snapshotted for the others.
    pub fn boot(&self, desk: &Arc<super::desk::Desk>) -> Result<Machine> {
        if let Some(snapshot) = self.snapshot.get() {
            return Machine::resume(snapshot.clone(), desk);
        }
        let (machine, snapshot) = Machine::load(&self.file, self.sizes, desk)?;
        // Of two sessions that load at once, both snapshots are good.
        let _ = self.snapshot.set(snapshot);
        Ok(machine)
    }
}
