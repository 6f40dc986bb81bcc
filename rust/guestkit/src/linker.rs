//! What a guest may import while it is initialised: WASI, and tools that answer nothing.

use mote_wasi::{Cx, Halt, preview1};
use wasmtime::{Caller, Engine, Extern, Linker, Result, bail, format_err};

use crate::host::State;

fn halted(halt: Halt<std::io::Error>) -> wasmtime::Error {
    match halt {
        Halt::Exit(code) => format_err!("the guest exited with {code} while it was initialised"),
        Halt::Fault { pointer, len } => format_err!("{len} bytes at {pointer:#x} are outside the guest's memory"),
        Halt::Stop(error) => error.into(),
    }
}

pub fn linker(engine: &Engine) -> Result<Linker<State>> {
    let mut linker = Linker::new(engine);
    macro_rules! define {
        ($(fn $name:ident($($arg:ident: $ty:ty),*) -> $result:ty;)*) => {$(
            #[allow(clippy::too_many_arguments, reason = "as many as the call has")]
            linker.func_wrap(
                mote_wasi::MODULE,
                stringify!($name),
                |mut caller: Caller<'_, State>, $($arg: $ty),*| -> Result<$result> {
                    let Some(Extern::Memory(memory)) = caller.get_export("memory") else { bail!("no memory is exported") };
                    let (memory, state) = memory.data_and_store_mut(&mut caller);
                    let mut cx = Cx { wasi: &mut state.wasi, host: &mut state.host, memory };
                    preview1::$name(&mut cx, $($arg),*).map_err(halted)
                },
            )?;
        )*};
    }
    mote_wasi::for_each_function!(define);
    let no_tools = || format_err!("a tool was called while the guest was initialised");
    linker.func_wrap("mote", "call_begin", move |_: i32, _: i32, _: i32, _: i32| -> Result<i32> { Err(no_tools()) })?;
    linker.func_wrap("mote", "call_wait", move |_: i32, _: i64, _: i32| -> Result<i32> { Err(no_tools()) })?;
    linker.func_wrap("mote", "call_take", move |_: i32, _: i32| -> Result<()> { Err(no_tools()) })?;
    Ok(linker)
}
