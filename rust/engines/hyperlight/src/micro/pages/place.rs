//! Where a machine's writable memory lies. A processor maps 2 MiB at once only where the machine's address and this
//! process's are at the same place within their 2 MiB. Hyperlight takes what the system gives it; so the system is brought to
//! give it the right place.

use super::maps;
use super::{BLOCK, PAGE};
use crate::leash::lock;
use hyperlight_common::layout::scratch_base_gpa;
use rustix::mm::{MapFlags, ProtFlags, mmap_anonymous, munmap};
use std::ops::Range;
use std::ptr::null_mut;
use std::slice;
use std::sync::Mutex;

/// Unmapped pages that Hyperlight puts before and behind the memory.
const GUARD: usize = PAGE;
/// Places that the system may offer before this is given up.
const TRIES: usize = 16;

/// A machine's writable memory in this process, as long as its sandbox lives.
#[derive(Clone, Copy, Debug)]
pub struct Scratch {
    pub at: usize,
    pub bytes: usize,
}

impl Scratch {
    /// Looks at a part of what the machine, which does not run, can write to.
    pub fn with<R>(&self, part: Range<usize>, look: impl FnOnce(&mut [u8]) -> R) -> R {
        assert!(part.start <= part.end && part.end <= self.bytes);
        // SAFETY: the part is inside, the sandbox lives on this thread, and neither it nor Hyperlight is at work.
        look(unsafe { slice::from_raw_parts_mut((self.at + part.start) as *mut u8, part.len()) })
    }
}

/// Runs `build`, which makes one machine with so much writable memory. With it comes where that memory is, if it lies as
/// huge pages need it. Where the system follows rules of its own, as Linux 6.7 to 6.11 do, it does not.
pub fn laid<T>(bytes: usize, build: impl FnOnce() -> T) -> (T, Option<Scratch>) {
    // Two at a time would be given each other's places.
    static ALONE: Mutex<()> = Mutex::new(());
    let _alone = lock(&ALONE);
    let steered = steer(bytes);
    let built = build();
    let expected = steered.as_ref().map_or(0, |steered| steered.at);
    let found = maps::forbid_huge_pages(bytes, expected);
    (built, found.then_some(Scratch { at: expected, bytes }))
}

struct Steered {
    /// Where the memory will be.
    at: usize,
    /// What keeps the system from other places.
    _fillers: Vec<Filler>,
}

fn steer(bytes: usize) -> Option<Steered> {
    let within = scratch_base_gpa(bytes) as usize % BLOCK;
    if within != 0 || !bytes.is_multiple_of(BLOCK) {
        return None;
    }
    let total = bytes + 2 * GUARD;
    let mut fillers = Vec::new();
    for _ in 0..TRIES {
        let offered = Filler::new(null_mut::<u8>() as usize, total, MapFlags::empty())?.at;
        let over = (offered + GUARD) % BLOCK;
        if over == 0 {
            return Some(Steered { at: offered + GUARD, _fillers: fillers });
        }
        // The system takes the end of the highest gap that is large enough: that is made to lie lower.
        fillers.push(Filler::new(offered + total - over, over, MapFlags::FIXED_NOREPLACE)?);
    }
    None
}

/// Addresses that are taken, without memory.
struct Filler {
    at: usize,
    bytes: usize,
}

impl Filler {
    fn new(at: usize, bytes: usize, flags: MapFlags) -> Option<Self> {
        let flags = MapFlags::PRIVATE | MapFlags::NORESERVE | flags;
        // SAFETY: the flags replace nothing that is mapped.
        let got = unsafe { mmap_anonymous(at as *mut _, bytes, ProtFlags::empty(), flags) }.ok()?;
        Some(Self { at: got as usize, bytes })
    }
}

impl Drop for Filler {
    fn drop(&mut self) {
        // SAFETY: nobody else knows of the range, and nothing is in it.
        let _ = unsafe { munmap(self.at as *mut _, self.bytes) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_found_where_the_system_was_brought_to_put_it() {
        let bytes = 16 * BLOCK;
        let rights = ProtFlags::READ | ProtFlags::WRITE;
        let flags = MapFlags::PRIVATE | MapFlags::NORESERVE;
        for _ in 0..4 {
            let (at, scratch) = laid(bytes, || {
                // SAFETY: a new mapping, of which the middle is made writable as Hyperlight does it.
                unsafe {
                    let at = mmap_anonymous(null_mut(), bytes + 2 * GUARD, ProtFlags::empty(), flags).unwrap() as usize;
                    rustix::mm::mprotect(
                        (at + GUARD) as *mut _,
                        bytes,
                        rustix::mm::MprotectFlags::from_bits_retain(rights.bits()),
                    )
                    .unwrap();
                    at
                }
            });
            // Where another test's thread came in between, or the system has rules of its own, there is none.
            if let Some(scratch) = scratch {
                assert_eq!((scratch.at, scratch.bytes), (at + GUARD, bytes));
                assert!(scratch.at.is_multiple_of(BLOCK));
            }
            // SAFETY: it was mapped above and nothing refers to it.
            unsafe { munmap(at as *mut _, bytes + 2 * GUARD) }.unwrap();
        }
    }
}
