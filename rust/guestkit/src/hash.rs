//! One hash for all that an image is built from.

use std::fs;
use std::path::Path;

use sha2::{Digest, Sha256};

use crate::Outcome;

pub fn hex(digest: impl AsRef<[u8]>) -> String {
    digest.as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Of the names and contents of all files in `paths`, in the order given and by name within a directory. Documentation does
/// not count, nor does where the checkout stands.
pub fn inputs(paths: &[&str]) -> Outcome<String> {
    let mut hash = Sha256::new();
    for path in paths {
        add(&mut hash, Path::new(path), path.rsplit('/').next().unwrap_or_default())?;
    }
    Ok(hex(hash.finalize()))
}

fn add(hash: &mut Sha256, path: &Path, name: &str) -> Outcome<()> {
    if path.is_dir() {
        let mut entries = fs::read_dir(path)?.map(|e| Ok(e?.file_name())).collect::<std::io::Result<Vec<_>>>()?;
        entries.sort();
        for entry in entries {
            let entry = entry.to_str().ok_or("a file name is not UTF-8")?;
            if entry != "__pycache__" {
                add(hash, &path.join(entry), &format!("{name}/{entry}"))?;
            }
        }
    } else if !name.ends_with(".md") {
        let content = fs::read(path).map_err(|e| format!("cannot read {}: {e}", path.display()))?;
        hash.update(format!("{name}\0{}\0", hex(Sha256::digest(content))));
    }
    Ok(())
}
