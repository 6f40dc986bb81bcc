//! A guest that makes its calls from Rust.
#![allow(dead_code, reason = "each test file uses its part")]

use std::sync::Arc;

use mote_wasi::fs::Limits;
use mote_wasi::image::{ImageWriter, RoImage};
use mote_wasi::{Cx, Errno, FixedHost, Fs, FsOptions, Halt, OutputLimit, Preopen, Wasi, preview1};

pub const MEMORY: usize = 1 << 20;
pub const OUT: i32 = 8;
pub const IOVS: i32 = 64;
pub const OLD: i32 = 0x1000;
pub const NEW: i32 = 0x4000;
pub const DATA: i32 = 0x10000;

pub const CREATE: i32 = 1;
pub const DIRECTORY: i32 = 2;
pub const EXCLUSIVE: i32 = 4;
pub const TRUNCATE: i32 = 8;
pub const READ: i64 = 2;
pub const WRITE: i64 = 64;
pub const APPEND: i32 = 1;

pub type Answer<T> = Result<T, Errno>;

pub struct Guest {
    pub wasi: Wasi,
    pub host: FixedHost,
    pub memory: Vec<u8>,
}

/// `lib/os.py`, `lib/link -> os.py`, `sandbox/hidden`.
pub fn image() -> RoImage {
    let mut image = ImageWriter::new(3);
    image.file("lib/os.py", 0o644, b"import sys".to_vec()).unwrap();
    image.symlink("lib/link", "os.py").unwrap();
    image.file("sandbox/hidden", 0o644, Vec::new()).unwrap();
    RoImage::parse(Arc::new(image.finish().unwrap())).unwrap()
}

#[derive(Debug, PartialEq, Eq)]
pub struct Stat {
    pub dev: u64,
    pub ino: u64,
    pub kind: u8,
    pub nlink: u64,
    pub size: u64,
    pub atim: u64,
    pub mtim: u64,
}

impl Guest {
    pub fn new(preopens: &[Preopen], workspace: Limits) -> Self {
        let fs = Fs::new(FsOptions { image: Some(image()), workspace, ..FsOptions::default() });
        let mut host = FixedHost::new(fs, 1_000, [1; 32]);
        let wasi = Wasi::new(&mut host.fs, preopens);
        Self { wasi, host, memory: vec![0; MEMORY] }
    }

    /// Descriptor 3 is the root.
    pub fn at_root() -> Self {
        Self::new(Wasi::ROOT, Limits::default())
    }

    pub fn with_limits(bytes: u64, files: u64) -> Self {
        Self::new(Wasi::ROOT, Limits { bytes, files })
    }

