//! Files as the host copies them in and out.

mod guest;

use guest::*;
use mote_wasi::fs::{Area, Entry, EntryKind, PathError};
use mote_wasi::{Fs, FsOptions};

const AREA: Area = Area::Workspace;

fn read(fs: &Fs, path: &str) -> Result<Vec<u8>, PathError> {
    let mut buf = [0; 100];
    fs.read_file(AREA, path, 0, &mut buf).map(|(n, _)| buf[..n].to_vec())
}

fn write(fs: &mut Fs, path: &str) -> Result<(), PathError> {
    fs.write_file(AREA, path, None, None, path.as_bytes(), 5)
}

#[test]
fn paths_are_relative_to_the_workspace_or_begin_with_it() {
    let mut fs = Fs::new(FsOptions::default());
    fs.make_dir_path(AREA, "d", false, 0).unwrap();
    for path in ["a", "./b", "d/../c", "/sandbox/e", "//sandbox//f", "/sandbox/d/../g", "d//h"] {
        assert_eq!(write(&mut fs, path), Ok(()), "{path}");
        assert_eq!(read(&fs, path).unwrap(), path.as_bytes());
    }
    for path in [
        "..",
        "../x",
        "d/../../x",
        "../sandbox/x",
        "/",
        "/x",
        "/tmp/x",
        "/etc/passwd",
        "/sandboxes/x",
        "/sandbox/../x",
        "/site-packages/x",
        "d/../../tmp/x",
    ] {
        assert_eq!(write(&mut fs, path), Err(PathError::Refused), "{path}");
        assert_eq!(read(&fs, path), Err(PathError::Refused), "{path}");
        assert_eq!(fs.list_dir(AREA, path, true), Err(PathError::Refused), "{path}");
        assert_eq!(fs.make_dir_path(AREA, path, true, 0), Err(PathError::Refused), "{path}");
        assert_eq!(fs.remove_path(AREA, path, true, 0), Err(PathError::Refused), "{path}");
        assert_eq!(fs.stat_path(AREA, path), Err(PathError::Refused), "{path}");
        assert_eq!(fs.symlink_path(AREA, path, "a", 0), Err(PathError::Refused), "{path}");
    }
    for (path, error) in [
        ("", PathError::IsDirectory),
        (".", PathError::IsDirectory),
        ("/sandbox", PathError::IsDirectory),
        ("d", PathError::IsDirectory),
        ("new/", PathError::IsDirectory),
        ("a/", PathError::NotDirectory),
        ("a/b", PathError::NotDirectory),
        ("n/b", PathError::NotFound),
        ("x\0", PathError::Invalid),
    ] {
        assert_eq!(write(&mut fs, path), Err(error), "{path:?}");
    }
    assert_eq!(write(&mut fs, &"n".repeat(256)), Err(PathError::NameTooLong));
    assert_eq!(write(&mut fs, &"n/".repeat(2049)), Err(PathError::NameTooLong));
    fs.audit().unwrap();
}

#[test]
fn what_a_guest_has_linked_leads_nowhere_else() {
    let mut g = Guest::at_root();
    g.put_file("tmp/secret", b"secret").unwrap();
    g.make_dir("sandbox/d").unwrap();
    for (target, name) in [
        ("/tmp/secret", "absolute"),
        ("../tmp/secret", "relative"),
        ("/tmp", "dir"),
        ("..", "up"),
        ("up/tmp", "twice"),
        ("/sandbox/../tmp/secret", "around"),
        ("/", "root"),
        ("/dev/zero", "zero"),
        ("/lib/os.py", "image"),
    ] {
        g.symlink(target, &format!("sandbox/d/../{name}")).unwrap();
        let fs = &mut g.host.fs;
        assert_eq!(read(fs, name), Err(PathError::Refused), "{name}");
        assert_eq!(write(fs, name), Err(PathError::Refused), "{name}");
        assert_eq!(write(fs, &format!("{name}/x")), Err(PathError::Refused), "{name}");
        assert_eq!(fs.list_dir(AREA, name, false), Err(PathError::Refused), "{name}");
        // The link itself can be seen and removed.
        let entry = fs.stat_path(AREA, name).unwrap();
        assert_eq!((entry.kind, entry.target.as_deref()), (EntryKind::Symlink, Some(target)));
    }
    g.symlink("/sandbox/d", "sandbox/inside").unwrap();
    let fs = &mut g.host.fs;
    write(fs, "inside/f").unwrap();
    assert_eq!(read(fs, "d/f").unwrap(), b"inside/f");
    fs.remove_path(AREA, "inside", true, 0).unwrap();
    assert_eq!(read(fs, "d/f").unwrap(), b"inside/f");
    fs.remove_path(AREA, "dir", true, 0).unwrap();
    assert_eq!(g.get_file("tmp/secret").unwrap(), b"secret");
    g.symlink("loop", "sandbox/loop").unwrap();
    assert_eq!(read(&g.host.fs, "loop"), Err(PathError::Loop));
}

