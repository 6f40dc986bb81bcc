//! WASI preview 1 over a file system in memory. No file, descriptor, clock or source of randomness of the host can be reached
//! but through [`Host`], and nothing here is random or depends on time by itself.
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;
#[cfg(test)]
extern crate std;

mod abi;
mod calls;
mod errno;
mod fd;
mod fixed;
pub mod fs;
mod host;
pub mod image;
mod memory;
pub mod preview1;
mod random;
mod table;
mod wasi;

pub use calls::Cx;
pub use errno::Errno;
pub use fixed::{FixedHost, OutputLimit};
pub use fs::{Fs, FsOptions};
pub use host::{Clock, Halt, Host, Output};
pub use random::SeededRandom;
pub use table::{FUNCTIONS, Function, MODULE, ValType};
pub use wasi::{Preopen, Strings, Wasi};
