//! Opens paths below a folder, wherever links point: what would leave it is refused with EXDEV or ELOOP.

use rustix::fs::{CWD, Mode, OFlags, ResolveFlags, openat, openat2, readlinkat};
use rustix::io::Errno;
use std::os::fd::{AsFd, OwnedFd};

const LINKS_MAX: usize = 40;
const RETRIES: usize = 64;

pub struct Root {
    folder: OwnedFd,
    /// Whether the kernel, or whatever filters its calls, knows openat2.
    kernel: bool,
}

/// The directory of a path, and its last name.
pub fn split(path: &[u8]) -> (&[u8], &[u8]) {
    match path.iter().rposition(|byte| *byte == b'/') {
        Some(at) => (&path[..at], &path[at + 1..]),
        None => (b".", path),
    }
}

const FOLDER: OFlags = OFlags::PATH.union(OFlags::DIRECTORY).union(OFlags::CLOEXEC);

impl Root {
    pub fn open(path: &[u8]) -> Result<Self, Errno> {
        let folder = openat(CWD, path, FOLDER, Mode::empty())?;
        let probe = openat2(&folder, ".", FOLDER, Mode::empty(), ResolveFlags::BENEATH);
        Ok(Self { folder, kernel: probe.is_ok() })
    }

    /// The same folder, with paths resolved by hand.
    #[cfg(test)]
    pub fn by_hand(mut self) -> Self {
        self.kernel = false;
        self
    }

    pub fn kernel(&self) -> bool {
        self.kernel
    }

    pub fn folder(&self) -> &OwnedFd {
        &self.folder
    }

    pub fn open_at(&self, path: &[u8], flags: OFlags, mode: Mode) -> Result<OwnedFd, Errno> {
        // openat2 takes nothing beside PATH that would mean nothing there.
        let quiet = if flags.contains(OFlags::PATH) { OFlags::empty() } else { OFlags::NOCTTY };
        let flags = flags | OFlags::CLOEXEC | quiet;
        let mode = if flags.contains(OFlags::CREATE) { mode } else { Mode::empty() };
        if !self.kernel {
            return self.walk(path, flags, mode);
        }
        let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_MAGICLINKS;
        for _ in 0..RETRIES {
            match openat2(&self.folder, path, flags, mode, resolve) {
                // Something was renamed meanwhile, and the kernel could not be sure.
                Err(Errno::AGAIN) => {}
                outcome => return outcome,
            }
        }
        Err(Errno::XDEV)
    }

    /// The directory that holds the last name of a path.
    pub fn parent<'a>(&self, path: &'a [u8]) -> Result<(OwnedFd, &'a [u8]), Errno> {
        let (folder, name) = split(path);
        if matches!(name, b"" | b"." | b"..") {
            return Err(Errno::INVAL);
        }
        Ok((self.open_at(folder, FOLDER, Mode::empty())?, name))
    }

    /// The entry itself, even where it is a link.
    pub fn entry(&self, path: &[u8]) -> Result<OwnedFd, Errno> {
        self.open_at(path, OFlags::PATH | OFlags::NOFOLLOW, Mode::empty())
    }

    /// One name after the other, each without following it; links are resolved by us, on the names that are left.
    fn walk(&self, path: &[u8], flags: OFlags, mode: Mode) -> Result<OwnedFd, Errno> {
        let mut left: Vec<Vec<u8>> = names(path);
        let mut above: Vec<OwnedFd> = Vec::new();
        let mut links = 0;
        loop {
            let Some(name) = left.pop() else {
                let here = above.last().unwrap_or(&self.folder);
                return openat(here, ".", flags.difference(OFlags::CREATE | OFlags::TRUNC), Mode::empty());
            };
            if name == b".." {
                above.pop().ok_or(Errno::XDEV)?;
                continue;
            }
            let here = above.last().unwrap_or(&self.folder);
            let last = left.is_empty();
            let found = match openat(here, &name[..], OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC, Mode::empty())
            {
                Ok(found) => found,
                Err(Errno::NOENT) if last && flags.contains(OFlags::CREATE) => {
                    return openat(here, &name[..], flags | OFlags::NOFOLLOW, mode);
                }
                Err(error) => return Err(error),
            };
            if is_link(&found)? && !(last && flags.contains(OFlags::NOFOLLOW)) {
                links += 1;
                let target = readlinkat(&found, "", Vec::new())?.into_bytes();
                if target.first() == Some(&b'/') {
                    return Err(Errno::XDEV);
                }
                if links > LINKS_MAX {
                    return Err(Errno::LOOP);
                }
                left.extend(names(&target));
                continue;
            }
            if last {
                return openat(here, &name[..], flags | OFlags::NOFOLLOW, mode);
            }
            above.push(openat(here, &name[..], FOLDER | OFlags::NOFOLLOW, Mode::empty())?);
        }
    }
}

