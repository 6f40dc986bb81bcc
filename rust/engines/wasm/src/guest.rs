//! One live instance of an interpreter.

use crate::ending::Ending;
use crate::image::Image;
use crate::limiter::Limiter;
use crate::resident;
use crate::stacks::Stack;
use crate::state::{Active, State, lock};
use mote_core::error::{Code, Error, Result};
use mote_wasi::fs::{Fs, FsOptions};
use mote_wasi::{Strings, Wasi};
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use wasmtime::{Global, Memory, Store, TypedFunc, WasmParams, WasmResults};

/// So many epochs that none of the host's nudges is meant.
const UNTOUCHED: u64 = 1 << 40;

pub struct Guest {
    store: Store<State>,
    memory: Memory,
    alloc: TypedFunc<i32, i32>,
    attach: TypedFunc<(), ()>,
    run: TypedFunc<(i32, i32), i32>,
    mode: Option<TypedFunc<i32, ()>>,
    interactive: bool,
    globals: Option<Vec<Global>>,
    /// All pages written to, by number, as long as no further one can have been: a first write to a page is a page fault.
    known: Option<Vec<u32>>,
    /// The kernel promised that no page appears without a fault.
    small_pages: bool,
    /// The store's, for runs on the host's own thread. Behind the store, which uses it to its end.
    stack: Option<Stack>,
}

/// What a session brings along.
pub struct Belongings<'a> {
    pub fs: Arc<Mutex<Fs>>,
    pub seed: [u8; 32],
    pub env: &'a Strings,
    pub memory_bytes: u64,
    pub interactive: bool,
}

/// What `mote_run` returned.
#[derive(Clone, Copy, Debug)]
pub struct Returned {
    pub exit_code: u32,
    pub tool_failed: bool,
    pub out_of_memory: bool,
    pub out_of_space: bool,
}

/// Calls a function of the guest, on the thread's own stack or on one that can be suspended.
async fn enter<P: WasmParams + Sync, R: WasmResults + Sync>(
    store: &mut Store<State>,
    function: &TypedFunc<P, R>,
    params: P,
    suspendable: bool,
) -> wasmtime::Result<R> {
    match suspendable {
        true => function.call_async(store, params).await,
        false => function.call(store, params),
    }
}

/// The result of a future, when it can be had on this thread now.
pub fn now<T>(future: impl Future<Output = T>) -> Option<T> {
    poll(pin!(future))
}

/// Goes on with a future on this thread.
pub fn poll<T>(future: Pin<&mut impl Future<Output = T>>) -> Option<T> {
    match future.poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => Some(value),
        Poll::Pending => None,
    }
}

/// More than this many pages are not restored one by one: a new instance is faster.
const MOST_RESTORED_PAGES: usize = 1024;

/// A warmed instance that never ran anything, and what others are put back to.
pub struct Template {
    guest: Guest,
    globals: Vec<i32>,
    written: Vec<u32>,
}

impl Template {
    /// `None` when instances of this image cannot be restored here.
    pub fn new(image: &Image) -> Option<Self> {
        image.exports.globals.as_ref()?;
        let mut guest = Guest::new(image, true).ok()?;
        let (globals, written) = (guest.globals()?, guest.written_pages()?);
        Some(Self { guest, globals, written })
    }
}

impl Guest {
    /// An instance that belongs to nobody yet. `warm`: pay page faults now.
    pub fn new(image: &Image, warm: bool) -> Result<Self> {
        let mut seed = [0; 32];
        getrandom::fill(&mut seed).map_err(|error| Error::internal(format!("Cannot seed a guest: {error}")))?;
        let mut fs = Fs::new(FsOptions { image: Some(image.root.clone()), ..FsOptions::default() });
        let wasi = Wasi::new(&mut fs, Wasi::ROOT);
        let state = State::new(wasi, Arc::new(Mutex::new(fs)), seed, Limiter::new(u64::MAX));
        Self::instantiate(image, state, warm).map_err(|error| {
            let message = format!("Cannot start an interpreter: {error:#}");
            Error::new(Code::BackendUnavailable, message)
        })
    }

    fn instantiate(image: &Image, state: State, warm: bool) -> wasmtime::Result<Self> {
        let mut store = Store::new(image.instantiable().module().engine(), state);
        store.limiter(|state| &mut state.limiter);
        store.epoch_deadline_callback(|mut store| store.data_mut().look_up());
        store.set_epoch_deadline(UNTOUCHED);
        let instance = image.instantiable().instantiate(&mut store)?;
        let exports = &image.exports;
        let mut function = |export| {
            let found = instance.get_module_export(&mut store, export).and_then(wasmtime::Extern::into_func);
            found.ok_or_else(|| wasmtime::Error::msg("an export of the guest is no function"))
        };
        let (alloc, attach, run) = (function(&exports.alloc)?, function(&exports.attach)?, function(&exports.run)?);
        let warm_up = function(&exports.warm)?;
        let mode = exports.mode.as_ref().map(&mut function).transpose()?;
        let memory = instance.get_module_export(&mut store, &exports.memory).and_then(wasmtime::Extern::into_memory);
        let memory = memory.ok_or_else(|| wasmtime::Error::msg("the guest exports no memory"))?;
        store.data_mut().memory = Some(memory);
        let mut global =
            |export| instance.get_module_export(&mut store, export).and_then(wasmtime::Extern::into_global);
        let globals = exports.globals.as_ref().and_then(|exports| exports.iter().map(&mut global).collect());
        let mode = mode.map(|mode| mode.typed(&store)).transpose()?;
        let (alloc, attach, run) = (alloc.typed(&store)?, attach.typed(&store)?, run.typed(&store)?);
        let small_pages = crate::mapped::forbid_huge_pages(memory.data_mut(&mut store));
        if warm {
            warm_up.typed::<(), ()>(&store)?.call(&mut store, ())?;
        }
        Ok(Self {
            store,
            memory,
            alloc,
            attach,
            run,
            mode,
            interactive: false,
            globals,
            known: None,
            small_pages,
            stack: None,
        })
    }

