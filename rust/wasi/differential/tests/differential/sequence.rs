//! One pair of guests from its start on, and what must agree after each call.

use std::ops::Range;

use wasmtime::Val;

use crate::differences::Seen;
use crate::pair::{End, Pair};
use crate::random::Random;
use crate::step::{Arg, Check, DATA, DATA_LEN, Draft, OUT, STAT, Step};

/// An open descriptor's number on each side.
#[derive(Clone, Copy, Debug)]
struct Fd {
    mote: u32,
    reference: u32,
    /// Created or truncated without the right to write.
    loose: bool,
}

pub struct Sequence<'a> {
    pair: Pair,
    random: Random,
    fds: Vec<Option<Fd>>,
    seen: &'a mut Seen,
    log: Vec<String>,
}

impl<'a> Sequence<'a> {
    pub fn new(pair: Pair, seed: u64, seen: &'a mut Seen) -> Self {
        let fds = (0..4).map(|n| Some(Fd { mote: n, reference: n, loose: false })).collect();
        Self { pair, random: Random::new(seed), fds, seen, log: Vec::new() }
    }

    /// Runs until something must not be compared any further.
    pub fn run(mut self, steps: usize) {
        for _ in 0..steps {
            if !self.step() {
                return;
            }
        }
        let (mote, reference) = self.pair.stdout();
        assert!(mote == reference, "stdout differs\n{}", self.log.join("\n"));
    }

    /// The arguments for each side.
    fn values(&self, args: &[Arg]) -> (Vec<Val>, Vec<Val>) {
        let closed = Fd { mote: 999, reference: 999, loose: false };
        let fd = |slot: &Option<usize>| slot.and_then(|n| self.fds[n]).unwrap_or(closed);
        let side = |number: fn(Fd) -> u32| {
            let value = |arg: &Arg| match arg {
                Arg::Fd(slot) => Val::I32(number(fd(slot)) as i32),
                Arg::I32(n) => Val::I32(*n),
                Arg::I64(n) => Val::I64(*n as i64),
            };
            args.iter().map(value).collect()
        };
        (side(|fd| fd.mote), side(|fd| fd.reference))
    }

    fn both(&mut self, name: &str, args: &[Arg]) -> (End, End) {
        let (mote, reference) = self.values(args);
        (self.pair.mote.call(name, &mote), self.pair.reference.call(name, &reference))
    }

    fn step(&mut self) -> bool {
        let mut step = Draft::new(&mut self.pair, &mut self.random, self.fds.len()).next();
        let (values, _) = self.values(&step.args);
        let shown = |bytes: &[u8]| String::from_utf8_lossy(&bytes[..bytes.len().min(40)]).into_owned();
        step.text = format!("{}{values:?} old={:?} new={:?}", step.name, shown(&step.old), shown(&step.new));
        let is_loose = |arg: &Arg| matches!(arg, Arg::Fd(Some(n)) if self.fds[*n].is_some_and(|fd| fd.loose));
        step.loose = step.args.iter().any(is_loose);
        let (mote, reference) = self.both(step.name, &step.args);
        self.log.push(format!("{} -> {mote:?} / {reference:?}", step.text));
        if mote != reference {
            let Some(known) = self.seen.explain(&step, mote, reference) else {
                self.seen.unexplained(format!("{} ends {mote:?} / {reference:?}", step.name), &self.log);
                return false;
            };
            self.forget(OUT..STAT + 64);
            return known.harmless;
        }
        if mote == End::Errno(0)
            && let Err(what) = self.check(&step)
        {
            if self.seen.explain(&step, mote, reference).is_none() {
                self.seen.unexplained(format!("{} {what}", step.name), &self.log);
            }
            return false;
        }
        if mote == End::Trap {
            return false;
        }
        if self.pair.mote.memory() != self.pair.reference.memory() {
            let (a, b) = (self.pair.mote.memory().to_vec(), self.pair.reference.memory().to_vec());
            let at = (0..a.len()).find(|&n| a[n] != b[n]).unwrap();
            self.log.push(format!("at {at:#x}: {:?} / {:?}", &a[at..at + 64], &b[at..at + 64]));
            if self.seen.explain(&step, mote, reference).is_none() {
                self.seen.unexplained(format!("{} leaves other bytes in memory", step.name), &self.log);
            }
            return false;
        }
        true
    }

