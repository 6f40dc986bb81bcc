//! What belongs to one instance of a guest, and what its calls reach: files, streams, clocks, randomness, tools.

use crate::limiter::Limiter;
use mote_core::run::{Run, Stop, Stream};
use mote_core::watch::{Watch, Watched};
use mote_wasi::fs::Fs;
use mote_wasi::{Clock, Host, Output, SeededRandom, Wasi};
use rustix::time::{ClockId, clock_gettime};
use std::ops::DerefMut;
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
    /// What the thread had used up before the run; other sessions' time is nobody else's business.
    cpu_at_start: Duration,
    cpu: Option<CpuLimit>,
}

struct CpuLimit {
    ends: Duration,
    watched: Option<Watched>,
}

pub fn lock(fs: &Mutex<Fs>) -> std::sync::MutexGuard<'_, Fs> {
    fs.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Nanoseconds since 1970.
pub fn wall_clock() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_nanos() as u64)
}

fn thread_cpu() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}

impl Active {
    pub fn new(run: Arc<Run>, stdin: &[u8]) -> Self {
        let cpu = run.limits.cpu_ms.map(|limit| {
            let limit = Duration::from_millis(limit);
            let watched = Watch::shared().at(Instant::now() + limit, &run);
            CpuLimit { ends: thread_cpu() + limit, watched: Some(watched) }
        });
        Self { run, stdin: stdin.to_vec(), read: 0, cpu_at_start: thread_cpu(), cpu }
    }

    /// Called on the run's thread after a nudge.
    pub fn check(&mut self) -> Option<Stop> {
        if let Some(cpu) = &mut self.cpu {
            let now = thread_cpu();
            if now >= cpu.ends {
                self.run.stop(Stop::Cpu);
            } else {
                // CPU time never passes faster than the clock, so no sooner look can find the limit passed.
                cpu.watched = Some(Watch::shared().at(Instant::now() + (cpu.ends - now), &self.run));
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

    /// The epoch has moved: the guest goes on, or is told why not.
    pub fn look_up(&mut self) -> wasmtime::Result<UpdateDeadline> {
        match self.host.run.as_mut().and_then(Active::check) {
            Some(stop) => Err(crate::ending::stopped(stop)),
            None => Ok(UpdateDeadline::Continue(1)),
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

    /// The run is over; its CPU time stays counted.
    pub fn end_run(&mut self) {
        self.cpu_before = self.cpu_used();
        self.run = None;
    }

    fn cpu_used(&self) -> Duration {
        let current = self.run.as_ref().map(|active| thread_cpu().saturating_sub(active.cpu_at_start));
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
        match &self.run {
            Some(active) => active.run.write(stream, bytes),
            None => Ok(()),
        }
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
        match &self.run {
            Some(active) => active.run.sleep(until),
            None => Ok(()),
        }
    }
}
