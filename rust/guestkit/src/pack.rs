//! The image file: a ustar archive without times or owners, compressed.

use std::fs;
use std::io::Write;
use std::path::Path;

use tar::{Builder, EntryType, Header};

use crate::Outcome;

const LEVEL: i32 = 19;
/// 32 MiB: whoever unpacks the image needs this much memory, and longer matches are rare.
const WINDOW_LOG: u32 = 25;

pub fn pack(files: &[&str]) -> Outcome<Vec<u8>> {
    let mut archive = Builder::new(Vec::new());
    for file in files {
        let content = fs::read(file).map_err(|e| format!("cannot read {file}: {e}"))?;
        let name = Path::new(file).file_name().ok_or("a file to pack has no name")?;
        let mut header = Header::new_ustar();
        header.set_entry_type(EntryType::Regular);
        header.set_size(content.len() as u64);
        header.set_mode(0o644);
        header.set_uid(0);
        header.set_gid(0);
        header.set_mtime(0);
        archive.append_data(&mut header, name, content.as_slice())?;
    }
    let plain = archive.into_inner()?;

    let mut encoder = zstd::Encoder::new(Vec::new(), LEVEL)?;
    encoder.long_distance_matching(true)?;
    encoder.window_log(WINDOW_LOG)?;
    encoder.include_checksum(true)?;
    encoder.set_pledged_src_size(Some(plain.len() as u64))?;
    encoder.write_all(&plain)?;
    Ok(encoder.finish()?)
}
