//! What wasmtime asks of a system, answered from Hyperlight's page tables. All unsafe code of the guest is here.
//!
//! A reservation is a bare range of addresses. Making a range accessible maps it demand-zero: Hyperlight's own page-fault
//! handler gives it a page of scratch memory on the first touch. Whatever is not mapped faults, so guard pages are real;
//! faults of compiled code reach wasmtime's trap handler. There is one processor and no preemption.

use alloc::alloc::dealloc;
use core::alloc::Layout;
use core::arch::x86_64::{__cpuid, _rdtsc};
use core::ffi::c_void;
use core::ptr::{NonNull, null_mut, slice_from_raw_parts_mut};
use core::slice;
use core::sync::atomic::{AtomicPtr, AtomicU64, AtomicUsize, Ordering::Relaxed};
use hyperlight_common::layout::{QueueDims, TransportArena};
use hyperlight_common::vmem::{BasicMapping, CowMapping, MappingKind, PAGE_SIZE};
use hyperlight_guest::layout;
use hyperlight_guest_bin::{exception, paging};

const PAGE: u64 = PAGE_SIZE as u64;
/// Addresses are handed out close together, next to Hyperlight's own: each gigabyte and each 2 MiB that a run touches costs
/// a page of page tables, and each of those an exit from the machine after a restore.
struct Region {
    next: AtomicU64,
    end: u64,
    /// Where it goes on when it is full.
    beyond: AtomicU64,
}

impl Region {
    const fn new(start: u64, end: u64, beyond: u64) -> Self {
        Self { next: AtomicU64::new(start), end, beyond: AtomicU64::new(beyond) }
    }

    /// So many bytes, and a gap behind them, so that what runs off their end faults.
    fn reserve(&self, length: u64, gap: u64) -> u64 {
        let length = length.next_multiple_of(STEP) + gap;
        let at = self.next.load(Relaxed);
        if at + length <= self.end {
            self.next.store(at + length, Relaxed);
            return at;
        }
        self.beyond.fetch_add(length, Relaxed)
    }
}

const STEP: u64 = 2 << 20;
const MIB: u64 = 1 << 20;

/// The heap beyond Hyperlight's own, files of the host, and whatever wasmtime asks for.
static HEAP: Region = Region::new(128 * MIB, 256 * MIB, 0x80_0000_0000);
static FILES: Region = Region::new(256 * MIB, 512 * MIB, 0xc0_0000_0000);
static RANGES: Region = Region::new(512 * MIB, 0x40_0000_0000, 0x100_0000_0000);

const ZERO: MappingKind = MappingKind::ZeroInit(BasicMapping { readable: true, writable: true, executable: false });
const COW: MappingKind = MappingKind::Cow(CowMapping { readable: true, executable: false });

const NONE: u32 = 0;
const READ_WRITE: u32 = 3;

fn map_zero(at: u64, length: u64) {
    // SAFETY: the range is one that this module has handed out and that has no page yet; nothing else touches page
    // tables meanwhile, as there is one processor.
    unsafe { paging::map_region(0, at as *mut u8, length, ZERO) };
    paging::barrier::first_valid_same_ctx();
}

fn unmap(at: u64, length: u64) {
    for page in (at..at + length).step_by(PAGE_SIZE) {
        if paging::virt_to_phys(page).next().is_some() {
            // SAFETY: wasmtime gives the range back, so no reference into it is left.
            unsafe { paging::map_region(0, page as *mut u8, PAGE, MappingKind::Unmapped) };
            paging::barrier::downgrade_in_place(page..page + 1);
        }
    }
}

/// Maps what the host has put at physical address `at`: private, and not executable.
pub fn map_file(at: u64, length: u64) -> NonNull<[u8]> {
    let place = FILES.reserve(length, STEP);
    // SAFETY: the host has mapped that many bytes there for the life of the machine, and the range is new.
    unsafe { paging::map_region(at, place as *mut u8, length.next_multiple_of(PAGE), COW) };
    paging::barrier::first_valid_same_ctx();
    NonNull::new(slice_from_raw_parts_mut(place as *mut u8, length as usize)).expect("ranges are not at 0")
}

/// The mapped bytes, for good.
pub fn bytes_of(file: NonNull<[u8]>) -> &'static [u8] {
    // SAFETY: `map_file` maps for the life of the machine, and nobody writes what is read through this.
    unsafe { &*file.as_ptr() }
}

/// The module is what was compiled for a Linux process; the name of the system in it is the one difference.
pub fn retarget(image: NonNull<[u8]>) {
    const FROM: &[u8; 24] = b"x86_64-unknown-linux-gnu";
    const TO: &[u8; 24] = b"x86_64-unknown1-none-elf";
    // SAFETY: the mapping is private to this machine, and nothing refers to it yet.
    let bytes = unsafe { &mut *image.as_ptr() };
    let front = bytes.len().min(PAGE_SIZE);
    if let Some(at) = bytes[..front].windows(FROM.len()).position(|name| name == FROM) {
        bytes[at..at + TO.len()].copy_from_slice(TO);
    }
}

