//! How a run ends: everybody is killed until nobody is left, what they wrote is handed over, and only then the host hears of it.

use crate::files::{RUN, SANDBOX};
use crate::link::Link;
use crate::processes;
use crate::run::{Phase, Place, Reason, Run};
use crate::sys;
use crate::tree;
use crate::wire::tell;
use rustix::fs::{Mode, OFlags};
use rustix::process::{Pid, Signal, kill_process};
use std::time::{Duration, Instant};

const AGAIN: Duration = Duration::from_millis(20);
const LOOK: Duration = Duration::from_millis(50);
const ROUNDS_MAX: u32 = 500;
const CHANGED_MAX: usize = 100;

/// Whether there is anybody left to wait for.
#[derive(PartialEq, Eq)]
pub enum Children {
    Some,
    None,
}

/// Takes in every process that has ended; there are always such, as orphans come to us.
pub fn reap(mut run: Option<&mut Run>) -> Children {
    loop {
        match sys::wait_any() {
            Ok(Some(ended)) => {
                if let Some(run) = run.as_deref_mut().filter(|run| run.main == ended.pid) {
                    run.status = Some(ended.status);
                    run.peak = ended.peak;
                }
            }
            Ok(None) => return Children::Some,
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(_) => return Children::None,
        }
    }
}

/// Kills everybody whom runs have started.
pub fn kill_all(alone: bool) {
    if alone {
        sys::kill_everybody();
    } else {
        processes::kill_but(&processes::ours(false), 0);
    }
}

impl Run {
    pub fn end(&mut self, reason: Reason, place: &Place) {
        if matches!(self.phase, Phase::Running | Phase::Settling | Phase::Resting) {
            self.reason = reason;
            self.phase = Phase::Ending;
            kill_all(place.alone);
            self.kill_again = Instant::now() + AGAIN;
        }
    }

    /// Ends all but the interpreter, and stops that.
    pub fn settle(&mut self) {
        if self.phase == Phase::Running && self.living() {
            self.phase = Phase::Settling;
            self.rounds = 0;
            self.signal(Signal::STOP);
        }
    }

    pub fn signal(&self, signal: Signal) {
        if let Some(pid) = Pid::from_raw(self.main).filter(|_| self.status.is_none()) {
            let _ = kill_process(pid, signal);
        }
    }

    /// When to look again, if nothing happens until then.
    pub fn wakes(&self) -> Option<Duration> {
        match self.phase {
            Phase::Running => Some(LOOK),
            Phase::Ending | Phase::Settling => Some(Duration::from_millis(2)),
            _ => None,
        }
    }

    /// Goes on as far as it can.
    pub fn step(&mut self, children: &Children, place: &mut Place, link: &mut Link) {
        if self.status.is_some() && matches!(self.phase, Phase::Running | Phase::Settling | Phase::Resting) {
            self.end(Reason::Itself, place);
        }
        if self.phase == Phase::Settling {
            return self.step_settling(place, link);
        }
        if self.phase == Phase::Ending {
            if *children == Children::None {
                self.phase = Phase::Draining;
                self.pump(link);
            } else if Instant::now() >= self.kill_again {
                kill_all(place.alone);
                self.kill_again = Instant::now() + AGAIN;
            }
        }
        if self.phase == Phase::Draining && self.is_dry() {
            self.phase = Phase::Over;
            self.tell(tell::ENDED, place, link);
            if !self.keeps_folder() {
                clear_folder(place);
            }
        }
    }

    fn step_settling(&mut self, place: &mut Place, link: &mut Link) {
        self.rounds += 1;
        if processes::kill_but(&processes::ours(place.alone), self.main) {
            if self.rounds > ROUNDS_MAX {
                self.end(Reason::Remains, place);
            }
            return;
        }
        // The interpreter is stopped, so that what there is now is all there will be.
        self.pump(link);
        if self.has_output() {
            return;
        }
        self.phase = Phase::Resting;
        self.tell(tell::SETTLED, place, link);
    }

    fn has_output(&self) -> bool {
        self.outputs.iter().flatten().any(|fd| rustix::io::ioctl_fionread(fd).is_ok_and(|bytes| bytes > 0))
    }

    fn tell(&self, kind: u8, place: &mut Place, link: &mut Link) {
        let changed = match place.files.root(SANDBOX) {
            Ok(root) => tree::changed(root, self.since, CHANGED_MAX),
            Err(_) => tree::Changed::default(),
        };
        place.touched = place.touched.max(changed.latest);
        let report = self.report(place, &changed.paths);
        link.send(kind, self.id, &[&report.0]);
    }
}

/// Nothing of a run's own folder is there for the next.
fn clear_folder(place: &Place) {
    let Ok(root) = place.files.root(RUN) else { return };
    if let Ok(top) = root.open_at(b".", OFlags::RDONLY | OFlags::DIRECTORY, Mode::empty()) {
        let _ = tree::clear(&top);
    }
}
