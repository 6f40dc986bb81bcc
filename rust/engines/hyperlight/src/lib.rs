//! The engine `hyperlight`: guests in micro-VMs. Unsafe code is in `debug_port`, `probe::kvm`, `micro::clock`
//! and `micro::pages` alone.
#![deny(unsafe_code)]

#[allow(unsafe_code)]
mod debug_port;
mod elf;
mod engine;
mod leash;
mod linux;
mod micro;
mod pinned;
mod probe;

pub use engine::HyperlightEngine;
