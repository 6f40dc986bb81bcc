//! What a guest sees and may change in its tree.

mod guest;

use guest::*;
use mote_wasi::Errno::*;
use mote_wasi::fs::Limits;
use mote_wasi::{Wasi, preview1};

#[test]
fn preopens_bear_the_names_that_libc_looks_for() {
    for (preopens, names) in [(Wasi::ROOT, &["/"][..]), (Wasi::COMMAND, &["/sandbox", "/tmp", "."])] {
        let mut g = Guest::new(preopens, Limits::default());
        for (fd, name) in (3..).zip(names) {
            assert_eq!(preview1::fd_prestat_get(&mut g.cx(), fd, OUT), Ok(0));
            assert_eq!((g.word(OUT), g.word(OUT + 4)), (0, name.len() as u32));
            assert_eq!(
                answer(preview1::fd_prestat_dir_name(&mut g.cx(), fd, DATA, name.len() as i32 - 1)),
                Err(Nametoolong)
            );
            assert_eq!(preview1::fd_prestat_dir_name(&mut g.cx(), fd, DATA, name.len() as i32), Ok(0));
            assert_eq!(&g.memory[DATA as usize..][..name.len()], name.as_bytes());
        }
        assert_eq!(answer(preview1::fd_prestat_get(&mut g.cx(), 3 + names.len() as i32, OUT)), Err(Badf));
    }
}

#[test]
fn the_root_shows_mounts_over_the_image() {
    let mut g = Guest::at_root();
    assert_eq!(g.names(".").unwrap(), ["dev", "sandbox", "site-packages", "tmp", "lib"]);
    assert_eq!(g.names("sandbox").unwrap(), [""; 0]);
    assert_eq!(g.names("dev").unwrap(), ["null", "urandom", "zero"]);
    assert_eq!(g.names("lib").unwrap(), ["link", "os.py"]);
    assert_eq!(g.get_file("lib/os.py").unwrap(), b"import sys");
    assert_eq!(g.get_file("lib/link").unwrap(), b"import sys");
    assert_eq!(g.get_file("lib/../sandbox/../lib/os.py").unwrap(), b"import sys");
    assert_eq!(g.stat("lib/os.py", true).unwrap().mtim, 3);
    assert_eq!(g.read_link("lib/link").unwrap(), "os.py");
}

#[test]
fn only_the_workspace_can_be_written() {
    let mut g = Guest::at_root();
    g.host.fs.write_file(mote_wasi::fs::Area::Library, "a.py", None, None, b"x", 0).unwrap();
    assert_eq!(g.get_file("site-packages/a.py").unwrap(), b"x");
    for dir in ["", "lib/", "dev/", "site-packages/"] {
        assert_eq!(g.open(&format!("{dir}new"), CREATE), Err(Rofs), "{dir}");
        assert_eq!(g.make_dir(&format!("{dir}new")), Err(Rofs));
        assert_eq!(g.symlink("x", &format!("{dir}new")), Err(Rofs));
    }
    for file in ["lib/os.py", "site-packages/a.py"] {
        assert_eq!(g.open(file, 0), Err(Rofs));
        assert_eq!(g.open_at(3, file, TRUNCATE, READ, 0), Err(Rofs));
        assert_eq!(g.unlink(file), Err(Rofs));
        assert_eq!(g.rename(file, "sandbox/x"), Err(Rofs));
        assert_eq!(g.link(file, "sandbox/x"), Err(Xdev));
        let (path, len) = g.put(OLD, file.as_bytes());
        assert_eq!(answer(preview1::path_filestat_set_times(&mut g.cx(), 3, 1, path, len, 1, 1, 5)), Err(Rofs));
    }
    g.put_file("tmp/t", b"1").unwrap();
    assert_eq!(g.rename("tmp/t", "lib/os.py"), Err(Rofs));
    assert_eq!(g.rename("tmp/t", "sandbox/s"), Ok(()));
    assert_eq!(g.remove_dir("sandbox"), Err(Rofs));
    assert_eq!(g.rename("sandbox", "tmp/s"), Err(Rofs));
    assert_eq!(g.rename("tmp", "sandbox"), Err(Rofs));
}

#[test]
fn devices_are_endless_and_silent() {
    let mut g = Guest::at_root();
    let null = g.open("dev/null", 0).unwrap();
    assert_eq!(g.write(null, b"gone"), Ok(4));
    assert_eq!(g.read(null, 10).unwrap(), b"");
    let zero = g.open("dev/zero", TRUNCATE).unwrap();
    g.put(DATA, &[9; 16]);
    assert_eq!(g.read(zero, 16).unwrap(), [0; 16]);
    let random = g.open_at(3, "dev/urandom", 0, READ, 0).unwrap();
    let first = g.read(random, 16).unwrap();
    assert_ne!(first, g.read(random, 16).unwrap());
    let mut again = Guest::at_root();
    let random = again.open_at(3, "dev/urandom", 0, READ, 0).unwrap();
    assert_eq!(first, again.read(random, 16).unwrap());
    assert_eq!(g.stat("dev/null", true).unwrap().kind, 2);
}

