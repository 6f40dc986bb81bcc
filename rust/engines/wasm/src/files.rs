//! File requests of the host, served from the session's files in memory.

use crate::sandbox::area;
use crate::state::wall_clock;
use mote_core::error::{Code, Error, Result};
use mote_core::request::{
    Entry, EntryKind, ListHead, MkdirHead, ReadHead, Root, Submit, SymlinkHead, TreeHead, WriteHead,
};
use mote_wasi::fs::{self, Fs, PathError};
use serde_json::{Value, json};

/// Largest piece of a file in one answer.
const MOST_READ_BYTES: u64 = 64 << 20;

pub fn serve(files: &mut Fs, request: &Submit, payload: &[u8]) -> Result<(Value, Vec<u8>)> {
    let now = wall_clock();
    let nothing = || (json!({}), Vec::new());
    match request {
        Submit::Write(WriteHead { path, root, offset, mode, mtime_ms }) => {
            let mode = mode.map(|mode| (mode & 0o7777) as u16);
            let written = files.write_file(area(*root), path, *offset, mode, payload, now);
            let dated = written.and_then(|()| date(files, *root, path, *mtime_ms));
            dated.map(|()| nothing()).map_err(|error| refused("write", path, error))
        }
        Submit::Read(head) => read(files, head),
        Submit::List(ListHead { path, root, recursive }) => {
            let listed = files.list_dir(area(*root), path, *recursive).map_err(|error| refused("list", path, error))?;
            let entries: Vec<Entry> = listed.into_iter().map(entry).collect();
            Ok((json!({ "entries": entries }), Vec::new()))
        }
        Submit::Stat(head) => {
            let found = files.stat_path(area(head.root), &head.path);
            let found = found.map_err(|error| refused("look at", &head.path, error))?;
            Ok((json!(entry(found)), Vec::new()))
        }
        Submit::Mkdir(MkdirHead { path, root, recursive, mtime_ms }) => {
            let made = files.make_dir_path(area(*root), path, *recursive, now);
            let dated = made.and_then(|()| date(files, *root, path, *mtime_ms));
            dated.map(|()| nothing()).map_err(|error| refused("make directory", path, error))
        }
        Submit::Remove(TreeHead { path, root, recursive }) => {
            let removed = files.remove_path(area(*root), path, *recursive, now);
            removed.map(|()| nothing()).map_err(|error| refused("remove", path, error))
        }
        Submit::Symlink(SymlinkHead { path, root, target }) => {
            let linked = files.symlink_path(area(*root), path, target, now);
            linked.map(|()| nothing()).map_err(|error| refused("link", path, error))
        }
        Submit::Run(_) | Submit::Ack(_) => Err(Error::internal("Cannot serve what is no file request")),
    }
}

fn date(files: &mut Fs, root: Root, path: &str, mtime_ms: Option<u64>) -> std::result::Result<(), PathError> {
    match mtime_ms {
        Some(ms) => files.set_mtime(area(root), path, ms.saturating_mul(1_000_000)),
        None => Ok(()),
    }
}

fn read(files: &Fs, head: &ReadHead) -> Result<(Value, Vec<u8>)> {
    let ReadHead { path, root, offset, length } = head;
    let failed = |error| refused("read", path, error);
    let found = files.stat_path(area(*root), path).map_err(failed)?;
    // A link's own size says nothing about its target, so only plain files bound the buffer.
    let left = match found.kind {
        fs::EntryKind::File => found.size.saturating_sub(*offset),
        _ => u64::MAX,
    };
    let mut buffer = vec![0; (*length).min(left).min(MOST_READ_BYTES) as usize];
    let (read, eof) = files.read_file(area(*root), path, *offset, &mut buffer).map_err(failed)?;
    buffer.truncate(read);
    Ok((json!({ "eof": eof }), buffer))
}

fn entry(found: fs::Entry) -> Entry {
    Entry {
        path: found.path,
        kind: match found.kind {
            fs::EntryKind::File => EntryKind::File,
            fs::EntryKind::Directory => EntryKind::Directory,
            fs::EntryKind::Symlink => EntryKind::Symlink,
        },
        size: found.size,
        mode: u32::from(found.mode),
        mtime_ms: found.mtime / 1_000_000,
        target: found.target,
    }
}

fn refused(doing: &str, path: &str, error: PathError) -> Error {
    let message = format!("Cannot {doing} {path:?}: {error}");
    match error {
        PathError::Refused => Error::new(Code::PathRefused, message),
        PathError::NotFound => Error::new(Code::FileNotFound, message),
        PathError::NoSpace => Error::limit(Code::DiskExceeded, "workspace", message),
        _ => Error::new(Code::PathRefused, message),
    }
}
