//! Random calls, and what must agree after each.

use mote_wasi::SeededRandom;
use wasmtime::Val;

use crate::differences::Seen;
use crate::pair::{End, Pair};

/// Places in guest memory.
const OUT: usize = 0x100;
const IOVS: usize = 0x200;
const STAT: usize = 0x300;
const OLD: usize = 0x1000;
const NEW: usize = 0x3000;
const DATA: usize = 0x10000;
const DATA_LEN: usize = 0x8000;

/// Few names, so that calls meet each other's work; and what paths are made of beyond names.
const PATHS: &[&[u8]] = &[
    b"a",
    b"b",
    b"c",
    b"d",
    b"a/b",
    b"a/c",
    b"b/a",
    b"c/d",
    b"a/b/c",
    b"a/b/d",
    b"b/c/d",
    b"a/./b",
    b"a//b",
    b"a/../b",
    b"a/b/..",
    b"a/b/../c",
    b"./c",
    b"d/../c",
    b".",
    b"..",
    b"a/.",
    b"a/..",
    b"./",
    b"a/",
    b"b/",
    b"c//",
    b"a/b/",
    b"",
    b"/",
    b"/a",
    b"../a",
    b"../sandbox/a",
    b"a/../..",
    b"a/../../a",
    b"x\0y",
    b"\xff\xfe",
    b"c/\xc3\xa9",
    b"...",
    b"d/e/f/g",
];

pub struct Random(SeededRandom);

impl Random {
    pub fn new(seed: u64) -> Self {
        let mut bytes = [0; 32];
        bytes[..8].copy_from_slice(&seed.to_le_bytes());
        Self(SeededRandom::new(bytes))
    }

    fn bits(&mut self) -> u64 {
        let mut bytes = [0; 8];
        self.0.fill(&mut bytes);
        u64::from_le_bytes(bytes)
    }

    fn below(&mut self, n: usize) -> usize {
        (self.bits() % n as u64) as usize
    }

    fn one_in(&mut self, n: usize) -> bool {
        self.below(n) == 0
    }

    fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.below(from.len())]
    }

    /// Mostly small, seldom at an edge.
    fn size(&mut self) -> u64 {
        match self.below(20) {
            0 => u64::MAX,
            1 => i64::MAX as u64,
            2 => 1 << 40,
            3 => 70_000,
            _ => self.bits() % 300,
        }
    }
}

/// An open descriptor's number on each side.
#[derive(Clone, Copy, Debug)]
struct Fd {
    mote: u32,
    reference: u32,
    /// Created or truncated without the right to write.
    loose: bool,
}

#[derive(Clone, Copy)]
enum Arg {
    Fd(Option<usize>),
    I32(i32),
    I64(u64),
}

/// What is compared besides the error number and all of the memory.
enum Check {
    Memory,
    /// Two descriptor numbers at `OUT`.
    Opened,
    /// A file's attributes at `STAT`.
    Stat,
    /// A descriptor's attributes at `STAT`.
    FdStat,
    /// A preopen's name length at `OUT`.
    Prestat,
    /// Directory entries at `DATA`, in any order.
    Entries,
    Closed(Option<usize>),
    Renumbered(Option<usize>, Option<usize>),
    /// The times that were set.
    Times,
}

pub struct Step {
    pub name: &'static str,
    args: Vec<Arg>,
    check: Check,
    /// For the table of differences.
    pub text: String,
    pub loose: bool,
    pub old: Vec<u8>,
    pub new: Vec<u8>,
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

    fn fd(&mut self) -> Option<usize> {
        match self.random.below(10) {
            0 => Some(self.random.below(3)),
            1 => None,
            _ => Some(self.random.below(self.fds.len())),
        }
    }

    fn dir(&mut self) -> Option<usize> {
        if self.random.one_in(4) { self.fd() } else { Some(3) }
    }

    fn path(&mut self, at: usize) -> (Vec<Arg>, Vec<u8>) {
        let path = match self.random.below(60) {
            0 => vec![b'n'; 255],
            1 => vec![b'n'; 256],
            2 => [vec![b'a'; 200], vec![b'/'; 100], b"b".to_vec()].concat(),
            3..20 => self.random.pick(&PATHS[..10]).to_vec(),
            _ => self.random.pick(PATHS).to_vec(),
        };
        self.pair.put(at, &path);
        (vec![Arg::I32(at as i32), Arg::I32(path.len() as i32)], path)
    }

    fn lookup(&mut self) -> Arg {
        Arg::I32(if self.random.one_in(40) { 2 } else { self.random.below(2) as i32 })
    }

    /// One buffer, at times with empty ones around it: wasmtime-wasi serves only the first that is not empty.
    fn iovs(&mut self) -> Vec<Arg> {
        let len = if self.random.one_in(10) { DATA_LEN } else { self.random.below(200) };
        let count = self.random.below(3) + 1;
        let full = self.random.below(count);
        for n in 0..count {
            let len = if n == full { len as u32 } else { 0 };
            self.pair.put(IOVS + n * 8, &(DATA as u32).to_le_bytes());
            self.pair.put(IOVS + n * 8 + 4, &len.to_le_bytes());
        }
        vec![Arg::I32(IOVS as i32), Arg::I32(count as i32)]
    }

