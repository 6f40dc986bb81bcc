//! Guests of the user's own.

use mote_core::engine::{Opening, Sandbox};
use mote_core::error::{Code, Error, Result};
use mote_core::request::{Open, Opened};
use std::path::Path;
use std::sync::Arc;

#[derive(Default)]
pub struct Engine {}

impl Engine {
    pub fn new() -> Self {
        Self {}
    }

    pub fn open(&self, _open: &Open, _path: &Path, _opening: &dyn Opening) -> Result<(Arc<dyn Sandbox>, Opened)> {
        Err(Error::new(Code::Unsupported, "Cannot open session: this version has no elf guests"))
    }
}
