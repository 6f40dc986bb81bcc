//! Folders of derived files, each made once for all processes of a user: under a lock, in a temporary folder, renamed
//! into place, and checked each time they are used.

mod build;
mod stamp;
#[cfg(test)]
mod tests;

pub use build::{Building, Names, obtain};
pub use stamp::Opened;

use mote_core::error::{Code, Error};
use std::path::Path;

fn failed(doing: &str, path: &Path, why: impl std::fmt::Display) -> Error {
    Error::new(Code::GuestBuildFailed, format!("Cannot {doing} {}: {why}", path.display()))
}
