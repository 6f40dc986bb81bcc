//! The session's files as the guest mounts them. No file of the host is behind any path.

use super::site::Site;
use hyperlight_unikraft::{DirEntry, FileStat, FsBackend};
use mote_engine_wasm::shared::{lock, wall_clock};
use mote_wasi::Errno;
use mote_wasi::fs::{Attributes, Fs, Tree};
use std::collections::BTreeMap;
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

/// Libraries: what was installed since the session opened, over what it opened with. The guest cannot write there.
pub struct Libraries {
    pub own: Arc<Mutex<Fs>>,
    pub opened_with: Option<Site>,
}

impl Libraries {
    fn look<T>(&self, ask: impl Fn(&Fs) -> Result<T, Errno>) -> io::Result<T> {
        let own = ask(&lock(&self.own));
        match (own, &self.opened_with) {
            (Err(Errno::Noent), Some(site)) => ask(site),
            (own, _) => own,
        }
        .map_err(refused)
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

fn stat(found: Attributes) -> FileStat {
    let mode = u32::from(found.mode);
    let stat = if found.is_dir { FileStat::dir(mode) } else { FileStat::file(found.size, mode) };
    let [accessed, modified, changed] = found.times.map(time);
    stat.times(accessed, modified, changed)
}

fn entries(names: impl IntoIterator<Item = (String, bool)>) -> Vec<DirEntry> {
    names.into_iter().map(|(name, is_dir)| DirEntry::new(name, is_dir)).collect()
}

impl FsBackend for Libraries {
    fn stat(&self, path: &str) -> io::Result<FileStat> {
        self.look(|fs| fs.attributes_in(Tree::SitePackages, path)).map(stat)
    }

    fn read(&self, path: &str, offset: u64, buf: &mut [u8]) -> io::Result<usize> {
        let buf = std::cell::RefCell::new(buf);
        self.look(|fs| fs.read_in(Tree::SitePackages, path, offset, &mut buf.borrow_mut()))
    }

    fn write(&self, _: &str, _: Option<u64>, _: &[u8]) -> io::Result<()> {
        Err(refused(Errno::Rofs))
    }

    fn create_dir(&self, _: &str) -> io::Result<()> {
        Err(refused(Errno::Rofs))
    }

    fn remove(&self, _: &str) -> io::Result<()> {
        Err(refused(Errno::Rofs))
    }

    fn truncate(&self, _: &str, _: u64) -> io::Result<()> {
        Err(refused(Errno::Rofs))
    }

    fn list(&self, path: &str) -> io::Result<Vec<DirEntry>> {
        let own = lock(&self.own).names_in(Tree::SitePackages, path);
        let below = self.opened_with.as_ref().map(|site| site.names_in(Tree::SitePackages, path));
        match (own, below) {
            (Ok(own), Some(Ok(below))) => {
                let mut names: BTreeMap<String, bool> = below.into_iter().collect();
                names.extend(own);
                Ok(entries(names))
            }
            (Err(Errno::Noent), Some(below)) => below.map(entries).map_err(refused),
            (own, _) => own.map(entries).map_err(refused),
        }
    }

    fn rename(&self, _: &str, _: &str) -> io::Result<()> {
        Err(refused(Errno::Rofs))
    }
}

impl FsBackend for Files {
    fn stat(&self, path: &str) -> io::Result<FileStat> {
        self.read(|fs| fs.attributes_in(self.tree, path)).map(stat)
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
        self.read(|fs| fs.names_in(self.tree, path)).map(entries)
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

#[cfg(test)]
mod tests {
    use super::super::site;
    use super::*;
    use mote_wasi::fs::Area;

    fn tree(files: &[(&str, &str)]) -> Fs {
        let mut fs = site::empty();
        for (path, text) in files {
            if let Some((directory, _)) = path.rsplit_once('/') {
                fs.make_dir_path(Area::Library, directory, true, 0).unwrap();
            }
            fs.write_file(Area::Library, path, None, None, text.as_bytes(), 0).unwrap();
        }
        fs
    }

    #[test]
    fn libraries_lie_over_those_that_the_session_opened_with() {
        let own = tree(&[("both/new.py", "new"), ("both/same.py", "own"), ("file", "own")]);
        let site = tree(&[("both/old.py", "old"), ("both/same.py", "site"), ("file/below", "hidden"), ("site.py", "")]);
        let libraries = Libraries { own: Arc::new(Mutex::new(own)), opened_with: Some(Arc::new(site)) };
        let read = |path: &str| {
            let mut buffer = [0; 16];
            libraries.read(path, 0, &mut buffer).map(|n| String::from_utf8_lossy(&buffer[..n]).into_owned())
        };
        assert_eq!(read("both/new.py").unwrap(), "new");
        assert_eq!(read("both/old.py").unwrap(), "old");
        assert_eq!(read("both/same.py").unwrap(), "own");
        assert!(read("file/below").is_err());
        assert!(libraries.stat("missing").is_err());
        let names = |path: &str| {
            let entries = libraries.list(path).unwrap().into_iter();
            entries.map(|entry| (entry.name, entry.is_dir)).collect::<Vec<_>>()
        };
        let file = |name: &str| (name.to_owned(), false);
        assert_eq!(names(""), [("both".to_owned(), true), file("file"), file("site.py")]);
        assert_eq!(names("both"), ["new.py", "old.py", "same.py"].map(file));
        assert!(libraries.write("both/new.py", None, b"x").is_err());
        assert!(libraries.remove("site.py").is_err());
    }
}