#[test]
fn links_resolve_within_the_guests_tree() {
    let mut g = Guest::at_root();
    g.make_dir("sandbox/d").unwrap();
    g.put_file("sandbox/f", b"f").unwrap();
    g.symlink("/sandbox/f", "sandbox/d/absolute").unwrap();
    g.symlink("../f", "sandbox/d/relative").unwrap();
    g.symlink("/lib", "sandbox/lib").unwrap();
    g.symlink("d/", "sandbox/slash").unwrap();
    g.symlink("../../../etc/passwd", "sandbox/out").unwrap();
    assert_eq!(g.get_file("sandbox/d/absolute").unwrap(), b"f");
    assert_eq!(g.get_file("sandbox/slash/relative").unwrap(), b"f");
    assert_eq!(g.get_file("sandbox/lib/os.py").unwrap(), b"import sys");
    assert_eq!(g.get_file("sandbox/lib/../lib/os.py").unwrap(), b"import sys");
    assert_eq!(g.get_file("sandbox/out"), Err(Perm));
    assert_eq!(g.open("../etc/passwd", 0), Err(Perm));
    assert_eq!(g.open("/sandbox/f", 0), Err(Perm));
    // From an open directory `..` ends at that directory, but an absolute link does not.
    let d = g.open_at(3, "sandbox/d", DIRECTORY, READ, 0).unwrap();
    assert_eq!(g.open_at(d, "../f", 0, READ, 0), Err(Perm));
    assert_eq!(g.open_at(d, "relative", 0, READ, 0), Err(Perm));
    assert!(g.open_at(d, "absolute", 0, READ, 0).is_ok());
}

#[test]
fn links_in_a_circle_or_in_a_long_row_end() {
    let mut g = Guest::at_root();
    g.symlink("b", "sandbox/a").unwrap();
    g.symlink("a", "sandbox/b").unwrap();
    assert_eq!(g.get_file("sandbox/a"), Err(Loop));
    assert_eq!(g.open("sandbox/a", CREATE), Err(Loop));
    g.put_file("sandbox/0", b"end").unwrap();
    for n in 1..=41 {
        g.symlink(&format!("{}", n - 1), &format!("sandbox/{n}")).unwrap();
    }
    assert_eq!(g.get_file("sandbox/40").unwrap(), b"end");
    assert_eq!(g.get_file("sandbox/41"), Err(Loop));
    // Doubling at each step would take for ever if the number of links were not what counts.
    for n in 1..100 {
        let target = if n == 1 { "x".to_owned() } else { format!("x{}/x{}", n - 1, n - 1) };
        g.symlink(&target, &format!("sandbox/x{n}")).unwrap();
    }
    assert!(matches!(g.get_file("sandbox/x99"), Err(Loop)));
}

#[test]
fn a_dangling_link_can_be_created_through() {
    let mut g = Guest::at_root();
    g.symlink("target", "sandbox/link").unwrap();
    assert_eq!(g.open("sandbox/link", CREATE | EXCLUSIVE), Err(Exist));
    g.put_file("sandbox/link", b"through").unwrap();
    assert_eq!(g.get_file("sandbox/target").unwrap(), b"through");
    assert_eq!(g.stat("sandbox/link", false).unwrap().kind, 7);
    assert_eq!(g.stat("sandbox/link", true).unwrap().size, 7);
}

#[test]
fn what_is_unlinked_lives_while_it_is_open() {
    let mut g = Guest::at_root();
    let fd = g.open("sandbox/f", CREATE).unwrap();
    g.write(fd, b"still here").unwrap();
    g.unlink("sandbox/f").unwrap();
    assert_eq!(g.get_file("sandbox/f"), Err(Noent));
    assert_eq!(g.read_at(fd, 100, 0).unwrap(), b"still here");
    assert_eq!(g.write_at(fd, b"!", 10), Ok(1));
    assert_eq!(g.fd_stat(fd).unwrap().nlink, 0);
    g.make_dir("sandbox/d").unwrap();
    let d = g.open_at(3, "sandbox/d", DIRECTORY, READ, 0).unwrap();
    g.remove_dir("sandbox/d").unwrap();
    assert_eq!(g.open_at(d, "x", CREATE, WRITE, 0), Err(Noent));
    assert_eq!(g.entries(d, 1000, 2).unwrap(), []);
    g.host.fs.audit().unwrap();
}

#[test]
fn hard_links_share_one_file() {
    let mut g = Guest::at_root();
    g.put_file("sandbox/a", b"one").unwrap();
    g.link("sandbox/a", "tmp/b").unwrap();
    assert_eq!(g.stat("tmp/b", true).unwrap().nlink, 2);
    assert_eq!(g.stat("tmp/b", true).unwrap().ino, g.stat("sandbox/a", true).unwrap().ino);
    g.put_file("tmp/b", b"two").unwrap();
    assert_eq!(g.get_file("sandbox/a").unwrap(), b"two");
    g.unlink("sandbox/a").unwrap();
    assert_eq!(g.get_file("tmp/b").unwrap(), b"two");
    g.make_dir("sandbox/d").unwrap();
    assert_eq!(g.link("sandbox/d", "sandbox/e"), Err(Perm));
    g.host.fs.audit().unwrap();
}

