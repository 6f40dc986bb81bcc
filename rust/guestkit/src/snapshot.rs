//! Runs a guest's initialisation once and keeps its memory as the module's first state.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use mote_wasi::image::RoImage;
use wasmtime::{Config, Engine, Instance, Module, Store, Val};
use wasmtime_wizer::{InstanceState, SnapshotVal, ValType, Wizer};

use crate::Outcome;
use crate::host::State;
use crate::linker::linker;

const STACK_BYTES: usize = 1 << 20;

pub struct Settings {
    pub init: String,
    pub root: Option<Vec<u8>>,
    pub seed: u64,
}

impl Default for Settings {
    fn default() -> Self {
        Self { init: "mote_init".into(), root: None, seed: 0 }
    }
}

struct Initialised<'a> {
    store: &'a mut Store<State>,
    instance: Instance,
}

impl InstanceState for Initialised<'_> {
    async fn global_get(&mut self, name: &str, _: ValType) -> SnapshotVal {
        let global = self.instance.get_global(&mut *self.store, name).expect("Wizer exports what it reads");
        match global.get(&mut *self.store) {
            Val::I32(value) => SnapshotVal::I32(value),
            Val::I64(value) => SnapshotVal::I64(value),
            Val::F32(value) => SnapshotVal::F32(value),
            Val::F64(value) => SnapshotVal::F64(value),
            Val::V128(value) => SnapshotVal::V128(value.as_u128()),
            _ => unreachable!("Wizer refuses globals that hold references"),
        }
    }

    async fn memory_contents(&mut self, name: &str, contents: impl FnOnce(&[u8]) + Send) {
        let memory = self.instance.get_memory(&mut *self.store, name).expect("Wizer exports what it reads");
        contents(memory.data(&*self.store));
    }
}

pub fn take(module: &[u8], settings: Settings) -> Outcome<Vec<u8>> {
    let mut wizer = Wizer::new();
    wizer.init_func(&settings.init);
    let (context, instrumented) = wizer.instrument(module)?;

    let mut config = Config::new();
    config.max_wasm_stack(STACK_BYTES);
    let engine = Engine::new(&config)?;
    let root = settings.root.map(|bytes| RoImage::parse(Arc::new(bytes))).transpose()?;
    let mut store = Store::new(&engine, State::new(root, settings.seed)?);
    let instance = linker(&engine)?.instantiate(&mut store, &Module::new(&engine, &instrumented)?)?;
    for export in ["_initialize", &settings.init] {
        if let Some(function) = instance.get_func(&mut store, export) {
            function.typed::<(), ()>(&store)?.call(&mut store, ())?;
        }
    }

    let mut initialised = Initialised { store: &mut store, instance };
    let snapshot = wizer.snapshot(&context, &mut initialised);
    // Nothing in it ever waits.
    let Poll::Ready(module) = pin!(snapshot).poll(&mut Context::from_waker(Waker::noop())) else {
        return Err("the snapshot waits for something".into());
    };
    Ok(module?)
}
