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
