//! WASI preview 1 over a file system in memory. No file, descriptor, clock or source of randomness of the host can be
//! reached but through [`Host`], and nothing here is random or depends on time by itself.
//!
//! An [`Fs`] lasts as long as a workspace, a [`Wasi`] as long as one instance of a guest. Each call of the guest's goes
//! to the function of its name in [`preview1`] with both, a [`Host`] and the guest's memory; [`for_each_function`]
//! names them all, with their types, for whoever has to register them.
//!
//! ```
//! use mote_wasi::{Cx, FixedHost, Fs, FsOptions, Strings, Wasi, preview1};
//!
//! let mut host = FixedHost::new(Fs::new(FsOptions::default()), 0, [0; 32]);
//! let mut wasi = Wasi::new(&mut host.fs, Wasi::COMMAND);
//! wasi.set_args(Strings::args(["program"]));
//!
//! // A guest's memory with "hi" at 8, and a list of one buffer that points to it at 0.
//! let mut memory = vec![0; 65536];
//! memory[..10].copy_from_slice(&[8, 0, 0, 0, 2, 0, 0, 0, b'h', b'i']);
//! let mut cx = Cx { wasi: &mut wasi, host: &mut host, memory: &mut memory };
//! assert_eq!(preview1::fd_write(&mut cx, 1, 0, 1, 16), Ok(0));
//! assert_eq!(host.stdout, b"hi");
//! ```
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
