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

/// What the benchmark measures one by one.
#[doc(hidden)]
pub mod parts {
    pub use crate::engine::Linked;
    pub use crate::guest::{Belongings, Guest, Template};
    pub use crate::image::Image;
    pub use crate::state::Active;
}
