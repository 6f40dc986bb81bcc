//! What belongs to one instance of a guest, and what its calls reach: files, streams, clocks, randomness, tools.

use crate::limiter::Limiter;
use crate::mapped::thread_faults;
use mote_core::run::{Run, Stop, Stream};
use mote_core::watch::{Watch, Watched};
use mote_wasi::fs::Fs;
use mote_wasi::{Clock, Host, Output, SeededRandom, Wasi};
use rustix::time::{ClockId, clock_gettime};
use std::ops::DerefMut;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use wasmtime::{Memory, UpdateDeadline};

/// Data of a wasmtime store.
pub struct State {
    pub wasi: Wasi,
    pub host: GuestHost,
    pub memory: Option<Memory>,
    pub limiter: Limiter,
}

/// The host as one guest knows it.
pub struct GuestHost {
    pub fs: Arc<Mutex<Fs>>,
    pub random: SeededRandom,
    /// `None` while the instance is made ahead of any run.
    pub run: Option<Active>,
    /// Zero of the monotonic clock: when the session got the instance.
    born: Instant,
    /// CPU time of the session's earlier runs in this instance.
    cpu_before: Duration,
}

/// The run that an instance works for.
pub struct Active {
    pub run: Arc<Run>,
    stdin: Vec<u8>,
    read: usize,
    usage: Arc<Usage>,
    cpu: Option<CpuLimit>,
    owed: Option<Owed>,
    /// What the call that owes it answers.
    answer: i32,
}

/// What a call on the host's own thread would have waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Owed {
    SleepUntil(Instant),
    Output,
}

/// CPU time and page faults of one run, whichever thread it is on.
pub struct Usage {
    /// What the thread had used up before the run came there; other sessions' time is nobody else's business. In ns.
    before: AtomicU64,
    /// Used up on threads that the run has left, in ns.
    left: AtomicU64,
    faults_before: AtomicU64,
    faulted: AtomicBool,
}

impl Usage {
    fn start() -> Arc<Self> {
        Arc::new(Self {
            before: AtomicU64::new(thread_cpu_ns()),
            left: AtomicU64::new(0),
            faults_before: AtomicU64::new(thread_faults().unwrap_or(u64::MAX)),
            faulted: AtomicBool::new(false),
        })
    }

    /// Called on the thread that the run leaves.
    pub fn leave(&self) {
        self.left.store(self.used().as_nanos() as u64, Ordering::SeqCst);
        self.faulted.store(self.faulted(), Ordering::SeqCst);
    }

    /// Called on the thread where the run goes on.
    pub fn enter(&self) {
        self.before.store(thread_cpu_ns(), Ordering::SeqCst);
        self.faults_before.store(thread_faults().unwrap_or(u64::MAX), Ordering::SeqCst);
    }

    /// Whether there was a page fault, or might have been.
    fn faulted(&self) -> bool {
        self.faulted.load(Ordering::SeqCst) || thread_faults() != Some(self.faults_before.load(Ordering::SeqCst))
    }

    fn used(&self) -> Duration {
        let here = thread_cpu_ns().saturating_sub(self.before.load(Ordering::SeqCst));
        Duration::from_nanos(self.left.load(Ordering::SeqCst) + here)
    }
}

struct CpuLimit {
    limit: Duration,
    watched: Option<Watched>,
}

pub fn lock(fs: &Mutex<Fs>) -> std::sync::MutexGuard<'_, Fs> {
    fs.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Nanoseconds since 1970.
pub fn wall_clock() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_nanos() as u64)
}

fn thread_cpu_ns() -> u64 {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    time.tv_sec as u64 * 1_000_000_000 + time.tv_nsec as u64
}

impl Active {
    pub fn new(run: Arc<Run>, stdin: &[u8]) -> Self {
        let cpu = run.limits.cpu_ms.map(|limit| {
            let limit = Duration::from_millis(limit);
            let watched = Watch::shared().at(Instant::now() + limit, &run);
            CpuLimit { limit, watched: Some(watched) }
        });
        Self { run, stdin: stdin.to_vec(), read: 0, usage: Usage::start(), cpu, owed: None, answer: 0 }
    }

    pub fn usage(&self) -> Arc<Usage> {
        self.usage.clone()
    }

    /// Called on the run's thread after a nudge.
    pub fn check(&mut self) -> Option<Stop> {
        if let Some(cpu) = &mut self.cpu {
            match cpu.limit.checked_sub(self.usage.used()) {
                None | Some(Duration::ZERO) => self.run.stop(Stop::Cpu),
                // CPU time never passes faster than the clock, so no sooner look can find the limit passed.
                Some(left) => cpu.watched = Some(Watch::shared().at(Instant::now() + left, &self.run)),
            }
        }
        self.run.stopped()
    }
}

impl State {
    pub fn new(wasi: Wasi, fs: Arc<Mutex<Fs>>, seed: [u8; 32], limiter: Limiter) -> Self {
        let random = SeededRandom::new(seed);
        let host = GuestHost { fs, random, run: None, born: Instant::now(), cpu_before: Duration::ZERO };
        Self { wasi, host, memory: None, limiter }
    }

