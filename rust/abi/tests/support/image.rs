//! Guests packed as images. Their text stands beside them, assembled with `wat2wasm` of wabt or of the `wat` crate.

use mote_wasi::image::ImageWriter;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::fmt::Write;
use std::path::Path;

const GUEST: &[u8] = include_bytes!("../../../engines/wasm/tests/fixtures/guest.wasm");

/// A WASI command that echoes stdin and exits with code 3.
pub const COMMAND: &[u8] = include_bytes!("../../../engines/wasm/tests/fixtures/command.wasm");

/// The `image` of an open request, its file written to `dir`.
pub fn guest_image(dir: &Path) -> Value {
    let manifest = json!({"name": "test", "version": "1", "abi": 1, "snapshot": false, "entry": "main.test"});
    let mut root = ImageWriter::new(0);
    root.file("lib/greeting.txt", 0o644, b"hello".to_vec()).unwrap();
    let files = [
        ("guest.json", manifest.to_string().into_bytes()),
        ("module.wasm", GUEST.to_vec()),
        ("root.img", root.finish().unwrap()),
    ];
    let mut archive = tar::Builder::new(Vec::new());
    for (name, bytes) in files {
        let mut header = tar::Header::new_ustar();
        header.set_size(bytes.len() as u64);
        header.set_mode(0o644);
        archive.append_data(&mut header, name, bytes.as_slice()).unwrap();
    }
    let packed = zstd::encode_all(archive.into_inner().unwrap().as_slice(), 1).unwrap();
    let mut sha256 = String::new();
    Sha256::digest(&packed).iter().for_each(|byte| write!(sha256, "{byte:02x}").unwrap());
    let path = dir.join(format!("{sha256}.tar.zst"));
    if !path.exists() {
        let temporary = tempfile::NamedTempFile::new_in(dir).unwrap();
        std::fs::write(temporary.path(), packed).unwrap();
        temporary.persist(&path).unwrap();
    }
    json!({"path": path, "sha256": sha256})
}
