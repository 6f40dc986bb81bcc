//! How guests are compiled and given memory. The compile settings are those of the micro-VM too, so that one image and
//! one set of measurements serve both walls.

use crate::stacks;
use mote_core::error::{Code, Error, Result};
use sha2::{Digest, Sha256};
use std::fmt::Write;
use std::hash::Hash;
use wasmtime::{Config, Enabled, Engine, InstanceAllocationStrategy, OptLevel, PoolingAllocationConfig};

const MIB: usize = 1 << 20;
const GIB: u64 = 1 << 30;

/// Interpreters at the same time; halved until the host grants the address space (about 4 GiB each).
const MOST_SLOTS: u32 = 10_000;
const FEWEST_SLOTS: u32 = 8;
/// Deepest wasm stack; the threads that run guests have twice as much.
const STACK_BYTES: usize = 4 * MIB;
/// Memory that an instance leaves resident in its slot, so that the next one in it faults less.
const KEEP_RESIDENT_BYTES: usize = 2 * MIB;
/// The same of the stacks for runs on the host's own thread.
const KEEP_STACK_BYTES: usize = 32 << 10;
const TABLE_ELEMENTS: usize = 65_536;
/// Changed whenever this library makes something else of the same image.
const FORMAT: &str = "pausing 1";

/// What decides over compiled code: both engines here accept each other's.
fn common() -> Result<Config> {
    let mut config = Config::new();
    if cfg!(target_arch = "x86_64") {
        config.target("x86_64-unknown-linux-gnu").map_err(refused)?;
        for flag in ["has_sse3", "has_ssse3", "has_sse41", "has_sse42", "has_popcnt"] {
            enable(&mut config, flag);
        }
    }
    config
        .signals_based_traps(true)
        .memory_init_cow(true)
        .memory_reservation(4 * GIB)
        .memory_guard_size(32 * MIB as u64)
        // The default of 16 MiB copies CPython's image, 200 times slower than mapping it.
        .memory_guaranteed_dense_image_size(512 * MIB as u64)
        .epoch_interruption(true)
        .cranelift_opt_level(OptLevel::Speed)
        .parallel_compilation(true)
        .max_wasm_stack(STACK_BYTES)
        .async_stack_size(2 * STACK_BYTES)
        .async_stack_zeroing(true)
        .wasm_backtrace_max_frames(None)
        .wasm_simd(true)
        .wasm_relaxed_simd(false)
        .wasm_memory64(false)
        .wasm_multi_memory(false)
        .wasm_tail_call(true);
    Ok(config)
}

fn enable(config: &mut Config, flag: &str) {
    crate::mapped::enable_flag(config, flag);
}

/// For interpreters: slots made ahead, memory mapped copy-on-write from the image.
pub fn pooled() -> Result<Engine> {
    let mut slots = MOST_SLOTS;
    loop {
        let mut pool = PoolingAllocationConfig::new();
        pool.total_core_instances(slots)
            .total_memories(slots)
            .total_tables(slots)
            .total_stacks(stacks::MOST)
            .async_stack_keep_resident(KEEP_STACK_BYTES)
            .max_memories_per_module(1)
            .max_tables_per_module(1)
            .table_elements(TABLE_ELEMENTS)
            .max_core_instance_size(8 * MIB)
            .max_memory_size(4 * GIB as usize)
            .max_unused_warm_slots(64)
            .linear_memory_keep_resident(KEEP_RESIDENT_BYTES)
            .table_keep_resident(MIB)
            .pagemap_scan(Enabled::Auto);
        let mut config = common()?;
        config.allocation_strategy(InstanceAllocationStrategy::Pooling(pool));
        match Engine::new(&config) {
            Ok(engine) => return Ok(engine),
            Err(_) if slots / 2 >= FEWEST_SLOTS => slots /= 2,
            Err(error) => return Err(refused(error)),
        }
    }
}

/// For modules of the user: memory for each run by itself.
pub fn on_demand() -> Result<Engine> {
    let mut config = common()?;
    config.allocation_strategy(InstanceAllocationStrategy::OnDemand);
    Engine::new(&config).map_err(refused)
}

fn refused(error: wasmtime::Error) -> Error {
    Error::new(Code::BackendUnavailable, format!("Cannot start the wasm engine: {error:#}"))
}

/// Names what compiled code depends on: version and settings of the compiler.
pub fn key(engine: &Engine) -> String {
    struct Digesting(Sha256);
    impl std::hash::Hasher for Digesting {
        fn write(&mut self, bytes: &[u8]) {
            self.0.update(bytes);
        }
        fn finish(&self) -> u64 {
            0
        }
    }
    let mut digesting = Digesting(Sha256::new_with_prefix(FORMAT));
    engine.precompile_compatibility_hash().hash(&mut digesting);
    hex(&digesting.0.finalize()[..8])
}

pub fn hex(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        let _ = write!(out, "{byte:02x}");
    }
    out
}
