//! What a guest may hold, and that nothing it does holds more of the host's memory.

mod guest;

use guest::*;
use mote_wasi::Errno::*;
use mote_wasi::fs::{Area, ENTRY_BYTES, Limits, PathError, Usage};
use mote_wasi::{Wasi, preview1};

fn usage(g: &mut Guest) -> Usage {
    g.host.fs.audit().unwrap();
    g.host.fs.usage(Area::Workspace)
}

#[test]
fn an_empty_tree_uses_nothing_and_files_are_counted() {
    let mut g = Guest::at_root();
    assert_eq!(usage(&mut g), Usage { bytes: 0, files: 0 });
    g.put_file("sandbox/name", &[1; 1000]).unwrap();
    assert_eq!(usage(&mut g), Usage { bytes: 1000 + 4 + ENTRY_BYTES, files: 1 });
    g.make_dir("tmp/d").unwrap();
    g.symlink("target", "tmp/d/l").unwrap();
    assert_eq!(usage(&mut g), Usage { bytes: 1000 + 4 + 1 + 7 + 3 * ENTRY_BYTES, files: 3 });
    g.unlink("tmp/d/l").unwrap();
    g.remove_dir("tmp/d").unwrap();
    g.unlink("sandbox/name").unwrap();
    assert_eq!(usage(&mut g), Usage { bytes: 0, files: 0 });
}

#[test]
fn every_kind_of_name_counts_as_a_file() {
    let mut g = Guest::with_limits(1 << 20, 4);
    g.make_dir("sandbox/d").unwrap();
    g.put_file("sandbox/f", b"").unwrap();
    g.symlink("f", "sandbox/l").unwrap();
    assert!(!g.host.fs.take_refused());
    g.link("sandbox/f", "sandbox/h").unwrap();
    assert_eq!(g.make_dir("sandbox/x"), Err(Nospc));
    assert_eq!(g.open("sandbox/x", CREATE), Err(Nospc));
    assert_eq!(g.symlink("f", "sandbox/x"), Err(Nospc));
    assert_eq!(g.link("sandbox/f", "sandbox/x"), Err(Nospc));
    assert!(g.host.fs.take_refused());
    assert!(!g.host.fs.take_refused());
    // A full workspace can still be put in order.
    g.rename("sandbox/f", "sandbox/renamed").unwrap();
    g.rename("sandbox/renamed", "sandbox/h").unwrap();
    g.unlink("sandbox/l").unwrap();
    g.make_dir("sandbox/x").unwrap();
    usage(&mut g);
}

#[test]
fn names_and_targets_cost_bytes() {
    let mut g = Guest::with_limits(10_000, u64::MAX);
    let name = |n: usize| format!("sandbox/{n:0>250}");
    let made = (0..1000).take_while(|n| g.make_dir(&name(*n)).is_ok()).count() as u64;
    assert_eq!(made, 10_000 / (250 + ENTRY_BYTES));
    let mut g = Guest::with_limits(11_000, u64::MAX);
    let made = (0..1000).take_while(|n| g.symlink(&"t".repeat(4000), &format!("sandbox/{n}")).is_ok()).count();
    assert_eq!(made, 2);
    assert_eq!(g.symlink(&"t".repeat(4096), "sandbox/x"), Err(Nametoolong));
}

#[test]
fn a_write_far_behind_the_end_takes_no_memory() {
    let mut g = Guest::with_limits(1 << 30, 10);
    let fd = g.open("sandbox/f", CREATE).unwrap();
    for offset in [1 << 30, 1 << 40, i64::MAX - 1] {
        assert_eq!(g.write_at(fd, b"x", offset), Err(Nospc));
    }
    assert_eq!(g.write_at(fd, b"x", i64::MAX), Err(Inval));
    assert_eq!(g.write_at(fd, b"x", -1), Err(Inval));
    assert_eq!(answer(preview1::fd_filestat_set_size(&mut g.cx(), fd, 1 << 40)), Err(Nospc));
    assert_eq!(answer(preview1::fd_allocate(&mut g.cx(), fd, 1 << 40, 1 << 40)), Err(Nospc));
    assert_eq!(answer(preview1::fd_allocate(&mut g.cx(), fd, -1, -1)), Err(Fbig));
    // A hole counts by its length, so that it can be filled later.
    assert_eq!(g.write_at(fd, b"x", 1 << 29), Ok(1));
    assert_eq!(usage(&mut g).bytes, (1 << 29) + 1 + 1 + ENTRY_BYTES);
    assert_eq!(g.read_at(fd, 3, (1 << 29) - 2).unwrap(), [0, 0, b'x']);
    assert_eq!(answer(preview1::fd_allocate(&mut g.cx(), fd, 0, 1 << 29)), Ok(()));
    assert_eq!(answer(preview1::fd_filestat_set_size(&mut g.cx(), fd, 5)), Ok(()));
    assert_eq!(usage(&mut g).bytes, 5 + 1 + ENTRY_BYTES);
}

