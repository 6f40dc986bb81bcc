//! Libraries that a session opens with: a folder the installer unpacked, checked against its list of files.

use crate::leash::lock;
use mote_core::error::{Code, Error, Result};
use mote_core::request::ImageFile;
use mote_engine_wasm::shared::{hex, wall_clock};
use mote_wasi::fs::{Area, Fs, FsOptions, Limits};
use serde::Deserialize;
use sha2::{Digest, Sha256};
use std::collections::HashMap;
use std::fs;
use std::sync::{Arc, Mutex, Weak};

/// Libraries in memory, never written again, so that sessions share them without a lock.
pub type Site = Arc<Fs>;

/// What sessions that are open have, each once.
#[derive(Default)]
pub struct Sites {
    known: Mutex<HashMap<String, Arc<Mutex<Weak<Fs>>>>>,
}

impl Sites {
    /// From the sessions that have it, else from the cache; who comes second waits for the first.
    pub fn get(&self, wanted: &ImageFile) -> Result<Site> {
        let place = {
            let mut known = lock(&self.known);
            known.retain(|_, place| Arc::strong_count(place) > 1 || lock(place).strong_count() > 0);
            known.entry(wanted.sha256.clone()).or_default().clone()
        };
        let mut place = lock(&place);
        if let Some(site) = place.upgrade() {
            return Ok(site);
        }
        let mut fs = empty();
        load(&mut fs, wanted)?;
        let site = Arc::new(fs);
        *place = Arc::downgrade(&site);
        Ok(site)
    }
}

/// A tree for libraries alone.
pub fn empty() -> Fs {
    Fs::new(FsOptions { library: ROOM, now: wall_clock(), ..FsOptions::default() })
}

#[derive(Deserialize)]
struct Listed {
    path: String,
    sha256: String,
}

/// What libraries of a session may take: scipy alone has 100 MiB.
const ROOM: Limits = Limits { bytes: 2 << 30, files: 200_000 };

fn damaged(what: &str, why: impl std::fmt::Display) -> Error {
    let message = format!(
        "Cannot open session: the installed library file {what} is not what was installed: {why}. Remove the folder \"python\" of the cache"
    );
    Error::new(Code::InstallFailed, message)
}

/// Puts all files into site-packages. `site` names the list of files, which lies beside them.
fn load(fs: &mut Fs, site: &ImageFile) -> Result<()> {
    let listed = site.path.display().to_string();
    let list = fs::read(&site.path).map_err(|error| damaged(&listed, error))?;
    if hex(&Sha256::digest(&list)) != site.sha256 {
        return Err(damaged(&listed, "its hash is another one"));
    }
    let list: Vec<Listed> = serde_json::from_slice(&list).map_err(|error| damaged(&listed, error))?;
    let folder = site.path.with_file_name("files");
    let now = wall_clock();
    for Listed { path, sha256 } in list {
        if path.split('/').any(|part| matches!(part, "" | "." | "..")) {
            return Err(damaged(&path, "it leads out of the folder"));
        }
        let bytes = fs::read(folder.join(&path)).map_err(|error| damaged(&path, error))?;
        if hex(&Sha256::digest(&bytes)) != sha256 {
            return Err(damaged(&path, "its hash is another one"));
        }
        let refused = |error| Error::internal(format!("Cannot open session: library file {path}: {error}"));
        if let Some((directory, _)) = path.rsplit_once('/') {
            fs.make_dir_path(Area::Library, directory, true, now).map_err(refused)?;
        }
        fs.write_file(Area::Library, &path, None, Some(0o755), &bytes, now).map_err(refused)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sessions_share_a_site_as_long_as_one_has_it() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir_all(folder.path().join("files/pkg")).unwrap();
        fs::write(folder.path().join("files/pkg/a.py"), "a").unwrap();
        let digest = |bytes: &[u8]| hex(&Sha256::digest(bytes));
        let list = format!(r#"[{{"path":"pkg/a.py","sha256":"{}"}}]"#, digest(b"a"));
        let path = folder.path().join("manifest.json");
        fs::write(&path, &list).unwrap();
        let wanted = ImageFile { path, sha256: digest(list.as_bytes()) };
        let sites = Sites::default();
        let first = sites.get(&wanted).unwrap();
        assert!(Arc::ptr_eq(&first, &sites.get(&wanted).unwrap()));
        drop(first);
        fs::write(folder.path().join("files/pkg/a.py"), "b").unwrap();
        assert_eq!(sites.get(&wanted).map(|_| ()).unwrap_err().code, Code::InstallFailed);
        fs::write(folder.path().join("files/pkg/a.py"), "a").unwrap();
        assert!(sites.get(&wanted).is_ok());
    }
}
