//! Guests of the user's own: a Hyperlight ELF that exports `Run`, loaded once and restored for each run.
//! guests/template/README.md has the interface.

mod desk;
mod ending;
mod image;
mod machine;
mod notes;
mod sandbox;

use image::Images;
use mote_core::engine::{Opening, Sandbox};
use mote_core::error::{Code, Error, Result};
use mote_core::request::{ImageFile, Open, Opened};
use std::sync::Arc;
use std::time::Instant;

#[derive(Default)]
pub struct Engine {
    images: Images,
}

impl Engine {
    pub fn new() -> Self {
        Self::default()
    }

    pub fn open(&self, open: &Open, file: &ImageFile, opening: &dyn Opening) -> Result<(Arc<dyn Sandbox>, Opened)> {
        let begun = Instant::now();
        let image = self.images.get(file, &open.limits)?;
        if opening.cancelled() {
            return Err(Error::new(Code::Aborted, "Cannot open session: the caller aborted it"));
        }
        let sandbox = sandbox::ElfSandbox::start(open, image)?;
        let opened =
            Opened { image: Some(file.sha256.clone()), compiled: false, ms: mote_core::engine::ms(begun.elapsed()) };
        Ok((Arc::new(sandbox), opened))
    }
}