    /// An error when the run was stopped.
    pub fn check(&mut self) -> wasmtime::Result<()> {
        match self.host.run.as_mut().and_then(Active::check) {
            Some(stop) => Err(crate::ending::stopped(stop)),
            None => Ok(()),
        }
    }

    /// The epoch has moved: the guest goes on, here or elsewhere, or is told why not.
    pub fn look_up(&mut self) -> wasmtime::Result<UpdateDeadline> {
        self.check()?;
        match &self.host.run {
            Some(active) if active.run.place().is_leaving() => {
                active.run.place().leave();
                // Looks up again at once: what was to be seen meanwhile moved the epoch before this deadline is set.
                Ok(UpdateDeadline::Yield(0))
            }
            _ => Ok(UpdateDeadline::Continue(1)),
        }
    }
}

impl GuestHost {
    /// From here on the host is that of a session: its clocks begin anew.
    pub fn belong_to(&mut self, fs: Arc<Mutex<Fs>>, seed: [u8; 32]) {
        self.fs = fs;
        self.random = SeededRandom::new(seed);
        self.born = Instant::now();
        self.cpu_before = Duration::ZERO;
    }

    /// Whether the run was asked to leave the host's own thread.
    pub fn is_leaving(&self) -> bool {
        self.run.as_ref().is_some_and(|active| active.run.place().is_leaving())
    }

    /// Whether the call that has just been made has to wait before it answers.
    pub fn owes(&mut self, answer: i32) -> bool {
        let Some(active) = &mut self.run else { return false };
        active.answer = answer;
        active.owed.is_some()
    }

    /// Waits for what is owed, on a worker, and gives the answer of the call that owes it.
    pub fn pay(&mut self) -> Result<Option<i32>, Stop> {
        let Some(active) = &mut self.run else { return Ok(None) };
        match active.owed.take() {
            None => return Ok(None),
            Some(Owed::SleepUntil(until)) => active.run.sleep(until)?,
            Some(Owed::Output) => active.run.release_output()?,
        }
        Ok(Some(active.answer))
    }

    /// The run is over; its CPU time stays counted. False when it had no page fault.
    pub fn end_run(&mut self) -> bool {
        self.cpu_before = self.cpu_used();
        self.run.take().is_none_or(|active| active.usage.faulted())
    }

    fn cpu_used(&self) -> Duration {
        let current = self.run.as_ref().map(|active| active.usage.used());
        self.cpu_before + current.unwrap_or_default()
    }
}

impl Host for GuestHost {
    type Stop = Stop;

    fn fs(&mut self) -> impl DerefMut<Target = Fs> {
        lock(&self.fs)
    }

    fn write(&mut self, output: Output, bytes: &[u8]) -> Result<(), Stop> {
        let stream = match output {
            Output::Stdout => Stream::Stdout,
            Output::Stderr => Stream::Stderr,
        };
        let Some(active) = &mut self.run else { return Ok(()) };
        active.run.write(stream, bytes)?;
        if active.run.place().is_hosts() && active.run.holds_output() {
            active.owed = Some(Owed::Output);
        }
        Ok(())
    }

    fn read_stdin(&mut self, buf: &mut [u8]) -> Result<usize, Stop> {
        let Some(active) = &mut self.run else { return Ok(0) };
        let rest = &active.stdin[active.read..];
        let read = rest.len().min(buf.len());
        buf[..read].copy_from_slice(&rest[..read]);
        active.read += read;
        Ok(read)
    }

    fn stdin_ready(&mut self, _until: Option<u64>) -> Result<Option<u64>, Stop> {
        Ok(Some(self.run.as_ref().map_or(0, |active| (active.stdin.len() - active.read) as u64)))
    }

    fn now(&mut self, clock: Clock) -> u64 {
        match clock {
            Clock::Realtime => wall_clock(),
            Clock::Monotonic => self.born.elapsed().as_nanos() as u64,
            Clock::ProcessCpu | Clock::ThreadCpu => self.cpu_used().as_nanos() as u64,
        }
    }

    fn random(&mut self, buf: &mut [u8]) -> Result<(), Stop> {
        self.random.fill(buf);
        Ok(())
    }

    fn sleep(&mut self, until: u64) -> Result<(), Stop> {
        // Later than any deadline is as good as never.
        let until = self.born.checked_add(Duration::from_nanos(until));
        let until = until.unwrap_or_else(|| Instant::now() + Duration::from_secs(1 << 30));
        match &mut self.run {
            Some(active) if active.run.place().is_hosts() => active.owed = Some(Owed::SleepUntil(until)),
            Some(active) => active.run.sleep(until)?,
            None => {}
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn use_up(time: Duration) {
        let from = thread_cpu_ns();
        while thread_cpu_ns() - from < time.as_nanos() as u64 {}
    }

    #[test]
    fn a_run_is_charged_for_its_own_time_on_every_thread() {
        const SHORT: Duration = Duration::from_millis(2);
        const LONG: Duration = Duration::from_millis(30);
        use_up(LONG);
        let clock = Usage::start();
        use_up(SHORT);
        clock.leave();
        let there = clock.clone();
        std::thread::spawn(move || {
            use_up(LONG);
            there.enter();
            use_up(SHORT);
            assert!((2 * SHORT..LONG).contains(&there.used()), "{:?}", there.used());
        })
        .join()
        .unwrap();
    }
}
