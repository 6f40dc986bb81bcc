//! Which pages of its memory a guest has written to, as the kernel knows it.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::sync::OnceLock;

pub const PAGE_BYTES: usize = 4096;

/// In an entry of /proc/self/pagemap: the page is present, it was swapped out or is on its way, it is one of a file.
const PRESENT: u64 = 1 << 63;
const SWAPPED: u64 = 1 << 62;
const OF_FILE: u64 = 1 << 61;

/// The numbers of all pages of `memory` that may differ from the image it was mapped from; `None` where the system does
/// not tell.
pub fn written(memory: &[u8]) -> Option<Vec<u32>> {
    static PAGEMAP: OnceLock<Option<File>> = OnceLock::new();
    let pagemap = PAGEMAP.get_or_init(|| File::open("/proc/self/pagemap").ok()).as_ref()?;
    if rustix::param::page_size() != PAGE_BYTES {
        return None;
    }
    let first = memory.as_ptr().addr() / PAGE_BYTES;
    let mut entries = vec![0; memory.len() / PAGE_BYTES * size_of::<u64>()];
    pagemap.read_exact_at(&mut entries, (first * size_of::<u64>()) as u64).ok()?;
    let entries = entries.as_chunks::<8>().0.iter().map(|entry| u64::from_le_bytes(*entry));
    let own = |entry: u64| entry & (PRESENT | SWAPPED) != 0 && entry & OF_FILE == 0;
    Some((0..).zip(entries).filter(|(_, entry)| own(*entry)).map(|(page, _)| page).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn written_pages_are_found() {
        let mut memory = vec![0_u8; 64 * PAGE_BYTES];
        let offset = memory.as_ptr().align_offset(PAGE_BYTES);
        let memory = &mut memory[offset..offset + 32 * PAGE_BYTES];
        memory[3 * PAGE_BYTES] = 1;
        memory[9 * PAGE_BYTES] = 1;
        let pages = written(memory).unwrap();
        assert!([3, 9].iter().all(|page| pages.contains(page)), "{pages:?}");
    }
}
