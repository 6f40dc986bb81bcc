//! A program in C that includes `mote.h` and links the library.

use std::path::{Path, PathBuf};
use std::process::Command;

const PROGRAM: &str = r#"
#include "mote.h"
#include <stdio.h>
static void notify(uint64_t client) { (void)client; }
int main(void) {
  if (mote_abi_version() != MOTE_ABI_VERSION) return 1;
  if (mote_connect(NULL) != MOTE_BAD_ARGUMENT) return 2;
  int64_t client = mote_connect(notify);
  if (client <= 0) return 3;
  if (mote_probe(client, 7) != MOTE_EVENTS_READY) return 4;
  uint8_t buffer[4096];
  int32_t taken = mote_take(client, buffer, sizeof buffer);
  if (taken <= MOTE_EVENT_HEADER_BYTES || buffer[4] != 7 || buffer[8] != MOTE_EVENT_DONE) return 5;
  fwrite(buffer + MOTE_EVENT_HEADER_BYTES + 4, 1, taken - MOTE_EVENT_HEADER_BYTES - 4, stdout);
  if (mote_take(client, buffer, 2) != MOTE_BAD_ARGUMENT || mote_take(client, buffer, 4) != 0) return 6;
  if (mote_submit(client, 1, buffer, 0) != MOTE_STALE_HANDLE) return 7;
  if (mote_reply(client, 1, buffer, 0) != MOTE_STALE_HANDLE) return 8;
  if (mote_open(client, 1, buffer, 0) != MOTE_BAD_MESSAGE) return 9;
  if (mote_interrupt(client, 1) != MOTE_STALE_HANDLE || mote_close(client, 1) != MOTE_STALE_HANDLE) return 10;
  if (mote_disconnect(client) != MOTE_OK) return 11;
  return 0;
}
"#;

/// The folder that Cargo left the library in for this test.
fn library_folder() -> PathBuf {
    std::env::current_exe().unwrap().parent().unwrap().to_owned()
}

#[test]
fn c_reads_the_header_and_links_the_library() {
    let temporary = tempfile::tempdir().unwrap();
    let (source, program) = (temporary.path().join("main.c"), temporary.path().join("main"));
    std::fs::write(&source, PROGRAM).unwrap();
    let folder = library_folder();
    let compiled = Command::new("cc")
        .args(["-std=c11", "-Wall", "-Wextra", "-Werror", "-pedantic", "-I", env!("CARGO_MANIFEST_DIR")])
        .arg(&source)
        .arg(format!("-L{}", folder.display()))
        .arg(format!("-Wl,-rpath,{}", folder.display()))
        .args(["-lmote", "-o"])
        .arg(&program)
        .output()
        .expect("a C compiler is installed");
    assert!(compiled.status.success(), "{}", String::from_utf8_lossy(&compiled.stderr));
    let ran = Command::new(&program).output().unwrap();
    assert!(ran.status.success(), "{:?}", ran.status);
    assert!(String::from_utf8_lossy(&ran.stdout).contains(r#""available":true"#));
    assert!(Path::new(env!("CARGO_MANIFEST_DIR")).join("mote.h").exists());
}