    /// Gives the instance to a session, before its first run there.
    pub fn belong_to(&mut self, belongings: Belongings<'_>) {
        let state = self.store.data_mut();
        state.wasi = Wasi::new(&mut lock(&belongings.fs), Wasi::ROOT);
        state.wasi.set_env(belongings.env.clone());
        state.host.belong_to(belongings.fs, belongings.seed);
        state.limiter.most_bytes = belongings.memory_bytes;
        self.interactive = belongings.interactive;
    }

    /// Makes sure that the next run can be suspended; false when it can't. `kept`: the
    /// instance stays with its session.
    pub fn reserve_stack(&mut self, kept: bool) -> bool {
        self.stack = self.stack.take().or_else(|| Stack::take(kept));
        self.stack.is_some()
    }

    /// Runs `code` to its end. The first run in a session attaches the interpreter to it.
    pub fn run(
        &mut self,
        code: &[u8],
        args: Strings,
        active: Active,
        attach: bool,
    ) -> std::result::Result<Returned, Ending> {
        now(self.drive(code, args, active, attach, false)).unwrap_or_else(|| unreachable!("nothing was suspended"))
    }

    /// The same as a future, which waits when the run leaves its thread. A stack has been reserved.
    pub async fn run_suspendably(
        &mut self,
        code: &[u8],
        args: Strings,
        active: Active,
        attach: bool,
    ) -> std::result::Result<Returned, Ending> {
        self.drive(code, args, active, attach, true).await
    }

    async fn drive(
        &mut self,
        code: &[u8],
        args: Strings,
        active: Active,
        attach: bool,
        suspendable: bool,
    ) -> std::result::Result<Returned, Ending> {
        let state = self.store.data_mut();
        state.wasi.set_args(args);
        state.host.run = Some(active);
        let result = self.call(code, attach, suspendable).await.map_err(|error| Ending::of(&error));
        self.store.set_epoch_deadline(UNTOUCHED);
        if self.store.data_mut().host.end_run() {
            self.known = None;
        }
        result
    }

    async fn call(&mut self, code: &[u8], attach: bool, suspendable: bool) -> wasmtime::Result<Returned> {
        let store = &mut self.store;
        store.set_epoch_deadline(1);
        // A nudge that came before the deadline was set has moved no epoch that this store would see.
        store.data_mut().check()?;
        if store.data().host.is_leaving() {
            store.set_epoch_deadline(0);
        }
        let length = i32::try_from(code.len())?;
        if attach {
            enter(store, &self.attach, (), suspendable).await?;
            if let Some(mode) = &self.mode {
                enter(store, mode, i32::from(self.interactive), suspendable).await?;
            }
        }
        let pointer = enter(store, &self.alloc, length, suspendable).await?;
        self.memory.write(&mut *store, pointer as u32 as usize, code)?;
        let returned = enter(store, &self.run, (pointer, length), suspendable).await?;
        Ok(Returned {
            exit_code: returned as u32 & 0xff,
            tool_failed: returned & 0x100 != 0,
            out_of_memory: returned & 0x200 != 0,
            out_of_space: returned & 0x400 != 0,
        })
    }

    /// Pages written to so far, by number.
    pub fn written_pages(&self) -> Option<Vec<u32>> {
        resident::written(self.memory.data(&self.store))
    }

    /// The values of all globals that can change; `None` when the module keeps state elsewhere.
    fn globals(&mut self) -> Option<Vec<i32>> {
        let value = |global: &Global| global.get(&mut self.store).i32();
        self.globals.as_ref()?.iter().map(value).collect()
    }

    /// Puts an instance that has returned from a run back to the state of the template, and takes it from its session.
    /// False: that cannot be done or not be proven, and the instance must not be used again.
    pub fn restore(&mut self, template: &Template) -> bool {
        if self.globals().is_none_or(|globals| globals != template.globals) {
            return false;
        }
        let memory = template.guest.memory.data(&template.guest.store);
        if self.memory.data_size(&self.store) != memory.len() {
            return false;
        }
        let Some(pages) = self.known.take().or_else(|| self.pages_to_restore(template)) else { return false };
        let own = self.memory.data_mut(&mut self.store);
        for page in &pages {
            let start = *page as usize * resident::PAGE_BYTES;
            let page = start..start + resident::PAGE_BYTES;
            let (own, template) = (&mut own[page.clone()], &memory[page]);
            // Most pages were written while the instance was warmed, and not since.
            if own != template {
                own.copy_from_slice(template);
            }
        }
        let state = self.store.data_mut();
        state.host.fs = template.guest.store.data().host.fs.clone();
        state.wasi = Wasi::new(&mut lock(&state.host.fs), &[]);
        state.limiter.release();
        self.known = self.small_pages.then_some(pages);
        true
    }

    /// The pages that this instance or the template has written to; `None` when they are not known or too many.
    fn pages_to_restore(&self, template: &Template) -> Option<Vec<u32>> {
        let mut pages = self.written_pages().filter(|pages| pages.len() <= MOST_RESTORED_PAGES)?;
        pages.extend_from_slice(&template.written);
        pages.sort_unstable();
        pages.dedup();
        Some(pages)
    }

    /// Whether memory growth was refused since this was last asked.
    pub fn take_memory_refused(&mut self) -> bool {
        self.store.data_mut().limiter.take_refused()
    }
}

#[cfg(test)]
#[path = "guest_test.rs"]
mod tests;
