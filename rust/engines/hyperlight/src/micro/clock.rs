//! How fast the processor's time-stamp counter runs, for guests that read it.

use std::arch::x86_64::{__cpuid, _rdtsc};
use std::sync::OnceLock;
use std::thread;
use std::time::{Duration, Instant};

/// Measured over this time; long enough for an error of a few parts in a million.
const SPAN: Duration = Duration::from_millis(20);
const TRIES: usize = 3;

/// Ticks in a second; 0 where the counter stops or changes its speed, or cannot be measured twice alike.
pub fn tsc_hz() -> u64 {
    static HZ: OnceLock<u64> = OnceLock::new();
    *HZ.get_or_init(|| {
        if !is_invariant() {
            return 0;
        }
        let mut measured: Vec<u64> = (0..TRIES).map(|_| measure()).collect();
        measured.sort_unstable();
        let (least, middle, most) = (measured[0], measured[1], measured[2]);
        if most - least > middle / 1000 { 0 } else { middle }
    })
}

fn is_invariant() -> bool {
    const LAST_EXTENDED: u32 = 0x8000_0000;
    const POWER: u32 = 0x8000_0007;
    __cpuid(LAST_EXTENDED).eax >= POWER && __cpuid(POWER).edx & 1 << 8 != 0
}

#[allow(unsafe_code)]
fn ticks() -> u64 {
    // SAFETY: a processor that virtualizes has the counter, and user code may read it.
    unsafe { _rdtsc() }
}

fn measure() -> u64 {
    let (begun, first) = (Instant::now(), ticks());
    thread::sleep(SPAN);
    let (passed, last) = (begun.elapsed(), ticks());
    (u128::from(last.wrapping_sub(first)) * 1_000_000_000 / passed.as_nanos().max(1)) as u64
}
