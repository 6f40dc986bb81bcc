//! The guest without an operating system: it runs the very images that the engine `wasm` runs. An image is loaded into a
//! machine once, a snapshot of that is kept, and every session's machine begins as that snapshot.

mod boot;
mod clock;
mod command;
mod interpreter;
mod machine;
#[allow(unsafe_code)]
mod pages;
mod reach;
mod session;
mod template;
mod workspace;

use command::Command;
use interpreter::Interpreter;
use mote_core::engine::{Opening, Progress, Sandbox, ms};
use mote_core::error::{Code, Error, Result, bytes};
use mote_core::request::{ImageFile, Open, Opened};
use mote_engine_wasm::shared::{self, Flight};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;
use template::{Size, Template};

/// A template, and whether the image had to be compiled or the machine to be prepared.
type Loading = Arc<Flight<(Arc<Template>, bool)>>;

#[derive(Default)]
pub struct Engine {
    /// By what they are made of.
    templates: Mutex<HashMap<String, Loading>>,
}

impl Engine {
    pub fn new() -> Self {
        Self::default()
    }

    /// The flight that makes this template; one that failed is begun anew.
    fn loading(&self, open: &Open, image: &ImageFile, elf: &ImageFile) -> Loading {
        let size = Size::of(&open.limits);
        let key = format!("{} {} {}", image.sha256, elf.sha256, size.scratch_bytes);
        let mut templates = self.templates.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(flight) = templates.get(&key)
            && !matches!(flight.result(), Some(Err(_)))
        {
            return flight.clone();
        }
        let (cache_dir, image, elf) = (open.cache_dir.clone(), image.clone(), elf.clone());
        let flight = Flight::begin(move |flight: &Flight<_>| {
            template::of_image(&cache_dir, &image, &elf, size, flight)
                .map(|(template, made)| (Arc::new(template), made))
        });
        templates.insert(key, flight.clone());
        flight
    }

    pub fn open(&self, open: &Open, elf: &ImageFile, opening: &dyn Opening) -> Result<(Arc<dyn Sandbox>, Opened)> {
        let begun = Instant::now();
        shared::check(open)?;
        let Some(image) = &open.image else {
            let opened = Opened { image: None, compiled: false, ms: ms(begun.elapsed()) };
            return Ok((Arc::new(Command::new(open, elf)?), opened));
        };
        let mut told = None;
        let (template, made) = self.loading(open, image, elf).wait(|stage| {
            if opening.cancelled() {
                return Err(Error::new(Code::SessionClosed, "Cannot open session: it was closed meanwhile"));
            }
            let progress = shared::progress(stage);
            if progress != told {
                progress.clone().into_iter().for_each(|progress| opening.progress(progress));
                told = progress;
            }
            Ok(())
        })?;
        if made && told.is_some() {
            let text = "the guest is ready".to_owned();
            opening.progress(Progress { stage: "compile", done: 100, total: 100, text });
        }
        check_memory(open, template.loaded.least_memory)?;
        let sandbox = Interpreter::new(open, template)?;
        Ok((Arc::new(sandbox), Opened { image: Some(image.sha256.clone()), compiled: made, ms: ms(begun.elapsed()) }))
    }
}

/// Whether the session's memory limit leaves room for the interpreter itself.
fn check_memory(open: &Open, least: u64) -> Result<()> {
    if open.limits.memory_bytes >= least {
        return Ok(());
    }
    let message = format!(
        "Cannot open session: limits.memoryMb is {}, the interpreter alone takes {}",
        bytes(open.limits.memory_bytes),
        bytes(least)
    );
    Err(Error::new(Code::InvalidOption, message))
}
