//! What a run was given beside its code.

use crate::host::{self, Source};
use alloc::string::String;
use alloc::vec::Vec;

/// Standard input, from its beginning.
#[derive(Default)]
pub struct Stdin {
    taken: u64,
}

impl Stdin {
    /// The next piece, at most `PIECE_BYTES`; empty at the end.
    pub fn read(&mut self) -> Vec<u8> {
        let piece = host::read(Source::Stdin as i32, self.taken).unwrap_or_default();
        self.taken += piece.len() as u64;
        piece
    }

    /// All that is left.
    pub fn read_to_end(&mut self) -> Vec<u8> {
        let mut all = Vec::new();
        loop {
            let piece = self.read();
            if piece.is_empty() {
                return all;
            }
            all.extend_from_slice(&piece);
        }
    }
}

/// The `args` of the run.
pub fn arguments() -> Vec<String> {
    list(Source::Arguments)
}

/// The `env` of the session, as names and values.
pub fn environment() -> Vec<(String, String)> {
    let entry = |text: String| text.split_once('=').map(|(name, value)| (name.into(), value.into()));
    list(Source::Environment).into_iter().filter_map(entry).collect()
}

/// Fills `bytes` from the host's source of randomness; never the same after a restore.
pub fn fill_random(bytes: &mut [u8]) {
    for piece in bytes.chunks_mut(crate::PIECE_BYTES) {
        let random = host::read(Source::Random as i32, piece.len() as u64).unwrap_or_default();
        let random = random.get(..piece.len()).expect("the host gives as many bytes as it is asked for");
        piece.copy_from_slice(random);
    }
}

fn list(source: Source) -> Vec<String> {
    let mut bytes = Vec::new();
    host::read_rest(source, &mut bytes);
    let mut texts: Vec<_> = bytes.split(|byte| *byte == 0).collect();
    texts.pop();
    texts.into_iter().map(|text| String::from_utf8_lossy(text).into_owned()).collect()
}