/// Deserializes a module in place.
pub fn deserialize(engine: &wasmtime::Engine, image: NonNull<[u8]>) -> wasmtime::Result<wasmtime::Module> {
    // SAFETY: the host compiled it from an image that it verified, and the mapping lasts as long as the machine.
    unsafe { wasmtime::Module::deserialize_raw(engine, image) }
}

/// Adds so many bytes to the heap, a multiple of 4 MiB.
pub fn grow_heap(length: u64) {
    const BLOCK: u64 = 4 * MIB;
    let layout = Layout::from_size_align(BLOCK as usize, BLOCK as usize).expect("a power of two");
    for _ in 0..length / BLOCK {
        let at = HEAP.reserve(BLOCK, 0);
        map_zero(at, BLOCK);
        // SAFETY: Hyperlight's allocator is a buddy allocator without a list of what it handed out: a block that is given
        // to it is from then on one of its own. This one is new, aligned to its size, writable, and referred to by nobody.
        unsafe { dealloc(at as *mut u8, layout) };
    }
}

/// Bytes beside the transport's rings that nothing else uses: where in the machine's writable memory, and these. That is the
/// same place after every restore, and it can be written without bringing in another page. Nobody may have them twice.
pub fn held() -> Option<(u64, &'static mut [u8])> {
    const MAILBOX: usize = 8;
    // SAFETY: the host has written these before the machine began, and again with each restore.
    let number = |of: *mut u64| unsafe { of.read_volatile() };
    let dims = |size, pages| QueueDims::new(number(size) as usize, number(pages) as usize);
    let from_guest = dims(layout::g2h_queue_size_gva(), layout::g2h_pool_pages_gva())?;
    let from_host = dims(layout::h2g_queue_size_gva(), layout::h2g_pool_pages_gva())?;
    let arena = TransportArena::new(number(layout::transport_arena_gpa_gva()), from_guest, from_host)?;
    let (start, end) = (arena.mbx_offset() + MAILBOX, arena.ring_span_len());
    let base = paging::phys_to_virt(arena.base_addr())?;
    let at = arena.base_addr() - layout::scratch_base_gpa() + start as u64;
    // SAFETY: the arena lies in mapped memory, and rings and mailbox end where this begins.
    (start < end).then(|| (at, unsafe { slice::from_raw_parts_mut(base.add(start), end - start) }))
}

pub fn timestamp() -> u64 {
    // SAFETY: every processor with virtualization has the counter.
    unsafe { _rdtsc() }
}

/// The processor features that images are compiled for.
fn feature(name: &str) -> Option<bool> {
    let ecx = __cpuid(1).ecx;
    let bit = match name {
        "sse3" => 0,
        "ssse3" => 9,
        "sse4.1" => 19,
        "sse4.2" => 20,
        "popcnt" => 23,
        _ => return None,
    };
    Some(ecx & (1 << bit) != 0)
}

pub fn configure(config: &mut wasmtime::Config) {
    // SAFETY: features are told as the processor has them; the target has no vector registers of its own to pass floats in,
    // and no function with floats crosses between it and compiled code by the system's convention.
    unsafe {
        config.x86_float_abi_ok(true);
        config.detect_host_feature(feature);
    }
}

#[unsafe(no_mangle)]
extern "C" fn wasmtime_mmap_new(size: usize, protection: u32, place: &mut *mut u8) -> i32 {
    let at = RANGES.reserve(size as u64, STEP);
    if protection != NONE {
        map_zero(at, size as u64);
    }
    *place = at as *mut u8;
    0
}

#[unsafe(no_mangle)]
extern "C" fn wasmtime_mmap_remap(at: *mut u8, size: usize, protection: u32) -> i32 {
    unmap(at as u64, size as u64);
    if protection != NONE {
        map_zero(at as u64, size as u64);
    }
    0
}

#[unsafe(no_mangle)]
extern "C" fn wasmtime_munmap(at: *mut u8, size: usize) -> i32 {
    unmap(at as u64, size as u64);
    0
}

/// Asked for ranges that have never been accessible, or are to be so no longer.
#[unsafe(no_mangle)]
extern "C" fn wasmtime_mprotect(at: *mut u8, size: usize, protection: u32) -> i32 {
    match protection {
        NONE => unmap(at as u64, size as u64),
        READ_WRITE => map_zero(at as u64, size as u64),
        _ => return -1,
    }
    0
}

#[unsafe(no_mangle)]
extern "C" fn wasmtime_page_size() -> usize {
    PAGE_SIZE
}

/// The initial memory is a page-aligned part of the mapped module that nothing writes: it is its own image.
#[unsafe(no_mangle)]
extern "C" fn wasmtime_memory_image_new(from: *const u8, _length: usize, image: &mut *mut c_void) -> i32 {
    *image = from as *mut c_void;
    0
}