#[test]
fn the_hosts_own_links_stay_inside() {
    let mut fs = Fs::new(FsOptions::default());
    fs.make_dir_path(AREA, "a/b", true, 0).unwrap();
    for (path, target) in
        [("l1", "a"), ("a/l2", "../a/b"), ("a/b/l3", "../../a"), ("l4", "/sandbox/a"), ("l5", "missing")]
    {
        assert_eq!(fs.symlink_path(AREA, path, target, 0), Ok(()), "{path} {target}");
    }
    for (path, target) in [
        ("x", ".."),
        ("x", "../sandbox"),
        ("a/x", "../.."),
        ("a/x", "b/../../.."),
        ("x", "/tmp"),
        ("x", "/"),
        ("x", "/sandbox/../tmp"),
        ("x", "a/../../sandbox"),
    ] {
        assert_eq!(fs.symlink_path(AREA, path, target, 0), Err(PathError::Refused), "{path} {target}");
    }
    assert_eq!(fs.symlink_path(AREA, "l1", "a", 0), Err(PathError::Exists));
    assert_eq!(fs.symlink_path(AREA, "x", "", 0), Err(PathError::NotFound));
}

#[test]
fn pieces_of_a_file_go_where_they_belong() {
    let mut fs = Fs::new(FsOptions::default());
    assert_eq!(fs.write_file(AREA, "f", Some(3), None, b"x", 0), Err(PathError::NotFound));
    fs.write_file(AREA, "f", None, Some(0o600), b"0123", 1).unwrap();
    fs.write_file(AREA, "f", Some(4), None, b"4567", 2).unwrap();
    fs.write_file(AREA, "f", Some(1), None, b"x", 3).unwrap();
    let mut buf = [0; 5];
    assert_eq!(fs.read_file(AREA, "f", 0, &mut buf), Ok((5, false)));
    assert_eq!(&buf, b"0x234");
    assert_eq!(fs.read_file(AREA, "f", 5, &mut buf), Ok((3, true)));
    assert_eq!(fs.read_file(AREA, "f", u64::MAX, &mut buf), Ok((0, true)));
    assert_eq!(fs.read_file(AREA, ".", 0, &mut buf), Err(PathError::IsDirectory));
    let entry = fs.stat_path(AREA, "/sandbox/f").unwrap();
    assert_eq!((entry.size, entry.mode, entry.mtime), (8, 0o600, 3));
    fs.set_mtime(AREA, "f", 99).unwrap();
    assert_eq!(fs.stat_path(AREA, "f").unwrap().mtime, 99);
    fs.write_file(AREA, "f", None, None, b"new", 4).unwrap();
    assert_eq!(read(&fs, "f").unwrap(), b"new");
    assert_eq!(fs.stat_path(AREA, "f").unwrap().mode, 0o600);
}

