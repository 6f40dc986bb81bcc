//! The one module that this machine runs, and the instance that is ready for the next piece of code.

use crate::calls;
use crate::host::{MicroHost, Time};
use crate::link::{self, Limiter, Raised, State};
use crate::platform;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::sync::Arc;
use alloc::vec::Vec;
use mote_micro_wire::{Ending, Kind, Load, PIECE_BYTES, Reply, Run, Source};
use mote_wasi::fs::{Area, FsOptions, Limits, Listing, PatchError};
use mote_wasi::image::RoImage;
use mote_wasi::{Fs, SeededRandom, Strings, Wasi};
use wasmtime::{Config, Engine, Instance, Linker, Memory, Module, Result, Store, Trap, TypedFunc};

/// Deepest stack of compiled code, as in the process.
const STACK_BYTES: usize = 4 << 20;
/// Nobody moves the epoch: the host interrupts the processor.
const NEVER: u64 = 1 << 40;
/// Changed files that a reply names.
const MOST_CHANGED: usize = 100;

pub struct Machine {
    store: Store<State>,
    program: Program,
    /// What the workspace held when host and guest last agreed on it.
    agreed: Listing,
}

enum Program {
    Interpreter(Interpreter),
    Command { module: Module, linker: Linker<State> },
}

struct Interpreter {
    memory: Memory,
    alloc: TypedFunc<i32, i32>,
    attach: TypedFunc<(), ()>,
    run: TypedFunc<(i32, i32), i32>,
    mode: Option<TypedFunc<i32, ()>>,
}

fn engine() -> Result<Engine> {
    let mut config = Config::new();
    platform::configure(&mut config);
    // The settings that the image was compiled with, in rust/engines/wasm/src/settings.rs.
    config
        .with_custom_code_memory(Some(Arc::new(platform::CodeMemory)))
        .signals_based_traps(true)
        .memory_init_cow(true)
        .memory_reservation(4 << 30)
        .memory_guard_size(32 << 20)
        .epoch_interruption(true)
        .max_wasm_stack(STACK_BYTES)
        .async_stack_size(2 * STACK_BYTES)
        .wasm_backtrace_max_frames(None)
        .wasm_simd(true)
        .wasm_relaxed_simd(false)
        .wasm_memory64(false)
        .wasm_multi_memory(false)
        .wasm_tail_call(true);
    Engine::new(&config)
}

impl Machine {
    pub fn load(load: &Load) -> Result<Self> {
        let engine = engine()?;
        let image = platform::map_file(load.module_at, load.module_bytes);
        platform::retarget(image);
        let module = platform::deserialize(&engine, image)?;
        let mut linker = Linker::new(&engine);
        link::add(&mut linker)?;
        let mut fs = Fs::new(FsOptions { image: root(load)?, ..FsOptions::default() });
        let wasi = Wasi::new(&mut fs, Wasi::ROOT);
        let host = MicroHost::new(fs, load.heap_bytes);
        let mut store =
            Store::new(&engine, State { wasi, host, memory: None, limiter: Limiter::new(load.memory_bytes) });
        store.limiter(|state| &mut state.limiter);
        store.set_epoch_deadline(NEVER);
        let program = match load.kind {
            Kind::Command => Program::Command { module, linker },
            Kind::Interpreter => {
                let instance = linker.instantiate(&mut store, &module)?;
                Program::Interpreter(Interpreter::new(&mut store, &instance)?)
            }
        };
        Ok(Self { store, program, agreed: Listing::default() })
    }

    /// Linear memory that the module has to begin with, in bytes; 0 of a command, which begins with each run.
    pub fn least_memory(&self) -> u64 {
        match &self.program {
            Program::Interpreter(interpreter) => interpreter.memory.data_size(&self.store) as u64,
            Program::Command { .. } => 0,
        }
    }

    /// Runs one piece of code. Everything that can go wrong is in the reply.
    pub fn run(&mut self, run: &Run, hold_bytes: u32) -> Reply {
        self.begin(run, hold_bytes);
        if let Err(ending) = self.patch(run) {
            return self.finish(ending);
        }
        let ending = match &self.program {
            Program::Interpreter(interpreter) => interpreter.run(&mut self.store, run),
            Program::Command { module, linker } => command(&mut self.store, module, linker),
        };
        let ending = ending.unwrap_or_else(|error| ended(&error));
        self.finish(ending)
    }

