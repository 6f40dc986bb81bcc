//! The engine `wasm`: loads each image once, whoever asks for it.

use crate::cache;
use crate::command::{Command, Commands};
use crate::flight::{Flight, Stage};
use crate::image::Image;
use crate::sandbox::{Interpreter, check_memory};
use crate::state::State;
use crate::{link, settings, unpack};
use mote_core::engine::{Engine, Opening, Probe, Progress, Sandbox, ms};
use mote_core::error::{Code, Error, Result};
use mote_core::request::{ImageFile, Open, Opened};
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Instant;
use wasmtime::Linker;

/// A wasmtime engine with what its guests can import.
pub struct Linked {
    pub engine: wasmtime::Engine,
    pub linker: Linker<State>,
    /// Names what its compiled code depends on.
    pub key: String,
}

/// An image, and whether it had to be compiled.
type Loading = Arc<Flight<(Arc<Image>, bool)>>;

#[derive(Default)]
pub struct WasmEngine {
    images: Mutex<HashMap<String, Loading>>,
    commands: Arc<Commands>,
}

impl Linked {
    fn new(engine: wasmtime::Engine) -> Result<Self> {
        let mut linker = Linker::new(&engine);
        link::add(&mut linker).map_err(|error| Error::internal(format!("Cannot link the engine: {error:#}")))?;
        let key = settings::key(&engine);
        Ok(Self { engine, linker, key })
    }

    /// For interpreters; made when first needed.
    pub fn pooled() -> Result<&'static Self> {
        static LINKED: OnceLock<Result<Linked>> = OnceLock::new();
        LINKED.get_or_init(|| settings::pooled().and_then(Self::new)).as_ref().map_err(Clone::clone)
    }

    /// For modules of the user; made when first needed.
    pub fn on_demand() -> Result<&'static Self> {
        static LINKED: OnceLock<Result<Linked>> = OnceLock::new();
        LINKED.get_or_init(|| settings::on_demand().and_then(Self::new)).as_ref().map_err(Clone::clone)
    }
}

impl WasmEngine {
    pub fn new() -> Self {
        Self::default()
    }

    /// The flight that loads this image; one that failed is begun anew.
    fn loading(&self, open: &Open, image: &ImageFile) -> Loading {
        let mut images = self.images.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(flight) = images.get(&image.sha256)
            && !matches!(flight.result(), Some(Err(_)))
        {
            return flight.clone();
        }
        let (cache_dir, file) = (open.cache_dir.clone(), image.clone());
        let flight = Flight::begin(move |flight: &Flight<_>| load(&cache_dir, &file, flight));
        images.insert(image.sha256.clone(), flight.clone());
        flight
    }

    /// The image, when it is in memory already.
    pub fn loaded(&self, sha256: &str) -> Option<Arc<Image>> {
        let images = self.images.lock().unwrap_or_else(PoisonError::into_inner);
        Some(images.get(sha256)?.result()?.ok()?.0)
    }
}

fn load(cache_dir: &Path, file: &ImageFile, flight: &Flight<(Arc<Image>, bool)>) -> Result<(Arc<Image>, bool)> {
    let linked = Linked::pooled()?;
    let (opened, made, _) = unpacked(cache_dir, file, flight)?;
    let image = Image::load(&linked.engine, &linked.linker, &file.sha256, opened.files)?;
    image.ready.fill_later();
    Ok((image, made))
}

/// The files of an image, unpacked and compiled, whether that was done now, and the folder that they are in.
pub fn unpacked<T: Clone + Send + 'static>(
    cache_dir: &Path,
    file: &ImageFile,
    flight: &Flight<T>,
) -> Result<(cache::Opened, bool, PathBuf)> {
    let linked = Linked::pooled()?;
    let parent = cache_dir.join("guests");
    let name = format!("{}-{}", &file.sha256[..32], linked.key);
    let make = |dir: &Path| unpack::unpack(&linked.engine, file, dir, flight);
    let (opened, made) = cache::obtain(&parent, &name, cache::Names::These(&unpack::FILES), flight, make)?;
    Ok((opened, made, parent.join(name)))
}

