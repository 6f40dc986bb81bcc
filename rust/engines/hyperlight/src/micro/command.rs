//! The sandbox of a user's modules: a machine for the module that ran last.

use super::machine::Machine;
use super::session::{Session, Task};
use super::template::{self, Size, Template};
use crate::pinned::Pinned;
use mote_core::engine::{Outcome, Sandbox};
use mote_core::error::{Error, Result};
use mote_core::request::{ImageFile, Open, RunHead, Submit};
use mote_core::run::Run;
use mote_engine_wasm::shared::{self, Flight, hex, lock};
use mote_wasi::Fs;
use sha2::{Digest, Sha256};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

pub struct Command {
    elf: ImageFile,
    cache_dir: PathBuf,
    size: Size,
    files: Arc<Mutex<Fs>>,
    seat: Mutex<Seat>,
}

struct Seat {
    session: Session,
    /// The machine of a module, by its hash.
    machine: Option<(String, Arc<Pinned<Machine>>)>,
}

impl Command {
    pub fn new(open: &Open, elf: &ImageFile) -> Result<Self> {
        let size = Size::of(&open.limits);
        let session = Session::new(open, size)?;
        Ok(Self {
            elf: elf.clone(),
            cache_dir: open.cache_dir.clone(),
            size,
            files: session.workspace.common.fs.clone(),
            seat: Mutex::new(Seat { session, machine: None }),
        })
    }

    /// The machine of this module; made unless it is there.
    fn machine(&self, seat: &mut Seat, module: &[u8], run: &Arc<Run>) -> Result<Arc<Pinned<Machine>>> {
        shared::check_bytes(module)?;
        let hash = hex(&Sha256::digest(module));
        if let Some((known, machine)) = &seat.machine
            && *known == hash
        {
            return Ok(machine.clone());
        }
        seat.machine = None;
        let (cache_dir, elf, size) = (self.cache_dir.clone(), self.elf.clone(), self.size);
        let (module, name) = (module.to_vec(), hash.clone());
        let flight = Flight::begin(move |flight: &Flight<Arc<Template>>| {
            let (_, compiled) = shared::compiled(&cache_dir, &name, &module, flight)?;
            template::of_module(compiled, &elf, size).map(Arc::new)
        });
        let stopped = || Error::internal("Cannot run module: the run was stopped");
        let template = flight.wait(|_| if run.stopped().is_some() { Err(stopped()) } else { Ok(()) })?;
        let machine = Arc::new(Pinned::start("mote-vm", move || Machine::new(&template))?);
        seat.machine = Some((hash, machine.clone()));
        Ok(machine)
    }
}

impl Sandbox for Command {
    fn run(&self, head: &RunHead, code: &[u8], stdin: &[u8], run: &Arc<Run>) -> Outcome {
        let mut seat = self.seat.lock().unwrap_or_else(PoisonError::into_inner);
        let machine = match self.machine(&mut seat, code, run) {
            Ok(machine) => machine,
            Err(_) if run.stopped().is_some() => return Outcome::default(),
            Err(error) => return Outcome { error: Some(error), ..Outcome::default() },
        };
        // The module is in the machine already: the code of the task is empty.
        let task = Task { entry: "main.wasm", head, code: &[], stdin, run };
        let returned = |_: &Session, value, outcome: &mut Outcome| outcome.exit_code = Some(value);
        let (mut outcome, _) = seat.session.run(&machine, &task, returned);
        outcome.afterwards = Some(Box::new(move || machine.send(Machine::reset_or_end)));
        outcome
    }

    fn files(&self, request: &Submit, payload: &[u8]) -> Result<(serde_json::Value, Vec<u8>)> {
        shared::serve_files(&mut lock(&self.files), request, payload)
    }
}
