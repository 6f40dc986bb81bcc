//! What the writable trees may hold.

use crate::errno::Errno;

/// Bytes charged for each name in a directory besides the name itself, so that empty files, directories and links cost
/// what they take of the host's memory.
pub const ENTRY_BYTES: u64 = 1024;

/// Bounds of one writable area.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Lengths of all files (holes included), link targets and names, and [`ENTRY_BYTES`] for each name.
    pub bytes: u64,
    /// Names in all directories: files, directories, symbolic and hard links; and files that are unlinked but still
    /// open.
    pub files: u64,
}

impl Default for Limits {
    /// 256 MiB and 10,000 files.
    fn default() -> Self {
        Self { bytes: 256 << 20, files: 10_000 }
    }
}

/// What an area holds now, counted as [`Limits`] says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    pub bytes: u64,
    pub files: u64,
}

#[derive(Debug)]
pub(crate) struct Quota {
    pub limits: Limits,
    pub used: Usage,
    pub refused: bool,
}

impl Quota {
    pub fn new(limits: Limits) -> Self {
        Self { limits, used: Usage::default(), refused: false }
    }

    pub fn fits(&self, bytes: u64, files: u64) -> bool {
        self.used.bytes.checked_add(bytes).is_some_and(|b| b <= self.limits.bytes)
            && self.used.files.checked_add(files).is_some_and(|f| f <= self.limits.files)
    }

    pub fn charge(&mut self, bytes: u64, files: u64) -> Result<(), Errno> {
        if !self.fits(bytes, files) {
            self.refused = true;
            return Err(Errno::Nospc);
        }
        self.used.bytes += bytes;
        self.used.files += files;
        Ok(())
    }

    pub fn release(&mut self, bytes: u64, files: u64) {
        self.used.bytes = self.used.bytes.saturating_sub(bytes);
        self.used.files = self.used.files.saturating_sub(files);
    }

    pub fn left(&self) -> u64 {
        self.limits.bytes.saturating_sub(self.used.bytes)
    }
}