#[test]
fn rename_replaces_what_it_may() {
    let mut g = Guest::at_root();
    for dir in ["d", "d/sub", "empty", "full", "full/x"] {
        g.make_dir(&format!("sandbox/{dir}")).unwrap();
    }
    g.put_file("sandbox/f", b"f").unwrap();
    g.put_file("sandbox/g", b"g").unwrap();
    for (old, new, expected) in [
        ("d", "d/sub/d", Err(Inval)),
        ("d", "f", Err(Notdir)),
        ("f", "d", Err(Isdir)),
        ("d", "full", Err(Notempty)),
        ("none", "f", Err(Noent)),
        ("f", "g/", Err(Notdir)),
        ("d/.", "e", Err(Busy)),
        ("f", "f", Ok(())),
        ("f", "g", Ok(())),
        ("d", "empty", Ok(())),
        ("empty", "new/", Ok(())),
    ] {
        assert_eq!(g.rename(&format!("sandbox/{old}"), &format!("sandbox/{new}")), expected, "{old} -> {new}");
        g.host.fs.audit().unwrap();
    }
    assert_eq!(g.get_file("sandbox/g").unwrap(), b"f");
    assert_eq!(g.names("sandbox/new").unwrap(), ["sub"]);
    // `..` follows the move.
    assert_eq!(g.get_file("sandbox/new/sub/../../g").unwrap(), b"f");
}

#[test]
fn open_flags_do_what_they_say() {
    let mut g = Guest::at_root();
    g.put_file("sandbox/f", b"0123456789").unwrap();
    g.make_dir("sandbox/d").unwrap();
    for (path, oflags, rights, expected) in [
        ("sandbox/f", CREATE | EXCLUSIVE, READ | WRITE, Err(Exist)),
        ("sandbox/f", DIRECTORY, READ, Err(Notdir)),
        ("sandbox/d", 0, WRITE, Err(Isdir)),
        ("sandbox/d", DIRECTORY | CREATE, READ, Err(Inval)),
        ("sandbox/n/f", CREATE, WRITE, Err(Noent)),
        ("sandbox/f/n", CREATE, WRITE, Err(Notdir)),
        ("sandbox/f", 64, READ, Err(Inval)),
    ] {
        assert_eq!(g.open_at(3, path, oflags, rights, 0), expected, "{path} {oflags}");
    }
    let append = g.open_at(3, "sandbox/f", 0, READ | WRITE, APPEND).unwrap();
    g.write_at(append, b"A", 0).unwrap();
    assert_eq!(g.get_file("sandbox/f").unwrap(), b"0123456789A");
    let read = g.open_at(3, "sandbox/f", 0, READ, 0).unwrap();
    assert_eq!(g.write(read, b"x"), Err(Badf));
    let write = g.open_at(3, "sandbox/f", TRUNCATE, WRITE, 0).unwrap();
    assert_eq!(g.read(write, 1), Err(Badf));
    assert_eq!(g.get_file("sandbox/f").unwrap(), b"");
    g.symlink("f", "sandbox/l").unwrap();
    let (path, len) = g.put(OLD, b"sandbox/l");
    assert_eq!(answer(preview1::path_open(&mut g.cx(), 3, 0, path, len, 0, READ, READ, 0, OUT)), Err(Loop));
}

#[test]
fn another_file_system_is_never_a_panic() {
    let mut g = Guest::at_root();
    g.put_file("sandbox/f", b"old").unwrap();
    g.make_dir("sandbox/d").unwrap();
    let file = g.open("sandbox/f", 0).unwrap();
    let dir = g.open_at(3, "sandbox/d", DIRECTORY, READ, 0).unwrap();
    let image = g.open_at(3, "lib/os.py", 0, READ, 0).unwrap();
    g.host.fs = mote_wasi::Fs::new(mote_wasi::FsOptions::default());
    assert_eq!(g.read(file, 9), Err(Badf));
    assert_eq!(g.write(file, b"x"), Err(Badf));
    assert_eq!(g.read(image, 9).unwrap(), b"");
    assert_eq!(answer(preview1::fd_filestat_set_times(&mut g.cx(), file, 1, 1, 5)), Err(Badf));
    assert_eq!(g.open_at(dir, "x", CREATE, WRITE, 0), Err(Badf));
    assert_eq!(g.entries(dir, 1000, 2).unwrap(), []);
    g.fd_stat(file).unwrap();
    for fd in [file, dir, image] {
        g.close(fd).unwrap();
    }
    // The root goes along.
    g.put_file("sandbox/f", b"new").unwrap();
    assert_eq!(g.get_file("sandbox/f").unwrap(), b"new");
    g.host.fs.audit().unwrap();
}
