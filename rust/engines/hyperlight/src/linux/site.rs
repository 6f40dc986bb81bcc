//! Libraries that a session opens with: a folder the installer unpacked, checked against its list of files.

use mote_core::error::{Code, Error, Result};
use mote_core::request::ImageFile;
use mote_engine_wasm::shared::{hex, wall_clock};
use mote_wasi::fs::{Area, Fs, Limits};
use serde::Deserialize;
use sha2::{Digest, Sha256};
use std::fs;

#[derive(Deserialize)]
struct Listed {
    path: String,
    sha256: String,
}

/// What libraries of a session may take: scipy alone has 100 MiB.
pub const ROOM: Limits = Limits { bytes: 2 << 30, files: 200_000 };

fn damaged(what: &str, why: impl std::fmt::Display) -> Error {
    let message = format!(
        "Cannot open session: the installed library file {what} is not what was installed: {why}. Remove the folder \"python\" of the cache"
    );
    Error::new(Code::InstallFailed, message)
}

/// Puts all files into the session's site-packages. `site` names the list of files, which lies beside them.
pub fn load(fs: &mut Fs, site: &ImageFile) -> Result<()> {
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
