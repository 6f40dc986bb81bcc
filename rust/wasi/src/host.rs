//! What a guest's calls need from the program that runs it.

use core::ops::DerefMut;

use crate::fs::Fs;

/// Clocks of preview 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Clock {
    Realtime,
    Monotonic,
    ProcessCpu,
    ThreadCpu,
}

/// Where a guest's output goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Output {
    Stdout,
    Stderr,
}

/// Why a call does not return to its guest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Halt<S> {
    /// The guest called `proc_exit` with this code.
    Exit(u32),
    /// A pointer left the guest's memory: the embedder raises a trap.
    Fault { pointer: u32, len: u64 },
    /// The host asked to stop, for its own reason.
    Stop(S),
}

/// Everything a guest can observe besides its own memory. An implementation that answers from a fixed clock and seed
/// makes a run repeatable.
pub trait Host {
    /// Why the host ends a run: a limit passed, an abort.
    type Stop;

    /// The file system, held only while one call works on it and never while the guest sleeps, reads or prints.
    fn fs(&mut self) -> impl DerefMut<Target = Fs>;

    /// Takes all of `bytes`; may block.
    fn write(&mut self, output: Output, bytes: &[u8]) -> Result<(), Self::Stop>;

    /// Blocks until there is something; 0 means the end of the input.
    fn read_stdin(&mut self, buf: &mut [u8]) -> Result<usize, Self::Stop>;

    /// Waits until input can be read without blocking, at most until monotonic time `until` (ns; `None`: for ever).
    /// `Some` is the number of bytes at hand, 0 at the end of the input; `None` is a wait that ended for lack of time.
    fn stdin_ready(&mut self, until: Option<u64>) -> Result<Option<u64>, Self::Stop>;

    /// Nanoseconds; since 1970 for the real-time clock.
    fn now(&mut self, clock: Clock) -> u64;

    /// Nanoseconds between two readings that differ.
    fn resolution(&mut self, _clock: Clock) -> u64 {
        1
    }

    /// Fills `buf`, which is never longer than 64 KiB.
    fn random(&mut self, buf: &mut [u8]) -> Result<(), Self::Stop>;

    /// Returns when the monotonic clock has reached `until` (ns), or earlier with a reason to stop.
    fn sleep(&mut self, until: u64) -> Result<(), Self::Stop>;

    /// The guest offers its time slice.
    fn yield_now(&mut self) -> Result<(), Self::Stop> {
        Ok(())
    }
}