/// What the host is told while it waits.
pub fn progress(stage: Stage) -> Option<Progress> {
    let (done, text) = match stage {
        Stage::Checking => return None,
        Stage::Waiting => (0, "waiting for another process that compiles the guest".to_owned()),
        Stage::Compiling { since, estimate } => {
            let share = 1.0 - (-1.5 * since.elapsed().as_secs_f64() / estimate.as_secs_f64()).exp();
            ((share * 100.0).min(99.0) as u64, "compiling the guest, once on this machine".to_owned())
        }
    };
    Some(Progress { stage: "compile", done, total: 100, text })
}

/// Refuses an open request that no image can serve.
pub fn check(open: &Open) -> Result<()> {
    let unsupported = |what: &str| Err(Error::new(Code::Unsupported, format!("Cannot open session: {what}")));
    let image = match (&open.image, open.lang.as_str()) {
        (None, "wasm") if open.interactive => return unsupported("lang \"wasm\" keeps no state between runs"),
        (None, "wasm") => return Ok(()),
        (Some(_), "wasm") => return unsupported("lang \"wasm\" takes no image"),
        (None, lang) => {
            let message = format!("Cannot open session: no guest image for lang {lang:?} was given");
            return Err(Error::new(Code::GuestNotFound, message));
        }
        (Some(image), _) => image,
    };
    if image.sha256.len() != 64 || !image.sha256.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f')) {
        let message = "Cannot open session: image.sha256 is not 64 lower-case hexadecimal digits";
        return Err(Error::new(Code::InvalidOption, message));
    }
    Ok(())
}

fn interpreter(open: &Open, image: Arc<Image>, compiled: bool, begun: Instant) -> Result<(Arc<dyn Sandbox>, Opened)> {
    check_memory(open, &image)?;
    let opened = Opened { image: Some(image.sha256.clone()), compiled, ms: ms(begun.elapsed()) };
    Ok((Arc::new(Interpreter::new(open, image)?), opened))
}

impl Engine for WasmEngine {
    fn name(&self) -> &'static str {
        "wasm"
    }

    fn probe(&self) -> Probe {
        let reason = "runs guests in this process, with Wasmtime 48".to_owned();
        Probe { available: true, reason }
    }

    fn prepare(&self) {
        // What goes wrong is told to whoever opens a session.
        let _ = Linked::pooled();
    }

    fn open_at_once(&self, open: &Open) -> Option<Result<(Arc<dyn Sandbox>, Opened)>> {
        let begun = Instant::now();
        if let Err(error) = check(open) {
            return Some(Err(error));
        }
        let Some(image) = &open.image else {
            let command = Command::new(open, self.commands.clone());
            let opened = Opened { image: None, compiled: false, ms: ms(begun.elapsed()) };
            return Some(command.map(|command| (Arc::new(command) as Arc<dyn Sandbox>, opened)));
        };
        let image = self.loaded(&image.sha256)?;
        Some(interpreter(open, image, false, begun))
    }

    fn open(&self, open: &Open, opening: &dyn Opening) -> Result<(Arc<dyn Sandbox>, Opened)> {
        let begun = Instant::now();
        let file = open.image.as_ref().ok_or_else(|| Error::internal("Cannot open session: it needs no loading"))?;
        let mut told = None;
        let (image, compiled) = self.loading(open, file).wait(|stage| {
            if opening.cancelled() {
                return Err(Error::new(Code::SessionClosed, "Cannot open session: it was closed meanwhile"));
            }
            let progress = progress(stage);
            if progress != told {
                progress.clone().into_iter().for_each(|progress| opening.progress(progress));
                told = progress;
            }
            Ok(())
        })?;
        if compiled && told.is_some() {
            let text = "the guest is compiled".to_owned();
            opening.progress(Progress { stage: "compile", done: 100, total: 100, text });
        }
        interpreter(open, image, compiled, begun)
    }
}
