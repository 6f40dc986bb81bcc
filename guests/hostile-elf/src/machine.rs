//! What the processor lets a guest do in ring 0.

use core::arch::asm;

pub const ABORT: u16 = 102;
pub const DEBUG: u16 = 103;
pub const HALT: u16 = 108;
pub const NOTIFY: u16 = 109;

pub fn out(port: u16, value: u32) {
    // SAFETY: a write to a port leaves the VM; the host decides what becomes of it.
    unsafe { asm!("out dx, eax", in("dx") port, in("eax") value) }
}

pub fn endless_loop() {
    loop {
        core::hint::spin_loop();
    }
}

pub fn endless_halt() {
    loop {
        // SAFETY: touches no memory.
        unsafe { asm!("cli", "hlt") }
    }
}

pub fn triple_fault() {
    let none = [0u8; 10];
    // SAFETY: none; without a table of handlers the next exception ends the machine, as wanted.
    unsafe { asm!("lidt [{}]", "int3", in(reg) none.as_ptr()) }
}

pub fn illegal_instruction() {
    // SAFETY: raises #UD.
    unsafe { asm!("ud2") }
}

pub fn privileged_register() {
    // SAFETY: raises #GP where the host does not let the register through, as it has to.
    unsafe { asm!("wrmsr", in("ecx") 0x1d9, in("eax") u32::MAX, in("edx") u32::MAX) }
}

pub fn divide_by_zero() {
    // SAFETY: raises #DE.
    unsafe { asm!("div {0:e}", in(reg) 0u32, inout("eax") 1u32 => _, inout("edx") 0u32 => _) }
}

pub fn abort_endless() {
    loop {
        out(ABORT, u32::from_le_bytes([3, b'a', b'b', b'c']));
    }
}

/// What Hyperlight itself would print on the standard error of the host's process.
pub fn debug_print() {
    for letter in *b"DEBUG PORT\n" {
        out(DEBUG, letter.into());
    }
}