#[test]
fn a_list_is_sorted_by_whole_paths_from_the_top() {
    let mut fs = Fs::new(FsOptions::default());
    fs.make_dir_path(AREA, "a/b", true, 0).unwrap();
    for path in ["a.txt", "a/z", "a/b/c"] {
        write(&mut fs, path).unwrap();
    }
    fs.symlink_path(AREA, "a/l", "z", 0).unwrap();
    let paths = |entries: Vec<Entry>| entries.into_iter().map(|e| e.path).collect::<Vec<_>>();
    assert_eq!(paths(fs.list_dir(AREA, ".", true).unwrap()), ["a", "a.txt", "a/b", "a/b/c", "a/l", "a/z"]);
    assert_eq!(paths(fs.list_dir(AREA, "/sandbox", false).unwrap()), ["a", "a.txt"]);
    assert_eq!(paths(fs.list_dir(AREA, "a/", false).unwrap()), ["a/b", "a/l", "a/z"]);
    assert_eq!(fs.list_dir(AREA, "a.txt", false), Err(PathError::NotDirectory));
    assert_eq!(fs.list_dir(AREA, "none", false), Err(PathError::NotFound));
}

#[test]
fn directories_come_and_go() {
    let mut fs = Fs::new(FsOptions::default());
    assert_eq!(fs.make_dir_path(AREA, "a/b/c", false, 0), Err(PathError::NotFound));
    assert_eq!(fs.make_dir_path(AREA, "/sandbox/a/b/c", true, 0), Ok(()));
    assert_eq!(fs.make_dir_path(AREA, "a/b/c/", true, 0), Ok(()));
    assert_eq!(fs.make_dir_path(AREA, "a/b", false, 0), Err(PathError::Exists));
    write(&mut fs, "a/b/f").unwrap();
    assert_eq!(fs.make_dir_path(AREA, "a/b/f", true, 0), Err(PathError::NotDirectory));
    assert_eq!(fs.make_dir_path(AREA, "a/b/f/g", true, 0), Err(PathError::NotDirectory));
    assert_eq!(fs.remove_path(AREA, "a", false, 0), Err(PathError::NotEmpty));
    assert_eq!(fs.remove_path(AREA, ".", true, 0), Err(PathError::Invalid));
    assert_eq!(fs.remove_path(AREA, "a", true, 0), Ok(()));
    assert_eq!(fs.remove_path(AREA, "a", true, 0), Err(PathError::NotFound));
    fs.audit().unwrap();
    assert_eq!(fs.usage(AREA).files, 0);
}

#[test]
fn a_runs_changes_are_told() {
    let mut g = Guest::at_root();
    g.put_file("sandbox/old", b"1").unwrap();
    g.put_file("sandbox/kept", b"1").unwrap();
    g.make_dir("sandbox/d").unwrap();
    write(&mut g.host.fs, "copied").unwrap();
    g.host.fs.begin_changes();
    assert_eq!(g.host.fs.changes(100), (vec![], false));
    write(&mut g.host.fs, "copied while running").unwrap();
    g.put_file("sandbox/d/new", b"").unwrap();
    g.put_file("tmp/part", b"2").unwrap();
    g.rename("tmp/part", "sandbox/whole").unwrap();
    g.put_file("tmp/elsewhere", b"2").unwrap();
    let fd = g.open("sandbox/old", 0).unwrap();
    g.write(fd, b"2").unwrap();
    g.get_file("sandbox/kept").unwrap();
    g.put_file("sandbox/gone", b"2").unwrap();
    g.unlink("sandbox/gone").unwrap();
    let paths = ["d/new", "old", "whole"].map(String::from).to_vec();
    assert_eq!(g.host.fs.changes(100), (paths.clone(), false));
    assert_eq!(g.host.fs.changes(3), (paths.clone(), false));
    assert_eq!(g.host.fs.changes(2), (paths[..2].to_vec(), true));
    g.host.fs.begin_changes();
    assert_eq!(g.host.fs.changes(100), (vec![], false));
}

#[test]
fn the_temporary_directory_can_be_emptied() {
    let mut g = Guest::at_root();
    g.make_dir("tmp/d").unwrap();
    g.put_file("tmp/d/f", b"f").unwrap();
    g.put_file("tmp/g", b"g").unwrap();
    g.put_file("sandbox/s", b"s").unwrap();
    let open = g.open("tmp/d/f", 0).unwrap();
    g.host.fs.clear_tmp(7);
    assert_eq!(g.names("tmp").unwrap(), [""; 0]);
    assert_eq!(g.read(open, 5).unwrap(), b"f");
    assert_eq!(g.names("sandbox").unwrap(), ["s"]);
    g.host.fs.audit().unwrap();
    g.put_file("tmp/again", b"").unwrap();
}