    fn begin(&mut self, run: &Run, hold_bytes: u32) {
        let State { wasi, host, limiter, .. } = self.store.data_mut();
        host.time = Time {
            now_ns: run.now_ns,
            alive_ns: run.alive_ns,
            tsc_hz: run.tsc_hz,
            tsc_ns: run.tsc_ns,
            begun_at: platform::timestamp(),
            latest: 0,
        };
        host.output.begin(hold_bytes);
        host.random = SeededRandom::new(run.seed);
        (host.stdin_bytes, host.stdin_read) = (run.stdin_bytes, 0);
        host.fs.set_limits(Area::Workspace, Limits { bytes: run.workspace_bytes, files: run.workspace_files });
        limiter.most_bytes = run.memory_bytes;
        if run.first {
            let preopens = match self.program {
                Program::Interpreter(_) => Wasi::ROOT,
                Program::Command { .. } => Wasi::COMMAND,
            };
            *wasi = Wasi::new(&mut host.fs, preopens);
            wasi.set_env(Strings::env(run.env.iter().map(|(name, value)| (name.as_str(), value.as_str()))));
        }
        wasi.set_args(Strings::args(run.args.iter().map(String::as_str)));
    }

    /// Brings the files up to what the host has.
    fn patch(&mut self, run: &Run) -> core::result::Result<(), Ending> {
        let host = &mut self.store.data_mut().host;
        for (area, source, length) in [
            (Area::Library, Source::Library, run.library_patch_bytes),
            (Area::Workspace, Source::Workspace, run.workspace_patch_bytes),
        ] {
            if length == 0 {
                continue;
            }
            let now = host.realtime();
            let mut pulling = Pulling { source, at: 0, piece: Vec::new(), used: 0 };
            // The heap has to hold what comes; the host has held it against the limits.
            host.make_room_for(length);
            host.fs.apply_patch(area, length, now, &mut |buffer| pulling.fill(buffer)).map_err(
                |error| match error {
                    PatchError::Source(calls::Stop) => Ending::Stopped,
                    PatchError::Malformed => Ending::Refused("a patch of its files that is none".into()),
                    PatchError::Refused(why) => Ending::Refused(format!("its files: {why}")),
                },
            )?;
        }
        if run.workspace_patch_bytes > 0 || run.first {
            self.agreed = host.fs.listing(Area::Workspace);
        }
        host.fs.begin_changes();
        host.fs.take_refused();
        Ok(())
    }

    fn finish(&mut self, ending: Ending) -> Reply {
        let State { host, limiter, .. } = self.store.data_mut();
        let mut reply = Reply::new(ending);
        reply.memory_refused = limiter.take_refused();
        reply.space_refused = host.fs.take_refused();
        (reply.changed, reply.changed_more) = host.fs.changes(MOST_CHANGED);
        let mut pushed = 0;
        let patch = &mut reply.patch;
        let sent = host.fs.patch_since(Area::Workspace, &self.agreed, &mut |bytes| {
            for piece in bytes.chunks(PIECE_BYTES) {
                if patch.len() + piece.len() > PIECE_BYTES {
                    calls::push(patch)?;
                    pushed += patch.len() as u64;
                    patch.clear();
                }
                patch.extend_from_slice(piece);
            }
            Ok::<(), calls::Stop>(())
        });
        if pushed > 0 && sent.is_ok() {
            let rest = core::mem::take(patch);
            let told = calls::push(&rest).and_then(|()| calls::changed(pushed + rest.len() as u64));
            if told.is_err() {
                reply.ending = Ending::Stopped;
            }
        }
        if sent.is_err() {
            reply.patch.clear();
            reply.ending = Ending::Stopped;
        }
        self.agreed = host.fs.listing(Area::Workspace);
        reply
    }
}

/// The bytes of a source, one after another.
struct Pulling {
    source: Source,
    at: u64,
    piece: Vec<u8>,
    used: usize,
}

