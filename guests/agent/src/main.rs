//! The main process of a container: starts and ends what the host wants to run, and keeps its files. See README.md.
#![deny(unsafe_code)]

mod beneath;
mod ending;
mod files;
mod link;
mod processes;
mod run;
mod sink;
mod sockets;
mod start;
mod sys;
mod tree;
mod tunnels;
mod usage;
mod wire;

use beneath::Root;
use ending::{Children, kill_all, reap};
use files::{Files, SANDBOX, fault};
use link::{Link, Lost};
use run::{Phase, Place, Reason, Run};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::Mode;
use rustix::io::Errno;
use rustix::process::{DumpableBehavior, Signal};
use start::Limits;
use tunnels::Tunnels;
use std::os::fd::OwnedFd;
use std::time::{Duration, Instant};
use usage::Cgroup;
use wire::{Fields, Frame, Reader, ask, tell};

const VERSION: u32 = 1;
const PATIENCE: Timespec = Timespec { tv_sec: 60, tv_nsec: 0 };
const ALONE: u8 = 1;
const NEW_PRIVILEGES: u8 = 2;
const NO_SOCKETS: u8 = 4;

struct Agent {
    link: Link,
    signals: OwnedFd,
    place: Place,
    run: Option<Run>,
    tunnels: Tunnels,
    /// How long nothing may be heard of the host.
    lease: Duration,
    heard: Instant,
    looked: Instant,
}

impl Agent {
    fn new() -> std::io::Result<Self> {
        let link = Link::new(PATIENCE)?;
        let place = Place {
            files: Files::default(),
            cgroup: None,
            alone: false,
            new_privileges: false,
            processes: 0,
            touched: (0, 0),
        };
        let now = Instant::now();
        let signals = sys::child_signals()?;
        let (lease, tunnels) = (Duration::from_secs(60), Tunnels::default());
        Ok(Self { link, signals, place, run: None, tunnels, lease, heard: now, looked: now })
    }

    fn serve(&mut self) -> Result<(), Lost> {
        let mut hello = Fields::default();
        hello.0.extend_from_slice(b"mote");
        hello.u32(VERSION).u32(std::process::id()).u32(rustix::process::getuid().as_raw());
        self.link.send(tell::HELLO, 0, &[&hello.0]);
        loop {
            self.link.flush()?;
            self.wait()?;
            let children = reap(self.run.as_mut());
            while !self.link.full() {
                let Some(frame) = self.link.next()? else { break };
                self.heard = Instant::now();
                self.obey(frame)?;
            }
            if self.heard.elapsed() > self.lease {
                return Err(Lost);
            }
            self.go_on(children);
        }
    }

    fn wait(&mut self) -> Result<(), Lost> {
        let full = self.link.full();
        let mut fds = vec![PollFd::new(&self.signals, PollFlags::IN)];
        if self.link.pending() > 0 {
            fds.push(PollFd::from_borrowed_fd(Link::output_fd(), PollFlags::OUT));
        }
        let input = (!full).then(|| {
            fds.push(PollFd::from_borrowed_fd(Link::input_fd(), PollFlags::IN));
            fds.len() - 1
        });
        if let Some(run) = self.run.as_ref().filter(|_| !full) {
            run.interests(&mut fds);
        }
        if !full {
            self.tunnels.interests(&mut fds);
        }
        let left = self.lease.saturating_sub(self.heard.elapsed());
        let wakes = self.run.as_ref().and_then(Run::wakes).unwrap_or(left).min(left);
        let timeout = Timespec { tv_sec: wakes.as_secs() as i64, tv_nsec: i64::from(wakes.subsec_nanos()) };
        let _ = poll(&mut fds, Some(&timeout));
        let input = input.is_some_and(|at| !fds[at].revents().is_empty());
        let mut drained = [0; 1_024];
        while rustix::io::read(&self.signals, &mut drained).is_ok() {}
        if input { self.link.read() } else { Ok(()) }
    }

    fn go_on(&mut self, children: Children) {
        self.tunnels.pump(&mut self.link);
        let Some(run) = &mut self.run else { return };
        run.pump(&mut self.link);
        run.step(&children, &mut self.place, &mut self.link);
        if run.phase == Phase::Running && self.looked.elapsed() >= Duration::from_millis(50) {
            self.looked = Instant::now();
            if let Some(reason) = run.look(&self.place) {
                run.end(reason, &self.place);
            }
        }
        if run.phase == Phase::Over {
            self.run = None;
        }
    }

