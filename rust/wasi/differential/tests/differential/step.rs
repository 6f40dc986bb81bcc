//! Random calls that meet each other's work.

use crate::pair::Pair;
use crate::random::Random;

/// Places in guest memory.
pub const OUT: usize = 0x100;
const IOVS: usize = 0x200;
pub const STAT: usize = 0x300;
const OLD: usize = 0x1000;
const NEW: usize = 0x3000;
pub const DATA: usize = 0x10000;
pub const DATA_LEN: usize = 0x8000;

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

#[derive(Clone, Copy)]
pub enum Arg {
    Fd(Option<usize>),
    I32(i32),
    I64(u64),
}

/// What is compared besides the error number and all of the memory.
pub enum Check {
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
    Closed,
    Renumbered,
    /// The times that were set.
    Times,
}

pub struct Step {
    pub name: &'static str,
    pub args: Vec<Arg>,
    pub check: Check,
    /// For the table of differences.
    pub text: String,
    pub loose: bool,
    pub old: Vec<u8>,
    pub new: Vec<u8>,
}

/// A step in the making.
pub struct Draft<'a> {
    pub pair: &'a mut Pair,
    pub random: &'a mut Random,
    /// Descriptors to choose from, closed ones too.
    pub fds: usize,
    step: Step,
}

impl<'a> Draft<'a> {
    pub fn new(pair: &'a mut Pair, random: &'a mut Random, fds: usize) -> Self {
        let step = Step {
            name: "",
            args: Vec::new(),
            check: Check::Memory,
            text: String::new(),
            loose: false,
            old: Vec::new(),
            new: Vec::new(),
        };
        Self { pair, random, fds, step }
    }

    fn any_fd(&mut self) -> Option<usize> {
        match self.random.below(10) {
            0 => Some(self.random.below(3)),
            1 => None,
            _ => Some(self.random.below(self.fds)),
        }
    }

    fn fd(&mut self) -> &mut Self {
        let fd = self.any_fd();
        self.arg(Arg::Fd(fd))
    }

    /// Mostly the directory that both started with.
    fn dir(&mut self) -> &mut Self {
        let fd = if self.random.one_in(4) { self.any_fd() } else { Some(3) };
        self.arg(Arg::Fd(fd))
    }

    fn arg(&mut self, arg: Arg) -> &mut Self {
        self.step.args.push(arg);
        self
    }

    fn word(&mut self, value: i32) -> &mut Self {
        self.arg(Arg::I32(value))
    }

    fn size(&mut self) -> &mut Self {
        let size = self.random.size();
        self.arg(Arg::I64(size))
    }

    fn out(&mut self) -> &mut Self {
        self.word(OUT as i32)
    }

    fn stat(&mut self) -> &mut Self {
        self.word(STAT as i32)
    }

    fn data(&mut self, len: usize) -> &mut Self {
        self.word(DATA as i32).word(len as i32)
    }

    fn path(&mut self, at: usize) -> Vec<u8> {
        let path = match self.random.below(60) {
            0 => vec![b'n'; 255],
            1 => vec![b'n'; 256],
            2 => [vec![b'a'; 200], vec![b'/'; 100], b"b".to_vec()].concat(),
            3..20 => self.random.pick(&PATHS[..10]).to_vec(),
            _ => self.random.pick(PATHS).to_vec(),
        };
        self.pair.put(at, &path);
        self.word(at as i32).word(path.len() as i32);
        path
    }

    fn old(&mut self) -> &mut Self {
        self.step.old = self.path(OLD);
        self
    }

    fn new_path(&mut self) -> &mut Self {
        self.step.new = self.path(NEW);
        self
    }

    fn lookup(&mut self) -> &mut Self {
        let flags = if self.random.one_in(40) { 2 } else { self.random.below(2) };
        self.word(flags as i32)
    }

    /// One buffer, at times with empty ones around it: wasmtime-wasi serves only the first that is not empty.
    fn iovs(&mut self) -> &mut Self {
        let len = match self.random.below(20) {
            0 | 1 => DATA_LEN,
            2 | 3 => 0,
            _ => self.random.below(200),
        };
        let count = self.random.below(3) + 1;
        let full = self.random.below(count);
        for n in 0..count {
            let len = if n == full { len as u32 } else { 0 };
            self.pair.put(IOVS + n * 8, &(DATA as u32).to_le_bytes());
            self.pair.put(IOVS + n * 8 + 4, &len.to_le_bytes());
        }
        self.word(IOVS as i32).word(count as i32)
    }

    fn fill(&mut self) -> &mut Self {
        let byte = self.random.bits() as u8;
        let bytes: Vec<u8> = (0..DATA_LEN).map(|n| (n as u8).wrapping_mul(31) ^ byte).collect();
        self.pair.put(DATA, &bytes);
        self
    }

    fn done(&mut self, name: &'static str, check: Check) {
        self.step.name = name;
        self.step.check = check;
    }

