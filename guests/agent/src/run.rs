//! One run: its main process, its pipes, and what it has used up. How it ends is in ending.rs.

use crate::files::{Files, SANDBOX};
use crate::link::Link;
use crate::processes;
use crate::sink::Sink;
use crate::start::{KEEPS_FOLDER, LIVING, Limits, Order, Pipes, start};
use crate::sys;
use crate::usage::Cgroup;
use crate::wire::{Fields, tell};
use rustix::event::{PollFd, PollFlags};
use rustix::io::Errno;
use rustix::process::{Pid, Resource, Rlimit};
use std::os::fd::OwnedFd;
use std::time::{Duration, Instant};

const PIECE_BYTES: usize = 64 << 10;
/// The host's own clock decides; this one is for a host that is gone.
const GRACE: Duration = Duration::from_secs(1);
/// A process that may not have more is told so before all of them are ended for it.
const MARGIN: u64 = 16 << 20;
const STACK: u64 = 8 << 20;
pub const STDIN: u8 = 0;
pub const CONTROL: u8 = 3;

/// Why a run was ended from outside of it.
#[derive(Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Reason {
    Itself = 0,
    Host = 1,
    Time = 2,
    Cpu = 3,
    Memory = 4,
    Processes = 5,
    /// What it left behind would not die while its interpreter lived.
    Remains = 6,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    Running,
    /// All are being killed.
    Ending,
    /// Nobody lives; what they wrote is on its way.
    Draining,
    /// All but the main process, which is stopped, are being killed.
    Settling,
    /// The main process is stopped until the next run.
    Resting,
    Over,
}

/// What all runs have in common.
pub struct Place {
    pub files: Files,
    pub cgroup: Option<Cgroup>,
    pub alone: bool,
    pub new_privileges: bool,
    /// Processes and threads of threads' groups at a time; 0 where the engine counts them.
    pub processes: u32,
    /// The latest change of a file in the workspace, as far as known.
    pub touched: (i64, i64),
}

pub struct Run {
    pub id: u32,
    pub main: i32,
    pub flags: u8,
    pub phase: Phase,
    pub reason: Reason,
    /// How the main process ended: exit code, or minus the signal.
    pub status: Option<i32>,
    /// The most memory that it had at a time, in bytes.
    pub peak: u64,
    pub limits: Limits,
    pub started: Instant,
    pub since: (i64, i64),
    pub kill_again: Instant,
    pub rounds: u32,
    data: u64,
    /// Its driver has said something: what it has by then is its own.
    driven: bool,
    cpu_base: u64,
    kills_base: u64,
    full_base: bool,
    full: bool,
    stdin: Option<(OwnedFd, Sink)>,
    pub outputs: [Option<OwnedFd>; 2],
    control: Option<(OwnedFd, Sink)>,
    output_credit: u64,
    control_credit: u64,
}

impl Run {
    pub fn start(id: u32, payload: &[u8], place: &mut Place) -> Result<Self, Errno> {
        let order = Order::read(payload).map_err(|_| Errno::INVAL)?;
        let since = place.tick();
        let (cpu_base, kills_base, full_base) = (place.cpu_us(), place.kills(), place.is_full());
        let (main, pipes) = start(&order, &place.files, place.new_privileges)?;
        let Pipes { stdin, stdout, stderr, control } = pipes;
        let started = Instant::now();
        Ok(Self {
            id,
            main,
            flags: order.flags,
            phase: Phase::Running,
            reason: Reason::Itself,
            status: None,
            peak: 0,
            limits: order.limits,
            started,
            since,
            kill_again: started,
            rounds: 0,
            data: order.data,
            driven: false,
            cpu_base,
            kills_base,
            full_base,
            full: false,
            stdin: Some((stdin, Sink::default())),
            outputs: [Some(stdout), Some(stderr)],
            control: control.map(|fd| (fd, Sink::default())),
            output_credit: order.credit.into(),
            control_credit: order.credit.into(),
        })
    }

    /// Begins the next run of a living interpreter.
    pub fn resume(&mut self, limits: Limits, place: &mut Place) {
        self.limits = limits;
        self.since = place.tick();
        self.cpu_base = place.cpu_us();
        self.kills_base = place.kills();
        self.full_base = place.is_full();
        self.full = false;
        self.started = Instant::now();
        self.phase = Phase::Running;
    }

