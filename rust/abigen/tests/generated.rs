//! Rewrites `ffi/abi.ts` and `rust/abi/mote.h` when they are stale, and fails then.

use std::fs;
use std::path::{Path, PathBuf};

fn from_root(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(path)
}

fn fresh(path: &str, wanted: &str) {
    let path = from_root(path);
    if fs::read_to_string(&path).ok().as_deref() != Some(wanted) {
        fs::write(&path, wanted).expect("the checkout can be written");
        panic!("{} was stale and has been rewritten: look at it and commit it", path.display());
    }
}

#[test]
fn typescript_table_is_fresh() {
    fresh("ffi/abi.ts", &mote_abigen::typescript::render());
}

#[test]
fn c_header_is_fresh() {
    fresh("rust/abi/mote.h", &mote_abigen::header::render());
}
