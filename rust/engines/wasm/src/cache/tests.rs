use super::*;
use std::cell::Cell;
use std::fs;
use std::io::Read;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::PathBuf;

struct Alone;

impl Building for Alone {
    fn waiting(&self) {}
    fn cancelled(&self) -> bool {
        false
    }
}

struct Cache {
    _temporary: tempfile::TempDir,
    parent: PathBuf,
    made: Cell<u32>,
}

impl Cache {
    fn new() -> Self {
        let temporary = tempfile::tempdir().unwrap();
        let parent = temporary.path().join("guests");
        Self { _temporary: temporary, parent, made: Cell::new(0) }
    }

    fn file(&self) -> PathBuf {
        self.parent.join("thing/a")
    }

    /// The contents of file `a`, and whether the folder had to be made.
    fn get(&self) -> mote_core::error::Result<(String, bool)> {
        let make = |dir: &Path| {
            self.made.set(self.made.get() + 1);
            fs::write(dir.join("a"), "alpha").unwrap();
            fs::write(dir.join("b"), "beta").unwrap();
            Ok(())
        };
        let (mut opened, made) = obtain(&self.parent, "thing", Names::These(&["a", "b"]), &Alone, make)?;
        let mut text = String::new();
        opened.files[0].read_to_string(&mut text).unwrap();
        Ok((text, made))
    }

    fn assert_made(&self, anew: bool) {
        assert_eq!(self.get().unwrap(), ("alpha".to_owned(), anew));
    }
}

#[test]
fn a_folder_is_made_once_and_then_found() {
    let cache = Cache::new();
    cache.assert_made(true);
    cache.assert_made(false);
    assert_eq!(cache.made.get(), 1);
    assert_eq!(fs::metadata(&cache.parent).unwrap().permissions().mode() & 0o777, 0o700);
}

#[test]
fn damage_is_found_and_repaired() {
    let cache = Cache::new();
    cache.assert_made(true);
    let damages: [&dyn Fn(&Path); 6] = [
        &|file| fs::write(file, "alphA").unwrap(),
        &|file| fs::write(file, "alph").unwrap(),
        &|file| fs::remove_file(file).unwrap(),
        &|file| fs::set_permissions(file, fs::Permissions::from_mode(0o666)).unwrap(),
        &|file| fs::write(file.with_file_name("stamp.json"), "{").unwrap(),
        &|file| {
            fs::rename(file, file.with_file_name("elsewhere")).unwrap();
            symlink("elsewhere", file).unwrap();
        },
    ];
    for damage in damages {
        damage(&cache.file());
        cache.assert_made(true);
        cache.assert_made(false);
    }
}

#[test]
fn a_folder_open_to_others_is_made_anew_and_an_open_parent_is_refused() {
    let cache = Cache::new();
    cache.assert_made(true);
    fs::set_permissions(cache.parent.join("thing"), fs::Permissions::from_mode(0o755)).unwrap();
    cache.assert_made(true);
    fs::set_permissions(&cache.parent, fs::Permissions::from_mode(0o755)).unwrap();
    cache.assert_made(false);
    assert_eq!(fs::metadata(&cache.parent).unwrap().permissions().mode() & 0o777, 0o700);
    fs::set_permissions(&cache.parent, fs::Permissions::from_mode(0o777)).unwrap();
    let error = cache.get().unwrap_err();
    assert!(error.message.contains("others can write there"), "{error}");
}

#[test]
fn the_same_contents_at_another_place_are_accepted_by_their_hash() {
    let cache = Cache::new();
    cache.assert_made(true);
    fs::copy(cache.file(), cache.parent.join("copy")).unwrap();
    fs::rename(cache.parent.join("copy"), cache.file()).unwrap();
    cache.assert_made(false);
    assert_eq!(cache.made.get(), 1);
}

#[test]
fn what_a_dead_process_left_behind_does_not_stand_in_the_way() {
    let cache = Cache::new();
    fs::create_dir_all(cache.parent.join(".thing.new/junk")).unwrap();
    fs::set_permissions(&cache.parent, fs::Permissions::from_mode(0o700)).unwrap();
    cache.assert_made(true);
}

#[test]
fn a_failed_build_leaves_nothing_and_can_be_tried_again() {
    let cache = Cache::new();
    let fail = |dir: &Path| {
        fs::write(dir.join("a"), "half").unwrap();
        Err(failed("build", dir, "no"))
    };
    assert!(obtain(&cache.parent, "thing", Names::These(&["a", "b"]), &Alone, fail).is_err());
    assert!(!cache.parent.join("thing").exists() && !cache.parent.join(".thing.new").exists());
    cache.assert_made(true);
}

#[test]
fn many_at_once_make_it_once() {
    let cache = Cache::new();
    let parent = cache.parent.clone();
    let made = std::sync::atomic::AtomicU32::new(0);
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                let make = |dir: &Path| {
                    made.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
                    fs::write(dir.join("a"), "alpha").unwrap();
                    Ok(())
                };
                obtain(&parent, "thing", Names::These(&["a"]), &Alone, make).unwrap();
            });
        }
    });
    assert_eq!(made.into_inner(), 1);
}
