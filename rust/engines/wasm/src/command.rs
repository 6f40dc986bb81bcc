//! Sandboxes for modules of the user: `lang: "wasm"`, a WASI command in the payload of each run.

use crate::cache;
use crate::ending::{self, Ending};
use crate::engine::Linked;
use crate::files;
use crate::flight::Flight;
use crate::limiter::Limiter;
use crate::sandbox::Common;
use crate::settings::hex;
use crate::state::{Active, State, lock};
use crate::unpack;
use mote_core::engine::{LimitHit, Outcome, Sandbox};
use mote_core::error::{Code, Error, Result, bytes};
use mote_core::request::{Open, RunHead, Submit};
use mote_core::run::Run;
use mote_wasi::{Strings, Wasi};
use sha2::{Digest, Sha256};
use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;
use wasmtime::{ExternType, InstancePre, Module, Store};

/// Largest module.
const MOST_MODULE_BYTES: usize = 64 << 20;
/// Compiled modules kept in memory.
const MOST_LOADED: usize = 16;

type Loading = Arc<Flight<InstancePre<State>>>;

/// Compiled modules by hash, the one used last at the end.
#[derive(Default)]
pub struct Commands {
    loaded: Mutex<VecDeque<(String, Loading)>>,
}

pub struct Command {
    common: Common,
    commands: Arc<Commands>,
    cache_dir: PathBuf,
}

impl Commands {
    fn get(&self, cache_dir: &Path, module: &[u8]) -> Loading {
        let hash = hex(&Sha256::digest(module));
        let mut loaded = self.loaded.lock().unwrap_or_else(PoisonError::into_inner);
        let known = loaded.iter().position(|(known, _)| *known == hash).and_then(|place| loaded.remove(place));
        let flight = match known {
            Some((_, flight)) if !matches!(flight.result(), Some(Err(_))) => flight,
            _ => {
                let (cache_dir, hash, module) = (cache_dir.to_owned(), hash.clone(), module.to_vec());
                Flight::begin(move |flight: &Flight<_>| load(&cache_dir, &hash, &module, flight))
            }
        };
        loaded.push_back((hash, flight.clone()));
        if loaded.len() > MOST_LOADED {
            loaded.pop_front();
        }
        flight
    }
}

fn load(
    cache_dir: &Path,
    hash: &str,
    module: &[u8],
    flight: &Flight<InstancePre<State>>,
) -> Result<InstancePre<State>> {
    let linked = Linked::on_demand()?;
    let (module, _) = compiled(cache_dir, hash, module, flight)?;
    linked.linker.instantiate_pre(&module).map_err(|error| invalid(format!("{error:#}")))
}

/// The module, compiled and found to be a command, and the file it is mapped from.
pub fn compiled<T: Clone + Send + 'static>(
    cache_dir: &Path,
    hash: &str,
    module: &[u8],
    flight: &Flight<T>,
) -> Result<(Module, PathBuf)> {
    let linked = Linked::on_demand()?;
    let parent = cache_dir.join("modules");
    let name = format!("{}-{}", &hash[..32], linked.key);
    let make = |dir: &Path| {
        flight.set_stage(unpack::compiling(module.len()));
        let compiled = linked.engine.precompile_module(module).map_err(|error| invalid(format!("{error:#}")))?;
        unpack::write(dir, "module.cwasm", &compiled)
    };
    let (opened, _) = cache::obtain(&parent, &name, cache::Names::These(&["module.cwasm"]), flight, make)?;
    let file = opened.files.into_iter().next().ok_or_else(|| Error::internal("Cannot load module: it is gone"))?;
    let module = crate::mapped::module(&linked.engine, file).map_err(|error| invalid(format!("{error:#}")))?;
    check_command(&module)?;
    Ok((module, parent.join(name).join("module.cwasm")))
}

fn invalid(why: impl std::fmt::Display) -> Error {
    Error::new(Code::GuestInvalid, format!("Cannot run module: {why}"))
}

/// Refuses what is no module at all, before anything is kept of it.
pub fn check_bytes(module: &[u8]) -> Result<()> {
    if module.len() > MOST_MODULE_BYTES {
        return Err(invalid(format!("it is larger than {}", bytes(MOST_MODULE_BYTES as u64))));
    }
    match module.first_chunk::<8>() {
        Some(b"\0asm\x01\0\0\0") => Ok(()),
        Some(b"\0asm\x0d\0\x01\0") => Err(invalid("it is a component; a WASI preview 1 command module is needed")),
        _ => Err(invalid("it does not begin as a WebAssembly module does")),
    }
}

