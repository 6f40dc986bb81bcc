//! Every function of preview 1, once, for whoever registers them.

/// The import module that guests name.
pub const MODULE: &str = "wasi_snapshot_preview1";

/// Expands `$with! { fn name(arg: i32, …) -> i32; … }` over all functions, with their WebAssembly types. Each is callable as
/// `mote_wasi::preview1::name(&mut cx, arg, …)`. `proc_exit` is the one that returns `()`, and it never does.
///
/// ```
/// macro_rules! count {
///     ($(fn $name:ident($($arg:ident: $ty:ty),*) -> $result:ty;)*) => { [$(stringify!($name)),*].len() };
/// }
/// assert_eq!(mote_wasi::for_each_function!(count), 46);
/// ```
#[macro_export]
macro_rules! for_each_function {
    ($($with:tt)+) => {
        $($with)+! {
            fn args_get(argv: i32, buf: i32) -> i32;
            fn args_sizes_get(count: i32, len: i32) -> i32;
            fn environ_get(environ: i32, buf: i32) -> i32;
            fn environ_sizes_get(count: i32, len: i32) -> i32;
            fn clock_res_get(clock: i32, out: i32) -> i32;
            fn clock_time_get(clock: i32, precision: i64, out: i32) -> i32;
            fn fd_advise(fd: i32, offset: i64, len: i64, advice: i32) -> i32;
            fn fd_allocate(fd: i32, offset: i64, len: i64) -> i32;
            fn fd_close(fd: i32) -> i32;
            fn fd_datasync(fd: i32) -> i32;
            fn fd_fdstat_get(fd: i32, out: i32) -> i32;
            fn fd_fdstat_set_flags(fd: i32, flags: i32) -> i32;
            fn fd_fdstat_set_rights(fd: i32, base: i64, inheriting: i64) -> i32;
            fn fd_filestat_get(fd: i32, out: i32) -> i32;
            fn fd_filestat_set_size(fd: i32, size: i64) -> i32;
            fn fd_filestat_set_times(fd: i32, atim: i64, mtim: i64, flags: i32) -> i32;
            fn fd_pread(fd: i32, iovs: i32, iovs_len: i32, offset: i64, out: i32) -> i32;
            fn fd_prestat_get(fd: i32, out: i32) -> i32;
            fn fd_prestat_dir_name(fd: i32, out: i32, len: i32) -> i32;
            fn fd_pwrite(fd: i32, iovs: i32, iovs_len: i32, offset: i64, out: i32) -> i32;
            fn fd_read(fd: i32, iovs: i32, iovs_len: i32, out: i32) -> i32;
            fn fd_readdir(fd: i32, buf: i32, len: i32, cookie: i64, out: i32) -> i32;
            fn fd_renumber(from: i32, to: i32) -> i32;
            fn fd_seek(fd: i32, offset: i64, whence: i32, out: i32) -> i32;
            fn fd_sync(fd: i32) -> i32;
            fn fd_tell(fd: i32, out: i32) -> i32;
            fn fd_write(fd: i32, iovs: i32, iovs_len: i32, out: i32) -> i32;
            fn path_create_directory(fd: i32, path: i32, path_len: i32) -> i32;
            fn path_filestat_get(fd: i32, lookup: i32, path: i32, path_len: i32, out: i32) -> i32;
            fn path_filestat_set_times(fd: i32, lookup: i32, path: i32, path_len: i32, atim: i64, mtim: i64, flags: i32) -> i32;
            fn path_link(old_fd: i32, lookup: i32, old: i32, old_len: i32, new_fd: i32, new: i32, new_len: i32) -> i32;
            fn path_open(fd: i32, lookup: i32, path: i32, path_len: i32, oflags: i32, rights: i64, inheriting: i64, fdflags: i32, out: i32) -> i32;
            fn path_readlink(fd: i32, path: i32, path_len: i32, buf: i32, buf_len: i32, out: i32) -> i32;
            fn path_remove_directory(fd: i32, path: i32, path_len: i32) -> i32;
            fn path_rename(old_fd: i32, old: i32, old_len: i32, new_fd: i32, new: i32, new_len: i32) -> i32;
            fn path_symlink(target: i32, target_len: i32, fd: i32, path: i32, path_len: i32) -> i32;
            fn path_unlink_file(fd: i32, path: i32, path_len: i32) -> i32;
            fn poll_oneoff(subscriptions: i32, events: i32, count: i32, out: i32) -> i32;
            fn proc_exit(code: i32) -> ();
            fn proc_raise(signal: i32) -> i32;
            fn random_get(buf: i32, len: i32) -> i32;
            fn sched_yield() -> i32;
            fn sock_accept(fd: i32, flags: i32, out: i32) -> i32;
            fn sock_recv(fd: i32, iovs: i32, iovs_len: i32, flags: i32, len_out: i32, flags_out: i32) -> i32;
            fn sock_send(fd: i32, iovs: i32, iovs_len: i32, flags: i32, len_out: i32) -> i32;
            fn sock_shutdown(fd: i32, how: i32) -> i32;
        }
    };
}

/// A WebAssembly type in a signature.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ValType {
    I32,
    I64,
}

/// Expands to `fn wasi(linker: &mut Linker<State>) -> Result<()>`, which adds all functions to a linker of wasmtime's. Whoever
/// uses it has wasmtime's `Caller`, `Linker` and `Result` in scope, a `State` with fields `wasi` and `host`, `parts`, which
/// splits a caller into its memory and its state, and `halted`, which makes an error of a [`Halt`](crate::Halt).
#[macro_export]
macro_rules! link_functions {
    ($(fn $name:ident($($arg:ident: $ty:ty),*) -> $result:ty;)*) => {
        fn wasi(linker: &mut Linker<State>) -> Result<()> {
            $(linker.func_wrap(
                $crate::MODULE,
                stringify!($name),
                |mut caller: Caller<'_, State>, $($arg: $ty),*| -> Result<$result> {
                    let (memory, State { wasi, host, .. }) = parts(&mut caller)?;
                    $crate::preview1::$name(&mut $crate::Cx { wasi, host, memory }, $($arg),*).map_err(halted)
                },
            )?;)*
            Ok(())
        }
    };
}

/// One function's name and type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Function {
    pub name: &'static str,
    pub params: &'static [ValType],
    pub result: Option<ValType>,
}

macro_rules! val_type {
    (i32) => {
        ValType::I32
    };
    (i64) => {
        ValType::I64
    };
}

macro_rules! result_type {
    (i32) => {
        Some(ValType::I32)
    };
    (()) => {
        None
    };
}

macro_rules! functions {
    ($(fn $name:ident($($arg:ident: $ty:tt),*) -> $result:tt;)*) => {
        /// All functions, for embedders that look imports up at run time.
        pub const FUNCTIONS: &[Function] = &[$(Function {
            name: stringify!($name),
            params: &[$(val_type!($ty)),*],
            result: result_type!($result),
        }),*];
    };
}

for_each_function!(functions);
