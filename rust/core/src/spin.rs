//! Waiting for a moment without sleeping. To wake a sleeping thread takes tens of microseconds, longer than a short run.

use std::sync::OnceLock;
use std::time::{Duration, Instant};

/// Looks between two readings of the clock.
const LOOKS: u32 = 64;

/// True as soon as `found`; false when `patience` is over, or at once on a machine with one core.
pub fn spin(patience: Duration, found: impl Fn() -> bool) -> bool {
    static CORES: OnceLock<usize> = OnceLock::new();
    if found() {
        return true;
    }
    if *CORES.get_or_init(|| std::thread::available_parallelism().map_or(1, usize::from)) < 2 {
        return false;
    }
    let begun = Instant::now();
    loop {
        for _ in 0..LOOKS {
            if found() {
                return true;
            }
            std::hint::spin_loop();
        }
        if begun.elapsed() >= patience {
            return false;
        }
        // Whoever else is ready to run is likely to be what is waited for.
        std::thread::yield_now();
    }
}
