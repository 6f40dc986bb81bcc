//! Answers what the host asks of files. Nothing here follows a link out of its root, waits for a FIFO or opens a device.

use crate::beneath::{Root, split};
use crate::link::{Link, Lost};
use crate::tree;
use crate::wire::{Fields, Malformed, Reader, ask, tell};
use rustix::fs::{AtFlags, FileType, Mode, OFlags, SeekFrom, Timespec, Timestamps};
use rustix::io::Errno;
use std::os::fd::OwnedFd;

pub const SANDBOX: usize = 0;
pub const RUN: usize = 2;
const PART_BYTES: usize = 256 << 10;
const BLOCK: usize = 4_096;

/// Why a request got no answer.
pub enum Refusal {
    Errno(Errno),
    Malformed,
    Lost,
}

impl From<Errno> for Refusal {
    fn from(error: Errno) -> Self {
        Refusal::Errno(error)
    }
}

impl From<Malformed> for Refusal {
    fn from(_: Malformed) -> Self {
        Refusal::Malformed
    }
}

impl From<Lost> for Refusal {
    fn from(_: Lost) -> Self {
        Refusal::Lost
    }
}

/// Folders that the host names by number: workspace, libraries, the run's own.
#[derive(Default)]
pub struct Files {
    pub roots: Vec<Root>,
}

impl Files {
    pub fn root(&self, number: usize) -> Result<&Root, Errno> {
        self.roots.get(number).ok_or(Errno::NOENT)
    }

    pub fn answer(&self, link: &mut Link, kind: u8, id: u32, payload: &[u8]) -> Result<(), Lost> {
        match self.serve(link, kind, id, payload) {
            Ok(()) => Ok(()),
            Err(Refusal::Errno(error)) => {
                fault(link, id, error);
                Ok(())
            }
            Err(Refusal::Malformed | Refusal::Lost) => Err(Lost),
        }
    }

    fn serve(&self, link: &mut Link, kind: u8, id: u32, payload: &[u8]) -> Result<(), Refusal> {
        let mut reader = Reader(payload);
        let root = self.root(reader.u8()?.into())?;
        match kind {
            ask::WRITE => write(root, &mut reader)?,
            ask::READ => return read(root, &mut reader, link, id),
            ask::LIST => return list(root, &mut reader, link, id),
            ask::STAT => {
                let path = reader.bytes()?;
                let mut out = Fields::default();
                tree::put_entry(&mut out, b"", &root.entry(path)?)?;
                link.send(tell::ANSWER, id, &[&out.0]);
                return Ok(());
            }
            ask::MKDIR => mkdir(root, reader.bytes()?)?,
            ask::SYMLINK => {
                let (path, target) = (reader.bytes()?, reader.bytes()?);
                let (folder, name) = root.parent(path)?;
                rustix::fs::symlinkat(target, &folder, name)?;
            }
            ask::REMOVE => {
                let (folder, name) = root.parent(reader.bytes()?)?;
                tree::remove(&folder, name)?;
            }
            _ => return Err(Refusal::Malformed),
        }
        link.send(tell::ANSWER, id, &[]);
        Ok(())
    }
}

pub fn fault(link: &mut Link, id: u32, error: Errno) {
    link.send(tell::FAULT, id, &[&error.raw_os_error().to_le_bytes()]);
}

const FRESH: u8 = 1;
const MODE: u8 = 2;
const MTIME: u8 = 4;
const ZEROS: u8 = 8;

fn write(root: &Root, reader: &mut Reader) -> Result<(), Refusal> {
    let flags = reader.u8()?;
    let (offset, mode, mtime_ms, zeros) = (reader.u64()?, reader.u32()?, reader.i64()?, reader.u64()?);
    let path = reader.bytes()?;
    let bytes = reader.rest();
    let fresh = flags & FRESH != 0;
    let mode = Mode::from_raw_mode(if flags & MODE != 0 { mode & 0o777 } else { 0o644 });
    let file = open_to_write(root, path, fresh, mode)?;
    if fresh && flags & MODE != 0 {
        rustix::fs::fchmod(&file, mode)?;
    }
    let size = rustix::fs::fstat(&file)?.st_size as u64;
    let length = if flags & ZEROS != 0 { zeros } else { bytes.len() as u64 };
    let end = offset.checked_add(length).filter(|end| *end <= i64::MAX as u64).ok_or(Errno::FBIG)?;
    // A file of holes larger than what it is in could never be filled.
    let room = rustix::fs::fstatvfs(&file).map_or(u64::MAX, |stat| stat.f_blocks.saturating_mul(stat.f_frsize));
    if end > room {
        return Err(Errno::NOSPC.into());
    }
    if offset < size {
        let nothing = [0; BLOCK];
        if flags & ZEROS == 0 {
            write_all(&file, bytes, offset)?;
        }
        let mut at = offset;
        while flags & ZEROS != 0 && at < end {
            let part = (end - at).min(BLOCK as u64) as usize;
            write_all(&file, &nothing[..part], at)?;
            at += part as u64;
        }
    } else if flags & ZEROS == 0 {
        for (number, block) in bytes.chunks(BLOCK).enumerate() {
            if block.iter().any(|byte| *byte != 0) {
                write_all(&file, block, offset + (number * BLOCK) as u64)?;
            }
        }
    }
    // What was left out at the end is a hole as well.
    if end > rustix::fs::fstat(&file)?.st_size as u64 {
        rustix::fs::ftruncate(&file, end)?;
    }
    if flags & MTIME != 0 {
        let at = Timespec { tv_sec: mtime_ms.div_euclid(1_000), tv_nsec: mtime_ms.rem_euclid(1_000) * 1_000_000 };
        let now = Timespec { tv_sec: 0, tv_nsec: rustix::fs::UTIME_NOW };
        rustix::fs::futimens(&file, &Timestamps { last_access: now, last_modification: at })?;
    }
    Ok(())
}

