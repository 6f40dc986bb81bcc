//! A huge page in place of the small ones that a machine's memory begins with.

use super::blocks::{self, Block};
use super::place::Scratch;
use super::{BLOCK, PAGE};
use hyperlight_common::layout::{SCRATCH_TOP_ALLOCATOR_OFFSET, scratch_base_gpa};
use rustix::mm::{MapFlags, ProtFlags, mmap_anonymous};

/// Given back, with all that was written to it, when it is dropped. The machine's memory is then as good as gone: it has to
/// be put back to a snapshot or to be given up.
pub struct Loan {
    block: Option<Block>,
    at: usize,
}

/// The machine has lost memory that the system did not give back: it must neither run nor be dropped.
#[derive(Debug)]
pub struct Lost;

impl Scratch {
    /// Lends the machine a page, if there is one. What its memory begins with stays what it is. The machine has just been
    /// put back to its snapshot, and does not run.
    pub fn lend(&self) -> Result<Option<Loan>, Lost> {
        // Microsoft's hypervisor keeps to the pages that it was given once.
        if cfg!(feature = "mshv") {
            return Ok(None);
        }
        let Some(used) = self.used() else { return Ok(None) };
        let Some(block) = Block::take() else { return Ok(None) };
        // SAFETY: the machine's memory is larger than a block and only its own thread, this one, has to do with it.
        let moved = unsafe {
            blocks::copy(self.at, block.at(), used / PAGE);
            block.move_to(self.at)
        };
        if moved.is_ok() {
            return Ok(Some(Loan { block: Some(block), at: self.at }));
        }
        let rights = ProtFlags::READ | ProtFlags::WRITE;
        let flags = MapFlags::PRIVATE | MapFlags::NORESERVE | MapFlags::FIXED_NOREPLACE;
        // SAFETY: the flags replace nothing that is mapped. Where the page was not taken away, this is refused.
        match unsafe { mmap_anonymous(self.at as *mut _, BLOCK, rights, flags) } {
            Err(rustix::io::Errno::EXIST) if super::maps::is_present(self.at) => Ok(None),
            _ => Err(Lost),
        }
    }

    /// How much of the front a restored machine begins with, as Hyperlight has written it there for the guest.
    fn used(&self) -> Option<usize> {
        let noted = self.at + self.bytes - SCRATCH_TOP_ALLOCATOR_OFFSET as usize;
        // SAFETY: the last page of the machine's memory, whose only thread is this one.
        let first_free = unsafe { (noted as *const u64).read_volatile() };
        let used = usize::try_from(first_free.checked_sub(scratch_base_gpa(self.bytes))?).ok()?;
        (used < BLOCK && used.is_multiple_of(PAGE)).then_some(used)
    }
}

impl Drop for Loan {
    fn drop(&mut self) {
        if let Some(block) = self.block.take() {
            // SAFETY: it was moved there, and the machine does not run.
            unsafe { block.back_from(self.at) };
        }
    }
}