impl Pulling {
    fn fill(&mut self, mut buffer: &mut [u8]) -> core::result::Result<(), calls::Stop> {
        while !buffer.is_empty() {
            if self.used == self.piece.len() {
                self.piece.resize(PIECE_BYTES, 0);
                let read = calls::pull(self.source, self.at, &mut self.piece)?;
                if read == 0 {
                    return Err(calls::Stop);
                }
                self.piece.truncate(read);
                self.at += read as u64;
                self.used = 0;
            }
            let taken = buffer.len().min(self.piece.len() - self.used);
            buffer[..taken].copy_from_slice(&self.piece[self.used..self.used + taken]);
            self.used += taken;
            buffer = &mut buffer[taken..];
        }
        Ok(())
    }
}

fn root(load: &Load) -> Result<Option<RoImage>> {
    if load.root_bytes == 0 {
        return Ok(None);
    }
    let bytes = platform::bytes_of(platform::map_file(load.root_at, load.root_bytes));
    let root = RoImage::parse(Arc::new(bytes));
    root.map(Some).map_err(|error| wasmtime::Error::msg(error.to_string()))
}

impl Interpreter {
    fn new(store: &mut Store<State>, instance: &Instance) -> Result<Self> {
        let memory = instance.get_memory(&mut *store, "memory").ok_or_else(|| wasmtime::Error::msg("no memory"))?;
        store.data_mut().memory = Some(memory);
        instance.get_typed_func::<(), ()>(&mut *store, "mote_warm")?.call(&mut *store, ())?;
        Ok(Self {
            memory,
            alloc: instance.get_typed_func(&mut *store, "mote_alloc")?,
            attach: instance.get_typed_func(&mut *store, "mote_attach")?,
            run: instance.get_typed_func(&mut *store, "mote_run")?,
            mode: instance.get_typed_func(&mut *store, "mote_mode").ok(),
        })
    }

    fn run(&self, store: &mut Store<State>, run: &Run) -> Result<Ending> {
        if run.first {
            self.attach.call(&mut *store, ())?;
            if let Some(mode) = &self.mode {
                mode.call(&mut *store, i32::from(run.interactive))?;
            }
        }
        let length = i32::try_from(run.code_bytes)?;
        let pointer = self.alloc.call(&mut *store, length)?;
        let at = pointer as u32 as usize;
        let memory = self.memory.data_mut(&mut *store);
        let place = at.checked_add(length as usize).and_then(|end| memory.get_mut(at..end));
        let place = place.ok_or(Trap::MemoryOutOfBounds)?;
        match &run.code {
            Some(code) if code.len() == place.len() => place.copy_from_slice(code),
            _ => {
                if calls::pull(Source::Code, 0, place).map_err(|_| wasmtime::Error::new(Raised::Stop))? < place.len() {
                    return Ok(Ending::Refused("the host has less code than it said".into()));
                }
            }
        }
        Ok(Ending::Returned(self.run.call(&mut *store, (pointer, length))? as u32))
    }
}

fn command(store: &mut Store<State>, module: &Module, linker: &Linker<State>) -> Result<Ending> {
    let instance = linker.instantiate(&mut *store, module)?;
    store.data_mut().memory = instance.get_memory(&mut *store, "memory");
    instance.get_typed_func::<(), ()>(&mut *store, "_start")?.call(&mut *store, ())?;
    Ok(Ending::Returned(0))
}

fn ended(error: &wasmtime::Error) -> Ending {
    match (error.downcast_ref::<Raised>(), error.downcast_ref::<Trap>()) {
        (Some(Raised::Exit(code)), _) => Ending::Exited(*code),
        (Some(Raised::Stop), _) => Ending::Stopped,
        (_, Some(Trap::StackOverflow)) => Ending::Trapped("stack overflow".into()),
        (_, Some(Trap::MemoryOutOfBounds)) => Ending::Trapped("memory access out of bounds".into()),
        (_, Some(Trap::UnreachableCodeReached)) => Ending::Trapped("the guest aborted".into()),
        (_, Some(trap)) => Ending::Trapped(trap.to_string()),
        _ => Ending::Trapped(format!("{error:#}")),
    }
}
