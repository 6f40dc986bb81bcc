//! Whatever paths the host is given and whatever links a guest has left: nothing outside of `/sandbox` is read or
//! changed.
#![no_main]

use arbitrary::{Result, Unstructured};
use libfuzzer_sys::fuzz_target;
use mote_wasi::fs::{Area, EntryKind, Limits};
use mote_wasi::{Cx, FixedHost, Fs, FsOptions, Wasi, preview1};

const SECRET: &[u8] = b"not for the workspace";

fuzz_target!(|data: &[u8]| {
    let _ = run(&mut Unstructured::new(data));
});

fn path(u: &mut Unstructured<'_>) -> Result<String> {
    let mut path = String::new();
    for _ in 0..u.int_in_range(0..=5)? {
        path += match u.arbitrary::<u8>()? {
            0..40 => "a",
            40..80 => "b",
            80..90 => "link",
            90..150 => "/",
            150..180 => "../",
            180..200 => "./",
            200..215 => "/sandbox/",
            215..225 => "/tmp/",
            225..235 => "secret",
            235..240 => "/site-packages/",
            240..245 => "\0",
            _ => u.arbitrary::<&str>()?,
        };
    }
    Ok(path)
}

/// One call of the guest's, with paths at 0 and 8192.
fn guest(host: &mut FixedHost, wasi: &mut Wasi, u: &mut Unstructured<'_>) -> Result<()> {
    let mut memory = vec![0; 16384];
    let (old, new) = (path(u)?, path(u)?);
    let (old, new) = (&old.as_bytes()[..old.len().min(8000)], &new.as_bytes()[..new.len().min(8000)]);
    memory[..old.len()].copy_from_slice(old);
    memory[8192..8192 + new.len()].copy_from_slice(new);
    let (old, new) = (old.len() as i32, new.len() as i32);
    let cx = &mut Cx { wasi, host, memory: &mut memory };
    // Descriptor 3 is /sandbox: what the guest does in /tmp would blur what the host does.
    let _ = match u.int_in_range(0..=3)? {
        0 => preview1::path_symlink(cx, 0, old, 3, 8192, new),
        1 => preview1::path_create_directory(cx, 3, 0, old),
        2 => preview1::path_rename(cx, 3, 0, old, 3, 8192, new),
        _ => preview1::path_link(cx, 3, 0, 0, old, 3, 8192, new),
    };
    Ok(())
}

fn run(u: &mut Unstructured<'_>) -> Result<()> {
    let limits = Limits { bytes: 1 << 18, files: 30 };
    let mut fs = Fs::new(FsOptions { workspace: limits, ..FsOptions::default() });
    fs.write_file(Area::Library, "secret", None, None, SECRET, 0).unwrap();
    let mut host = FixedHost::new(fs, 0, [0; 32]);
    let mut wasi = Wasi::new(&mut host.fs, &[("/sandbox", "/sandbox"), ("/tmp", "/tmp")]);
    put_secret(&mut host, &mut wasi);
    let mut buf = [0; 64];
    for _ in 0..60 {
        let given = path(u)?;
        let fs = &mut host.fs;
        let area = Area::Workspace;
        match u.int_in_range(0..=9)? {
            0 => drop(fs.write_file(area, &given, u.arbitrary()?, u.arbitrary()?, u.arbitrary()?, 1)),
            1 => {
                if let Ok((n, _)) = fs.read_file(area, &given, 0, &mut buf) {
                    assert_ne!(&buf[..n], SECRET, "{given:?} leads out");
                }
            }
            2 => drop(fs.stat_path(area, &given)),
            3 => {
                for entry in fs.list_dir(area, &given, u.arbitrary()?).unwrap_or_default() {
                    assert!(entry.kind == EntryKind::Symlink || entry.target.is_none());
                    assert!(fs.stat_path(area, &entry.path).is_ok(), "{:?} was listed", entry.path);
                }
            }
            4 => drop(fs.make_dir_path(area, &given, u.arbitrary()?, 1)),
            5 => drop(fs.remove_path(area, &given, u.arbitrary()?, 1)),
            6 => drop(fs.symlink_path(area, &given, &path(u)?, 1)),
            7 => drop(fs.set_mtime(area, &given, 7)),
            _ => guest(&mut host, &mut wasi, u)?,
        }
        check(&mut host, &mut wasi);
    }
    host.fs.audit().unwrap();
    Ok(())
}

/// `/tmp/secret`, made by the guest.
fn put_secret(host: &mut FixedHost, wasi: &mut Wasi) {
    let mut memory = vec![0; 256];
    memory[..6].copy_from_slice(b"secret");
    memory[16..24].copy_from_slice(&[32, 0, 0, 0, SECRET.len() as u8, 0, 0, 0]);
    memory[32..32 + SECRET.len()].copy_from_slice(SECRET);
    let cx = &mut Cx { wasi, host, memory: &mut memory };
    assert_eq!(preview1::path_open(cx, 4, 0, 0, 6, 1, 66, 66, 0, 8), Ok(0));
    assert_eq!(preview1::fd_write(cx, 5, 16, 1, 8), Ok(0));
}

fn check(host: &mut FixedHost, wasi: &mut Wasi) {
    let mut buf = [0; 64];
    let (n, _) = host.fs.read_file(Area::Library, "secret", 0, &mut buf).unwrap();
    assert_eq!(&buf[..n], SECRET);
    assert_eq!(host.fs.list_dir(Area::Library, "", true).unwrap().len(), 1);
    let mut memory = vec![0; 256];
    memory[16..24].copy_from_slice(&[32, 0, 0, 0, 200, 0, 0, 0]);
    let cx = &mut Cx { wasi, host, memory: &mut memory };
    assert_eq!(preview1::fd_pread(cx, 5, 16, 1, 0, 0), Ok(0));
    assert_eq!(&memory[32..32 + SECRET.len()], SECRET);
    assert_eq!(memory[0], SECRET.len() as u8);
    // ".", ".." and the one file with its name of six.
    let cx = &mut Cx { wasi, host, memory: &mut memory };
    assert_eq!(preview1::fd_readdir(cx, 4, 16, 200, 0, 0), Ok(0));
    assert_eq!(memory[0], 25 + 26 + 30);
}
