//! One machine: a VM that begins as a template's snapshot and goes back to it.

use super::boot::{failed, functions};
use super::pages::{self, Loan, Lost, Scratch};
use super::reach::{Given, Reach};
use super::template::Template;
use crate::leash::Leash;
use hyperlight_host::sandbox::snapshot::Snapshot;
use hyperlight_host::{HyperlightError, Sandbox, SandboxBuilder};
use mote_core::error::{Error, Result};
use mote_core::run::Stream;
use mote_micro_wire::{Reply, envelope, guest, held};
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

/// Lives on its own thread.
pub struct Machine {
    /// Before the sandbox, so that it goes first.
    loan: Option<Loan>,
    sandbox: Option<Sandbox>,
    /// Its memory, where that can be lent a huge page.
    scratch: Option<Scratch>,
    snapshot: Arc<Snapshot>,
    scratch_bytes: u64,
    /// Where in its memory the guest holds output back.
    held: Range<usize>,
    reach: Reach,
    /// Something has run since it was the snapshot.
    used: bool,
}

/// How a call of the machine's `Run` ended.
pub enum Ended {
    Replied(Box<Reply>),
    /// From outside.
    Stopped,
    /// The machine itself failed.
    Died(Died),
}

#[derive(Debug, PartialEq, Eq)]
pub enum Died {
    /// It has used up the memory that it can write to.
    OutOfMemory,
    Crashed(String),
}

pub struct Left {
    pub ended: Ended,
    pub pushed: Option<Vec<u8>>,
    pub cpu: Duration,
}

impl Machine {
    /// Called on the thread that it stays on.
    pub fn new(template: &Template) -> Result<Self> {
        let mut machine = Self {
            loan: None,
            sandbox: None,
            scratch: None,
            snapshot: template.snapshot.clone(),
            scratch_bytes: template.size.scratch_bytes,
            held: held_range(template),
            reach: Reach::default(),
            used: false,
        };
        machine.reset()?;
        Ok(machine)
    }

    /// Puts the machine back to its snapshot; one that cannot be is replaced.
    pub fn reset(&mut self) -> Result<()> {
        self.loan = None;
        if let Some(sandbox) = &mut self.sandbox
            && (!self.used || sandbox.restore(self.snapshot.clone()).is_ok())
        {
            self.used = false;
            return Ok(());
        }
        self.sandbox = None;
        let builder = functions(SandboxBuilder::from_snapshot(self.snapshot.clone()), &self.reach);
        let (built, scratch) = pages::laid(self.scratch_bytes as usize, || builder.build());
        self.sandbox = Some(built.map_err(|error| failed(&error))?);
        self.scratch = scratch;
        self.used = false;
        Ok(())
    }

    /// After a run: what cannot be put back is gone, and the next run says so.
    pub fn reset_or_end(&mut self) {
        if self.reset().is_err() {
            self.sandbox = None;
        }
    }

    /// Gets a huge page for one run. A machine that keeps its state would keep the page too.
    fn borrow(&mut self) -> Result<()> {
        let Some(scratch) = self.scratch else { return Ok(()) };
        match scratch.lend() {
            Ok(loan) => {
                self.used |= loan.is_some();
                self.loan = loan;
                Ok(())
            }
            Err(Lost) => {
                std::mem::forget(self.sandbox.take());
                self.reset()
            }
        }
    }

    /// Runs a message to its end.
    pub fn run(&mut self, given: Given) -> Result<Left> {
        let run = given.run.clone();
        if self.sandbox.is_none() {
            self.reset()?;
        }
        if !given.stays {
            self.borrow()?;
        }
        let sandbox = self.sandbox.as_mut().ok_or_else(|| Error::internal("Cannot run code: the machine is gone"))?;
        let scratch = self.scratch.filter(|_| !run.streams());
        let most = self.held.len().min(usize::try_from(run.limits.output_bytes).unwrap_or(usize::MAX));
        let message = envelope::wrap(&given.message, scratch.map_or(0, |_| most as u32));
        self.used = true;
        self.reach.begin(given);
        let leash = Leash::on(&run, sandbox.interrupt_handle());
        let result: hyperlight_host::Result<Vec<u8>> = match run.stopped() {
            Some(_) => Err(HyperlightError::ExecutionCanceledByHost()),
            None => sandbox.call(guest::RUN, message),
        };
        drop(leash);
        let (pushed, cpu) = self.reach.end();
        if let Some(scratch) = scratch {
            scratch.with(self.held.clone(), |region| {
                for (stream, bytes) in held::pieces(region) {
                    // What passes a limit has stopped the run.
                    let _ = run.write(if stream == 1 { Stream::Stdout } else { Stream::Stderr }, bytes);
                }
                held::clear(region);
            });
        }
        Ok(Left { ended: ended(result), pushed, cpu })
    }
}

/// Nothing where it could not lie in the machine's memory.
fn held_range(template: &Template) -> Range<usize> {
    let (at, bytes) = (template.loaded.held_at, template.loaded.held_bytes);
    let inside = at.checked_add(bytes).is_some_and(|end| end <= template.size.scratch_bytes);
    if inside { at as usize..(at + bytes) as usize } else { 0..0 }
}

fn ended(result: hyperlight_host::Result<Vec<u8>>) -> Ended {
    match result {
        Ok(reply) => match Reply::decode(&reply) {
            Ok(reply) => Ended::Replied(Box::new(reply)),
            Err(error) => Ended::Died(Died::Crashed(format!("its answer was {error}"))),
        },
        Err(HyperlightError::ExecutionCanceledByHost()) => Ended::Stopped,
        Err(HyperlightError::GuestAborted(_, why)) if is_out_of_memory(&why) => Ended::Died(Died::OutOfMemory),
        Err(HyperlightError::GuestAborted(_, why)) => Ended::Died(Died::Crashed(why)),
        Err(error) => Ended::Died(Died::Crashed(error.to_string())),
    }
}

/// What Hyperlight's guest library says when its page allocator or its heap is used up.
fn is_out_of_memory(why: &str) -> bool {
    let why = why.to_ascii_lowercase();
    why.contains("out of physical memory") || why.contains("memory allocation of") || why.contains("out of memory")
}
