//! What a finished folder must look like, so that its files are not hashed at every start.

use super::failed;
use crate::settings::hex;
use mote_core::error::Result;
use rustix::fs::{Mode, OFlags};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::fs::{self, File};
use std::io::{self, Read, Seek};
use std::os::unix::fs::MetadataExt;
use std::path::Path;

pub const STAMP: &str = "stamp.json";

#[derive(Debug, Deserialize, PartialEq, Serialize)]
pub struct Stamp {
    files: Vec<Stamped>,
}

#[derive(Debug, Deserialize, PartialEq, Serialize)]
struct Stamped {
    name: String,
    sha256: String,
    stat: Stat,
}

#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
struct Stat {
    size: u64,
    inode: u64,
    mtime: i64,
    mtime_ns: i64,
    ctime: i64,
    ctime_ns: i64,
}

/// The files of a checked folder, in the order they were asked for.
pub struct Opened {
    pub files: Vec<File>,
}

impl Stat {
    fn of(file: &File) -> io::Result<Self> {
        let data = file.metadata()?;
        Ok(Self {
            size: data.size(),
            inode: data.ino(),
            mtime: data.mtime(),
            mtime_ns: data.mtime_nsec(),
            ctime: data.ctime(),
            ctime_ns: data.ctime_nsec(),
        })
    }
}

fn open(path: &Path) -> io::Result<File> {
    Ok(rustix::fs::open(path, OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC, Mode::empty())?.into())
}

fn hash(file: &mut File) -> io::Result<String> {
    file.rewind()?;
    let mut digest = Sha256::new();
    let mut buffer = vec![0; 1 << 20];
    loop {
        match file.read(&mut buffer)? {
            0 => break,
            n => digest.update(&buffer[..n]),
        }
    }
    file.rewind()?;
    Ok(hex(&digest.finalize()))
}

/// True when only this user can have written what `data` describes.
fn is_own(data: &fs::Metadata, forbidden_mode: u32) -> bool {
    data.uid() == rustix::process::geteuid().as_raw() && data.mode() & forbidden_mode == 0
}

/// True when the folder is this user's and nobody else may look into it.
pub fn is_private_dir(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok_and(|data| data.is_dir() && is_own(&data, 0o077))
}

/// True when the folder is this user's and nobody else may write into it.
pub fn is_own_dir(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok_and(|data| data.is_dir() && is_own(&data, 0o022))
}

/// The files below a folder, by their paths from there, besides the stamp.
pub fn names_below(dir: &Path) -> io::Result<Vec<String>> {
    let mut names = Vec::new();
    let mut open = vec![String::new()];
    while let Some(prefix) = open.pop() {
        for entry in fs::read_dir(dir.join(&prefix))? {
            let entry = entry?;
            let name = format!("{prefix}{}", entry.file_name().to_string_lossy());
            if entry.file_type()?.is_dir() {
                open.push(format!("{name}/"));
            } else if name != STAMP {
                names.push(name);
            }
        }
    }
    names.sort_unstable();
    Ok(names)
}

/// Writes the stamp of a folder whose files are complete.
pub fn write(dir: &Path, names: &[&str]) -> Result<()> {
    let stamp = || -> io::Result<()> {
        let mut files = Vec::new();
        for name in names {
            let mut file = open(&dir.join(name))?;
            let (sha256, stat) = (hash(&mut file)?, Stat::of(&file)?);
            files.push(Stamped { name: (*name).into(), sha256, stat });
        }
        let temporary = dir.join(".stamp");
        fs::write(&temporary, serde_json::to_vec(&Stamp { files })?)?;
        fs::rename(temporary, dir.join(STAMP))
    };
    stamp().map_err(|error| failed("finish", dir, error))
}

/// Opens the files when the folder is whole; `None` when it is missing, damaged or somebody else's.
pub fn check(dir: &Path, names: &[&str]) -> Option<Opened> {
    if !is_private_dir(dir) {
        return None;
    }
    let stamp: Stamp = serde_json::from_slice(&fs::read(dir.join(STAMP)).ok()?).ok()?;
    if stamp.files.len() != names.len() {
        return None;
    }
    let mut files = Vec::new();
    let mut moved = false;
    for (name, stamped) in names.iter().zip(&stamp.files) {
        let mut file = open(&dir.join(name)).ok()?;
        let data = file.metadata().ok()?;
        if *name != stamped.name || !data.is_file() || !is_own(&data, 0o022) {
            return None;
        }
        if Stat::of(&file).ok()? != stamped.stat {
            if hash(&mut file).ok()? != stamped.sha256 {
                return None;
            }
            moved = true;
        }
        files.push(file);
    }
    if moved {
        // The same contents at another place, as after a copy: stamped anew, or hashed again next time.
        let _ = write(dir, names);
    }
    Some(Opened { files })
}
