//! Memory and tables of one instance, held against the session's limit.

use wasmtime::ResourceLimiter;

/// Entries of all tables of an instance.
const MOST_TABLE_ELEMENTS: usize = 1_000_000;

#[derive(Debug)]
pub struct Limiter {
    pub most_bytes: u64,
    bytes: u64,
    elements: usize,
    /// Growth was refused since this was last asked.
    refused: bool,
}

impl Limiter {
    pub fn new(most_bytes: u64) -> Self {
        Self { most_bytes, bytes: 0, elements: 0, refused: false }
    }

    /// Forgets the session whose limit this was.
    pub fn release(&mut self) {
        self.most_bytes = u64::MAX;
        self.refused = false;
    }

    pub fn take_refused(&mut self) -> bool {
        std::mem::take(&mut self.refused)
    }
}

impl ResourceLimiter for Limiter {
    fn memory_growing(&mut self, current: usize, desired: usize, _maximum: Option<usize>) -> wasmtime::Result<bool> {
        let bytes = self.bytes + desired.saturating_sub(current) as u64;
        if bytes > self.most_bytes {
            self.refused = true;
            return Ok(false);
        }
        self.bytes = bytes;
        Ok(true)
    }

    fn table_growing(&mut self, current: usize, desired: usize, _maximum: Option<usize>) -> wasmtime::Result<bool> {
        let elements = self.elements + desired.saturating_sub(current);
        if elements > MOST_TABLE_ELEMENTS {
            self.refused = true;
            return Ok(false);
        }
        self.elements = elements;
        Ok(true)
    }
}
