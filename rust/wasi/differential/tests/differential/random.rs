//! Numbers from a seed.

use mote_wasi::SeededRandom;

pub struct Random(SeededRandom);

impl Random {
    pub fn new(seed: u64) -> Self {
        let mut bytes = [0; 32];
        bytes[..8].copy_from_slice(&seed.to_le_bytes());
        Self(SeededRandom::new(bytes))
    }

    pub fn bits(&mut self) -> u64 {
        let mut bytes = [0; 8];
        self.0.fill(&mut bytes);
        u64::from_le_bytes(bytes)
    }

    pub fn below(&mut self, n: usize) -> usize {
        (self.bits() % n as u64) as usize
    }

    pub fn one_in(&mut self, n: usize) -> bool {
        self.below(n) == 0
    }

    pub fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.below(from.len())]
    }

    /// Mostly small, seldom at an edge.
    pub fn size(&mut self) -> u64 {
        match self.below(20) {
            0 => u64::MAX,
            1 => i64::MAX as u64,
            2 => 1 << 40,
            3 => 70_000,
            _ => self.bits() % 300,
        }
    }
}
