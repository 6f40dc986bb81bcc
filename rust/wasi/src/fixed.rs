//! A host without a world around it.

use alloc::vec::Vec;
use core::ops::DerefMut;

use crate::fs::Fs;
use crate::host::{Clock, Host, Output};
use crate::random::SeededRandom;

/// Keeps output in memory, reads input from there, and has a clock that moves only while the guest sleeps: the same
/// guest does the same again. For building images, for tests and for fuzzing.
#[derive(Debug)]
pub struct FixedHost {
    pub fs: Fs,
    /// What `stdin` still holds, its next byte first.
    pub stdin: Vec<u8>,
    pub stdout: Vec<u8>,
    pub stderr: Vec<u8>,
    /// Both outputs together; one byte more stops the guest.
    pub output_limit: usize,
    /// Real time at monotonic 0, ns since the epoch.
    pub epoch: u64,
    /// Monotonic time, ns.
    pub clock: u64,
    pub random: SeededRandom,
}

/// The guest printed more than it may.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OutputLimit;

impl FixedHost {
    /// Real time starts at `epoch` ns; up to 64 MiB of output.
    pub fn new(fs: Fs, epoch: u64, seed: [u8; 32]) -> Self {
        Self {
            fs,
            stdin: Vec::new(),
            stdout: Vec::new(),
            stderr: Vec::new(),
            output_limit: 64 << 20,
            epoch,
            clock: 0,
            random: SeededRandom::new(seed),
        }
    }
}

impl Host for FixedHost {
    type Stop = OutputLimit;

    fn fs(&mut self) -> impl DerefMut<Target = Fs> {
        &mut self.fs
    }

    fn write(&mut self, output: Output, bytes: &[u8]) -> Result<(), OutputLimit> {
        if self.stdout.len() + self.stderr.len() + bytes.len() > self.output_limit {
            return Err(OutputLimit);
        }
        match output {
            Output::Stdout => self.stdout.extend_from_slice(bytes),
            Output::Stderr => self.stderr.extend_from_slice(bytes),
        }
        Ok(())
    }

    fn read_stdin(&mut self, buf: &mut [u8]) -> Result<usize, OutputLimit> {
        let n = buf.len().min(self.stdin.len());
        buf[..n].copy_from_slice(&self.stdin[..n]);
        self.stdin.drain(..n);
        Ok(n)
    }

    fn stdin_ready(&mut self, _until: Option<u64>) -> Result<Option<u64>, OutputLimit> {
        Ok(Some(self.stdin.len() as u64))
    }

    fn now(&mut self, clock: Clock) -> u64 {
        match clock {
            Clock::Realtime => self.epoch.saturating_add(self.clock),
            Clock::Monotonic | Clock::ProcessCpu | Clock::ThreadCpu => self.clock,
        }
    }

    fn random(&mut self, buf: &mut [u8]) -> Result<(), OutputLimit> {
        self.random.fill(buf);
        Ok(())
    }

    fn sleep(&mut self, until: u64) -> Result<(), OutputLimit> {
        self.clock = self.clock.max(until);
        Ok(())
    }
}
