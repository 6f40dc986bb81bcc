use super::*;
use crate::fs::{FsOptions, Limits};
use alloc::string::ToString;
use alloc::vec;

fn files() -> Fs {
    let workspace = Limits { bytes: 10_000, files: 20 };
    Fs::new(FsOptions { workspace, ..FsOptions::default() })
}

fn read(fs: &Fs, path: &str) -> Result<Vec<u8>, Errno> {
    let mut buf = vec![0; 100];
    let n = fs.read_in(Tree::Sandbox, path, 0, &mut buf)?;
    buf.truncate(n);
    Ok(buf)
}

#[test]
fn files_are_made_written_moved_and_removed() {
    let mut fs = files();
    fs.begin_changes();
    fs.make_dir_in(Tree::Sandbox, "d", 1).unwrap();
    fs.write_in(Tree::Sandbox, "d/a", Some(0), b"one", 2).unwrap();
    fs.write_in(Tree::Sandbox, "d/a", None, b"two", 3).unwrap();
    assert_eq!(read(&fs, "d/a").unwrap(), b"onetwo");
    fs.truncate_in(Tree::Sandbox, "d/a", 3, 4).unwrap();
    fs.rename_in(Tree::Sandbox, "d/a", "b", 5).unwrap();
    assert_eq!(read(&fs, "b").unwrap(), b"one");
    assert_eq!(fs.names_in(Tree::Sandbox, "").unwrap(), [("b".to_string(), false), ("d".to_string(), true)]);
    assert_eq!(fs.changes(9).0, ["b"]);
    fs.remove_in(Tree::Sandbox, "d", 6).unwrap();
    assert_eq!(fs.attributes_in(Tree::Sandbox, "d").unwrap_err(), Errno::Noent);
    assert_eq!(fs.attributes_in(Tree::Sandbox, "b").unwrap().times, [2, 4, 5]);
}

#[test]
fn nothing_leads_out_of_a_tree() {
    let mut fs = files();
    fs.write_in(Tree::Tmp, "secret", None, b"x", 1).unwrap();
    for path in ["../tmp/secret", "/tmp/secret", "a/../../tmp/secret", "//tmp", ".."] {
        assert!(read(&fs, path).is_err(), "{path}");
        assert!(fs.write_in(Tree::Sandbox, path, None, b"x", 1).is_err(), "{path}");
        assert!(fs.rename_in(Tree::Sandbox, path, "mine", 1).is_err(), "{path}");
        assert!(fs.remove_in(Tree::Sandbox, path, 1).is_err(), "{path}");
    }
    assert_eq!(fs.write_in(Tree::SitePackages, "a", None, b"x", 1), Err(Errno::Rofs));
    assert_eq!(fs.make_dir_in(Tree::SitePackages, "a", 1), Err(Errno::Rofs));
}

#[test]
fn links_are_followed_within_a_tree_only() {
    let mut fs = files();
    fs.write_in(Tree::Sandbox, "real", None, b"x", 1).unwrap();
    fs.symlink_in(Tree::Sandbox, "link", "real", 2).unwrap();
    fs.link_in(Tree::Sandbox, "real", "second", 2).unwrap();
    fs.symlink_in(Tree::Sandbox, "out", "/tmp/x", 2).unwrap();
    fs.symlink_in(Tree::Sandbox, "up", "../tmp", 2).unwrap();
    assert_eq!((read(&fs, "link").unwrap(), read(&fs, "second").unwrap()), (b"x".to_vec(), b"x".to_vec()));
    fs.write_in(Tree::Tmp, "x", None, b"y", 3).unwrap();
    assert!(read(&fs, "out").is_err() && read(&fs, "up/x").is_err());
    assert!(fs.write_in(Tree::Sandbox, "out", None, b"z", 4).is_err());
    assert_eq!(fs.symlink_in(Tree::SitePackages, "a", "b", 5), Err(Errno::Rofs));
}

#[test]
fn the_quota_holds() {
    let mut fs = files();
    assert_eq!(fs.write_in(Tree::Sandbox, "big", None, &[0; 20_000], 1), Err(Errno::Nospc));
    assert!(fs.take_refused());
    assert!(fs.attributes_in(Tree::Sandbox, "big").unwrap().size <= 10_000);
    assert_eq!(files().write_in(Tree::Sandbox, "far", Some(u64::MAX), b"x", 1), Err(Errno::Fbig));
}
