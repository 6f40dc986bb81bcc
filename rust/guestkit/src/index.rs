//! guests/images/images.json: what each image is and what it was built from.

use std::fs;
use std::path::Path;

use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use crate::{Outcome, hash};

/// Replaces the entry of one image and leaves the others, and their order, alone.
pub fn update(index: &Path, name: &str, file: &str, packed: &[u8], inputs: &str) -> Outcome<()> {
    let mut images: Map<String, Value> = match fs::read(index) {
        Ok(text) => serde_json::from_slice(&text)?,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Map::new(),
        Err(error) => return Err(error.into()),
    };
    let entry = json!({
        "file": file,
        "sha256": hash::hex(Sha256::digest(packed)),
        "bytes": packed.len(),
        "inputs": inputs,
    });
    images.insert(name.into(), entry);
    fs::write(index, serde_json::to_string_pretty(&images)? + "\n")?;
    Ok(())
}