    pub fn living(&self) -> bool {
        self.flags & LIVING != 0
    }

    pub fn keeps_folder(&self) -> bool {
        self.flags & KEEPS_FOLDER != 0
    }

    pub fn input(&mut self, stream: u8, bytes: &[u8]) {
        if let Some((_, sink)) = self.sink(stream) {
            sink.push(bytes);
        }
    }

    pub fn input_end(&mut self, stream: u8) {
        if let Some((_, sink)) = self.sink(stream) {
            sink.end();
        }
    }

    fn sink(&mut self, stream: u8) -> &mut Option<(OwnedFd, Sink)> {
        if stream == CONTROL { &mut self.control } else { &mut self.stdin }
    }

    pub fn credit(&mut self, stream: u8, bytes: u32) {
        let credit = if stream == CONTROL { &mut self.control_credit } else { &mut self.output_credit };
        *credit = credit.saturating_add(bytes.into());
    }

    /// What to wait for.
    pub fn interests<'a>(&'a self, fds: &mut Vec<PollFd<'a>>) {
        if let Some((fd, sink)) = &self.stdin
            && (!sink.is_idle() || sink.is_over())
        {
            fds.push(PollFd::new(fd, PollFlags::OUT));
        }
        if self.output_credit > 0 {
            fds.extend(self.outputs.iter().flatten().map(|fd| PollFd::new(fd, PollFlags::IN)));
        }
        if let Some((fd, sink)) = &self.control {
            let reads = if self.control_credit > 0 { PollFlags::IN } else { PollFlags::empty() };
            let writes = if sink.is_idle() { PollFlags::empty() } else { PollFlags::OUT };
            if !(reads | writes).is_empty() {
                fds.push(PollFd::new(fd, reads | writes));
            }
        }
    }

    /// Moves bytes both ways, as far as they go.
    pub fn pump(&mut self, link: &mut Link) {
        for stream in [STDIN, CONTROL] {
            let Some((fd, sink)) = self.sink(stream) else { continue };
            let taken = sink.write(fd);
            if taken.bytes > 0 {
                let id = self.id;
                link.send(tell::INPUT_CREDIT, id, &[&[stream], &(taken.bytes as u32).to_le_bytes()]);
            }
            if taken.over && stream == STDIN {
                self.stdin = None;
            }
        }
        for at in [0, 1] {
            self.pump_output(at, link);
        }
        self.pump_control(link);
    }

    fn pump_output(&mut self, at: usize, link: &mut Link) {
        let mut piece = [0; PIECE_BYTES];
        while self.output_credit > 0 && !link.full() {
            let Some(fd) = &self.outputs[at] else { return };
            let most = piece.len().min(self.output_credit as usize);
            match rustix::io::read(fd, &mut piece[..most]) {
                Ok(0) => self.outputs[at] = None,
                Ok(read) => {
                    self.output_credit -= read as u64;
                    link.send(tell::OUTPUT, self.id, &[&[at as u8 + 1], &piece[..read]]);
                }
                Err(Errno::INTR) => {}
                Err(Errno::AGAIN) => return self.dry(at),
                Err(_) => self.outputs[at] = None,
            }
        }
    }

    /// Nothing is there; when nobody lives, nothing will be, whoever else may hold the other end.
    fn dry(&mut self, at: usize) {
        if self.phase == Phase::Draining {
            self.outputs[at] = None;
        }
    }

    fn pump_control(&mut self, link: &mut Link) {
        let mut piece = [0; PIECE_BYTES];
        while self.control_credit > 0 && !link.full() {
            let Some((fd, _)) = &self.control else { return };
            let most = piece.len().min(self.control_credit as usize);
            match rustix::io::read(fd, &mut piece[..most]) {
                Ok(read) if read > 0 => {
                    self.control_credit -= read as u64;
                    if self.data > 0 && !self.driven {
                        self.driven = true;
                        limit_data(self.main, self.data);
                    }
                    link.send(tell::OUTPUT, self.id, &[&[CONTROL], &piece[..read]]);
                }
                Err(Errno::INTR) => {}
                Err(Errno::AGAIN) if self.phase != Phase::Draining => return,
                _ => self.control = None,
            }
        }
    }

    /// Whether all that was written has been handed over.
    pub fn is_dry(&self) -> bool {
        self.outputs.iter().all(Option::is_none) && self.control.is_none()
    }

    /// Looks at what is used up; the reason to end it, if there is one.
    pub fn look(&mut self, place: &Place) -> Option<Reason> {
        self.full |= place.is_full();
        if self.driven {
            limit_data(self.main, self.data);
        }
        let elapsed = self.started.elapsed();
        if !self.limits.time.is_zero() && elapsed >= self.limits.time + GRACE {
            return Some(Reason::Time);
        }
        let limits = self.limits;
        if limits.cpu_us > 0 && place.cpu_us().saturating_sub(self.cpu_base) > limits.cpu_us {
            return Some(Reason::Cpu);
        }
        if limits.memory > 0 && place.memory_bytes() > limits.memory + MARGIN {
            return Some(Reason::Memory);
        }
        let crowd = place.processes > 0 && processes::ours(place.alone).len() > place.processes as usize;
        crowd.then_some(Reason::Processes)
    }

    /// What the host is told at the end.
    pub fn report(&self, place: &Place, changed: &[Vec<u8>]) -> Fields {
        let mut out = Fields::default();
        out.u8(self.reason as u8).u32(self.status.unwrap_or(0) as u32);
        out.u64(self.started.elapsed().as_micros() as u64).u64(place.cpu_us().saturating_sub(self.cpu_base));
        out.u64(self.peak);
        out.u32(place.kills().saturating_sub(self.kills_base) as u32);
        let full = !self.full_base && (self.full || place.is_full());
        out.u8(u8::from(full)).u32(changed.len() as u32);
        for path in changed {
            out.bytes(path);
        }
        out
    }
}

