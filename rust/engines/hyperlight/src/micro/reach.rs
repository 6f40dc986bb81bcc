//! What a guest reaches outside of its machine: the streams, sleep, clocks and tools of the run it works for. All that it
//! says is taken as an enemy's.

use mote_core::calls::Waited;
use mote_core::run::{Run, Stop, Stream};
use mote_engine_wasm::shared::wall_clock;
use mote_micro_wire::{PIECE_BYTES, Source};
use rustix::time::{ClockId, clock_gettime};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// What of one run the guest may ask for.
pub struct Given {
    pub run: Arc<Run>,
    /// The machine may keep its state after the run.
    pub stays: bool,
    pub message: Vec<u8>,
    pub code: Vec<u8>,
    pub stdin: Vec<u8>,
    pub workspace: Arc<Vec<u8>>,
    pub library: Arc<Vec<u8>>,
    /// CPU time of the session's runs before this one.
    pub cpu_before: Duration,
    /// Most bytes that the guest may lay down here at a time.
    pub most_pushed: u64,
}

/// Shared by a machine's host functions.
#[derive(Clone, Default)]
pub struct Reach(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    given: Option<Given>,
    answer: Vec<u8>,
    pushed: Vec<u8>,
    changed: Option<Vec<u8>>,
    cpu_at_start: Duration,
}

pub fn thread_cpu() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}

/// What a function of the host answers when the run is to end.
const STOP: i32 = 1;

impl Reach {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// From here on the guest works for this run; called on the machine's thread.
    pub fn begin(&self, given: Given) {
        *self.state() = State { given: Some(given), cpu_at_start: thread_cpu(), ..State::default() };
    }

    /// The run is over: what the guest has pushed as its changes, and the CPU time it took.
    pub fn end(&self) -> (Option<Vec<u8>>, Duration) {
        let state = std::mem::take(&mut *self.state());
        (state.changed, thread_cpu().saturating_sub(state.cpu_at_start))
    }

    /// Never held while a call waits.
    fn run(&self) -> Option<Arc<Run>> {
        self.state().given.as_ref().map(|given| given.run.clone())
    }

    pub fn write(&self, stream: i32, bytes: &[u8]) -> i32 {
        let Some(run) = self.run() else { return STOP };
        let stream = if stream == 1 { Stream::Stdout } else { Stream::Stderr };
        went_on(run.write(stream, bytes))
    }

    pub fn pull(&self, source: i32, offset: u64, length: u64) -> Vec<u8> {
        let state = self.state();
        let Some(given) = &state.given else { return Vec::new() };
        let from: &[u8] = match Source::from_raw(source) {
            Some(Source::Code) => &given.code,
            Some(Source::Stdin) => &given.stdin,
            Some(Source::Workspace) => &given.workspace,
            Some(Source::Library) => &given.library,
            Some(Source::Answer) => &state.answer,
            Some(Source::Message) => &given.message,
            None => &[],
        };
        let start = usize::try_from(offset).map_or(from.len(), |offset| offset.min(from.len()));
        let length = usize::try_from(length).map_or(PIECE_BYTES, |length| length.min(PIECE_BYTES));
        from[start..start.saturating_add(length).min(from.len())].to_vec()
    }

    pub fn push(&self, bytes: &[u8]) -> i32 {
        let mut state = self.state();
        let Some(given) = &state.given else { return STOP };
        if given.run.stopped().is_some() || (state.pushed.len() + bytes.len()) as u64 > given.most_pushed {
            return STOP;
        }
        state.pushed.extend_from_slice(bytes);
        0
    }

    pub fn changed(&self, length: u64) -> i32 {
        let mut state = self.state();
        let pushed = std::mem::take(&mut state.pushed);
        if pushed.len() as u64 != length {
            return STOP;
        }
        state.changed = Some(pushed);
        0
    }

    pub fn call(&self, name_length: u64) -> i32 {
        let pushed = std::mem::take(&mut self.state().pushed);
        let Some(run) = self.run() else { return -1 };
        let split = usize::try_from(name_length).map_or(pushed.len(), |length| length.min(pushed.len()));
        let (name, arguments) = pushed.split_at(split);
        run.call_begin(name, arguments) as i32
    }

    pub fn wait(&self, id: i32, timeout_ns: i64) -> Vec<u8> {
        let Some(run) = self.run() else { return words([-1, 0, 0, 0]) };
        let timeout = u64::try_from(timeout_ns).ok().map(Duration::from_nanos);
        words(match run.call_wait(u32::try_from(id).ok(), timeout) {
            Ok(Waited::Ready { id, status, bytes }) => [0, id as i32, status as i32, bytes as i32],
            Ok(Waited::TimedOut) => [1, 0, 0, 0],
            Ok(Waited::NoSuchCall) => [2, 0, 0, 0],
            Err(_) => [-1, 0, 0, 0],
        })
    }

    pub fn take(&self, id: i32) -> u64 {
        let Some(run) = self.run() else { return 0 };
        let answer = u32::try_from(id).ok().and_then(|id| run.call_take(id)).unwrap_or_default();
        let length = answer.len() as u64;
        self.state().answer = answer;
        length
    }

    pub fn sleep(&self, ns: u64) -> i32 {
        let Some(run) = self.run() else { return STOP };
        let now = Instant::now();
        // Later than any deadline is as good as never.
        let until = now.checked_add(Duration::from_nanos(ns)).unwrap_or_else(|| now + Duration::from_secs(1 << 30));
        went_on(run.sleep(until))
    }

    pub fn clock(&self, which: i32) -> u64 {
        if which == 0 {
            return wall_clock();
        }
        let state = self.state();
        let before = state.given.as_ref().map_or(Duration::ZERO, |given| given.cpu_before);
        (before + thread_cpu().saturating_sub(state.cpu_at_start)).as_nanos() as u64
    }
}

fn went_on(result: Result<(), Stop>) -> i32 {
    i32::from(result.is_err())
}

fn words(words: [i32; 4]) -> Vec<u8> {
    words.iter().flat_map(|word| word.to_le_bytes()).collect()
}
