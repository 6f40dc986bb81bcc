//! The guest without an operating system: it runs the very images that the engine `wasm` runs.

use mote_core::engine::{Opening, Sandbox};
use mote_core::error::{Code, Error, Result};
use mote_core::request::{ImageFile, Open, Opened};
use mote_engine_wasm::WasmEngine;
use std::sync::Arc;

pub struct Engine {
    _wasm: Arc<WasmEngine>,
}

impl Engine {
    pub fn new(wasm: Arc<WasmEngine>) -> Self {
        Self { _wasm: wasm }
    }

    pub fn open(&self, _open: &Open, _elf: &ImageFile, _opening: &dyn Opening) -> Result<(Arc<dyn Sandbox>, Opened)> {
        Err(Error::new(Code::Unsupported, "Cannot open session: this version has no micro guests"))
    }
}
