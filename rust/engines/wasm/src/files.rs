//! File requests of the host, served from the session's files in memory.

use crate::sandbox::area;
use crate::state::wall_clock;
use mote_core::error::{Code, Error, Result};
use mote_core::request::{Entry, EntryKind, ListHead, ReadHead, Submit, SymlinkHead, TreeHead, WriteHead};
use mote_wasi::fs::{self, Fs, PathError};
use serde_json::{Value, json};

/// Largest piece of a file in one answer.
const MOST_READ_BYTES: u64 = 64 << 20;

pub fn serve(files: &mut Fs, request: &Submit, payload: &[u8]) -> Result<(Value, Vec<u8>)> {
    let now = wall_clock();
    let nothing = || (json!({}), Vec::new());
    match request {
        Submit::Write(WriteHead { path, root, offset, mode }) => {
            let mode = mode.map(|mode| (mode & 0o7777) as u16);
            let written = files.write_file(area(*root), path, *offset, mode, payload, now);
            written.map(|()| nothing()).map_err(|error| refused("write", path, error))
        }
        Submit::Read(head) => read(files, head),
        Submit::List(ListHead { path, root, recursive }) => {
            let listed = files.list_dir(area(*root), path, *recursive).map_err(|error| refused("list", path, error))?;
            let mut entries: Vec<Entry> = listed.into_iter().map(|found| entry(path, found)).collect();
            entries.sort_unstable_by(|one, other| one.path.cmp(&other.path));
            Ok((json!({ "entries": entries }), Vec::new()))
        }
        Submit::Stat(head) => {
            let found = files.stat_path(area(head.root), &head.path);
            let found = found.map_err(|error| refused("look at", &head.path, error))?;
            Ok((json!(entry(".", found)), Vec::new()))
        }
        Submit::Mkdir(TreeHead { path, root, recursive }) => {
            let made = files.make_dir_path(area(*root), path, *recursive, now);
            made.map(|()| nothing()).map_err(|error| refused("make directory", path, error))
        }
        Submit::Remove(TreeHead { path, root, recursive }) => {
            let removed = files.remove_path(area(*root), path, *recursive, now);
            removed.map(|()| nothing()).map_err(|error| refused("remove", path, error))
        }
        Submit::Symlink(SymlinkHead { path, root, target }) => {
            let linked = files.symlink_path(area(*root), path, target, now);
            linked.map(|()| nothing()).map_err(|error| refused("link", path, error))
        }
        Submit::Run(_) => Err(Error::internal("Cannot serve a run as a file request")),
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

/// An entry found in `directory`, with its path from the root of the area.
fn entry(directory: &str, found: fs::Entry) -> Entry {
    Entry {
        path: if directory == "." { found.path } else { format!("{directory}/{}", found.path) },
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
