//! What an instance's WASI calls reach: files in this machine, streams and clocks of the host.

use crate::calls::{self, Stop};
use crate::output::Outputs;
use crate::platform;
use core::ops::DerefMut;
use mote_micro_wire::Source;
use mote_wasi::fs::Area;
use mote_wasi::{Clock, Fs, Host, Output, SeededRandom};

/// Heap that files get ahead of their need.
const ROOM_BYTES: u64 = 4 << 20;

pub struct MicroHost {
    pub fs: Fs,
    pub random: SeededRandom,
    pub time: Time,
    pub output: Outputs,
    pub stdin_bytes: u64,
    pub stdin_read: u64,
    /// What the heap was made larger by, for files, and at most.
    grown_bytes: u64,
    most_grown_bytes: u64,
}

/// When the run began, by the host's clocks, and what the time-stamp counter said then.
#[derive(Clone, Copy, Default)]
pub struct Time {
    pub now_ns: u64,
    pub alive_ns: u64,
    /// 0 where the counter does not tell the time: then the host is asked.
    pub tsc_hz: u64,
    /// The same is done when so much has passed.
    pub tsc_ns: u64,
    pub begun_at: u64,
    /// What was said last, so that time never goes back.
    pub latest: u64,
}

impl Time {
    fn since(&mut self) -> u64 {
        let counted = self.counted().filter(|ns| *ns <= self.tsc_ns);
        let now = counted.unwrap_or_else(|| calls::clock(0).saturating_sub(self.now_ns));
        self.latest = self.latest.max(now);
        self.latest
    }

    fn counted(&self) -> Option<u64> {
        let ticks = platform::timestamp().saturating_sub(self.begun_at);
        u64::try_from((u128::from(ticks) * 1_000_000_000).checked_div(u128::from(self.tsc_hz))?).ok()
    }
}

impl MicroHost {
    pub fn new(fs: Fs, most_grown_bytes: u64) -> Self {
        Self {
            fs,
            random: SeededRandom::new([0; 32]),
            time: Time::default(),
            output: Outputs::default(),
            stdin_bytes: 0,
            stdin_read: 0,
            grown_bytes: 0,
            most_grown_bytes,
        }
    }

    pub fn realtime(&mut self) -> u64 {
        self.time.now_ns + self.time.since()
    }

    /// Keeps room in the heap for what a call may write. A file's bytes cost up to twice their number there.
    pub fn make_room(&mut self) {
        self.make_room_for(0);
    }

    /// The same for so many bytes more.
    pub fn make_room_for(&mut self, more: u64) {
        let used = self.fs.usage(Area::Workspace).bytes + self.fs.usage(Area::Library).bytes + more;
        while self.grown_bytes < used * 2 + ROOM_BYTES && self.grown_bytes < self.most_grown_bytes {
            platform::grow_heap(ROOM_BYTES);
            self.grown_bytes += ROOM_BYTES;
        }
    }
}

impl Host for MicroHost {
    type Stop = Stop;

    fn fs(&mut self) -> impl DerefMut<Target = Fs> {
        self.make_room();
        &mut self.fs
    }

    fn write(&mut self, output: Output, bytes: &[u8]) -> Result<(), Stop> {
        self.output.write(if output == Output::Stdout { 1 } else { 2 }, bytes)
    }

    fn read_stdin(&mut self, buffer: &mut [u8]) -> Result<usize, Stop> {
        let left = self.stdin_bytes - self.stdin_read;
        let wanted = usize::try_from(left).map_or(buffer.len(), |left| left.min(buffer.len()));
        let read = calls::pull(Source::Stdin, self.stdin_read, &mut buffer[..wanted])?;
        self.stdin_read += read as u64;
        Ok(read)
    }

    fn stdin_ready(&mut self, _until: Option<u64>) -> Result<Option<u64>, Stop> {
        Ok(Some(self.stdin_bytes - self.stdin_read))
    }

    fn now(&mut self, clock: Clock) -> u64 {
        match clock {
            Clock::Realtime => self.realtime(),
            Clock::Monotonic => self.time.alive_ns + self.time.since(),
            Clock::ProcessCpu | Clock::ThreadCpu => calls::clock(1),
        }
    }

    fn random(&mut self, buffer: &mut [u8]) -> Result<(), Stop> {
        self.random.fill(buffer);
        Ok(())
    }

    fn sleep(&mut self, until: u64) -> Result<(), Stop> {
        let now = self.now(Clock::Monotonic);
        if until > now { calls::sleep(until - now) } else { Ok(()) }
    }
}
