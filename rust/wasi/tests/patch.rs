//! A tree that is patched looks as the one that the patch was made from.

use mote_wasi::Fs;
use mote_wasi::fs::{Area, Entry, FsOptions, Limits, Listing, PatchError, PathError};

const AREA: Area = Area::Workspace;

fn tree() -> Fs {
    Fs::new(FsOptions { workspace: Limits { bytes: 1 << 20, files: 50 }, ..FsOptions::default() })
}

fn patch(fs: &Fs, before: &Listing) -> Vec<u8> {
    let mut out = Vec::new();
    let mut sink = |bytes: &[u8]| {
        out.extend_from_slice(bytes);
        Ok::<(), ()>(())
    };
    fs.patch_since(AREA, before, &mut sink).unwrap();
    out
}

fn apply(fs: &mut Fs, mut patch: &[u8]) -> Result<(), PatchError<()>> {
    let length = patch.len() as u64;
    fs.apply_patch(AREA, length, 9, &mut |buffer: &mut [u8]| {
        let (taken, rest) = patch.split_at_checked(buffer.len()).ok_or(())?;
        buffer.copy_from_slice(taken);
        patch = rest;
        Ok(())
    })
}

fn everything(fs: &Fs) -> Vec<(Entry, Vec<u8>)> {
    let contents = |entry: Entry| {
        let mut bytes = vec![0; entry.size as usize];
        let read = if entry.target.is_none() { fs.read_file(AREA, &entry.path, 0, &mut bytes) } else { Ok((0, true)) };
        bytes.truncate(read.map_or(0, |(read, _)| read));
        (entry, bytes)
    };
    fs.list_dir(AREA, ".", true).unwrap().into_iter().map(contents).collect()
}

#[test]
fn whole_trees_and_changes_arrive() {
    let (mut one, mut other) = (tree(), tree());
    one.make_dir_path(AREA, "a/b", true, 1).unwrap();
    one.write_file(AREA, "a/b/c", None, Some(0o600), &[7; 20_000], 2).unwrap();
    one.write_file(AREA, "empty", None, None, b"", 3).unwrap();
    one.symlink_path(AREA, "link", "a/b", 4).unwrap();
    apply(&mut other, &patch(&one, &Listing::default())).unwrap();
    assert_eq!(everything(&one), everything(&other));

    let before = one.listing(AREA);
    assert!(patch(&one, &before).is_empty());
    one.write_file(AREA, "a/b/c", Some(5), None, b"changed", 10).unwrap();
    one.remove_path(AREA, "empty", false, 11).unwrap();
    one.make_dir_path(AREA, "empty/now/deep", true, 12).unwrap();
    one.remove_path(AREA, "link", false, 13).unwrap();
    one.write_file(AREA, "link", None, None, b"a file", 14).unwrap();
    apply(&mut other, &patch(&one, &before)).unwrap();
    assert_eq!(everything(&one), everything(&other));

    let before = one.listing(AREA);
    one.remove_path(AREA, "a", true, 20).unwrap();
    one.symlink_path(AREA, "a", "empty/now", 21).unwrap();
    one.remove_path(AREA, "link", false, 22).unwrap();
    apply(&mut other, &patch(&one, &before)).unwrap();
    assert_eq!(everything(&one), everything(&other));
    assert_eq!(other.audit(), Ok(()));
}

#[test]
fn a_file_in_place_of_a_link_is_not_written_through_it() {
    let (mut one, mut other) = (tree(), tree());
    other.write_file(AREA, "kept", None, None, b"kept", 1).unwrap();
    other.symlink_path(AREA, "x", "kept", 1).unwrap();
    one.write_file(AREA, "x", None, None, b"new", 2).unwrap();
    apply(&mut other, &patch(&one, &Listing::default())).unwrap();
    let mut kept = [0; 4];
    other.read_file(AREA, "kept", 0, &mut kept).unwrap();
    assert_eq!(&kept, b"kept");
}

#[test]
fn what_is_no_patch_or_does_not_fit_is_refused() {
    let mut fs = tree();
    let mut one = tree();
    one.write_file(AREA, "x", None, None, &[1; 100], 1).unwrap();
    let whole = patch(&one, &Listing::default());
    for length in 1..whole.len() {
        assert!(apply(&mut fs, &whole[..length]).is_err(), "{length}");
    }
    assert_eq!(apply(&mut fs, &[9, 0, 0, 0, 0]), Err(PatchError::Malformed));
    for path in ["../x", "/etc/x", "./../x"] {
        let mut outside = vec![1, path.len() as u8, 0, 0, 0];
        outside.extend_from_slice(path.as_bytes());
        assert_eq!(apply(&mut fs, &outside), Err(PatchError::Refused(PathError::Refused)), "{path}");
    }
    let mut small = Fs::new(FsOptions { workspace: Limits { bytes: 1100, files: 5 }, ..FsOptions::default() });
    assert_eq!(apply(&mut small, &whole), Err(PatchError::Refused(PathError::NoSpace)));
    assert_eq!(fs.audit(), Ok(()));
}