/// A process may have so much data in memory; beyond it, allocating fails. What it has asked for and never touched, as stacks
/// of threads, does not count, so this is set anew as that grows.
fn limit_data(pid: i32, bytes: u64) {
    let Some((data, resident)) = processes::data_bytes(pid) else { return };
    let most = data.saturating_sub(resident).saturating_add(bytes);
    let _ = rustix::process::prlimit(Pid::from_raw(pid), Resource::Data, Rlimit { current: Some(most), maximum: None });
    let _ = rustix::process::prlimit(Pid::from_raw(pid), Resource::Stack, Rlimit { current: Some(STACK), maximum: None });
}

impl Place {
    /// Time on the processor of all runs until now, in microseconds.
    fn cpu_us(&self) -> u64 {
        let (waited, own) = sys::cpu_times();
        match self.cgroup.as_ref().and_then(Cgroup::cpu_us) {
            Some(all) => all.saturating_sub(own),
            None => waited + processes::cpu_us(&processes::ours(self.alone)),
        }
    }

    fn kills(&self) -> u64 {
        self.cgroup.as_ref().and_then(Cgroup::memory_kills).unwrap_or(0)
    }

    fn memory_bytes(&self) -> u64 {
        let counted = self.cgroup.as_ref().and_then(Cgroup::anonymous_bytes);
        counted.unwrap_or_else(|| processes::private_bytes(&processes::ours(self.alone)))
    }

    fn is_full(&self) -> bool {
        let Ok(root) = self.files.root(SANDBOX) else { return false };
        rustix::fs::fstatvfs(root.folder()).is_ok_and(|stat| {
            (stat.f_blocks > 0 && stat.f_bavail == 0) || (stat.f_files > 0 && stat.f_favail == 0)
        })
    }

    /// The clock that files get, past the last change that was before: what changes from now on has at least this time.
    fn tick(&self) -> (i64, i64) {
        for _ in 0..20 {
            let now = rustix::time::clock_gettime(rustix::time::ClockId::RealtimeCoarse);
            if (now.tv_sec, now.tv_nsec) > self.touched {
                return (now.tv_sec, now.tv_nsec);
            }
            std::thread::sleep(Duration::from_millis(1));
        }
        self.touched
    }
}
