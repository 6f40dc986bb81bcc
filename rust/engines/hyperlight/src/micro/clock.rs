//! How fast the processor's time-stamp counter runs, for guests that read it.

use std::arch::x86_64::{__cpuid, _rdtsc};
use std::sync::OnceLock;
use std::thread;
use std::time::{Duration, Instant};

/// Measured over this time; long enough for an error of a few parts in a million.
const SPAN: Duration = Duration::from_millis(20);
const TRIES: usize = 3;

/// A counter that may stop or change its speed tells no long time; a shorter one it tells well enough.
const UNSTEADY_NS: u64 = 20_000_000;

/// What the counter tells a run.
#[derive(Clone, Copy)]
pub struct Tsc {
    /// Ticks in a second; 0 where it cannot be measured twice alike.
    pub hz: u64,
    /// How long from the beginning of a run it can be read in place of a clock.
    pub ns: u64,
}

pub fn tsc() -> Tsc {
    static TSC: OnceLock<Tsc> = OnceLock::new();
    *TSC.get_or_init(|| {
        let mut measured: Vec<u64> = (0..TRIES).map(|_| measure()).collect();
        measured.sort_unstable();
        let (least, middle, most) = (measured[0], measured[1], measured[2]);
        let (ns, most_apart) = if is_invariant() { (u64::MAX, middle / 1000) } else { (UNSTEADY_NS, middle / 50) };
        Tsc { hz: if most - least > most_apart { 0 } else { middle }, ns }
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
