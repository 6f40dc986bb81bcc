//! The engine `hyperlight`: guests in micro-VMs. Unsafe code is in `probe::kvm` alone.
#![deny(unsafe_code)]

mod elf;
mod engine;
mod linux;
mod micro;
#[expect(dead_code, reason = "used by the guests that come next")]
mod pinned;
mod probe;

pub use engine::HyperlightEngine;
