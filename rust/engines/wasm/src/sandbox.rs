//! The sandbox of an interpreter: a workspace, and an instance for each run or, interactive, for all of them.

use crate::ending::{self, Ending};
use crate::files;
use crate::guest::{self, Belongings, Guest, Returned};
use crate::image::Image;
use crate::state::{Active, lock, wall_clock};
use mote_core::engine::{Begun, Changed, LimitHit, Outcome, Sandbox};
use mote_core::error::{Error, Result, bytes};
use mote_core::limits::Limits;
use mote_core::request::{Open, RunHead, Submit};
use mote_core::run::Run;
use mote_wasi::fs::{Area, Fs, FsOptions};
use mote_wasi::image::RoImage;
use mote_wasi::{SeededRandom, Strings};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

/// Changed files that a run's result names.
const MOST_CHANGED: usize = 100;

/// Where a run ended.
#[derive(Clone, Copy)]
enum Thread {
    Worker,
    /// The host's own, which nothing is put back on.
    Host,
}

/// What both kinds of sandbox have: files, environment, randomness.
pub struct Common {
    pub fs: Arc<Mutex<Fs>>,
    pub env: Strings,
    pub limits: Limits,
    seeds: Mutex<SeededRandom>,
}

pub struct Interpreter {
    common: Common,
    image: Arc<Image>,
    interactive: bool,
    /// The instance that keeps its state between runs.
    kept: Mutex<Option<Guest>>,
}

impl Common {
    pub fn new(open: &Open, root: Option<RoImage>) -> Result<Self> {
        let workspace = workspace(&open.limits);
        let options = FsOptions { image: root, workspace, now: wall_clock(), ..FsOptions::default() };
        Self::over(open, Arc::new(Mutex::new(Fs::new(options))))
    }

    /// With the files of another sandbox.
    pub fn over(open: &Open, fs: Arc<Mutex<Fs>>) -> Result<Self> {
        Ok(Self {
            fs,
            env: Strings::env(open.env.iter().map(|(key, value)| (key.as_str(), value.as_str()))),
            limits: open.limits.clone(),
            seeds: Mutex::new(SeededRandom::new(seed(open.seed.as_deref())?)),
        })
    }

    /// The seed of the next instance.
    pub fn next_seed(&self) -> [u8; 32] {
        let mut seed = [0; 32];
        self.seeds.lock().unwrap_or_else(PoisonError::into_inner).fill(&mut seed);
        seed
    }

    /// The error for a guest that ran out of workspace.
    pub fn workspace_exceeded(&self) -> Error {
        let mut fs = lock(&self.fs);
        ending::workspace_exceeded(fs.usage(Area::Workspace), fs.limits(Area::Workspace))
    }

    /// Before a run: what it changes is counted from here.
    pub fn begin_run(&self) {
        let mut fs = lock(&self.fs);
        fs.begin_changes();
        fs.take_refused();
    }

    /// After a run: whether the workspace refused it something, and what it changed there.
    pub fn end_run(&self, keep_tmp: bool) -> (bool, Changed) {
        let mut fs = lock(&self.fs);
        if !keep_tmp {
            fs.clear_tmp(wall_clock());
        }
        let (paths, more) = fs.changes(MOST_CHANGED);
        (fs.take_refused(), Changed { paths, more })
    }
}

/// What files of a session may take.
pub fn workspace(limits: &Limits) -> mote_wasi::fs::Limits {
    mote_wasi::fs::Limits { bytes: limits.workspace_bytes, files: limits.workspace_files }
}

/// 64 hexadecimal digits, or random bytes.
pub fn seed(digits: Option<&str>) -> Result<[u8; 32]> {
    let mut seed = [0; 32];
    let Some(digits) = digits else {
        getrandom::fill(&mut seed).map_err(|error| Error::internal(format!("Cannot seed a session: {error}")))?;
        return Ok(seed);
    };
    let invalid = || {
        let code = mote_core::error::Code::InvalidOption;
        Error::new(code, "Cannot open session: seed is not 64 hexadecimal digits")
    };
    if digits.len() != 64 || !digits.is_ascii() {
        return Err(invalid());
    }
    for (byte, at) in seed.iter_mut().zip((0..64).step_by(2)) {
        *byte = u8::from_str_radix(&digits[at..at + 2], 16).map_err(|_| invalid())?;
    }
    Ok(seed)
}

impl Interpreter {
    pub fn new(open: &Open, image: Arc<Image>) -> Result<Self> {
        let common = Common::new(open, Some(image.root.clone()))?;
        Ok(Self { common, image, interactive: open.interactive, kept: Mutex::new(None) })
    }

    /// An instance, and whether it is new to the session. `None` when it should be `suspendable` and can't.
    fn take(&self, suspendable: bool) -> Result<Option<(Guest, bool)>> {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(guest) = &mut *kept {
            let usable = !suspendable || guest.reserve_stack(true);
            return Ok(kept.take_if(|_| usable).map(|guest| (guest, false)));
        }
        drop(kept);
        let mut guest = self.image.ready.take(&self.image)?;
        if suspendable && !guest.reserve_stack(self.interactive) {
            self.image.ready.put(guest);
            return Ok(None);
        }
        guest.belong_to(Belongings {
            fs: self.common.fs.clone(),
            seed: self.common.next_seed(),
            env: &self.common.env,
            memory_bytes: self.common.limits.memory_bytes,
            interactive: self.interactive,
        });
        Ok(Some((guest, true)))
    }