fn names(path: &[u8]) -> Vec<Vec<u8>> {
    path.split(|byte| *byte == b'/')
        .filter(|name| !name.is_empty() && *name != b".")
        .rev()
        .map(<[u8]>::to_vec)
        .collect()
}

fn is_link(fd: impl AsFd) -> Result<bool, Errno> {
    let stat = rustix::fs::fstat(fd)?;
    Ok(rustix::fs::FileType::from_raw_mode(stat.st_mode).is_symlink())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::os::unix::ffi::OsStrExt;
    use std::os::unix::fs::symlink;
    use std::path::{Path, PathBuf};

    /// A folder with links of every kind, beside something that nobody may reach.
    fn folder(name: &str) -> PathBuf {
        let top = std::env::temp_dir().join(format!("mote-agent-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&top);
        let inside = top.join("inside");
        fs::create_dir_all(inside.join("a/b")).unwrap();
        fs::write(top.join("secret"), "secret").unwrap();
        fs::write(inside.join("a/b/file"), "file").unwrap();
        symlink("a/b", inside.join("to-b")).unwrap();
        symlink("../a/b/../b/file", inside.join("a/to-file")).unwrap();
        symlink("../secret", inside.join("out")).unwrap();
        symlink("a/../../secret", inside.join("out-later")).unwrap();
        symlink(top.join("secret"), inside.join("absolute")).unwrap();
        symlink("..", inside.join("up")).unwrap();
        symlink("round", inside.join("round")).unwrap();
        inside
    }

    fn roots(path: &Path) -> [Root; 2] {
        let open = || Root::open(path.as_os_str().as_bytes()).unwrap();
        [open(), open().by_hand()]
    }

    #[test]
    fn paths_stay_below_their_root() {
        let inside = folder("beneath");
        for root in roots(&inside) {
            let open = |path: &str| root.open_at(path.as_bytes(), OFlags::RDONLY, Mode::empty());
            for path in [".", "a", "a/b/file", "to-b/file", "a/to-file", "a/b/../b/file", "to-b/../b/file"] {
                assert!(open(path).is_ok(), "{path}: {:?}", open(path));
            }
            for path in
                ["out", "out-later", "absolute", "up", "up/secret", "../secret", "a/../../secret", "/etc/passwd"]
            {
                assert!(open(path).is_err(), "{path}, by the kernel: {}", root.kernel());
            }
            assert_eq!(open("round").unwrap_err(), Errno::LOOP);
            assert_eq!(open("none/x").unwrap_err(), Errno::NOENT);
            let made = root.open_at(b"to-b/made", OFlags::WRONLY | OFlags::CREATE, Mode::RUSR);
            assert!(made.is_ok() && inside.join("a/b/made").exists());
            fs::remove_file(inside.join("a/b/made")).unwrap();
            let create = OFlags::WRONLY | OFlags::CREATE;
            assert!(root.open_at(b"up/made", create, Mode::RUSR).is_err());
            assert!(is_link(root.entry(b"out").unwrap()).unwrap());
        }
        fs::remove_dir_all(inside.parent().unwrap()).unwrap();
    }

    #[test]
    fn trees_are_removed_however_deep() {
        let inside = folder("deep");
        let root = Root::open(inside.as_os_str().as_bytes()).unwrap();
        let mut here = root.open_at(b"a", FOLDER, Mode::empty()).unwrap();
        for _ in 0..3_000 {
            rustix::fs::mkdirat(&here, "deeper", Mode::RWXU).unwrap();
            here = openat(&here, "deeper", FOLDER, Mode::empty()).unwrap();
        }
        drop(here);
        symlink("../../secret", inside.join("a/link")).unwrap();
        fs::create_dir(inside.join("a/.mote-1")).unwrap();
        let (folder, name) = root.parent(b"a").unwrap();
        crate::tree::remove(&folder, name).unwrap();
        assert!(!inside.join("a").exists());
        assert_eq!(fs::read_to_string(inside.parent().unwrap().join("secret")).unwrap(), "secret");
        fs::remove_dir_all(inside.parent().unwrap()).unwrap();
    }
}
