//! Making a folder that is missing or damaged.

use super::failed;
use super::stamp::{self, Opened};
use mote_core::error::{Code, Error, Result};
use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::Path;
use std::thread;
use std::time::Duration;

/// How often a lock that another process holds is tried again.
const LOCK_RETRY: Duration = Duration::from_millis(20);

/// The one who waits for a folder.
pub trait Building {
    /// Another process is making the folder.
    fn waiting(&self);
    /// Nobody needs it any longer.
    fn cancelled(&self) -> bool;
}

/// Which files a folder is made of.
#[derive(Clone, Copy)]
pub enum Names<'a> {
    These(&'a [&'a str]),
    /// Whatever was put there.
    All,
}

impl Names<'_> {
    fn check(self, dir: &Path) -> Option<Opened> {
        match self {
            Self::These(names) => stamp::check(dir, names),
            Self::All => {
                let found = stamp::names_below(dir).ok()?;
                stamp::check(dir, &found.iter().map(String::as_str).collect::<Vec<_>>())
            }
        }
    }

    fn stamp(self, dir: &Path) -> Result<()> {
        match self {
            Self::These(names) => stamp::write(dir, names),
            Self::All => {
                let found = stamp::names_below(dir).map_err(|error| failed("read", dir, error))?;
                stamp::write(dir, &found.iter().map(String::as_str).collect::<Vec<_>>())
            }
        }
    }
}

/// Gives the files `names` of the folder `parent/name`, made by `make` in a temporary folder when they are not whole.
/// True: it was made.
pub fn obtain(
    parent: &Path,
    name: &str,
    names: Names<'_>,
    building: &dyn Building,
    make: impl FnOnce(&Path) -> Result<()>,
) -> Result<(Opened, bool)> {
    let target = parent.join(name);
    if stamp::is_private_dir(parent)
        && let Some(opened) = names.check(&target)
    {
        return Ok((opened, false));
    }
    private_dir(parent)?;
    let _lock = lock(&parent.join(format!(".{name}.lock")), building)?;
    if let Some(opened) = names.check(&target) {
        return Ok((opened, false));
    }
    // Under the lock nobody else is building, so what lies here was left by a process that died.
    let temporary = parent.join(format!(".{name}.new"));
    remove(&temporary)?;
    DirBuilder::new().mode(0o700).create(&temporary).map_err(|error| failed("make", &temporary, error))?;
    let made = make(&temporary).and_then(|()| names.stamp(&temporary)).and_then(|()| {
        remove(&target)?;
        fs::rename(&temporary, &target).map_err(|error| failed("move to", &target, error))
    });
    if let Err(error) = made {
        let _ = remove(&temporary);
        return Err(error);
    }
    match names.check(&target) {
        Some(opened) => Ok((opened, true)),
        None => Err(failed("use", &target, "it changed as soon as it was made")),
    }
}

fn private() -> fs::Permissions {
    fs::Permissions::from_mode(0o700)
}

/// Makes a folder of this user's alone, and its parents.
fn private_dir(path: &Path) -> Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(path).map_err(|error| failed("make", path, error))?;
    // Nobody else could write there, so what it holds is this user's and only has to be closed to readers.
    if stamp::is_private_dir(path) || stamp::is_own_dir(path) && fs::set_permissions(path, private()).is_ok() {
        return Ok(());
    }
    let path = path.display();
    let message = format!(
        "Cannot use the cache {path}: others can write there. If it is yours, run: rm -r '{path}'; else set another one"
    );
    Err(Error::new(Code::GuestBuildFailed, message))
}

fn lock(path: &Path, building: &dyn Building) -> Result<File> {
    let open = OpenOptions::new().create(true).truncate(false).write(true).mode(0o600).open(path);
    let file = open.map_err(|error| failed("open", path, error))?;
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(file),
            Err(TryLockError::WouldBlock) if building.cancelled() => {
                return Err(failed("wait for", path, "nobody needs it any longer"));
            }
            Err(TryLockError::WouldBlock) => {
                building.waiting();
                thread::sleep(LOCK_RETRY);
            }
            Err(TryLockError::Error(error)) => return Err(failed("lock", path, error)),
        }
    }
}

/// Removes a file, link or folder; what is missing is no error.
fn remove(path: &Path) -> Result<()> {
    let removed = match fs::symlink_metadata(path) {
        Ok(data) if data.is_dir() => fs::remove_dir_all(path),
        Ok(_) => fs::remove_file(path),
        Err(error) => Err(error),
    };
    match removed {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(failed("remove", path, error)),
        _ => Ok(()),
    }
}
