//! One VM with a guest in it, and the snapshot that it is put back to.

use super::desk::{Desk, PIECE_BYTES};
use super::ending;
use crate::debug_port;
use hyperlight_host::hypervisor::InterruptHandle;
use hyperlight_host::sandbox::snapshot::Snapshot;
use hyperlight_host::{HyperlightError, Sandbox, SandboxBuilder};
use mote_core::error::Result;
use std::sync::Arc;

#[derive(Clone, Copy, Debug)]
pub struct Sizes {
    pub heap_bytes: u64,
    pub scratch_bytes: usize,
}

pub struct Machine {
    sandbox: Sandbox,
    snapshot: Arc<Snapshot>,
    /// Nothing has run since it was put back.
    fresh: bool,
}

impl Machine {
    pub fn load(file: &[u8], sizes: Sizes, desk: &Arc<Desk>) -> Result<(Self, Arc<Snapshot>)> {
        let builder = SandboxBuilder::from_bytes(file).heap_size(sizes.heap_bytes).scratch_size(sizes.scratch_bytes);
        let mut sandbox = with_functions(builder, desk).build().map_err(|error| ending::not_loaded(&error))?;
        debug_port::close()?;
        let snapshot = sandbox.snapshot().map_err(|error| ending::not_loaded(&error))?;
        Ok((Self { sandbox, snapshot: snapshot.clone(), fresh: true }, snapshot))
    }

    pub fn resume(snapshot: Arc<Snapshot>, desk: &Arc<Desk>) -> Result<Self> {
        let builder = with_functions(SandboxBuilder::from_snapshot(snapshot.clone()), desk);
        let sandbox = builder.build().map_err(|error| ending::not_loaded(&error))?;
        debug_port::close()?;
        Ok(Self { sandbox, snapshot, fresh: true })
    }

    pub fn interrupt_handle(&self) -> Arc<dyn InterruptHandle> {
        self.sandbox.interrupt_handle()
    }

    /// Calls the guest with code; the desk has it too, for guests that fetch it.
    pub fn run(&mut self, code: &[u8]) -> std::result::Result<i32, HyperlightError> {
        self.fresh = false;
        match code.len() {
            0..=PIECE_BYTES => self.sandbox.call("Run", code.to_vec()),
            long => self.sandbox.call("RunLong", long as u64),
        }
    }

    /// The guest can be called once more without being put back.
    pub fn is_whole(&self) -> bool {
        self.sandbox.status().is_ready()
    }

    /// Puts the guest back to where nothing has run.
    pub fn reset(&mut self) -> std::result::Result<(), HyperlightError> {
        if !self.fresh {
            self.sandbox.restore(self.snapshot.clone())?;
            self.fresh = true;
        }
        Ok(())
    }
}

fn with_functions(builder: SandboxBuilder, desk: &Arc<Desk>) -> SandboxBuilder {
    let desks: [Arc<Desk>; 5] = std::array::from_fn(|_| desk.clone());
    let [print, read, write, arguments, call] = desks;
    builder
        .host_print(move |text: String| print.write(1, text.as_bytes()))
        .host_function("MoteRead", move |source: i32, offset: u64| read.read(source, offset))
        .host_function("MoteWrite", move |stream: i32, bytes: Vec<u8>| write.write(stream, &bytes))
        .host_function("MoteArguments", move |bytes: Vec<u8>| arguments.arguments(&bytes))
        .host_function("MoteCall", move |tool: String, bytes: Vec<u8>| call.call(&tool, &bytes))
}
