//! The unsafe calls of this engine, each with its reason.

use std::fs::File;
use wasmtime::{Config, Engine, Module};

/// Turns on an instruction set for compiled code.
pub fn enable_flag(config: &mut Config, flag: &str) {
    // SAFETY: code with the flag must only run where the processor has it; Engine::new compares the flags of the
    // configuration with the processor it finds, and refuses.
    unsafe { config.cranelift_flag_enable(flag) };
}

/// Maps compiled code for execution.
pub fn module(engine: &Engine, file: File) -> wasmtime::Result<Module> {
    // SAFETY: the bytes must come from this compiler and stay as they are. The file was opened by `cache`, which
    // checked that it belongs to this user, that nobody else may write it, and that it is the one this library wrote
    // (by its stat data, or by its hash). Who can change it nevertheless is this user, and could as well change the
    // process.
    unsafe { Module::deserialize_open_file(engine, file) }
}

/// Maps a file for reading.
pub fn bytes(file: &File) -> std::io::Result<memmap2::Mmap> {
    // SAFETY: the mapping must not shrink or change under Rust references. The file comes from `cache` as above, and
    // is replaced there by a rename, never written in place; its reader treats every byte as untrusted.
    unsafe { memmap2::Mmap::map(file) }
}

/// Page faults of the calling thread so far.
pub fn thread_faults() -> Option<u64> {
    let mut usage = std::mem::MaybeUninit::<libc::rusage>::zeroed();
    // SAFETY: the kernel writes one rusage there, for which all zeros would be valid too.
    let usage = unsafe {
        if libc::getrusage(libc::RUSAGE_THREAD, usage.as_mut_ptr()) != 0 {
            return None;
        }
        usage.assume_init()
    };
    Some((usage.ru_minflt + usage.ru_majflt) as u64)
}

/// Keeps the kernel from making huge pages of `memory` behind its user's back. False when it would not promise.
pub fn forbid_huge_pages(memory: &mut [u8]) -> bool {
    // SAFETY: this changes how the range may be backed, not what it holds.
    let result = unsafe { libc::madvise(memory.as_mut_ptr().cast(), memory.len(), libc::MADV_NOHUGEPAGE) };
    // A kernel that has no huge pages knows no such advice.
    result == 0 || std::io::Error::last_os_error().raw_os_error() == Some(libc::EINVAL)
}
