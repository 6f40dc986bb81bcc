//! The same module twice: over mote-wasi, and over wasmtime-wasi with a temporary directory of the machine.

use std::fmt::Write as _;

use mote_wasi::{Cx, FUNCTIONS, FixedHost, Fs, FsOptions, Halt, Strings, ValType, Wasi, preview1};
use wasmtime::{Caller, Engine, Error, Extern, Instance, Linker, Memory, Module, Store, Val};
use wasmtime_wasi::p1::WasiP1Ctx;
use wasmtime_wasi::p2::pipe::{MemoryInputPipe, MemoryOutputPipe};
use wasmtime_wasi::{FsPerms, WasiCtxBuilder};

pub const ARGS: [&str; 3] = ["prog", "", "drei\u{df}ig"];
pub const ENV: [(&str, &str); 2] = [("HOME", "/sandbox"), ("EMPTY", "")];
pub const STDIN: &[u8] = b"some bytes of input";

pub struct State {
    pub wasi: Wasi,
    pub host: FixedHost,
}

pub struct Side<T: 'static> {
    store: Store<T>,
    instance: Instance,
    memory: Memory,
}

/// How a call ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    Errno(i32),
    Trap,
    Exit(i32),
}

pub struct Pair {
    pub mote: Side<State>,
    pub reference: Side<WasiP1Ctx>,
    stdout: MemoryOutputPipe,
    _dir: tempfile::TempDir,
}

/// Compiled once for all pairs.
pub struct Maker {
    module: Module,
    pub mote: Linker<State>,
    pub reference: Linker<WasiP1Ctx>,
}

/// Every function imported, and exported again under its own name.
fn module_text() -> String {
    let mut imports = String::new();
    let mut exports = String::new();
    for function in FUNCTIONS {
        let ty = |t: &ValType| match t {
            ValType::I32 => "i32",
            ValType::I64 => "i64",
        };
        let params: Vec<_> = function.params.iter().map(ty).collect();
        let signature = format!("(param {}) {}", params.join(" "), function.result.map_or("", |_| "(result i32)"));
        let name = function.name;
        writeln!(imports, "(import \"{}\" \"{name}\" (func ${name} {signature}))", mote_wasi::MODULE).unwrap();
        let gets: Vec<_> = (0..params.len()).map(|n| format!("local.get {n}")).collect();
        writeln!(exports, "(func (export \"{name}\") {signature} {} call ${name})", gets.join(" ")).unwrap();
    }
    format!("(module {imports} (memory (export \"memory\") 4) {exports})")
}

fn mote_linker(engine: &Engine) -> Linker<State> {
    let mut linker = Linker::new(engine);
    macro_rules! register {
        ($(fn $name:ident($($arg:ident: $ty:ty),*) -> $result:ty;)*) => {$(
            linker.func_wrap(mote_wasi::MODULE, stringify!($name), |mut caller: Caller<'_, State>, $($arg: $ty),*| {
                let Some(Extern::Memory(memory)) = caller.get_export("memory") else { unreachable!() };
                let (memory, State { wasi, host }) = memory.data_and_store_mut(&mut caller);
                preview1::$name(&mut Cx { wasi, host, memory }, $($arg),*).map_err(|halt| match halt {
                    Halt::Exit(code) => Error::from(wasmtime_wasi::I32Exit(code as i32)),
                    halt => Error::msg(format!("{halt:?}")),
                }) as wasmtime::Result<$result>
            }).unwrap();
        )*};
    }
    mote_wasi::for_each_function!(register);
    linker
}

impl Maker {
    pub fn new() -> Self {
        let engine = Engine::default();
        let module = Module::new(&engine, wat::parse_str(module_text()).unwrap()).unwrap();
        let mut reference = Linker::new(&engine);
        wasmtime_wasi::p1::add_to_linker_sync(&mut reference, |ctx| ctx).unwrap();
        Self { mote: mote_linker(&engine), module, reference }
    }

    /// Two instances whose descriptor 3 is an empty directory that they call `/sandbox`.
    pub fn pair(&self) -> Pair {
        let fs = Fs::new(FsOptions::default());
        let mut host = FixedHost::new(fs, 1_700_000_000_000_000_000, [7; 32]);
        host.stdin = STDIN.to_vec();
        let mut wasi = Wasi::new(&mut host.fs, &[("/sandbox", "/sandbox")]);
        wasi.set_args(Strings::args(ARGS));
        wasi.set_env(Strings::env(ENV));

        let dir = tempfile::tempdir().unwrap();
        let stdout = MemoryOutputPipe::new(1 << 20);
        let mut builder = WasiCtxBuilder::new();
        builder
            .allow_blocking_current_thread(true)
            .args(&ARGS)
            .envs(&ENV)
            .stdin(MemoryInputPipe::new(STDIN))
            .stdout(stdout.clone())
            .preopened_dir(dir.path(), "/sandbox", FsPerms::ReadWrite)
            .unwrap();
        Pair {
            mote: Side::new(&self.mote, &self.module, State { wasi, host }),
            reference: Side::new(&self.reference, &self.module, builder.build_p1()),
            stdout,
            _dir: dir,
        }
    }
}

impl<T> Side<T> {
    fn new(linker: &Linker<T>, module: &Module, state: T) -> Self {
        let mut store = Store::new(module.engine(), state);
        let instance = linker.instantiate(&mut store, module).unwrap();
        let memory = instance.get_memory(&mut store, "memory").unwrap();
        Self { store, instance, memory }
    }

    pub fn call(&mut self, name: &str, args: &[Val]) -> End {
        let func = self.instance.get_func(&mut self.store, name).unwrap();
        let mut results = [Val::I32(0)];
        let results = &mut results[..usize::from(name != "proc_exit")];
        match func.call(&mut self.store, args, results) {
            Ok(()) => End::Errno(results[0].unwrap_i32()),
            Err(error) => match error.downcast_ref::<wasmtime_wasi::I32Exit>() {
                Some(exit) => End::Exit(exit.0),
                None => End::Trap,
            },
        }
    }

    pub fn memory(&mut self) -> &mut [u8] {
        self.memory.data_mut(&mut self.store)
    }

    pub fn word(&mut self, at: usize) -> u32 {
        u32::from_le_bytes(self.memory()[at..at + 4].try_into().unwrap())
    }
}

impl Pair {
    /// What both have printed.
    pub fn stdout(&self) -> (Vec<u8>, Vec<u8>) {
        (self.mote.store.data().host.stdout.clone(), self.stdout.contents().to_vec())
    }

    pub fn put(&mut self, at: usize, bytes: &[u8]) {
        self.mote.memory()[at..at + bytes.len()].copy_from_slice(bytes);
        self.reference.memory()[at..at + bytes.len()].copy_from_slice(bytes);
    }
}
