//! Programs by clang and wasi-libc, over both.

use std::process::Command;

use mote_wasi::{FixedHost, Fs, FsOptions, Strings, Wasi};
use wasmtime::{Linker, Module, Store};
use wasmtime_wasi::p2::pipe::{MemoryInputPipe, MemoryOutputPipe};
use wasmtime_wasi::{FsPerms, I32Exit, WasiCtxBuilder};

use crate::pair::{ARGS, ENV, Maker, STDIN, State};

fn compile(source: &str) -> Option<Vec<u8>> {
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("program.wasm");
    let source = format!("{}/tests/differential/programs/{source}", env!("CARGO_MANIFEST_DIR"));
    let compiler = Command::new("clang-22").args(["--target=wasm32-wasi", "-O1", "-o"]).arg(&out).arg(source).output();
    let compiler = compiler.ok()?;
    assert!(compiler.status.success(), "{}", String::from_utf8_lossy(&compiler.stderr));
    Some(std::fs::read(out).unwrap())
}

/// The exit code.
fn run<T>(linker: &Linker<T>, module: &Module, store: &mut Store<T>) -> i32 {
    let instance = linker.instantiate(&mut *store, module).unwrap();
    let start = instance.get_typed_func::<(), ()>(&mut *store, "_start").unwrap();
    match start.call(store, ()) {
        Ok(()) => 0,
        Err(error) => error.downcast::<I32Exit>().unwrap().0,
    }
}

fn over_mote(maker: &Maker, module: &Module) -> (i32, String) {
    let fs = Fs::new(FsOptions::default());
    let mut host = FixedHost::new(fs, 1_700_000_000_000_000_000, [7; 32]);
    host.stdin = STDIN.to_vec();
    let mut wasi = Wasi::new(&mut host.fs, Wasi::COMMAND);
    wasi.set_args(Strings::args(ARGS));
    wasi.set_env(Strings::env(ENV));
    let mut store = Store::new(module.engine(), State { wasi, host });
    let code = run(&maker.mote, module, &mut store);
    let State { host, .. } = store.into_data();
    (code, String::from_utf8(host.stdout).unwrap())
}

fn over_reference(maker: &Maker, module: &Module) -> (i32, String) {
    let (sandbox, tmp) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let stdout = MemoryOutputPipe::new(1 << 20);
    let mut builder = WasiCtxBuilder::new();
    builder.allow_blocking_current_thread(true).args(&ARGS).envs(&ENV);
    builder.stdin(MemoryInputPipe::new(STDIN)).stdout(stdout.clone());
    for (dir, name) in [(&sandbox, "/sandbox"), (&tmp, "/tmp"), (&sandbox, ".")] {
        builder.preopened_dir(dir.path(), name, FsPerms::ReadWrite).unwrap();
    }
    let mut store = Store::new(module.engine(), builder.build_p1());
    let code = run(&maker.reference, module, &mut store);
    (code, String::from_utf8(stdout.contents().to_vec()).unwrap())
}

#[test]
fn c_programs_say_the_same() {
    let Some(wasm) = compile("files.c") else {
        eprintln!("NOT RUN: clang-22 (Debian: clang-22 lld-22 wasi-libc libclang-rt-22-dev-wasm32) is not installed");
        return;
    };
    let maker = Maker::new();
    let module = Module::new(maker.mote.engine(), wasm).unwrap();
    let (code, said) = over_mote(&maker, &module);
    let (reference_code, reference_said) = over_reference(&maker, &module);
    for (mine, theirs) in said.lines().zip(reference_said.lines()) {
        assert_eq!(mine, theirs);
    }
    assert_eq!((code, said.len()), (42, reference_said.len()));
    assert_eq!(reference_code, 42);
    assert!(said.lines().count() > 50, "{said}");
}
