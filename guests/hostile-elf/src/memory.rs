//! Memory that a guest does not have, or should not write.

use alloc::vec::Vec;
use core::arch::asm;
use core::hint::black_box;
use mote_guest::hyperlight_common::vmem::{BasicMapping, MappingKind, PAGE_SIZE};
use mote_guest::hyperlight_guest::prim_alloc::alloc_phys_pages;
use mote_guest::hyperlight_guest_bin::paging;

const NOWHERE: u64 = 0x1234_5678_9000;

pub fn unmapped_read() {
    // SAFETY: none; the address is mapped nowhere, which is the point.
    black_box(unsafe { (NOWHERE as *const u64).read_volatile() });
}

pub fn unmapped_write() {
    // SAFETY: as above.
    unsafe { (NOWHERE as *mut u64).write_volatile(1) }
}

/// The guest's own page tables say it is there; the host has no memory behind it.
pub fn unmapped_physical() {
    let kind = MappingKind::Basic(BasicMapping { readable: true, writable: true, executable: false });
    // SAFETY: none; see above.
    unsafe {
        paging::map_region(0x20_0000_0000, NOWHERE as *mut u8, PAGE_SIZE as u64, kind);
        (NOWHERE as *mut u64).write_volatile(1);
    }
}

pub fn code_overwritten() {
    // SAFETY: none; code pages are read-only.
    unsafe { (code_overwritten as *const () as *mut u64).write_volatile(0) }
}

pub fn page_tables_cleared() {
    // SAFETY: none; the root of the page tables is replaced by nothing.
    unsafe { asm!("mov cr3, {}", in(reg) 0x20_0000_0000u64) }
    black_box(0);
}

#[allow(unconditional_recursion)]
pub fn stack_overflow(depth: u64) -> u64 {
    let frame = black_box([depth; 64]);
    stack_overflow(depth + 1) + frame[(depth % 64) as usize]
}

pub fn heap_at_once() {
    black_box(Vec::<u8>::with_capacity(1 << 30));
}

pub fn heap_endless() {
    let mut kept = Vec::new();
    loop {
        kept.push(black_box(alloc::vec![1u8; 4096]));
    }
}

pub fn pages_endless() {
    loop {
        // SAFETY: takes pages and uses none.
        black_box(unsafe { alloc_phys_pages(1) });
    }
}
