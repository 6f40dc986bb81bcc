//! The C ABI: the only `extern "C"` of the project, and the place where engines are wired to the core.
//! Rust callers use the same functions; `mote.h` says what each one promises.

mod boundary;
mod exports;

pub use boundary::Notify;
pub use exports::*;