    fn obey(&mut self, Frame { kind, id, payload }: Frame) -> Result<(), Lost> {
        match kind {
            ask::PING => Ok(()),
            ask::CONFIG => match self.configure(&payload)? {
                Ok(answer) => {
                    self.link.send(tell::ANSWER, id, &[&answer.0]);
                    Ok(())
                }
                Err(error) => {
                    fault(&mut self.link, id, error);
                    Ok(())
                }
            },
            ask::WRITE | ask::READ | ask::LIST | ask::STAT | ask::MKDIR | ask::SYMLINK | ask::REMOVE => {
                if payload.first() == Some(&(SANDBOX as u8)) && !matches!(kind, ask::READ | ask::LIST | ask::STAT) {
                    let now = rustix::time::clock_gettime(rustix::time::ClockId::RealtimeCoarse);
                    self.place.touched = self.place.touched.max((now.tv_sec, now.tv_nsec));
                }
                self.place.files.answer(&mut self.link, kind, id, &payload)
            }
            ask::START => {
                self.start(id, &payload);
                Ok(())
            }
            ask::LISTEN => {
                match self.tunnels.listen(Reader(&payload).u32()?) {
                    Ok(()) => self.link.send(tell::ANSWER, id, &[]),
                    Err(error) => fault(&mut self.link, id, error),
                }
                Ok(())
            }
            ask::TUNNEL_DATA..=ask::TUNNEL_CLOSE => Ok(self.tunnels.obey(kind, id, &mut Reader(&payload))?),
            _ => self.steer(kind, id, &mut Reader(&payload)),
        }
    }

    fn start(&mut self, id: u32, payload: &[u8]) {
        let started = if self.run.is_some() { Err(Errno::BUSY) } else { Run::start(id, payload, &mut self.place) };
        match started {
            Ok(run) => {
                self.run = Some(run);
                self.link.send(tell::STARTED, id, &[]);
            }
            Err(error) => fault(&mut self.link, id, error),
        }
    }

    /// What is said of a run; one that is over by now is none of its business.
    fn steer(&mut self, kind: u8, id: u32, reader: &mut Reader) -> Result<(), Lost> {
        let run = self.run.as_mut().filter(|run| run.id == id);
        match (kind, run) {
            (ask::INPUT, Some(run)) => run.input(reader.u8()?, reader.rest()),
            (ask::INPUT_END, Some(run)) => run.input_end(reader.u8()?),
            (ask::CREDIT, Some(run)) => run.credit(reader.u8()?, reader.u32()?),
            (ask::KILL, Some(run)) => run.end(Reason::Host, &self.place),
            (ask::SETTLE, Some(run)) => run.settle(),
            (ask::RESUME, Some(run)) => {
                let limits = Limits::read(reader)?;
                if run.phase == Phase::Resting {
                    run.resume(limits, &mut self.place);
                    run.signal(Signal::CONT);
                }
            }
            (ask::INPUT | ask::INPUT_END | ask::CREDIT | ask::KILL | ask::SETTLE | ask::RESUME, None) => {}
            _ => return Err(Lost),
        }
        Ok(())
    }

    fn configure(&mut self, payload: &[u8]) -> Result<Result<Fields, Errno>, Lost> {
        let mut reader = Reader(payload);
        self.lease = Duration::from_millis(reader.u32()?.into());
        let flags = reader.u8()?;
        self.place.processes = reader.u32()?;
        self.place.alone = flags & ALONE != 0 && std::process::id() == 1;
        self.place.new_privileges = flags & NEW_PRIVILEGES != 0;
        self.place.cgroup = self.place.alone.then(Cgroup::find);
        let (sandbox, libraries, run) = (reader.bytes()?, reader.bytes()?, reader.bytes()?);
        let _ = rustix::fs::mkdir(run, Mode::RWXU);
        let mut answer = Fields::default();
        for path in [sandbox, libraries, run] {
            match Root::open(path) {
                Ok(root) => {
                    answer.0 = vec![u8::from(self.place.alone), u8::from(root.kernel())];
                    self.place.files.roots.push(root);
                }
                Err(error) => return Ok(Err(error)),
            }
        }
        if flags & NO_SOCKETS != 0
            && let Err(error) = sockets::take_away()
        {
            return Ok(Err(error));
        }
        Ok(Ok(answer))
    }

    /// Ends everybody, as nobody is there any longer who could want something of them.
    fn finish(&mut self) {
        let until = Instant::now() + Duration::from_secs(5);
        kill_all(self.place.alone);
        while reap(None) == Children::Some && Instant::now() < until {
            kill_all(self.place.alone);
            std::thread::sleep(Duration::from_millis(2));
        }
    }
}

fn main() {
    sys::close_strays();
    let mut arguments = std::env::args_os();
    // What brought us is of no use to whoever comes after.
    if let (Some(own), Some(word)) = (arguments.next(), arguments.next())
        && word == "unlink"
    {
        let _ = std::fs::remove_file(own);
    }
    // In a container that stays, the folder that was made for us goes with us.
    let folder = arguments.next();
    let _ = rustix::process::set_dumpable_behavior(DumpableBehavior::NotDumpable);
    let _ = rustix::process::set_child_subreaper(Some(rustix::process::getpid()));
    rustix::process::umask(Mode::WGRP | Mode::WOTH);
    match Agent::new() {
        Ok(mut agent) => {
            let _ = agent.serve();
            agent.finish();
            if let Some(folder) = folder {
                let _ = tree::remove_folder(folder.as_encoded_bytes());
            }
        }
        Err(error) => eprintln!("mote agent: {error}"),
    }
}