/// Maps the module's pages a second time, copy-on-write. A snapshot keeps one copy of each.
#[unsafe(no_mangle)]
extern "C" fn wasmtime_memory_image_map_at(image: *mut c_void, at: *mut u8, length: usize) -> i32 {
    for offset in (0..length as u64).step_by(PAGE_SIZE) {
        let Some(page) = paging::virt_to_phys(image as u64 + offset).next() else { return -1 };
        // SAFETY: the range is wasmtime's own for this memory, and holds nothing yet.
        unsafe { paging::map_region(page.phys_base, (at as u64 + offset) as *mut u8, PAGE, COW) };
    }
    paging::barrier::first_valid_same_ctx();
    0
}

#[unsafe(no_mangle)]
extern "C" fn wasmtime_memory_image_free(_image: *mut c_void) {}

static LOCALS: [AtomicPtr<u8>; 2] = [const { AtomicPtr::new(null_mut()) }; 2];

#[unsafe(no_mangle)]
extern "C" fn wasmtime_tls_get(slot: usize) -> *mut u8 {
    LOCALS[slot].load(Relaxed)
}

#[unsafe(no_mangle)]
extern "C" fn wasmtime_tls_set(slot: usize, value: *mut u8) {
    LOCALS[slot].store(value, Relaxed);
}

type TrapHandler = extern "C" fn(ip: usize, fp: usize, has_address: bool, address: usize);
static TRAP_HANDLER: AtomicUsize = AtomicUsize::new(0);

/// Hands a fault to wasmtime, which does not return when compiled code caused it.
fn deliver(ip: u64, fp: u64, address: Option<u64>) -> ! {
    let handler = TRAP_HANDLER.load(Relaxed);
    if handler != 0 {
        // SAFETY: `wasmtime_init_traps` is the only one who stores here, and it stores a `TrapHandler`.
        let handler: TrapHandler = unsafe { core::mem::transmute::<usize, TrapHandler>(handler) };
        handler(ip as usize, fp as usize, address.is_some(), address.unwrap_or(0) as usize);
    }
    panic!("fault outside of compiled code at {ip:#x}, address {address:x?}")
}

extern "C" fn on_page_fault(ip: u64, fp: u64, address: u64) -> ! {
    deliver(ip, fp, Some(address))
}

extern "C" fn on_undefined_instruction(ip: u64, fp: u64) -> ! {
    deliver(ip, fp, None)
}

/// Divide errors have no handler of their own in Hyperlight: goes on in [`on_undefined_instruction`] with the place of the fault.
#[allow(deprecated, reason = "the only way to a divide error")]
fn on_divide_error(
    _vector: u64,
    info: *mut exception::arch::ExceptionInfo,
    context: *mut exception::arch::Context,
    _address: u64,
) -> bool {
    const RBP: usize = 8;
    const RDI: usize = 9;
    const RSI: usize = 10;
    // SAFETY: Hyperlight hands over the frame of the fault, valid until this returns. The new place is a function that
    // takes its two arguments in these registers and never returns, with the stack aligned as at a call.
    unsafe {
        let ip = (&raw const (*info).rip).read_volatile();
        let fp = (&raw const (*context).gprs[RBP]).read_volatile();
        let sp = (&raw const (*info).rsp).read_volatile();
        (&raw mut (*info).rip).write_volatile(on_undefined_instruction as *const () as u64);
        (&raw mut (*context).gprs[RDI]).write_volatile(ip);
        (&raw mut (*context).gprs[RSI]).write_volatile(fp);
        (&raw mut (*info).rsp).write_volatile(sp - ((sp - 8) % 16));
    }
    true
}

#[unsafe(no_mangle)]
extern "C" fn wasmtime_init_traps(handler: TrapHandler) -> i32 {
    TRAP_HANDLER.store(handler as usize, Relaxed);
    exception::register_page_fault_handler(on_page_fault);
    exception::register_undefined_instruction_handler(on_undefined_instruction);
    #[allow(deprecated, reason = "the only way to a divide error")]
    exception::arch::HANDLERS[0].store(on_divide_error as *const () as u64, Relaxed);
    0
}

/// Makes compiled code executable, and no longer writable.
pub struct CodeMemory;

impl wasmtime::CustomCodeMemory for CodeMemory {
    fn required_alignment(&self) -> usize {
        PAGE_SIZE
    }

    fn publish_executable(&self, code: *const u8, length: usize) -> wasmtime::Result<()> {
        let (at, length) = (code as u64, (length as u64).next_multiple_of(PAGE));
        // SAFETY: wasmtime has finished the code and writes it no more.
        unsafe {
            paging::modify_mapping(at as *mut u8, length, |_, mapping| match mapping.kind {
                MappingKind::Unmapped => MappingKind::Unmapped,
                _ => MappingKind::Basic(BasicMapping { readable: true, writable: false, executable: true }),
            });
        }
        paging::barrier::downgrade_in_place(at..at + length);
        Ok(())
    }

    fn unpublish_executable(&self, _code: *const u8, _length: usize) -> wasmtime::Result<()> {
        // A machine runs one module until it is gone.
        Ok(())
    }
}