    pub fn cx(&mut self) -> Cx<'_, FixedHost> {
        Cx { wasi: &mut self.wasi, host: &mut self.host, memory: &mut self.memory }
    }

    pub fn put(&mut self, at: i32, bytes: &[u8]) -> (i32, i32) {
        self.memory[at as usize..at as usize + bytes.len()].copy_from_slice(bytes);
        (at, bytes.len() as i32)
    }

    pub fn word(&self, at: i32) -> u32 {
        u32::from_le_bytes(self.memory[at as usize..at as usize + 4].try_into().unwrap())
    }

    pub fn long(&self, at: i32) -> u64 {
        u64::from_le_bytes(self.memory[at as usize..at as usize + 8].try_into().unwrap())
    }

    pub fn open_at(&mut self, dir: i32, path: &str, oflags: i32, rights: i64, fdflags: i32) -> Answer<i32> {
        let (path, len) = self.put(OLD, path.as_bytes());
        answer(preview1::path_open(&mut self.cx(), dir, 1, path, len, oflags, rights, rights, fdflags, OUT))?;
        Ok(self.word(OUT) as i32)
    }

    pub fn open(&mut self, path: &str, oflags: i32) -> Answer<i32> {
        self.open_at(3, path, oflags, READ | WRITE, 0)
    }

    pub fn close(&mut self, fd: i32) -> Answer<()> {
        answer(preview1::fd_close(&mut self.cx(), fd))
    }

    /// Sets up one buffer at `DATA`.
    pub fn iov(&mut self, len: usize) -> (i32, i32) {
        self.put(IOVS, &DATA.to_le_bytes());
        self.put(IOVS + 4, &(len as i32).to_le_bytes());
        (IOVS, 1)
    }

    pub fn write(&mut self, fd: i32, bytes: &[u8]) -> Answer<usize> {
        self.put(DATA, bytes);
        let (iovs, n) = self.iov(bytes.len());
        answer(preview1::fd_write(&mut self.cx(), fd, iovs, n, OUT))?;
        Ok(self.word(OUT) as usize)
    }

    pub fn write_at(&mut self, fd: i32, bytes: &[u8], offset: i64) -> Answer<usize> {
        self.put(DATA, bytes);
        let (iovs, n) = self.iov(bytes.len());
        answer(preview1::fd_pwrite(&mut self.cx(), fd, iovs, n, offset, OUT))?;
        Ok(self.word(OUT) as usize)
    }

    pub fn read(&mut self, fd: i32, len: usize) -> Answer<Vec<u8>> {
        let (iovs, n) = self.iov(len);
        answer(preview1::fd_read(&mut self.cx(), fd, iovs, n, OUT))?;
        let read = self.word(OUT) as usize;
        Ok(self.memory[DATA as usize..DATA as usize + read].to_vec())
    }

    pub fn read_at(&mut self, fd: i32, len: usize, offset: i64) -> Answer<Vec<u8>> {
        let (iovs, n) = self.iov(len);
        answer(preview1::fd_pread(&mut self.cx(), fd, iovs, n, offset, OUT))?;
        let read = self.word(OUT) as usize;
        Ok(self.memory[DATA as usize..DATA as usize + read].to_vec())
    }

    /// All of a new file, or all of an old one's contents.
    pub fn put_file(&mut self, path: &str, bytes: &[u8]) -> Answer<()> {
        let fd = self.open(path, CREATE | TRUNCATE)?;
        let written = self.write(fd, bytes);
        self.close(fd)?;
        assert_eq!(written?, bytes.len());
        Ok(())
    }

    pub fn get_file(&mut self, path: &str) -> Answer<Vec<u8>> {
        let fd = self.open_at(3, path, 0, READ, 0)?;
        let bytes = self.read(fd, 100_000)?;
        self.close(fd)?;
        Ok(bytes)
    }

    pub fn make_dir(&mut self, path: &str) -> Answer<()> {
        let (path, len) = self.put(OLD, path.as_bytes());
        answer(preview1::path_create_directory(&mut self.cx(), 3, path, len))
    }

    pub fn remove_dir(&mut self, path: &str) -> Answer<()> {
        let (path, len) = self.put(OLD, path.as_bytes());
        answer(preview1::path_remove_directory(&mut self.cx(), 3, path, len))
    }

    pub fn unlink(&mut self, path: &str) -> Answer<()> {
        let (path, len) = self.put(OLD, path.as_bytes());
        answer(preview1::path_unlink_file(&mut self.cx(), 3, path, len))
    }

    pub fn rename(&mut self, old: &str, new: &str) -> Answer<()> {
        let (old, old_len) = self.put(OLD, old.as_bytes());
        let (new, new_len) = self.put(NEW, new.as_bytes());
        answer(preview1::path_rename(&mut self.cx(), 3, old, old_len, 3, new, new_len))
    }

    pub fn link(&mut self, old: &str, new: &str) -> Answer<()> {
        let (old, old_len) = self.put(OLD, old.as_bytes());
        let (new, new_len) = self.put(NEW, new.as_bytes());
        answer(preview1::path_link(&mut self.cx(), 3, 0, old, old_len, 3, new, new_len))
    }

    pub fn symlink(&mut self, target: &str, path: &str) -> Answer<()> {
        let (target, target_len) = self.put(OLD, target.as_bytes());
        let (path, len) = self.put(NEW, path.as_bytes());
        answer(preview1::path_symlink(&mut self.cx(), target, target_len, 3, path, len))
    }

    pub fn read_link(&mut self, path: &str) -> Answer<String> {
        let (path, len) = self.put(OLD, path.as_bytes());
        answer(preview1::path_readlink(&mut self.cx(), 3, path, len, DATA, 5000, OUT))?;
        let n = self.word(OUT) as usize;
        Ok(String::from_utf8(self.memory[DATA as usize..DATA as usize + n].to_vec()).unwrap())
    }

    fn stat_in_memory(&self) -> Stat {
        Stat {
            dev: self.long(DATA),
            ino: self.long(DATA + 8),
            kind: self.memory[DATA as usize + 16],
            nlink: self.long(DATA + 24),
            size: self.long(DATA + 32),
            atim: self.long(DATA + 40),
            mtim: self.long(DATA + 48),
        }
    }

    pub fn stat(&mut self, path: &str, follow: bool) -> Answer<Stat> {
        let (path, len) = self.put(OLD, path.as_bytes());
        answer(preview1::path_filestat_get(&mut self.cx(), 3, i32::from(follow), path, len, DATA))?;
        Ok(self.stat_in_memory())
    }

    pub fn fd_stat(&mut self, fd: i32) -> Answer<Stat> {
        answer(preview1::fd_filestat_get(&mut self.cx(), fd, DATA))?;
        Ok(self.stat_in_memory())
    }

    /// Entries after `cookie` that fit into `len` bytes whole: (name, type, next cookie).
    pub fn entries(&mut self, fd: i32, len: i32, cookie: u64) -> Answer<Vec<(String, u8, u64)>> {
        answer(preview1::fd_readdir(&mut self.cx(), fd, DATA, len, cookie as i64, OUT))?;
        let used = self.word(OUT) as usize;
        let mut rest = &self.memory[DATA as usize..DATA as usize + used];
        let mut entries = Vec::new();
        while rest.len() >= 24 {
            let next = u64::from_le_bytes(rest[..8].try_into().unwrap());
            let len = u32::from_le_bytes(rest[16..20].try_into().unwrap()) as usize;
            let Some(name) = rest.get(24..24 + len) else { break };
            entries.push((String::from_utf8(name.to_vec()).unwrap(), rest[20], next));
            rest = &rest[24 + len..];
        }
        Ok(entries)
    }

    /// Names in a directory without `.` and `..`.
    pub fn names(&mut self, path: &str) -> Answer<Vec<String>> {
        let fd = self.open_at(3, path, DIRECTORY, READ, 0)?;
        let entries = self.entries(fd, 500_000, 0)?;
        self.close(fd)?;
        Ok(entries.into_iter().skip(2).map(|(name, ..)| name).collect())
    }
}

pub fn answer(result: Result<i32, Halt<OutputLimit>>) -> Answer<()> {
    match result.expect("the call comes back") {
        0 => Ok(()),
        raw => Err(errno(raw)),
    }
}

fn errno(raw: i32) -> Errno {
    use Errno::*;
    let known = [
        Acces,
        Badf,
        Busy,
        Exist,
        Fault,
        Fbig,
        Ilseq,
        Inval,
        Io,
        Isdir,
        Loop,
        Mfile,
        Mlink,
        Nametoolong,
        Noent,
        Nomem,
        Nospc,
        Notdir,
        Notempty,
        Notsock,
        Notsup,
        Overflow,
        Perm,
        Rofs,
        Spipe,
        Xdev,
    ];
    known.into_iter().find(|e| e.raw() == raw).unwrap_or_else(|| panic!("unexpected error number {raw}"))
}
