//! Huge pages of this process, each empty and all zero, from which machines are lent one. They are kept, as to get one from
//! the system and to have it cleared takes longer than a run.

use super::maps;
use super::{BLOCK, PAGE};
use crate::leash::lock;
use rustix::mm::{Advice, MapFlags, MremapFlags, ProtFlags, madvise, mmap_anonymous, mremap_fixed, munmap};
use std::arch::asm;
use std::ptr::null_mut;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{LazyLock, Mutex};
use std::{io, mem, thread};

static FREE: Mutex<Vec<Block>> = Mutex::new(Vec::new());
/// Failures since the last success. A system that has no huge pages is not asked before each run.
static FAILURES: AtomicUsize = AtomicUsize::new(0);
const MOST_FAILURES: usize = 3;
/// Blocks kept for later: no more machines run at a time than there are processors.
static KEPT: LazyLock<usize> = LazyLock::new(|| thread::available_parallelism().map_or(1, usize::from));

/// 2 MiB of addresses of its own, with a huge page that may be moved away and back.
pub struct Block(usize);

impl Block {
    /// One that is empty; none where the system gives none.
    pub fn take() -> Option<Self> {
        if let Some(block) = lock(&FREE).pop() {
            return Some(block);
        }
        if FAILURES.load(Relaxed) >= MOST_FAILURES {
            return None;
        }
        let made = Self::new();
        match made {
            Some(_) => FAILURES.store(0, Relaxed),
            None => failed(),
        }
        made
    }

    pub fn at(&self) -> usize {
        self.0
    }

    fn new() -> Option<Self> {
        let rights = ProtFlags::READ | ProtFlags::WRITE;
        // SAFETY: a new range, of which only an aligned part is kept. That is written to before anybody else knows of it.
        unsafe {
            let flags = MapFlags::PRIVATE | MapFlags::NORESERVE;
            let around = mmap_anonymous(null_mut(), 2 * BLOCK, rights, flags).ok()? as usize;
            let at = around.next_multiple_of(BLOCK);
            for (start, end) in [(around, at), (at + BLOCK, around + 2 * BLOCK)] {
                if start < end {
                    munmap(start as *mut _, end - start).ok()?;
                }
            }
            let block = Self(at);
            madvise(at as *mut _, BLOCK, Advice::LinuxHugepage).ok()?;
            (at as *mut u8).write_volatile(0);
            // Where the page goes, this advice goes too: what it leaves behind is to get small pages.
            madvise(at as *mut _, BLOCK, Advice::LinuxNoHugepage).ok()?;
            // One byte brought all of it, so it is one page.
            maps::is_present(at + BLOCK - PAGE).then_some(block)
        }
    }

    /// Moves the page to `at`, in place of what is there. Where this fails, `at` may be left without any memory.
    ///
    /// # Safety
    /// From `at` on there are 2 MiB of private memory that nobody accesses meanwhile.
    pub unsafe fn move_to(&self, at: usize) -> io::Result<()> {
        // SAFETY: of both ranges by the caller and by being this block's own.
        unsafe { shift(self.0, at) }.inspect_err(|_| failed_for_good())
    }

    /// Moves the page back from `at`, where nothing is left behind, and clears it.
    ///
    /// # Safety
    /// It was moved to `at`, and nobody accesses that meanwhile.
    pub unsafe fn back_from(self, at: usize) {
        // SAFETY: by the caller, as before.
        if unsafe { shift(at, self.0) }.is_err() {
            failed_for_good();
            // Whether its addresses are still its own is not known.
            mem::forget(self);
            return;
        }
        // SAFETY: the block is this one's own, and mapped.
        unsafe { clear(self.0) };
        let mut free = lock(&FREE);
        if free.len() < *KEPT {
            free.push(self);
        }
    }
}

impl Drop for Block {
    fn drop(&mut self) {
        // SAFETY: the range is this block's own.
        let _ = unsafe { munmap(self.0 as *mut _, BLOCK) };
    }
}

fn failed() {
    let _ = FAILURES.fetch_update(Relaxed, Relaxed, |failures| failures.checked_add(1));
}

fn failed_for_good() {
    FAILURES.store(MOST_FAILURES, Relaxed);
}

/// Moves 2 MiB and leaves the range mapped, without memory.
unsafe fn shift(from: usize, to: usize) -> io::Result<()> {
    let flags = MremapFlags::MAYMOVE | MremapFlags::DONTUNMAP;
    // SAFETY: by the caller.
    unsafe { mremap_fixed(from as *mut _, BLOCK, BLOCK, flags, to as *mut _) }?;
    Ok(())
}

/// By words, as an emulated processor takes one step for each, whatever its width.
unsafe fn clear(at: usize) {
    // SAFETY: the caller owns 2 MiB from there on; the direction flag is clear, as everywhere.
    unsafe {
        asm!("rep stosq", inout("rcx") BLOCK / 8 => _, inout("rdi") at => _, in("rax") 0_u64, options(nostack, preserves_flags));
    }
}

/// Copies pages between ranges that do not overlap. By way of a buffer: addresses that are alike within 2 MiB push each
/// other out of a processor's tables of addresses, most of all of an emulated one's.
pub unsafe fn copy(from: usize, to: usize, pages: usize) {
    let mut buffer = [0_u64; PAGE / 8];
    let between = buffer.as_mut_ptr() as usize;
    for page in 0..pages {
        // SAFETY: by the caller, and the buffer has the size of a page.
        unsafe {
            copy_page(from + page * PAGE, between);
            copy_page(between, to + page * PAGE);
        }
    }
}

unsafe fn copy_page(from: usize, to: usize) {
    // SAFETY: by the caller; the direction flag is clear, as everywhere.
    unsafe {
        asm!("rep movsq", inout("rcx") PAGE / 8 => _, inout("rdi") to => _, inout("rsi") from => _, options(nostack, preserves_flags));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_lent_comes_back_empty() {
        let Some(place) = Block::take() else { return };
        let Some(block) = Block::take() else { return };
        let own = block.at();
        // SAFETY: both blocks are this test's.
        unsafe {
            (own as *mut u8).add(7).write_volatile(1);
            block.move_to(place.at()).unwrap();
            assert_eq!((place.at() as *const u8).add(7).read_volatile(), 1);
            assert!(!maps::is_present(own));
            (place.at() as *mut u8).add(BLOCK - 1).write_volatile(1);
            block.back_from(place.at());
            assert!(!maps::is_present(place.at()));
        }
        let blocks = std::iter::from_fn(Block::take).take(*KEPT);
        for block in blocks {
            // SAFETY: it is this test's as long as it holds it.
            let bytes = unsafe { std::slice::from_raw_parts(block.at() as *const u8, BLOCK) };
            assert!(bytes.iter().all(|byte| *byte == 0));
        }
    }
}
