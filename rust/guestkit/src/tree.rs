//! A directory of the build machine as a guest's read-only tree.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use mote_wasi::image::ImageWriter;

use crate::Outcome;
use crate::host::EPOCH_NS;

pub fn image(dir: &Path) -> Outcome<Vec<u8>> {
    let mut writer = ImageWriter::new(EPOCH_NS);
    add(&mut writer, dir, "")?;
    Ok(writer.finish()?)
}

fn add(writer: &mut ImageWriter, dir: &Path, above: &str) -> Outcome<()> {
    for entry in fs::read_dir(dir).map_err(|e| format!("cannot read {}: {e}", dir.display()))? {
        let entry = entry?;
        let name = entry.file_name().into_string().map_err(|_| "a file name is not UTF-8")?;
        let path = if above.is_empty() { name } else { format!("{above}/{name}") };
        let kind = entry.file_type()?;
        if kind.is_dir() {
            writer.directory(&path)?;
            add(writer, &entry.path(), &path)?;
        } else if kind.is_symlink() {
            let target = fs::read_link(entry.path())?;
            writer.symlink(&path, target.to_str().ok_or("a link's target is not UTF-8")?)?;
        } else {
            let executable = entry.metadata()?.permissions().mode() & 0o111 != 0;
            writer.file(&path, if executable { 0o755 } else { 0o644 }, fs::read(entry.path())?)?;
        }
    }
    Ok(())
}
