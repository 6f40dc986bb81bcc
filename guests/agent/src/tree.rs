//! Whole trees: what is in one, what has changed in one, and removing one, however deep it is.

use crate::beneath::{Root, split};
use crate::files::Refusal;
use crate::wire::Fields;
use rustix::fs::{AtFlags, FileType, Mode, OFlags, RawDir, Stat};
use rustix::io::Errno;
use std::mem::MaybeUninit;
use std::os::fd::OwnedFd;

const BUFFER_BYTES: usize = 32 << 10;

/// What a directory holds, in the order in which the kernel says it.
fn names(folder: &OwnedFd) -> Result<Vec<(Vec<u8>, FileType)>, Errno> {
    let mut buffer = vec![MaybeUninit::uninit(); BUFFER_BYTES];
    let mut entries = RawDir::new(folder, &mut buffer);
    let mut found = Vec::new();
    while let Some(entry) = entries.next() {
        let entry = entry?;
        let name = entry.file_name().to_bytes();
        if name != b"." && name != b".." {
            found.push((name.to_vec(), entry.file_type()));
        }
    }
    Ok(found)
}

/// Visits everything below a directory; links are not followed. What vanishes meanwhile is left out.
pub fn each(
    root: &Root,
    top: &[u8],
    recursive: bool,
    mut visit: impl FnMut(&[u8], &OwnedFd) -> Result<(), Refusal>,
) -> Result<(), Refusal> {
    let mut folders = vec![top.to_vec()];
    let mut first = true;
    while let Some(folder) = folders.pop() {
        let nofollow = if first { OFlags::empty() } else { OFlags::NOFOLLOW };
        let opened = root.open_at(&folder, OFlags::RDONLY | OFlags::DIRECTORY | nofollow, Mode::empty());
        let opened = match opened {
            Err(Errno::NOENT | Errno::NOTDIR | Errno::LOOP) if !first => continue,
            outcome => outcome?,
        };
        first = false;
        for (name, _) in names(&opened)? {
            let flags = OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC;
            let entry = match rustix::fs::openat(&opened, &name[..], flags, Mode::empty()) {
                Err(Errno::NOENT) => continue,
                outcome => outcome?,
            };
            let path = if folder == b"." { name } else { [&folder[..], b"/", &name].concat() };
            visit(&path, &entry)?;
            if recursive && kind(&rustix::fs::fstat(&entry)?) == FileType::Directory {
                folders.push(path);
            }
        }
    }
    Ok(())
}

fn kind(stat: &Stat) -> FileType {
    FileType::from_raw_mode(stat.st_mode)
}

/// Writes what the host is told of an entry.
pub fn put_entry(out: &mut Fields, path: &[u8], entry: &OwnedFd) -> Result<(), Errno> {
    let stat = rustix::fs::fstat(entry)?;
    let (number, target) = match kind(&stat) {
        FileType::RegularFile => (0, Vec::new()),
        FileType::Directory => (1, Vec::new()),
        FileType::Symlink => (2, rustix::fs::readlinkat(entry, "", Vec::new())?.into_bytes()),
        _ => (3, Vec::new()),
    };
    let size = if number == 0 { stat.st_size as u64 } else { 0 };
    let mtime_ms = stat.st_mtime.saturating_mul(1_000).saturating_add(stat.st_mtime_nsec as i64 / 1_000_000);
    out.u8(number).u32(stat.st_mode & 0o777).u64(size).i64(mtime_ms).bytes(path).bytes(&target);
    Ok(())
}

/// What a run has changed.
#[derive(Default)]
pub struct Changed {
    pub paths: Vec<Vec<u8>>,
    /// The latest change of any file.
    pub latest: (i64, i64),
}

/// Files whose inode has changed since `since`, at most `most`. An inode's time of change is the kernel's own, so a guest
/// can neither hide a file nor pass off an old one; a listing before each run would cost every run as much as this.
pub fn changed(root: &Root, since: (i64, i64), most: usize) -> Changed {
    let mut found = Changed::default();
    // What cannot be read, because it is too deep or forbidden, is nobody's artifact.
    let _ = each(root, b".", true, |path, entry| {
        let stat = rustix::fs::fstat(entry)?;
        let at = (stat.st_ctime, stat.st_ctime_nsec as i64);
        found.latest = found.latest.max(at);
        let is_file = kind(&stat) == FileType::RegularFile;
        if is_file && at >= since && found.paths.len() < most && std::str::from_utf8(path).is_ok() {
            found.paths.push(path.to_vec());
        }
        Ok(())
    });
    found.paths.sort();
    found
}

/// Removes an entry of a directory with all that is in it. Directories within are moved up to the top first, so that
/// neither their depth nor the length of their paths matters.
pub fn remove(folder: &OwnedFd, name: &[u8]) -> Result<(), Errno> {
    match rustix::fs::unlinkat(folder, name, AtFlags::empty()) {
        Err(Errno::ISDIR | Errno::PERM) => {}
        outcome => return outcome,
    }
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let top = match rustix::fs::openat(folder, name, flags, Mode::empty()) {
        Err(Errno::ACCESS) => {
            let _ = rustix::fs::chmodat(folder, name, Mode::RWXU, AtFlags::empty());
            rustix::fs::openat(folder, name, flags, Mode::empty())?
        }
        outcome => outcome?,
    };
    clear(&top)?;
    rustix::fs::unlinkat(folder, name, AtFlags::REMOVEDIR)
}

/// Removes a directory by its absolute path.
pub fn remove_folder(path: &[u8]) -> Result<(), Errno> {
    let (folder, name) = split(path);
    let folder = rustix::fs::openat(rustix::fs::CWD, folder, OFlags::PATH | OFlags::CLOEXEC, Mode::empty())?;
    remove(&folder, name)
}

/// Removes all that is in a directory.
pub fn clear(top: &OwnedFd) -> Result<(), Errno> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let mut moved = 0_u64;
    // Each round takes one level off; an entry that cannot be removed ends it.
    loop {
        let found = names(top)?;
        if found.is_empty() {
            return Ok(());
        }
        for (name, kind) in found {
            if kind != FileType::Directory {
                match rustix::fs::unlinkat(top, &name[..], AtFlags::empty()) {
                    Err(Errno::NOENT) => {}
                    outcome => outcome?,
                }
                continue;
            }
            let _ = rustix::fs::chmodat(top, &name[..], Mode::RWXU, AtFlags::empty());
            let within = rustix::fs::openat(top, &name[..], flags, Mode::empty())?;
            for (inner, kind) in names(&within)? {
                if kind == FileType::Directory {
                    let _ = rustix::fs::chmodat(&within, &inner[..], Mode::RWXU, AtFlags::empty());
                    move_up(&within, &inner, top, &mut moved)?;
                } else {
                    rustix::fs::unlinkat(&within, &inner[..], AtFlags::empty())?;
                }
            }
            rustix::fs::unlinkat(top, &name[..], AtFlags::REMOVEDIR)?;
        }
    }
}

fn move_up(from: &OwnedFd, name: &[u8], top: &OwnedFd, moved: &mut u64) -> Result<(), Errno> {
    loop {
        *moved += 1;
        match rustix::fs::renameat(from, name, top, format!(".mote-{moved}").as_bytes()) {
            // A guest has used the name.
            Err(Errno::EXIST | Errno::NOTEMPTY | Errno::NOTDIR) => {}
            outcome => return outcome,
        }
    }
}