    pub fn next(mut self) -> Step {
        match self.random.below(100) {
            0..20 => self.open(),
            20..23 => self.fd().done("fd_close", Check::Closed),
            23..32 => self.fill().fd().iovs().out().done("fd_write", Check::Memory),
            32..36 => self.fill().fd().iovs().size().out().done("fd_pwrite", Check::Memory),
            36..41 => self.fd().iovs().out().done("fd_read", Check::Memory),
            41..44 => self.fd().iovs().size().out().done("fd_pread", Check::Memory),
            44..48 => self.seek(),
            48 => self.fd().out().done("fd_tell", Check::Memory),
            49..52 => self.fd().data(DATA_LEN).arg(Arg::I64(0)).out().done("fd_readdir", Check::Entries),
            52..58 => self.dir().old().done("path_create_directory", Check::Memory),
            58..61 => self.dir().old().done("path_remove_directory", Check::Memory),
            61..64 => self.dir().old().done("path_unlink_file", Check::Memory),
            64..70 => self.dir().old().dir().new_path().done("path_rename", Check::Memory),
            70..74 => self.dir().lookup().old().dir().new_path().done("path_link", Check::Memory),
            74..79 => self.old().dir().new_path().done("path_symlink", Check::Memory),
            79..81 => {
                let len = self.random.below(8);
                self.dir().old().data(len).out().done("path_readlink", Check::Memory);
            }
            81..86 => self.dir().lookup().old().stat().done("path_filestat_get", Check::Stat),
            86..88 => {
                let times = [self.random.bits() >> 2, self.random.bits() >> 2];
                let flags = self.random.pick(&[5, 5, 5, 5, 3, 12, 16, 0]);
                self.dir().lookup().old().arg(Arg::I64(times[0])).arg(Arg::I64(times[1])).word(flags);
                self.done("path_filestat_set_times", Check::Times);
            }
            88..90 => self.fd().stat().done("fd_filestat_get", Check::Stat),
            90..92 => self.fd().size().done("fd_filestat_set_size", Check::Memory),
            92 => {
                let flags = self.random.below(17) as i32;
                self.fd().arg(Arg::I64(5)).arg(Arg::I64(6)).word(flags);
                self.done("fd_filestat_set_times", Check::Memory);
            }
            93..95 => self.fd().stat().done("fd_fdstat_get", Check::FdStat),
            95 => {
                let flags = self.random.below(40) as i32;
                self.fd().word(flags).done("fd_fdstat_set_flags", Check::Memory);
            }
            96 => self.fd().fd().done("fd_renumber", Check::Renumbered),
            97 => {
                let advice = self.random.below(7) as i32;
                self.fd().size().size().word(advice).done("fd_advise", Check::Memory);
            }
            98 => self.rare(),
            _ => {
                let name = self.random.pick(&["fd_sync", "fd_datasync"]);
                self.fd().done(name, Check::Memory);
            }
        }
        self.step
    }

    fn open(&mut self) {
        self.dir().lookup().old();
        let oflags = if self.random.one_in(30) { 16 } else { self.random.pick(&[0, 0, 1, 1, 1, 2, 3, 5, 8, 9, 4, 13]) };
        let rights = self.random.pick(&[2u64, 2, 66, 66, 66, 64, 0, u64::MAX, (1 << 30) - 1]);
        let fdflags =
            if self.random.one_in(4) { self.random.below(33) as i32 } else { self.random.pick(&[0, 0, 1, 4]) };
        self.word(oflags).arg(Arg::I64(rights)).arg(Arg::I64(rights)).word(fdflags).out();
        self.done("path_open", Check::Opened);
    }

    fn seek(&mut self) {
        let offset = if self.random.one_in(3) { self.random.size() } else { self.random.bits() % 100 };
        let offset = if self.random.one_in(3) { offset.wrapping_neg() } else { offset };
        let whence = self.random.below(4) as i32;
        self.fd().arg(Arg::I64(offset)).word(whence).out().done("fd_seek", Check::Memory);
    }

    fn rare(&mut self) {
        let n = self.random.below(32);
        match self.random.below(10) {
            0 => self.fd().out().done("fd_prestat_get", Check::Prestat),
            1 => self.fd().data(n % 12).done("fd_prestat_dir_name", Check::Memory),
            2 => self.fd().arg(Arg::I64(2)).arg(Arg::I64(1 << n)).done("fd_fdstat_set_rights", Check::Memory),
            3 => self.out().stat().done("args_sizes_get", Check::Memory),
            4 => self.out().word(DATA as i32).done("args_get", Check::Memory),
            5 => self.out().stat().done("environ_sizes_get", Check::Memory),
            6 => self.out().word(DATA as i32).done("environ_get", Check::Memory),
            7 => self.word(n as i32).done("proc_raise", Check::Memory),
            8 => self.word(n as i32).done("proc_exit", Check::Memory),
            _ => self.fd().word(1).done("sock_shutdown", Check::Memory),
        }
    }
}
