//! One machine: booted or restored, and what a run in it ends with.

use super::channel::{Channel, Streams};
use super::files::{Files, Libraries};
use super::network;
use super::request::{Reply, inline};
use super::site::Site;
use crate::debug_port;
use crate::leash::Leash;
use hyperlight_unikraft::hyperlight_host::HyperlightError;
use hyperlight_unikraft::{AppSandbox, Exec, Mount, SandboxBuilder, Snapshot, Yield};
use mote_core::error::{Code, Error, Result};
use mote_core::run::Run;
use mote_wasi::fs::{Fs, Tree};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// Longest wait for the network without a look at whether the run was stopped.
const LOOK: Duration = Duration::from_millis(20);
const DRIVER: &str = "/usr/bin/hl_motedriver";

/// What a VM reaches outside of itself.
#[derive(Clone)]
pub struct Outside {
    pub fs: Arc<Mutex<Fs>>,
    /// Libraries installed since it opened.
    pub library: Arc<Mutex<Fs>>,
    /// Libraries it opened with.
    pub site: Option<Site>,
    /// Hosts of the network.
    pub net: Vec<String>,
    /// Folders of the host, to be read only, by where the guest has them.
    pub mounts: BTreeMap<String, PathBuf>,
}

pub struct Vm {
    app: AppSandbox,
    channel: Arc<Channel>,
    outside: Outside,
    /// What a run begins with, and whether the VM is just that.
    restored: Option<(Arc<Snapshot>, bool)>,
}

/// A run that did not return.
#[derive(Debug)]
pub enum Ended {
    Exit(u32),
    Stopped,
    Crashed(String),
    OutOfMemory,
}

fn failed(error: impl std::fmt::Display) -> Error {
    Error::new(Code::GuestCrashed, format!("Cannot start the linux guest: {error}"))
}

fn call(input: String) -> Exec {
    Exec::Call { function: "run".to_owned(), input }
}

impl Outside {
    /// In the same order for a snapshot and whatever is restored from it, since open files name their mount by number.
    fn mount(&self, builder: SandboxBuilder, channel: &Arc<Channel>) -> SandboxBuilder {
        let files = |tree| Arc::new(Files::new(self.fs.clone(), tree));
        let libraries = Libraries { own: self.library.clone(), opened_with: self.site.clone() };
        let own = [
            Mount::backend(files(Tree::Sandbox), "/sandbox", false),
            Mount::backend(files(Tree::Tmp), "/tmp", false),
            Mount::backend(Arc::new(Streams(channel.clone())), "/mote", false),
            Mount::backend(Arc::new(libraries), "/site-packages", true),
        ];
        let more = self.mounts.iter().map(|(guest, host)| Mount::ro(host, guest));
        channel.offer(builder.mounts(own).mounts(more).echo_output(false).output_limit(1 << 16))
    }

    fn connect(&self, builder: SandboxBuilder) -> Result<SandboxBuilder> {
        let Some(policy) = network::policy(&self.net)? else { return Ok(builder) };
        let builder = builder.network(policy);
        Ok(match std::fs::read_to_string("/etc/resolv.conf") {
            Ok(resolvers) => builder.resolv_conf(resolvers),
            Err(_) => builder,
        })
    }

    fn restore(&self, snapshot: &Arc<Snapshot>, channel: &Arc<Channel>) -> Result<AppSandbox> {
        let builder = self.mount(SandboxBuilder::from_snapshot(snapshot.clone()), channel);
        let app = self.connect(builder)?.boot().map_err(failed)?;
        debug_port::close()?;
        Ok(app)
    }
}

impl Vm {
    /// Starts a machine from nothing; the driver waits for its first request when this returns.
    pub fn boot(root: PathBuf, scratch_mib: usize, outside: Outside) -> Result<Self> {
        let channel = Arc::<Channel>::default();
        let builder = SandboxBuilder::from_initrd(root).entry(DRIVER).scratch_mb(scratch_mib);
        let app = outside.mount(builder, &channel).boot().map_err(failed)?;
        if !app.has_driver() {
            return Err(failed(channel.end() + &app.drain_output()));
        }
        debug_port::close()?;
        Ok(Self { app, channel, outside, restored: None })
    }

    pub fn from_snapshot(snapshot: Arc<Snapshot>, outside: Outside) -> Result<Self> {
        let channel = Arc::<Channel>::default();
        let app = outside.restore(&snapshot, &channel)?;
        Ok(Self { app, channel, outside, restored: Some((snapshot, true)) })
    }

    pub fn snapshot(&mut self) -> Result<Arc<Snapshot>> {
        self.app.snapshot().map_err(failed)
    }

    /// Whether no run was in it since it was restored.
    pub fn is_fresh(&self) -> bool {
        self.restored.as_ref().is_some_and(|(_, fresh)| *fresh)
    }