fn check_command(module: &Module) -> Result<()> {
    for import in module.imports() {
        if !matches!(import.module(), crate::link::WASI | crate::link::MOTE) {
            let (module, name) = (import.module(), import.name());
            return Err(invalid(format!("it imports {module}.{name}; only WASI preview 1 is provided")));
        }
    }
    match module.get_export("_start") {
        Some(ExternType::Func(start)) if start.params().len() == 0 && start.results().len() == 0 => {}
        Some(_) => return Err(invalid("its _start is no function without arguments and results")),
        None => return Err(invalid("it exports no _start; a WASI command is needed, not a library or reactor")),
    }
    match module.get_export("memory") {
        Some(ExternType::Memory(_)) => Ok(()),
        _ => Err(invalid("it exports no memory named \"memory\"")),
    }
}

impl Command {
    pub fn new(open: &Open, commands: Arc<Commands>) -> Result<Self> {
        Ok(Self { common: Common::new(open, None)?, commands, cache_dir: open.cache_dir.clone() })
    }

    fn execute(
        &self,
        instantiable: &InstancePre<State>,
        head: &RunHead,
        stdin: &[u8],
        run: &Arc<Run>,
    ) -> (std::result::Result<(), Ending>, bool) {
        let mut wasi = Wasi::new(&mut lock(&self.common.fs), Wasi::COMMAND);
        wasi.set_env(self.common.env.clone());
        wasi.set_args(Strings::args(std::iter::once("main.wasm").chain(head.args.iter().map(String::as_str))));
        let limiter = Limiter::new(self.common.limits.memory_bytes);
        let mut state = State::new(wasi, self.common.fs.clone(), self.common.next_seed(), limiter);
        state.host.run = Some(Active::new(run.clone(), stdin));
        let engine = instantiable.module().engine();
        let mut store = Store::new(engine, state);
        store.limiter(|state| &mut state.limiter);
        store.epoch_deadline_callback(|mut store| store.data_mut().look_up());
        store.set_epoch_deadline(1);
        let nudged = engine.clone();
        run.set_nudge(move || nudged.increment_epoch());
        if store.data_mut().check().is_err() {
            return (Err(Ending::Stopped), false);
        }
        let result = instantiable.instantiate(&mut store).and_then(|instance| {
            store.data_mut().memory = instance.get_memory(&mut store, "memory");
            instance.get_typed_func::<(), ()>(&mut store, "_start")?.call(&mut store, ())
        });
        (result.map_err(|error| Ending::of(&error)), store.data_mut().limiter.take_refused())
    }
}

impl Sandbox for Command {
    fn run(&self, head: &RunHead, code: &[u8], stdin: &[u8], run: &Arc<Run>) -> Outcome {
        let stopped = || Error::internal("Cannot run module: the run was stopped");
        let loaded = check_bytes(code).and_then(|()| {
            self.commands
                .get(&self.cache_dir, code)
                .wait(|_| if run.stopped().is_some() { Err(stopped()) } else { Ok(()) })
        });
        let instantiable = match loaded {
            Ok(instantiable) => instantiable,
            Err(_) if run.stopped().is_some() => return Outcome::default(),
            Err(error) => return Outcome { error: Some(error), ..Outcome::default() },
        };
        self.common.begin_run();
        let mut outcome = Outcome { entered: Some(Instant::now()), ..Outcome::default() };
        let (result, memory_refused) = self.execute(&instantiable, head, stdin, run);
        let (space_refused, changed) = self.common.end_run(false);
        outcome.changed = changed;
        match result {
            Ok(()) => outcome.exit_code = Some(0),
            Err(Ending::Exit(code)) => outcome.exit_code = Some(code),
            Err(Ending::Stopped) => {}
            Err(Ending::Crashed(_)) if memory_refused => {
                outcome.error = Some(ending::memory_exceeded(self.common.limits.memory_bytes));
            }
            Err(Ending::Crashed(why)) => outcome.error = Some(ending::crashed(&why)),
        }
        outcome.limit_hit = LimitHit::of_refusals(memory_refused, space_refused);
        outcome
    }

    fn files(&self, request: &Submit, payload: &[u8]) -> Result<(serde_json::Value, Vec<u8>)> {
        files::serve(&mut lock(&self.common.fs), request, payload)
    }
}