fn open_to_write(root: &Root, path: &[u8], fresh: bool, mode: Mode) -> Result<OwnedFd, Errno> {
    let create = if fresh { OFlags::CREATE } else { OFlags::empty() };
    let flags = OFlags::WRONLY | OFlags::NONBLOCK | create;
    let file = match root.open_at(path, flags, mode) {
        // A file of ours that may not be written to; whoever runs here may change that as well as we may.
        Err(Errno::ACCESS) => {
            let (folder, name) = root.parent(path)?;
            let before = Mode::from_raw_mode(rustix::fs::fstat(root.entry(path)?)?.st_mode & 0o777);
            rustix::fs::chmodat(&folder, name, before | Mode::WUSR, AtFlags::empty())?;
            let file = root.open_at(path, flags, mode);
            rustix::fs::chmodat(&folder, name, before, AtFlags::empty())?;
            file?
        }
        outcome => outcome?,
    };
    regular(&file)?;
    if fresh {
        rustix::fs::ftruncate(&file, 0)?;
    }
    Ok(file)
}

fn regular(file: &OwnedFd) -> Result<u64, Errno> {
    let stat = rustix::fs::fstat(file)?;
    match FileType::from_raw_mode(stat.st_mode) {
        FileType::RegularFile => Ok(stat.st_size as u64),
        FileType::Directory => Err(Errno::ISDIR),
        _ => Err(Errno::PERM),
    }
}

fn write_all(file: &OwnedFd, mut bytes: &[u8], mut offset: u64) -> Result<(), Errno> {
    while !bytes.is_empty() {
        match rustix::io::pwrite(file, bytes, offset) {
            Ok(0) => return Err(Errno::IO),
            Ok(written) => {
                bytes = &bytes[written..];
                offset += written as u64;
            }
            Err(Errno::INTR) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

fn read(root: &Root, reader: &mut Reader, link: &mut Link, id: u32) -> Result<(), Refusal> {
    let (offset, length) = (reader.u64()?, reader.u32()?.min(1 << 20));
    let file = root.open_at(reader.bytes()?, OFlags::RDONLY | OFlags::NONBLOCK, Mode::empty())?;
    let size = regular(&file)?;
    let end = size.min(offset.saturating_add(length.into()));
    let mut head = Fields::default();
    let hole_ends = match rustix::fs::seek(&file, SeekFrom::Data(offset)) {
        _ if offset >= size => offset,
        Ok(data) => data.min(end),
        Err(Errno::NXIO) => end,
        Err(_) => offset,
    };
    if hole_ends > offset || offset >= size {
        head.u8(u8::from(hole_ends >= size)).u64(hole_ends - offset);
        link.send(tell::ANSWER, id, &[&head.0]);
        return Ok(());
    }
    let mut bytes = vec![0; (end - offset) as usize];
    let mut read = 0;
    while read < bytes.len() {
        match rustix::io::pread(&file, &mut bytes[read..], offset + read as u64) {
            Ok(0) => break,
            Ok(more) => read += more,
            Err(Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
    let eof = offset + read as u64 >= size || read < bytes.len();
    head.u8(u8::from(eof)).u64(0);
    link.send(tell::ANSWER, id, &[&head.0, &bytes[..read]]);
    Ok(())
}

fn list(root: &Root, reader: &mut Reader, link: &mut Link, id: u32) -> Result<(), Refusal> {
    let recursive = reader.u8()? != 0;
    let mut out = Fields::default();
    let found = tree::each(root, reader.bytes()?, recursive, |path, entry| {
        tree::put_entry(&mut out, path, entry)?;
        if out.0.len() >= PART_BYTES {
            link.send(tell::PART, id, &[&out.0]);
            out.0.clear();
            link.drain()?;
        }
        Ok(())
    });
    found?;
    link.send(tell::ANSWER, id, &[&out.0]);
    Ok(())
}

fn mkdir(root: &Root, path: &[u8]) -> Result<(), Errno> {
    let open = |path: &[u8]| root.open_at(path, OFlags::PATH | OFlags::DIRECTORY, Mode::empty());
    if open(path).is_ok() {
        return Ok(());
    }
    let ends = path.iter().enumerate().filter(|(_, byte)| **byte == b'/').map(|(at, _)| at);
    for end in ends.chain([path.len()]) {
        let prefix = &path[..end];
        match open(prefix) {
            Err(Errno::NOENT) => {
                let folder = open(split(prefix).0)?;
                match rustix::fs::mkdirat(&folder, split(prefix).1, Mode::from_raw_mode(0o755)) {
                    Ok(()) | Err(Errno::EXIST) => drop(open(prefix)?),
                    Err(error) => return Err(error),
                }
            }
            outcome => drop(outcome?),
        }
    }
    Ok(())
}
