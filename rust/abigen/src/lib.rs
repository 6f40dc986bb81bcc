//! One table of the C ABI, from which `ffi/abi.ts` and `rust/abi/mote.h` are written.
//! Run `cargo test -p mote-abigen` after a change: stale files are rewritten and the test fails once.
#![forbid(unsafe_code)]

pub mod header;
pub mod signature;
pub mod table;
pub mod typescript;
