//! The world in which a guest is initialised: the same on every machine and at every time.

use std::io::Write;
use std::ops::DerefMut;

use mote_wasi::fs::FsOptions;
use mote_wasi::image::RoImage;
use mote_wasi::{Clock, Fs, Host, Output, SeededRandom, Wasi};

use crate::Outcome;

/// 2026-01-01, the time of every file in an image and of the initialisation.
pub const EPOCH_NS: u64 = 1_767_225_600_000_000_000;

/// The clocks move by one microsecond a reading, so that a guest that waits for them goes on.
const TICK_NS: u64 = 1_000;

pub struct BuildHost {
    fs: Fs,
    random: SeededRandom,
    elapsed_ns: u64,
}

pub struct State {
    pub wasi: Wasi,
    pub host: BuildHost,
}

impl State {
    pub fn new(root: Option<RoImage>, seed: u64) -> Outcome<Self> {
        let options = FsOptions { image: root, now: EPOCH_NS, ..FsOptions::default() };
        let mut fs = Fs::new(options);
        let wasi = Wasi::new(&mut fs, Wasi::ROOT);
        let mut bytes = [0; 32];
        bytes[..8].copy_from_slice(&seed.to_le_bytes());
        Ok(Self { wasi, host: BuildHost { fs, random: SeededRandom::new(bytes), elapsed_ns: 0 } })
    }
}

impl Host for BuildHost {
    type Stop = std::io::Error;

    fn fs(&mut self) -> impl DerefMut<Target = Fs> {
        &mut self.fs
    }

    fn write(&mut self, _: Output, bytes: &[u8]) -> Result<(), Self::Stop> {
        std::io::stderr().write_all(bytes)
    }

    fn read_stdin(&mut self, _: &mut [u8]) -> Result<usize, Self::Stop> {
        Ok(0)
    }

    fn stdin_ready(&mut self, _: Option<u64>) -> Result<Option<u64>, Self::Stop> {
        Ok(Some(0))
    }

    fn now(&mut self, clock: Clock) -> u64 {
        self.elapsed_ns += TICK_NS;
        if clock == Clock::Realtime { EPOCH_NS + self.elapsed_ns } else { self.elapsed_ns }
    }

    fn random(&mut self, buf: &mut [u8]) -> Result<(), Self::Stop> {
        self.random.fill(buf);
        Ok(())
    }

    fn sleep(&mut self, until: u64) -> Result<(), Self::Stop> {
        self.elapsed_ns = self.elapsed_ns.max(until);
        Ok(())
    }
}