    fn fill(&mut self) {
        let byte = self.random.bits() as u8;
        let bytes: Vec<u8> = (0..DATA_LEN).map(|n| (n as u8).wrapping_mul(31) ^ byte).collect();
        self.pair.put(DATA, &bytes);
    }

    fn next(&mut self) -> Step {
        let out = || Arg::I32(OUT as i32);
        let stat = || Arg::I32(STAT as i32);
        let data = |len: usize| [Arg::I32(DATA as i32), Arg::I32(len as i32)];
        let (mut old, mut new) = (Vec::new(), Vec::new());
        let mut check = Check::Memory;
        let mut args = Vec::new();
        let name = match self.random.below(100) {
            0..20 => {
                args.extend([Arg::Fd(self.dir()), self.lookup()]);
                let (path, text) = self.path(OLD);
                old = text;
                args.extend(path);
                let oflags =
                    if self.random.one_in(30) { 16 } else { self.random.pick(&[0, 0, 1, 1, 1, 2, 3, 5, 8, 9, 4, 13]) };
                let rights = self.random.pick(&[2u64, 2, 66, 66, 64, 0, u64::MAX, (1 << 30) - 1]);
                let fdflags =
                    if self.random.one_in(4) { self.random.below(33) as i32 } else { self.random.pick(&[0, 0, 1, 4]) };
                args.extend([Arg::I32(oflags), Arg::I64(rights), Arg::I64(rights), Arg::I32(fdflags), out()]);
                check = Check::Opened;
                "path_open"
            }
            20..23 => {
                let fd = self.fd();
                args.push(Arg::Fd(fd));
                check = Check::Closed(fd);
                "fd_close"
            }
            23..32 => {
                self.fill();
                args.push(Arg::Fd(self.fd()));
                args.extend(self.iovs());
                args.push(out());
                "fd_write"
            }
            32..36 => {
                self.fill();
                args.push(Arg::Fd(self.fd()));
                args.extend(self.iovs());
                args.extend([Arg::I64(self.random.size()), out()]);
                "fd_pwrite"
            }
            36..41 => {
                args.push(Arg::Fd(self.fd()));
                args.extend(self.iovs());
                args.push(out());
                "fd_read"
            }
            41..44 => {
                args.push(Arg::Fd(self.fd()));
                args.extend(self.iovs());
                args.extend([Arg::I64(self.random.size()), out()]);
                "fd_pread"
            }
            44..48 => {
                args.push(Arg::Fd(self.fd()));
                let offset = if self.random.one_in(3) { self.random.size() } else { self.random.bits() % 100 };
                let offset = if self.random.one_in(3) { offset.wrapping_neg() } else { offset };
                args.extend([Arg::I64(offset), Arg::I32(self.random.below(4) as i32), out()]);
                "fd_seek"
            }
            48 => {
                args.extend([Arg::Fd(self.fd()), out()]);
                "fd_tell"
            }
            49..52 => {
                args.push(Arg::Fd(self.fd()));
                args.extend(data(DATA_LEN));
                args.extend([Arg::I64(0), out()]);
                check = Check::Entries;
                "fd_readdir"
            }
            52..58 => {
                args.push(Arg::Fd(self.dir()));
                let (path, text) = self.path(OLD);
                old = text;
                args.extend(path);
                "path_create_directory"
            }
            58..61 => {
                args.push(Arg::Fd(self.dir()));
                let (path, text) = self.path(OLD);
                old = text;
                args.extend(path);
                "path_remove_directory"
            }
            61..64 => {
                args.push(Arg::Fd(self.dir()));
                let (path, text) = self.path(OLD);
                old = text;
                args.extend(path);
                "path_unlink_file"
            }
            64..70 => {
                args.push(Arg::Fd(self.dir()));
                let (path, text) = self.path(OLD);
                old = text;
                args.extend(path);
                args.push(Arg::Fd(self.dir()));
                let (path, text) = self.path(NEW);
                new = text;
                args.extend(path);
                "path_rename"
            }
            70..74 => {
                args.extend([Arg::Fd(self.dir()), self.lookup()]);
                let (path, text) = self.path(OLD);
                old = text;
                args.extend(path);
                args.push(Arg::Fd(self.dir()));
                let (path, text) = self.path(NEW);
                new = text;
                args.extend(path);
                "path_link"
            }
            74..79 => {
                let (path, text) = self.path(OLD);
                old = text;
                args.extend(path);
                args.push(Arg::Fd(self.dir()));
                let (path, text) = self.path(NEW);
                new = text;
                args.extend(path);
                "path_symlink"
            }
            79..81 => {
                args.push(Arg::Fd(self.dir()));
                let (path, text) = self.path(OLD);
                old = text;
                args.extend(path);
                args.extend(data(self.random.below(8)));
                args.push(out());
                "path_readlink"
            }
            81..86 => {
                args.extend([Arg::Fd(self.dir()), self.lookup()]);
                let (path, text) = self.path(OLD);
                old = text;
                args.extend(path);
                args.push(stat());
                check = Check::Stat;
                "path_filestat_get"
            }
            86..88 => {
                args.extend([Arg::Fd(self.dir()), self.lookup()]);
                let (path, text) = self.path(OLD);
                old = text;
                args.extend(path);
                args.extend([Arg::I64(self.random.bits() >> 2), Arg::I64(self.random.bits() >> 2)]);
                args.push(Arg::I32(self.random.pick(&[5, 5, 5, 5, 3, 12, 16, 0])));
                check = Check::Times;
                "path_filestat_set_times"
            }
            88..90 => {
                args.extend([Arg::Fd(self.fd()), stat()]);
                check = Check::Stat;
                "fd_filestat_get"
            }
            90..92 => {
                args.extend([Arg::Fd(self.fd()), Arg::I64(self.random.size())]);
                "fd_filestat_set_size"
            }
            92 => {
                args.extend([Arg::Fd(self.fd()), Arg::I64(5), Arg::I64(6), Arg::I32(self.random.below(17) as i32)]);
                "fd_filestat_set_times"
            }
            93..95 => {
                args.extend([Arg::Fd(self.fd()), stat()]);
                check = Check::FdStat;
                "fd_fdstat_get"
            }
            95 => {
                args.extend([Arg::Fd(self.fd()), Arg::I32(self.random.below(40) as i32)]);
                "fd_fdstat_set_flags"
            }
            96 => {
                let (from, to) = (self.fd(), self.fd());
                args.extend([Arg::Fd(from), Arg::Fd(to)]);
                check = Check::Renumbered(from, to);
                "fd_renumber"
            }
            97 => {
                args.extend([Arg::Fd(self.fd()), Arg::I64(self.random.size()), Arg::I64(self.random.size())]);
                args.push(Arg::I32(self.random.below(7) as i32));
                "fd_advise"
            }
            98 => return self.next_rare(),
            _ => {
                args.extend([Arg::Fd(self.fd())]);
                self.random.pick(&["fd_sync", "fd_datasync"])
            }
        };
        Step { name, args, check, text: String::new(), loose: false, old, new }
    }

