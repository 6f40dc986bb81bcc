//! The calls of preview 1, grouped by what they are about.

mod attr;
mod clock;
mod dir;
mod io;
mod path;
mod poll;
mod process;

use crate::host::Host;
use crate::wasi::Wasi;

pub(crate) use attr::*;
pub(crate) use clock::*;
pub(crate) use dir::*;
pub(crate) use io::*;
pub(crate) use path::*;
pub(crate) use poll::*;
pub(crate) use process::*;

/// What a call works on.
pub struct Cx<'a, H: Host> {
    pub wasi: &'a mut Wasi,
    pub host: &'a mut H,
    /// All of the guest's memory 0.
    pub memory: &'a mut [u8],
}