    /// Goes back to the snapshot, in whatever state the machine is.
    pub fn restore(&mut self) -> Result<()> {
        let Some((snapshot, fresh)) = &mut self.restored else { return Ok(()) };
        if *fresh {
            return Ok(());
        }
        if self.app.restore(snapshot.clone()).is_err() {
            self.app = self.outside.restore(snapshot, &self.channel)?;
        }
        *fresh = true;
        Ok(())
    }

    /// Runs a request outside of any session's run; what it printed comes with its reply.
    pub fn prepare(&mut self, request: Vec<u8>) -> Result<(Reply, String)> {
        let text = inline(&request);
        self.channel.begin(None, &[], request);
        let ran = self.app.run(call(text));
        let heard = self.channel.end();
        ran.map_err(|error| failed(format!("{error}: {heard}")))?;
        let reply = Reply::read(&self.app.take_result().unwrap_or_default());
        Ok((reply.ok_or_else(|| failed("its driver gave no answer"))?, heard))
    }

    pub fn run(&mut self, request: Vec<u8>, stdin: &[u8], run: &Arc<Run>) -> std::result::Result<Reply, Ended> {
        if let Some((_, fresh)) = &mut self.restored {
            *fresh = false;
        }
        let text = inline(&request);
        self.channel.begin(Some(run), stdin, request);
        let leash = Leash::on(run, self.app.interrupt_handle());
        let ended = match run.stopped() {
            Some(_) => Err(Ended::Stopped),
            None => self.drive(text, run),
        };
        drop(leash);
        self.channel.end();
        self.app.drain_output();
        match ended {
            Err(_) if run.stopped().is_some() => Err(Ended::Stopped),
            ended => ended,
        }
    }

    fn drive(&mut self, text: String, run: &Arc<Run>) -> std::result::Result<Reply, Ended> {
        self.app.submit(call(text)).map_err(|error| self.ending(error))?;
        let mut wait = Duration::ZERO;
        loop {
            if run.stopped().is_some() {
                return Err(Ended::Stopped);
            }
            match self.app.step(wait) {
                Ok(Yield::CallDone) => {
                    let result = self.app.take_result().unwrap_or_default();
                    return Reply::read(&result).ok_or_else(|| Ended::Crashed("the driver gave no answer".to_owned()));
                }
                Ok(Yield::CallFailed { status }) => return Err(Ended::Crashed(format!("the driver failed: {status}"))),
                Ok(Yield::Exited { status }) => return Err(Ended::Exit(status as u32 & 0xff)),
                Ok(Yield::Blocked { until }) => wait = self.sleep(until, run),
                // Every thread waits for another one: so it would on any machine, until its time is over.
                Err(hyperlight_unikraft::Error::Deadlocked) => wait = self.sleep(None, run),
                Err(error) => return Err(self.ending(error)),
            }
        }
    }

    /// Waits until the guest's next timer, or the run's end; gives how long a step may wait for the network after that.
    fn sleep(&self, until: Option<Instant>, run: &Arc<Run>) -> Duration {
        let now = Instant::now();
        if !self.outside.net.is_empty() {
            return until.map_or(LOOK, |until| until.saturating_duration_since(now).min(LOOK));
        }
        // A stop is seen by the loop.
        let _ = run.sleep(until.unwrap_or_else(|| run.deadline() + LOOK));
        Duration::ZERO
    }

    fn ending(&self, error: hyperlight_unikraft::Error) -> Ended {
        use hyperlight_unikraft::Error as Failure;
        match error {
            Failure::GuestExited { status } => Ended::Exit(status as u32 & 0xff),
            Failure::Hyperlight(HyperlightError::ExecutionCanceledByHost()) => Ended::Stopped,
            error => {
                let console = self.app.drain_output();
                crash(&format!("{error}\n{console}"))
            }
        }
    }
}

/// What the kernel's last words mean.
fn crash(said: &str) -> Ended {
    if said.to_ascii_lowercase().contains("out of memory") {
        return Ended::OutOfMemory;
    }
    let signal = said.split_once("Cannot deliver signal ").and_then(|(_, rest)| rest.split(' ').next());
    Ended::Crashed(match signal {
        Some("11") => "it touched memory that is not there".to_owned(),
        Some("4") => "it ran an instruction that is none".to_owned(),
        Some("8") => "it divided by zero".to_owned(),
        Some(other) => format!("signal {other}"),
        None => said.lines().next().unwrap_or_default().trim().chars().take(200).collect(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_crash_is_told_in_a_few_words() {
        let said = "Guest aborted: 0\n[ 6.5] CRIT: Cannot deliver signal 11 for pf at 0x0: tid 2";
        assert!(matches!(crash(said), Ended::Crashed(why) if why == "it touched memory that is not there"));
        assert!(matches!(crash("CRIT: Out of memory"), Ended::OutOfMemory));
        assert!(matches!(crash("Guest aborted: 13\nmore"), Ended::Crashed(why) if why == "Guest aborted: 13"));
    }
}
