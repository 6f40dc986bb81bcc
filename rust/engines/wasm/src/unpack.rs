//! From an image file to a cache folder: verified, unpacked, compiled.

use crate::flight::{Flight, Stage};
use crate::image::{Manifest, invalid};
use crate::settings::hex;
use mote_core::error::{Code, Error, Result};
use mote_core::request::ImageFile;
use sha2::{Digest, Sha256};
use std::fs::{self, File};
use std::io::Read;
use std::path::Path;
use std::time::{Duration, Instant};
use wasmtime::Engine;

/// The files of a cache folder, as `Image::load` takes them.
pub const FILES: [&str; 3] = ["module.cwasm", "root.img", "guest.json"];

/// Largest image file, and largest file in it.
const MOST_IMAGE_BYTES: u64 = 512 << 20;
const MOST_FILE_BYTES: u64 = 1 << 30;

/// Fills `dir` with the files of the image.
pub fn unpack<T: Clone + Send + 'static>(
    engine: &Engine,
    image: &ImageFile,
    dir: &Path,
    flight: &Flight<T>,
) -> Result<()> {
    let packed = verified(image)?;
    let decoder = zstd::Decoder::new(packed.as_slice()).map_err(|error| invalid("archive", error))?;
    let mut archive = tar::Archive::new(decoder);
    let mut module = None;
    for entry in archive.entries().map_err(|error| invalid("archive", error))? {
        let mut entry = entry.map_err(|error| invalid("archive", error))?;
        let name = entry.path().map_err(|error| invalid("archive", error))?.to_string_lossy().into_owned();
        if entry.size() > MOST_FILE_BYTES {
            return Err(invalid(&name, format!("it is larger than {MOST_FILE_BYTES} bytes")));
        }
        let mut bytes = Vec::with_capacity(entry.size() as usize);
        entry.read_to_end(&mut bytes).map_err(|error| invalid(&name, error))?;
        match name.as_str() {
            "module.wasm" => module = Some(bytes),
            "root.img" | "guest.json" => write(dir, &name, &bytes)?,
            _ => return Err(invalid(&name, "an image has no such file")),
        }
    }
    let module = module.ok_or_else(|| invalid("module.wasm", "the image has no such file"))?;
    Manifest::read(&mut File::open(dir.join("guest.json")).map_err(|error| invalid("guest.json", error))?)?;
    flight.set_stage(compiling(module.len()));
    let module = crate::pausing::pausing(module);
    let module = crate::observable::observable(&module);
    let compiled = engine.precompile_module(&module).map_err(|error| invalid("module.wasm", format!("{error:#}")))?;
    write(dir, "module.cwasm", &compiled)
}

/// The estimate is what two cores took for CPython, 0.4 s for each MiB.
pub fn compiling(module_bytes: usize) -> Stage {
    let cores = std::thread::available_parallelism().map_or(1, usize::from).min(8);
    let estimate = Duration::from_secs_f64(0.2 + module_bytes as f64 / f64::from(1 << 20) * 0.8 / cores as f64);
    Stage::Compiling { since: Instant::now(), estimate }
}

pub fn write(dir: &Path, name: &str, bytes: &[u8]) -> Result<()> {
    let path = dir.join(name);
    let written = fs::write(&path, bytes);
    written.map_err(|error| Error::new(Code::GuestBuildFailed, format!("Cannot write {}: {error}", path.display())))
}

/// The bytes of the image file, once their hash is the expected one.
pub fn verified(image: &ImageFile) -> Result<Vec<u8>> {
    let path = image.path.display();
    let unreadable = |error: std::io::Error| {
        let message = format!("Cannot read guest image {path}: {error}; build it or install the package again");
        Error::new(Code::GuestNotFound, message)
    };
    let mut file = File::open(&image.path).map_err(unreadable)?;
    if file.metadata().map_err(unreadable)?.len() > MOST_IMAGE_BYTES {
        return Err(invalid(&path.to_string(), format!("it is larger than {MOST_IMAGE_BYTES} bytes")));
    }
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes).map_err(unreadable)?;
    let found = hex(&Sha256::digest(&bytes));
    if found != image.sha256 {
        let why = format!("its SHA-256 is {found}, expected {}", image.sha256);
        return Err(invalid(&path.to_string(), why));
    }
    Ok(bytes)
}