    fn check(&mut self, step: &Step) -> Result<(), &'static str> {
        match &step.check {
            Check::Memory => {}
            Check::Opened => {
                let loose = matches!(step.args[4..6], [Arg::I32(oflags), Arg::I64(rights)] if oflags & 9 != 0 && rights & 64 == 0);
                let (mote, reference) = (self.pair.mote.word(OUT), self.pair.reference.word(OUT));
                let fd = Fd { mote, reference, loose };
                match self.fds.iter_mut().skip(4).find(|slot| slot.is_none()) {
                    Some(slot) => *slot = Some(fd),
                    None => self.fds.push(Some(fd)),
                }
                self.pair.put(OUT, &[0; 4]);
            }
            Check::Closed => {
                if let Arg::Fd(Some(slot)) = step.args[0] {
                    self.fds[slot] = None;
                }
            }
            Check::Renumbered => {
                if let (Arg::Fd(Some(from)), Arg::Fd(Some(to))) = (step.args[0], step.args[1])
                    && from != to
                {
                    let moved = self.fds[from].take();
                    if let (Some(fd), Some(moved)) = (&mut self.fds[to], moved) {
                        fd.loose = moved.loose;
                    }
                }
            }
            Check::Stat => self.mask_stat(),
            Check::FdStat => {
                self.pair.put(STAT + 1, &[0]);
                self.pair.put(STAT + 4, &[0; 4]);
                if step.loose {
                    self.pair.put(STAT + 8, &[0; 16]);
                }
            }
            Check::Prestat => self.pair.put(OUT + 1, &[0; 3]),
            Check::Times => self.compare_times(&step.args)?,
            Check::Entries => self.compare_entries()?,
        }
        Ok(())
    }

    /// One side may have written there, the other not.
    fn forget(&mut self, places: Range<usize>) {
        self.pair.put(places.start, &vec![0; places.len()]);
    }

    /// Numbers of devices and nodes are each side's own, times go on; a directory's size and links are the file
    /// system's. Padding is zeroed here and left alone there.
    fn mask_stat(&mut self) {
        let directory = self.pair.mote.memory()[STAT + 16] == 3;
        let masked: &[(usize, usize)] = if directory { &[(0, 16), (17, 64)] } else { &[(0, 16), (17, 24), (40, 64)] };
        for &(from, to) in masked {
            self.pair.put(STAT + from, &vec![0; to - from]);
        }
    }

    /// Looks at what was set, unless the flags left the times alone.
    fn compare_times(&mut self, args: &[Arg]) -> Result<(), &'static str> {
        let mut look = args[..4].to_vec();
        look.push(Arg::I32(STAT as i32));
        assert_eq!(self.both("path_filestat_get", &look), (End::Errno(0), End::Errno(0)));
        let times = STAT + 40..STAT + 56;
        if matches!(args[6], Arg::I32(5))
            && self.pair.mote.memory()[times.clone()] != self.pair.reference.memory()[times]
        {
            return Err("sets other times");
        }
        self.mask_stat();
        Ok(())
    }

    fn compare_entries(&mut self) -> Result<(), &'static str> {
        let mote = entries(self.pair.mote.word(OUT), self.pair.mote.memory());
        let reference = entries(self.pair.reference.word(OUT), self.pair.reference.memory());
        if mote != reference {
            self.log.push(format!("{mote:?} / {reference:?}"));
            return Err("lists other entries");
        }
        self.pair.put(DATA, &[0; DATA_LEN]);
        Ok(())
    }
}

/// Names and types, sorted, `.` and `..` first.
fn entries(used: u32, memory: &[u8]) -> Vec<(Vec<u8>, u8)> {
    let mut rest = &memory[DATA..DATA + used as usize];
    let mut entries = Vec::new();
    while rest.len() >= 24 {
        let len = u32::from_le_bytes(rest[16..20].try_into().unwrap()) as usize;
        entries.push((rest[24..24 + len].to_vec(), rest[20]));
        rest = &rest[24 + len..];
    }
    assert_eq!(entries[..2], [(b".".to_vec(), 3), (b"..".to_vec(), 3)]);
    entries.sort();
    entries
}
