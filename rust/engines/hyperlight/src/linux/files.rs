//! The session's files as the guest mounts them. No file of the host is behind any path.

use hyperlight_unikraft::{DirEntry, FileStat, FsBackend};
use mote_engine_wasm::shared::{lock, wall_clock};
use mote_wasi::Errno;
use mote_wasi::fs::{Fs, Tree};
use std::io;
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

pub struct Files {
    fs: Arc<Mutex<Fs>>,
    tree: Tree,
}

impl Files {
    pub fn new(fs: Arc<Mutex<Fs>>, tree: Tree) -> Self {
        Self { fs, tree }
    }

    fn read<T>(&self, ask: impl FnOnce(&Fs) -> Result<T, Errno>) -> io::Result<T> {
        ask(&lock(&self.fs)).map_err(refused)
    }

    fn change(&self, ask: impl FnOnce(&mut Fs, u64) -> Result<(), Errno>) -> io::Result<()> {
        ask(&mut lock(&self.fs), wall_clock()).map_err(refused)
    }
}

/// The number that Linux has for it.
fn refused(errno: Errno) -> io::Error {
    use rustix::io::Errno as Linux;
    let linux = match errno {
        Errno::Noent => Linux::NOENT,
        Errno::Exist => Linux::EXIST,
        Errno::Notdir => Linux::NOTDIR,
        Errno::Isdir => Linux::ISDIR,
        Errno::Notempty => Linux::NOTEMPTY,
        Errno::Nospc | Errno::Dquot => Linux::NOSPC,
        Errno::Fbig => Linux::FBIG,
        Errno::Rofs => Linux::ROFS,
        Errno::Perm => Linux::PERM,
        Errno::Acces => Linux::ACCESS,
        Errno::Xdev => Linux::XDEV,
        Errno::Loop => Linux::LOOP,
        Errno::Nametoolong => Linux::NAMETOOLONG,
        Errno::Busy => Linux::BUSY,
        Errno::Nomem => Linux::NOMEM,
        Errno::Inval => Linux::INVAL,
        _ => Linux::IO,
    };
    io::Error::from_raw_os_error(linux.raw_os_error())
}

fn time(ns: u64) -> SystemTime {
    UNIX_EPOCH + Duration::from_nanos(ns)
}

fn ns(time: SystemTime) -> u64 {
    time.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_nanos().min(u128::from(u64::MAX)) as u64)
}

impl FsBackend for Files {
    fn stat(&self, path: &str) -> io::Result<FileStat> {
        let found = self.read(|fs| fs.attributes_in(self.tree, path))?;
        let mode = u32::from(found.mode);
        let stat = if found.is_dir { FileStat::dir(mode) } else { FileStat::file(found.size, mode) };
        let [accessed, modified, changed] = found.times.map(time);
        Ok(stat.times(accessed, modified, changed))
    }

    fn read(&self, path: &str, offset: u64, buf: &mut [u8]) -> io::Result<usize> {
        self.read(|fs| fs.read_in(self.tree, path, offset, buf))
    }

    fn write(&self, path: &str, offset: Option<u64>, data: &[u8]) -> io::Result<()> {
        self.change(|fs, now| fs.write_in(self.tree, path, offset, data, now))
    }

    fn create_dir(&self, path: &str) -> io::Result<()> {
        self.change(|fs, now| fs.make_dir_in(self.tree, path, now))
    }

    fn remove(&self, path: &str) -> io::Result<()> {
        self.change(|fs, now| fs.remove_in(self.tree, path, now))
    }

    fn truncate(&self, path: &str, len: u64) -> io::Result<()> {
        self.change(|fs, now| fs.truncate_in(self.tree, path, len, now))
    }

    fn list(&self, path: &str) -> io::Result<Vec<DirEntry>> {
        let names = self.read(|fs| fs.names_in(self.tree, path))?;
        Ok(names.into_iter().map(|(name, is_dir)| DirEntry::new(name, is_dir)).collect())
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        self.change(|fs, now| fs.rename_in(self.tree, from, to, now))
    }

    fn symlink(&self, link: &str, target: &str) -> io::Result<()> {
        self.change(|fs, now| fs.symlink_in(self.tree, link, target, now))
    }

    fn hard_link(&self, from: &str, to: &str) -> io::Result<()> {
        self.change(|fs, now| fs.link_in(self.tree, from, to, now))
    }

    fn chmod(&self, path: &str, mode: u32) -> io::Result<()> {
        self.change(|fs, _| fs.set_mode_in(self.tree, path, (mode & 0o7777) as u16))
    }

    fn set_times(&self, path: &str, accessed: Option<SystemTime>, modified: Option<SystemTime>) -> io::Result<()> {
        self.change(|fs, now| fs.set_times_in(self.tree, path, accessed.map(ns), modified.map(ns), now))
    }
}
