//! A guest image that is ready to be instantiated.

use crate::ready::Ready;
use crate::state::State;
use mote_core::error::{Code, Error, Result};
use mote_wasi::image::RoImage;
use serde::Deserialize;
use std::fs::File;
use std::io::Read;
use std::sync::Arc;
use wasmtime::{Engine, InstancePre, Linker, Module, ModuleExport};

/// What `guest.json` says.
#[derive(Clone, Debug, Deserialize)]
pub struct Manifest {
    pub name: String,
    pub abi: u32,
    pub entry: String,
}

/// The version of the guest ABI that this engine speaks.
const GUEST_ABI: u32 = 1;

pub struct Image {
    pub sha256: String,
    pub manifest: Manifest,
    pub root: RoImage,
    pub exports: Exports,
    pub ready: Ready,
    instantiable: InstancePre<State>,
}

/// Where the functions of guest ABI 1 are.
pub struct Exports {
    pub memory: ModuleExport,
    pub alloc: ModuleExport,
    pub warm: ModuleExport,
    pub attach: ModuleExport,
    pub run: ModuleExport,
    /// Told once whether the session is interactive; a guest that does not care has none.
    pub mode: Option<ModuleExport>,
    /// Its blocking calls leave the host's own thread first.
    pub pauses: bool,
    /// All of an instance's state besides its memory; `None` when there is more than can be observed.
    pub globals: Option<Vec<ModuleExport>>,
}

impl Manifest {
    pub fn read(file: &mut File) -> Result<Self> {
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).map_err(|error| invalid("guest.json", error))?;
        let manifest: Self = serde_json::from_slice(&bytes).map_err(|error| invalid("guest.json", error))?;
        if manifest.abi != GUEST_ABI {
            return Err(invalid("guest.json", format!("guest ABI {} is not {GUEST_ABI}", manifest.abi)));
        }
        Ok(manifest)
    }
}

pub fn invalid(what: &str, why: impl std::fmt::Display) -> Error {
    Error::new(Code::GuestInvalid, format!("Cannot use guest image: {what}: {why}"))
}

impl Image {
    /// Takes the files `module.cwasm`, `root.img` and `guest.json` of a checked cache folder.
    pub fn load(engine: &Engine, linker: &Linker<State>, sha256: &str, files: Vec<File>) -> Result<Arc<Self>> {
        let [module, root, mut manifest]: [File; 3] =
            files.try_into().map_err(|_| Error::internal("Cannot load guest image: it has three files"))?;
        let module = crate::mapped::module(engine, module).map_err(|error| invalid("module.cwasm", error))?;
        let bytes = crate::mapped::bytes(&root).map_err(|error| invalid("root.img", error))?;
        let root = RoImage::parse(Arc::new(bytes)).map_err(|error| invalid("root.img", error))?;
        let manifest = Manifest::read(&mut manifest)?;
        let exports = Exports::of(&module)?;
        let instantiable = linker.instantiate_pre(&module).map_err(|error| invalid("module.wasm", error))?;
        Ok(Arc::new_cyclic(|image| Self {
            sha256: sha256.to_owned(),
            manifest,
            root,
            exports,
            ready: Ready::new(image.clone()),
            instantiable,
        }))
    }

    /// Linear memory of a fresh instance, in bytes.
    pub fn least_memory(&self) -> u64 {
        let memory = self.instantiable.module().get_export("memory");
        memory.and_then(|export| export.memory().map(|memory| memory.minimum() * memory.page_size())).unwrap_or(0)
    }

    pub fn instantiable(&self) -> &InstancePre<State> {
        &self.instantiable
    }
}

impl Exports {
    fn of(module: &Module) -> Result<Self> {
        let export = |name: &str| {
            let missing = || invalid("module.wasm", format!("it does not export {name}"));
            module.get_export_index(name).ok_or_else(missing)
        };
        Ok(Self {
            memory: export("memory")?,
            alloc: export("mote_alloc")?,
            warm: export("mote_warm")?,
            attach: export("mote_attach")?,
            run: export("mote_run")?,
            mode: module.get_export_index("mote_mode"),
            pauses: module.get_export_index(crate::pausing::PAUSE).is_some(),
            globals: module.get_export_index(crate::observable::MARK).map(|_| {
                let global = |number| module.get_export_index(&crate::observable::global(number));
                (0..).map_while(global).collect()
            }),
        })
    }
}
