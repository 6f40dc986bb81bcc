//! The engine `wasm`: guests in this process, on wasmtime. All unsafe code is in `mapped`.
#![deny(unsafe_code)]

mod cache;
mod command;
mod ending;
mod engine;
mod files;
mod flight;
mod guest;
mod image;
mod limiter;
mod link;
#[allow(unsafe_code)]
mod mapped;
mod observable;
mod pausing;
mod ready;
mod resident;
mod sandbox;
mod settings;
mod stacks;
mod state;
mod unpack;

pub use engine::WasmEngine;

/// What the engine of micro-VMs has in common with this one: images, files, limits.
#[doc(hidden)]
pub mod shared {
    pub use crate::cache::{Building, Names, obtain};
    pub use crate::command::{check_bytes, compiled};
    pub use crate::ending::{crashed, memory_exceeded, workspace_exceeded};
    pub use crate::engine::{check, progress, unpacked};
    pub use crate::files::serve as serve_files;
    pub use crate::flight::{Flight, Stage};
    pub use crate::image::{Manifest, invalid};
    pub use crate::sandbox::{Common, seed, workspace};
    pub use crate::settings::hex;
    pub use crate::state::{lock, wall_clock};
    pub use crate::unpack::verified;
}

/// What the benchmark measures one by one.
#[doc(hidden)]
pub mod parts {
    pub use crate::engine::Linked;
    pub use crate::guest::{Belongings, Guest, Template};
    pub use crate::image::Image;
    pub use crate::state::Active;
}
