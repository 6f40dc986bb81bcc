//! Holds mote-wasi against wasmtime-wasi: the same module, the same calls, the same error numbers and bytes of memory.

mod differences;
mod pair;
mod polls;
mod programs;
mod random;
mod sequence;
mod step;

use differences::Seen;
use pair::Maker;
use sequence::Sequence;

#[test]
fn random_calls_end_alike() {
    let maker = Maker::new();
    let mut seen = Seen::new();
    let from = std::env::var("MOTE_SEED").ok().and_then(|s| s.parse().ok()).unwrap_or(0);
    for seed in from..from + std::env::var("MOTE_SEQUENCES").ok().and_then(|s| s.parse().ok()).unwrap_or(1000) {
        Sequence::new(maker.pair(), seed, &mut seen).run(80);
    }
    seen.assert_known_and_all_met();
}
