//! What is mapped in this process, by the system's own account.

use rustix::mm::{Advice, madvise};
use std::fs::{self, File};
use std::os::unix::fs::FileExt;
use std::sync::OnceLock;

use super::PAGE;

/// Where a kernel gives huge pages unasked, the first byte that a machine writes would make 2 MiB resident. Its memory is
/// Hyperlight's, so it is found by its size. True: some of it begins at `expected`. Without /proc nothing happens, which
/// costs memory and nothing else.
pub fn forbid_huge_pages(scratch_bytes: usize, expected: usize) -> bool {
    let Ok(maps) = fs::read_to_string("/proc/self/maps") else { return false };
    let mut found = false;
    for (start, length) in maps.lines().filter_map(anonymous) {
        if length == scratch_bytes as u64 {
            // SAFETY: the advice changes how the range is backed, never what is in it; a range that is gone by now is
            // refused, and one that is somebody else's only loses huge pages.
            let _ = unsafe { madvise(start as *mut _, length as usize, Advice::LinuxNoHugepage) };
            found |= start == expected as u64;
        }
    }
    found
}

/// Start and length of a private, writable mapping without a file.
fn anonymous(line: &str) -> Option<(u64, u64)> {
    let mut fields = line.split_ascii_whitespace();
    let (range, rights, inode) = (fields.next()?, fields.next()?, fields.nth(2)?);
    let (start, end) = range.split_once('-')?;
    let (start, end) = (u64::from_str_radix(start, 16).ok()?, u64::from_str_radix(end, 16).ok()?);
    (rights == "rw-p" && inode == "0").then_some((start, end - start))
}

/// Whether memory is behind this address now.
pub fn is_present(at: usize) -> bool {
    const PRESENT: u64 = 1 << 63;
    static PAGEMAP: OnceLock<Option<File>> = OnceLock::new();
    let Some(pagemap) = PAGEMAP.get_or_init(|| File::open("/proc/self/pagemap").ok()) else { return false };
    let mut entry = [0; 8];
    let offset = (at / PAGE * entry.len()) as u64;
    let read = pagemap.read_exact_at(&mut entry, offset);
    read.is_ok() && u64::from_ne_bytes(entry) & PRESENT != 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_private_writable_memory_is_anonymous() {
        assert_eq!(anonymous("7f00-8f00 rw-p 00000000 00:00 0 "), Some((0x7f00, 0x1000)));
        assert_eq!(anonymous("7f00-8f00 r--p 00000000 00:00 0 "), None);
        assert_eq!(anonymous("7f00-8f00 rw-p 00000000 fe:00 12 /lib/x"), None);
        assert_eq!(anonymous(""), None);
    }

    #[test]
    fn what_was_written_is_present() {
        let written = Box::new([1_u8; 3 * PAGE]);
        assert!(is_present(written.as_ptr() as usize + PAGE));
        assert!(!is_present(PAGE));
    }
}
