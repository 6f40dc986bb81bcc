//! A guest of a dozen instructions in 64-bit mode, as Hyperlight's own begin: it counts, then calls the host a few times.

use kvm_bindings::{kvm_regs, kvm_segment, kvm_userspace_memory_region};
use kvm_ioctls::{Kvm, VcpuExit, VcpuFd};
use std::arch::asm;
use std::arch::x86_64::__cpuid;
use std::time::Instant;

/// Rounds of the counting loop, two instructions each.
const ROUNDS: u32 = 500_000;
/// Rounds that are tried first: where one takes microseconds, the others need not be waited for.
const FIRST_ROUNDS: u32 = 500;
/// A round that takes longer, in ns, is no processor's.
const HOPELESS_ROUND_NS: f64 = 100.0;
/// Calls to the host that are timed.
const EXITS: u32 = 64;
/// The best of so many counts: others may need the processor too.
const TRIES: u32 = 5;

const PAGE_BYTES: usize = 4096;
/// Guest-physical places: code, then three levels of page tables that map the first 2 MiB onto themselves.
const CODE: usize = 0x1000;
const TABLES: [usize; 3] = [0x2000, 0x3000, 0x4000];
const PAGES: usize = 5;
const PORT: u8 = 0x10;

/// Why the guest did not get to its end.
pub struct Failed(pub String);

impl From<kvm_ioctls::Error> for Failed {
    fn from(error: kvm_ioctls::Error) -> Self {
        Self(error.to_string())
    }
}

pub struct Times {
    pub round_ns: f64,
    pub host_round_ns: f64,
    pub exit_us: f64,
}

#[repr(C, align(4096))]
#[derive(Clone)]
struct Page([u8; PAGE_BYTES]);

/// `mov ecx, rounds; loop: dec ecx; jnz loop; out PORT, al; jmp start`
fn code(rounds: u32) -> Vec<u8> {
    let mut code = vec![0xb9];
    code.extend(rounds.to_le_bytes());
    code.extend([0xff, 0xc9, 0x75, 0xfc, 0xe6, PORT, 0xeb, 0xf3]);
    code
}

/// From here on the guest counts so many rounds before each call.
fn set_rounds(memory: &mut [Page], rounds: u32) {
    let code = code(rounds);
    memory[CODE / PAGE_BYTES].0[..code.len()].copy_from_slice(&code);
}

/// The same loop on this processor, in ns a round.
fn host_round_ns() -> f64 {
    let begun = Instant::now();
    // SAFETY: it counts a register down, and touches neither memory nor stack.
    unsafe { asm!("2:", "dec {0:e}", "jnz 2b", inout(reg) ROUNDS => _, options(nomem, nostack)) };
    begun.elapsed().as_secs_f64() * 1e9 / f64::from(ROUNDS)
}

/// Whether this machine is a virtual one.
pub fn is_virtual() -> bool {
    __cpuid(1).ecx & 1 << 31 != 0
}

pub fn tiny_guest() -> Result<Times, Failed> {
    let mut memory = vec![Page([0; PAGE_BYTES]); PAGES];
    lay_out(&mut memory);
    let vm = Kvm::new()?.create_vm()?;
    let region = kvm_userspace_memory_region {
        slot: 0,
        flags: 0,
        guest_phys_addr: 0,
        memory_size: (PAGES * PAGE_BYTES) as u64,
        userspace_addr: memory.as_mut_ptr().addr() as u64,
    };
    // SAFETY: `memory` is page-aligned, as long as said, touched by nobody else, and outlives the VM, which is dropped
    // first as it was made later.
    unsafe { vm.set_user_memory_region(region)? };
    let mut vcpu = vm.create_vcpu(0)?;
    enter_long_mode(&vcpu)?;
    let count = |memory: &mut [Page], vcpu: &mut VcpuFd, rounds: u32| -> Result<f64, Failed> {
        set_rounds(memory, rounds);
        let begun = Instant::now();
        until_call(vcpu)?;
        Ok(begun.elapsed().as_secs_f64() * 1e9 / f64::from(rounds))
    };
    // The very first entry also pays for what the kernel prepares.
    count(&mut memory, &mut vcpu, 1)?;
    let mut round_ns = count(&mut memory, &mut vcpu, FIRST_ROUNDS)?;
    let mut host_ns = host_round_ns();
    if round_ns < HOPELESS_ROUND_NS {
        for _ in 0..TRIES {
            host_ns = host_ns.min(host_round_ns());
            round_ns = round_ns.min(count(&mut memory, &mut vcpu, ROUNDS)?);
        }
    }
    count(&mut memory, &mut vcpu, 1)?;
    let begun = Instant::now();
    for _ in 0..EXITS {
        until_call(&mut vcpu)?;
    }
    let exit_us = begun.elapsed().as_secs_f64() * 1e6 / f64::from(EXITS);
    drop((vcpu, vm));
    Ok(Times { round_ns, host_round_ns: host_ns, exit_us })
}

fn lay_out(memory: &mut [Page]) {
    const PRESENT_WRITABLE: u64 = 0b11;
    const LARGE: u64 = 1 << 7;
    let entries = [TABLES[1] as u64 | PRESENT_WRITABLE, TABLES[2] as u64 | PRESENT_WRITABLE, PRESENT_WRITABLE | LARGE];
    for (table, entry) in TABLES.into_iter().zip(entries) {
        memory[table / PAGE_BYTES].0[..8].copy_from_slice(&entry.to_le_bytes());
    }
}

fn enter_long_mode(vcpu: &VcpuFd) -> Result<(), Failed> {
    let mut special = vcpu.get_sregs()?;
    let flat = kvm_segment { limit: u32::MAX, present: 1, s: 1, g: 1, ..kvm_segment::default() };
    special.cs = kvm_segment { selector: 8, type_: 11, l: 1, ..flat };
    let data = kvm_segment { selector: 16, type_: 3, db: 1, ..flat };
    (special.ds, special.es, special.fs, special.gs, special.ss) = (data, data, data, data, data);
    special.cr3 = TABLES[0] as u64;
    special.cr4 = 1 << 5;
    special.cr0 = 1 << 31 | 1;
    special.efer = 1 << 8 | 1 << 10;
    vcpu.set_sregs(&special)?;
    vcpu.set_regs(&kvm_regs { rip: CODE as u64, rflags: 2, ..kvm_regs::default() })?;
    Ok(())
}

/// Runs the guest until it calls the host.
fn until_call(vcpu: &mut VcpuFd) -> Result<(), Failed> {
    loop {
        match vcpu.run() {
            Ok(VcpuExit::IoOut(port, _)) if port == u16::from(PORT) => return Ok(()),
            Ok(other) => return Err(Failed(format!("it ended with {other:?}"))),
            // A signal for this process is no answer of the guest's.
            Err(error) if error.errno() == rustix::io::Errno::INTR.raw_os_error() => {}
            Err(error) => return Err(error.into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_loop_takes_time_on_this_processor_too() {
        assert!(host_round_ns() > 0.0);
    }

    #[test]
    fn the_code_jumps_back_to_its_start() {
        let code = code(ROUNDS);
        assert_eq!(code.len(), 13);
        assert_eq!(code.len() as i8 + code[12] as i8, 0);
    }
}
