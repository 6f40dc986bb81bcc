//! The engine `hyperlight`: guests in micro-VMs. Unsafe code is in `probe::kvm`, `micro::clock` and
//! `micro::pages` alone.
#![deny(unsafe_code)]

mod elf;
mod engine;
mod leash;
mod linux;
mod micro;
mod pinned;
mod probe;

pub use engine::HyperlightEngine;
