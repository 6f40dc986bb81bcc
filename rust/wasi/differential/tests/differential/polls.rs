//! Waiting: which subscriptions come back, and with what. The number of bytes at hand is kept away from.

use wasmtime::Val;

use crate::pair::{End, Maker, Pair};

const SUBSCRIPTIONS: usize = 0x100;
const EVENTS: usize = 0x1000;
const OUT: usize = 0x10;
const PATH: usize = 0x20;

/// A subscription's tag and the 32 bytes after it.
type Wish = (u8, [u64; 4]);

const fn timer(clock: u64, timeout: u64, absolute: bool) -> Wish {
    (0, [clock, timeout, 0, absolute as u64])
}

const fn descriptor(write: bool, fd: u64) -> Wish {
    (1 + write as u8, [fd, 0, 0, 0])
}

/// How it ended, and (userdata, error, type) of each event.
type Told = (End, Vec<(u64, u16, u8)>);

/// What mote-wasi and wasmtime-wasi tell.
fn poll(pair: &mut Pair, wishes: &[Wish]) -> [Told; 2] {
    for (n, (tag, words)) in wishes.iter().enumerate() {
        let mut bytes = [0; 48];
        bytes[..8].copy_from_slice(&(1000 + n as u64).to_le_bytes());
        bytes[8] = *tag;
        for (place, word) in bytes[16..].chunks_exact_mut(8).zip(words) {
            place.copy_from_slice(&word.to_le_bytes());
        }
        pair.put(SUBSCRIPTIONS + n * 48, &bytes);
    }
    pair.put(OUT, &[0; 4]);
    let args = [SUBSCRIPTIONS, EVENTS, wishes.len(), OUT].map(|n| Val::I32(n as i32));
    let read = |count: u32, memory: &[u8]| {
        let event = |n: usize| {
            let at = &memory[EVENTS + n * 32..];
            (u64::from_le_bytes(at[..8].try_into().unwrap()), u16::from_le_bytes([at[8], at[9]]), at[10])
        };
        (0..count as usize).map(event).collect::<Vec<_>>()
    };
    let ends = [pair.mote.call("poll_oneoff", &args), pair.reference.call("poll_oneoff", &args)];
    let counts = [pair.mote.word(OUT), pair.reference.word(OUT)];
    [(ends[0], read(counts[0], pair.mote.memory())), (ends[1], read(counts[1], pair.reference.memory()))]
}

#[test]
fn the_same_subscriptions_come_back() {
    let mut pair = Maker::new().pair();
    pair.put(PATH, b"file");
    let open = [3, 0, PATH as i64, 4, 1].map(|n| Val::I32(n as i32));
    let open = [&open[..], &[Val::I64(66), Val::I64(66), Val::I32(0), Val::I32(OUT as i32)]].concat();
    assert_eq!(
        (pair.mote.call("path_open", &open), pair.reference.call("path_open", &open)),
        (End::Errno(0), End::Errno(0))
    );
    assert_eq!((pair.mote.word(OUT), pair.reference.word(OUT)), (4, 4));

    const HOUR: u64 = 3_600_000_000_000;
    let cases: &[&[Wish]] = &[
        &[],
        &[timer(1, 1_000, false)],
        &[timer(0, 1_000, false)],
        &[timer(1, 0, true)],
        &[timer(0, 0, true)],
        &[timer(1, 0, false), timer(1, HOUR, false)],
        &[timer(1, HOUR, false), timer(0, 1_000_000_000, true)],
        &[timer(2, 0, true)],
        &[timer(3, 0, false), timer(1, 0, false)],
        &[descriptor(true, 1)],
        &[descriptor(true, 2), timer(1, HOUR, false)],
        &[descriptor(false, 0), timer(1, HOUR, false)],
        &[descriptor(false, 4)],
        &[descriptor(true, 4)],
        &[descriptor(false, 1)],
        &[descriptor(true, 0)],
        &[descriptor(false, 3)],
        &[descriptor(true, 3)],
        &[descriptor(true, 99), timer(1, 0, false)],
    ];
    for case in cases {
        let [mote, reference] = poll(&mut pair, case);
        assert_eq!(mote, reference, "{case:?}");
    }
    // A tag that does not exist.
    assert_eq!(poll(&mut pair, &[(3, [0; 4])]), [(End::Errno(28), vec![]), (End::Errno(28), vec![])]);
}