    fn prepare(&self, head: &RunHead, stdin: &[u8], run: &Arc<Run>) -> (Strings, Active) {
        let engine = self.image.instantiable().module().engine().clone();
        run.set_nudge(move || engine.increment_epoch());
        let entry = self.image.manifest.entry.as_str();
        let args = Strings::args(std::iter::once(entry).chain(head.args.iter().map(String::as_str)));
        self.common.begin_run();
        (args, Active::new(run.clone(), stdin))
    }

    fn finish(
        &self,
        mut guest: Guest,
        result: std::result::Result<Returned, Ending>,
        entered: Instant,
        first: bool,
        thread: Thread,
    ) -> Outcome {
        let returned = result.is_ok();
        let mut outcome = self.outcome(result, guest.take_memory_refused());
        outcome.entered = Some(entered);
        outcome.state_lost = self.interactive && !returned;
        let image = self.image.clone();
        if self.interactive && returned {
            *self.kept.lock().unwrap_or_else(PoisonError::into_inner) = Some(guest);
            if first {
                outcome.afterwards = Some(Box::new(move || image.ready.replace(None)));
            }
        } else {
            outcome.afterwards = Some(Box::new(move || match thread {
                Thread::Worker => image.ready.give_back(guest, returned),
                Thread::Host => image.ready.give_back_later(guest, returned),
            }));
        }
        outcome
    }

    fn outcome(&self, result: std::result::Result<Returned, Ending>, memory_refused: bool) -> Outcome {
        let mut outcome = Outcome::default();
        match result {
            Ok(returned) => {
                outcome.exit_code = Some(returned.exit_code);
                outcome.tool_failed = returned.tool_failed;
                outcome.error = if returned.out_of_memory {
                    Some(ending::memory_exceeded(self.common.limits.memory_bytes))
                } else {
                    returned.out_of_space.then(|| self.common.workspace_exceeded())
                };
            }
            Err(Ending::Exit(code)) => outcome.exit_code = Some(code),
            Err(Ending::Stopped) => {}
            Err(Ending::Crashed(_)) if memory_refused => {
                outcome.error = Some(ending::memory_exceeded(self.common.limits.memory_bytes));
            }
            Err(Ending::Crashed(why)) => outcome.error = Some(ending::crashed(&why)),
        }
        let (space_refused, changed) = self.common.end_run(self.interactive);
        outcome.changed = changed;
        outcome.limit_hit = LimitHit::of_refusals(memory_refused, space_refused);
        outcome
    }
}

impl Sandbox for Interpreter {
    fn run(&self, head: &RunHead, code: &[u8], stdin: &[u8], run: &Arc<Run>) -> Outcome {
        let (mut guest, first) = match self.take(false) {
            Ok(Some(taken)) => taken,
            Ok(None) => unreachable!("only a stack can be missing"),
            Err(error) => return Outcome { error: Some(error), ..Outcome::default() },
        };
        let (args, active) = self.prepare(head, stdin, run);
        let entered = Instant::now();
        let result = guest.run(code, args, active, first);
        self.finish(guest, result, entered, first, Thread::Worker)
    }

    fn begin(self: Arc<Self>, head: &RunHead, code: &[u8], stdin: &[u8], run: &Arc<Run>) -> Option<Begun> {
        if !self.image.exports.pauses {
            return None;
        }
        let (mut guest, first) = match self.take(true) {
            Ok(taken) => taken?,
            Err(error) => return Some(Begun::Ended(Outcome { error: Some(error), ..Outcome::default() })),
        };
        let (args, active) = self.prepare(head, stdin, run);
        let (usage, code) = (active.usage(), code.to_vec());
        let entered = Instant::now();
        let mut going = Box::pin(async move {
            let result = guest.run_suspendably(&code, args, active, first).await;
            (guest, result)
        });
        if let Some((guest, result)) = guest::poll(going.as_mut()) {
            return Some(Begun::Ended(self.finish(guest, result, entered, first, Thread::Host)));
        }
        usage.leave();
        Some(Begun::GoesOn(Box::new(move || {
            usage.enter();
            // It has left the host's thread for good and is not suspended again.
            let ended = guest::poll(going.as_mut());
            let (guest, result) = ended.unwrap_or_else(|| unreachable!("a guest on a worker blocks"));
            self.finish(guest, result, entered, first, Thread::Worker)
        })))
    }

    fn files(&self, request: &Submit, payload: &[u8]) -> Result<(serde_json::Value, Vec<u8>)> {
        files::serve(&mut lock(&self.common.fs), request, payload)
    }
}

impl Drop for Interpreter {
    fn drop(&mut self) {
        let kept = self.kept.get_mut().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(guest) = kept {
            self.image.ready.give_back_later(guest, true);
        }
    }
}

/// Whether the session's memory limit leaves room for the interpreter itself.
pub fn check_memory(open: &Open, image: &Image) -> Result<()> {
    let least = image.least_memory();
    if open.limits.memory_bytes >= least {
        return Ok(());
    }
    let message = format!(
        "Cannot open session: limit memoryBytes is {}, and {} itself takes {}",
        bytes(open.limits.memory_bytes),
        image.manifest.name,
        bytes(least)
    );
    Err(Error::new(mote_core::error::Code::InvalidOption, message))
}

/// The area a file request means.
pub fn area(root: mote_core::request::Root) -> Area {
    match root {
        mote_core::request::Root::Sandbox => Area::Workspace,
        mote_core::request::Root::SitePackages => Area::Library,
    }
}