    fn next_rare(&mut self) -> Step {
        let out = Arg::I32(OUT as i32);
        let (name, args) = match self.random.below(9) {
            0 => ("fd_prestat_get", vec![Arg::Fd(self.fd()), out]),
            1 => {
                let len = self.random.below(12) as i32;
                ("fd_prestat_dir_name", vec![Arg::Fd(self.fd()), Arg::I32(DATA as i32), Arg::I32(len)])
            }
            2 => ("fd_fdstat_set_rights", vec![Arg::Fd(self.fd()), Arg::I64(2), Arg::I64(1 << self.random.below(32))]),
            3 => ("args_sizes_get", vec![out, Arg::I32(STAT as i32)]),
            4 => ("args_get", vec![out, Arg::I32(DATA as i32)]),
            5 => ("environ_sizes_get", vec![out, Arg::I32(STAT as i32)]),
            6 => ("environ_get", vec![out, Arg::I32(DATA as i32)]),
            7 => ("proc_raise", vec![Arg::I32(1)]),
            _ => ("sock_shutdown", vec![Arg::Fd(self.fd()), Arg::I32(1)]),
        };
        let check = if name == "fd_prestat_get" { Check::Prestat } else { Check::Memory };
        Step { name, args, check, text: String::new(), loose: false, old: Vec::new(), new: Vec::new() }
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
        let mut step = self.next();
        let (values, _) = self.values(&step.args);
        let shown = |bytes: &[u8]| String::from_utf8_lossy(&bytes[..bytes.len().min(40)]).into_owned();
        step.text = format!("{}{values:?} old={:?} new={:?}", step.name, shown(&step.old), shown(&step.new));
        let is_loose = |arg: &Arg| matches!(arg, Arg::Fd(Some(n)) if self.fds[*n].is_some_and(|fd| fd.loose));
        step.loose = step.args.iter().any(is_loose);
        let (mote, reference) = self.both(step.name, &step.args);
        self.log.push(format!("{} -> {mote:?} / {reference:?}", step.text));
        if mote != reference {
            if !self.seen.explains(&step, mote, reference) {
                self.seen.unexplained(format!("{} ends {mote:?} / {reference:?}", step.name), &self.log);
            }
            // What they hold may differ from here on.
            return false;
        }
        if mote == End::Errno(0)
            && let Err(what) = self.check(&step)
        {
            if !self.seen.explains(&step, mote, reference) {
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
            if !self.seen.explains(&step, mote, reference) {
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
            Check::Closed(slot) => {
                if let Some(slot) = slot {
                    self.fds[*slot] = None;
                }
            }
            Check::Renumbered(from, to) => {
                if from != to
                    && let (Some(from), Some(_)) = (from, to)
                {
                    self.fds[*from] = None;
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

    /// Numbers of devices and nodes are each side's own, times go on; a directory's size and links are the file system's.
    /// Padding is zeroed here and left alone there.
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
