//! Whose thread a guest is on.

use std::sync::atomic::{AtomicU8, Ordering};

const WORKER: u8 = 0;
const HOST: u8 = 1;
const LEAVING: u8 = 2;

/// A worker, which may block, or the host's own thread, which must not be held up.
#[derive(Debug, Default)]
pub struct Place(AtomicU8);

impl Place {
    /// From here to `leave` the guest is on the host's thread.
    pub fn enter_hosts(&self) {
        self.0.store(HOST, Ordering::SeqCst);
    }

    /// Asks a guest to leave the host's thread. Unlike one that is stopped it goes on elsewhere.
    pub fn ask_to_leave(&self) {
        let _ = self.0.compare_exchange(HOST, LEAVING, Ordering::SeqCst, Ordering::SeqCst);
    }

    pub fn is_hosts(&self) -> bool {
        self.0.load(Ordering::SeqCst) != WORKER
    }

    pub fn is_leaving(&self) -> bool {
        self.0.load(Ordering::SeqCst) == LEAVING
    }

    /// The guest goes on on a worker.
    pub fn leave(&self) {
        self.0.store(WORKER, Ordering::SeqCst);
    }
}