#[test]
fn a_write_fills_what_is_left_and_then_fails() {
    let mut g = Guest::with_limits(1000 + ENTRY_BYTES + 1, 10);
    let fd = g.open("sandbox/f", CREATE).unwrap();
    assert_eq!(g.write(fd, &[1; 900]), Ok(900));
    assert!(!g.host.fs.take_refused());
    assert_eq!(g.write(fd, &[2; 200]), Ok(100));
    assert!(g.host.fs.take_refused());
    assert_eq!(g.write(fd, &[3; 200]), Err(Nospc));
    assert_eq!(g.write_at(fd, &[4; 50], 0), Ok(50));
    let append = g.open_at(3, "sandbox/f", 0, WRITE, APPEND).unwrap();
    assert_eq!(g.write(append, b"x"), Err(Nospc));
    assert_eq!(usage(&mut g).bytes, 1000 + ENTRY_BYTES + 1);
}

#[test]
fn what_is_open_without_a_name_still_counts() {
    let mut g = Guest::with_limits(10_000, 3);
    let fd = g.open("tmp/f", CREATE).unwrap();
    g.write(fd, &[1; 5000]).unwrap();
    g.unlink("tmp/f").unwrap();
    assert_eq!(usage(&mut g), Usage { bytes: 5000 + ENTRY_BYTES, files: 1 });
    assert_eq!(
        g.open("tmp/big", CREATE).and_then(|fd| g.write(fd, &[1; 6000])),
        Ok(10_000 - 5000 - 2 * ENTRY_BYTES as usize - 3)
    );
    g.close(fd).unwrap();
    assert_eq!(usage(&mut g).files, 1);
    // Also when the instance goes without closing.
    let fd = g.open("tmp/again", CREATE).unwrap();
    g.write(fd, &[1; 100]).unwrap();
    g.host.fs.clear_tmp(0);
    assert_eq!(usage(&mut g).files, 2);
    g.wasi = Wasi::new(&mut g.host.fs, Wasi::ROOT);
    assert_eq!(usage(&mut g), Usage::default());
    g.put_file("sandbox/f", &[1; 8900]).unwrap();
}

#[test]
fn libraries_have_a_quota_of_their_own() {
    let mut g = Guest::with_limits(0, 0);
    let fs = &mut g.host.fs;
    assert_eq!(fs.write_file(Area::Workspace, "f", None, None, b"", 0), Err(PathError::NoSpace));
    fs.write_file(Area::Library, "f", None, None, b"abc", 0).unwrap();
    assert_eq!(fs.usage(Area::Library).files, 1);
    fs.set_limits(Area::Workspace, Limits { bytes: 2000, files: 2 });
    fs.write_file(Area::Workspace, "f", None, None, b"", 0).unwrap();
    assert_eq!(fs.limits(Area::Workspace).files, 2);
}

#[test]
fn descriptors_are_bounded() {
    let mut g = Guest::at_root();
    g.put_file("sandbox/f", b"x").unwrap();
    let opened: Vec<i32> = std::iter::from_fn(|| g.open("sandbox/f", 0).ok()).collect();
    assert_eq!(opened, (4..1024).collect::<Vec<_>>());
    assert_eq!(g.open("sandbox/f", 0), Err(Mfile));
    assert_eq!(g.open("sandbox/new", CREATE), Err(Mfile));
    assert_eq!(g.stat("sandbox/new", true), Err(Noent));
    g.close(500).unwrap();
    g.close(9).unwrap();
    assert_eq!((g.open("sandbox/f", 0), g.open("sandbox/f", 0)), (Ok(9), Ok(500)));
}

#[test]
fn ten_thousand_files_in_one_directory() {
    let mut g = Guest::at_root();
    for n in 0..9_999 {
        let fd = g.open(&format!("tmp/{n}"), CREATE).unwrap();
        g.close(fd).unwrap();
    }
    let fd = g.open_at(3, "tmp", DIRECTORY, READ, 0).unwrap();
    let mut cookie = 0;
    let mut seen = 0;
    // A small buffer, as libc has: each call goes on where the last one stopped, while entries before it vanish.
    loop {
        let entries = g.entries(fd, 4096, cookie).unwrap();
        let Some((.., next)) = entries.last() else { break };
        cookie = *next;
        for (name, ..) in entries.iter().filter(|(name, ..)| !name.starts_with('.')) {
            g.unlink(&format!("tmp/{name}")).unwrap();
            seen += 1;
        }
    }
    assert_eq!(seen, 9_999);
    assert_eq!(usage(&mut g), Usage::default());
}

#[test]
fn a_tree_of_any_depth_can_be_removed() {
    let mut g = Guest::at_root();
    let mut dir = g.open_at(3, "sandbox", DIRECTORY, READ, 0).unwrap();
    for _ in 0..5_000 {
        let (path, len) = g.put(OLD, b"d");
        answer(preview1::path_create_directory(&mut g.cx(), dir, path, len)).unwrap();
        let below = g.open_at(dir, "d", DIRECTORY, READ, 0).unwrap();
        g.close(dir).unwrap();
        dir = below;
    }
    assert_eq!(g.host.fs.list_dir(Area::Workspace, "", true), Err(PathError::NameTooLong));
    g.host.fs.remove_path(Area::Workspace, "d", true, 0).unwrap();
    assert_eq!(g.host.fs.list_dir(Area::Workspace, "", true).unwrap(), []);
    g.close(dir).unwrap();
    assert_eq!(usage(&mut g), Usage::default());
}
